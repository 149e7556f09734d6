"""The HTTP side of the driver: what it sends, how it reads what comes, and its profile."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import kill_matrix
import pytest
from responses_ws_conformance.checks import Evidence
from responses_ws_conformance.errors import ProfileError
from responses_ws_conformance.profile.loading import load_profile
from responses_ws_conformance.reading.calls import Call, data_of
from responses_ws_conformance.runner import Run, judge_transcripts, plan
from responses_ws_conformance.transcript import Answered, Requested
from responses_ws_conformance.transcript.files import load
from responses_ws_reference.server import running_server

from tests.cases import message_stream
from tests.driving import driving_http
from tests.http_stubs import JSON, STREAM, saying, serving

SECRET = "sk-canary-0123456789"


def stream_of(*events: dict) -> bytes:
    lines = [f"event: {e['type']}\ndata: {json.dumps(e)}\n\n" for e in events]
    return "".join([*lines, "data: [DONE]\n\n"]).encode()


def test_stream_is_read_as_an_exchange(tmp_path: Path) -> None:
    events = [*message_stream("resp_1", "ready", {})]
    path = tmp_path / "t.jsonl"
    with serving(saying(STREAM, stream_of(*events))) as url, driving_http(url, path) as driver:
        exchange = driver.api.attempt("hi", store=False)
    assert (exchange.outcome, exchange.text, exchange.response_id) == (
        "completed",
        "ready",
        "resp_1",
    )
    assert [e.payload for e in exchange.events] == events
    assert exchange.request == {"model": "m", "store": False, "stream": True, "input": "hi"}
    saved = load(path)
    assert saved.entries == driver.recording.transcript.entries
    (again,) = Evidence.of(saved).reading.calls.values()
    assert (again.name, again.exchange.outcome) == (exchange.name, "completed")


def test_calls_are_no_exchanges_of_a_connection() -> None:
    events = [*message_stream("resp_1", "ready", {})]
    with serving(saying(STREAM, stream_of(*events))) as url, driving_http(url) as driver:
        driver.api.attempt("hi")
        evidence = Evidence.of(driver.recording.transcript)
    assert (evidence.exchanges, evidence.responses, evidence.connections) == ([], [], [])


def test_response_object_is_a_terminal_event() -> None:
    *_, last = message_stream("resp_1", "ready", {})
    body = json.dumps(last["response"]).encode()
    with serving(saying(JSON, body)) as url, driving_http(url) as driver:
        exchange = driver.api.attempt("hi", stream=False)
    assert "stream" not in exchange.request
    assert (exchange.outcome, exchange.text) == ("completed", "ready")


def test_key_headers_and_query_are_sent_and_the_key_is_masked(tmp_path: Path) -> None:
    asked: list[bytes] = []

    def look(sock: socket.socket, request: bytes) -> None:
        asked.append(request)
        sock.sendall(JSON + b'{"echo": "' + SECRET.encode() + b'"}')

    fields = {
        "api_key": SECRET,
        "headers": {"X-Tenant": "one"},
        "query": {"api-version": "preview"},
        "secrets": {"api_key": SECRET},
    }
    path = tmp_path / "t.jsonl"
    with serving(look) as url, driving_http(url, path, **fields) as driver:
        driver.api.get("resp/../1?")
    (request,) = asked
    assert request.startswith(b"GET /v1/responses/resp%2F..%2F1%3F?api-version=preview HTTP/1.1")
    assert b"Authorization: Bearer " + SECRET.encode() in request
    assert b"X-Tenant: one" in request
    assert SECRET not in path.read_text("utf-8")
    (call,) = driver.recording.reading.calls.values()
    assert call.payload == {"echo": "[secret: api_key]"}


def test_query_parameters_that_are_secrets_are_masked(tmp_path: Path) -> None:
    """One that a variable holds, and one that its name gives away, wherever a target repeats it."""
    asked: list[bytes] = []

    def look(sock: socket.socket, request: bytes) -> None:
        asked.append(request)
        sock.sendall(JSON + b'{"echo": "' + request.split()[1] + b'"}')

    path = tmp_path / "p.yaml"
    path.write_text("query: {code: {env: CODE}, access_token: tok-123456, api-version: preview}")
    env = {"CODE": "code/123+456"}
    profile = load_profile(path, env=env, url="ws://h/v1/responses?sig=sig-123456&v=2")
    assert profile.target == "ws://h/v1/responses?sig=[secret: query sig]&v=2"
    fields = {"query": profile.query, "secrets": profile.secrets}
    with serving(look) as url, driving_http(url, tmp_path / "t.jsonl", **fields) as driver:
        driver.api.get("resp_1")
    assert b"code=code%2F123%2B456&access_token=tok-123456&api-version=preview" in asked[0]
    text = (tmp_path / "t.jsonl").read_text("utf-8")
    assert "api-version=preview" in text
    assert not any(value in text for value in ("123%2B456", "123+456", "tok-123456"))


def test_redirect_is_not_followed() -> None:
    def elsewhere(sock: socket.socket, request: bytes) -> None:
        pytest.fail("the key went elsewhere")

    with serving(elsewhere) as other:
        head = f"HTTP/1.1 307 Temporary Redirect\r\nLocation: {other}/responses\r\n\r\n"
        with serving(saying(head.encode())) as url, driving_http(url, api_key=SECRET) as driver:
            exchange = driver.api.attempt("hi")
    assert (exchange.outcome, exchange.error_status) == ("error", 307)


@pytest.mark.parametrize(
    ("body", "texts"),
    [
        ("data: a\n\ndata: b\n\n", ["a", "b"]),
        ("event: x\r\ndata: a\r\n\r\n", ["a"]),
        ("data:a\ndata: b\n\n", ["a\nb"]),
        (": comment\n\nid: 7\ndata: a\n\n", ["a"]),
        ("data: a\u2028b\x85c\n\n", ["a\u2028b\x85c"]),
        ("data: a\rdata: b\r\r", ["a\nb"]),
        ("data: a", ["a"]),
        ("data: a\n\ndata: [DONE]\n\n", ["a"]),
        ("", []),
    ],
)
def test_lines_of_a_stream(body: str, texts: list[str]) -> None:
    assert list(data_of(body)) == texts


@pytest.mark.parametrize("body", ["", "[]", "null", "{", '{"error": 7}', '{"object": "response"}'])
@pytest.mark.parametrize("status", [200, 204, 302, 400, 500])
@pytest.mark.parametrize("kind", ["application/json", "text/event-stream", ""])
def test_any_answer_can_be_read(body: str, status: int, kind: str) -> None:
    call = Call.of(Requested(0, 0.0, "h1", "POST", "/v1/responses", body="{}"))
    call.take(Answered(1, 0.1, "h1", status, (("content-type", kind),), body))
    assert call.exchange.outcome in ("open", "completed", "error")
    assert call.exchange.error_object is not None


PROFILES = {
    "features: [http]": "http_url: the feature http needs the HTTP base URL",
    "http_url: http://127.0.0.1:1/v1": "http_url: it is used where features has http",
    "http_url: ws://127.0.0.1:1/v1\nfeatures: [http]": "http_url: not an HTTP URL",
    "http_url: http://me:secret@host/v1\nfeatures: [http]": "http_url: it holds a password",
    "http_url: http://host/v1?a=b\nfeatures: [http]": "http_url: query parameters stand in query",
}


@pytest.mark.parametrize("text", PROFILES)
def test_half_of_an_http_profile_is_a_mistake(text: str, tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(f"url: ws://127.0.0.1:1/v1/responses\n{text}\n")
    with pytest.raises(ProfileError, match=PROFILES[text]):
        load_profile(path)


def test_without_the_library_the_run_does_not_start(tmp_path: Path) -> None:
    """The extra is asked for where the profile claims the feature, and nowhere else."""
    (tmp_path / "p.yaml").write_text(
        "url: ws://127.0.0.1:1/v1/responses\nhttp_url: http://127.0.0.1:1/v1\nfeatures: [http]\n"
    )
    script = textwrap.dedent("""
        import sys
        from importlib.machinery import PathFinder

        class Without:
            def find_spec(self, name, *rest):
                return None if name == "urllib3" else PathFinder.find_spec(name, *rest)

        sys.meta_path[:] = [f for f in sys.meta_path if f is not PathFinder] + [Without()]
        from responses_ws_conformance.cli import main
        assert "urllib3" not in sys.modules
        sys.exit(main(sys.argv[1:]))
    """)
    command = [sys.executable, "-c", script, "run"]
    claimed = subprocess.run(
        [*command, "--profile", "p.yaml"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert claimed.returncode == 4, claimed.stderr
    assert "pip install 'responses-ws-conformance[http]'" in claimed.stderr
    assert len(claimed.stderr.splitlines()) == 1


def test_saved_transcripts_give_the_same_verdicts(tmp_path: Path) -> None:
    with running_server(kill_matrix.server_config(http=True)) as server:
        profile = kill_matrix.profile_of(
            server.url, dialect="open-responses", features=kill_matrix.ALL_LAYERS
        )
        todo = plan(profile)
        wanted = [s for s in todo.scenarios if {"http", "compaction"} & set(s.features)]
        run = Run(profile, replace(todo, scenarios=tuple(wanted)), tmp_path)
        run.record_all()
    live = {j.requirement.id: (j.verdict, j.why) for j in run.judgements()}
    saved = [load(path) for path in sorted(tmp_path.glob("*.jsonl"))]
    judged = {j.requirement.id: (j.verdict, j.why) for j in judge_transcripts(saved)}
    assert judged == live
    areas = ("RWS-HTTP", "RWS-COMPACT")
    assert {live[name][0].value for name in live if name.startswith(areas)} == {"pass", "skip"}
