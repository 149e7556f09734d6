"""The HTTP side of the driver, against servers that say what a test wants, and its profile."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import kill_matrix
import pytest
import trustme
from responses_ws_conformance.calls import Call, data_of
from responses_ws_conformance.checks import Cause, Evidence
from responses_ws_conformance.driver import Blocked, Driver, Unreachable
from responses_ws_conformance.errors import ProfileError
from responses_ws_conformance.loading import load_profile
from responses_ws_conformance.masking import Masker
from responses_ws_conformance.profile import Profile, Timing
from responses_ws_conformance.recording import Recording
from responses_ws_conformance.runner import Run, judge_transcripts, plan
from responses_ws_conformance.transcript import Answered, Expired, Header, Requested
from responses_ws_conformance.transcript_files import load
from responses_ws_reference.server import running_server

from tests.cases import message_stream
from tests.stubs import dead_port, stub

FAST = Timing(connect=1, first_event=0.4, idle=0.4, total=1.5, quiet=0.1, close=0.4)
SECRET = "sk-canary-0123456789"
OK = b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nConnection: close\r\n\r\n"
JSON, STREAM = OK % b"application/json", OK % b"text/event-stream"

Talk = Callable[[socket.socket, bytes], None]


@contextmanager
def serving(talk: Talk, context: ssl.SSLContext | None = None) -> Iterator[str]:
    """A server that reads one request for each connection and lets the test answer it."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            sock.settimeout(3)
            with contextlib.suppress(ssl.SSLError), secure(sock, context) as stream:
                talk(stream, request_from(stream))

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http{'s' if context else ''}://127.0.0.1:{listener.getsockname()[1]}/v1"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


def secure(sock: socket.socket, context: ssl.SSLContext | None) -> socket.socket:
    """The same connection, with TLS where there is a context."""
    return context.wrap_socket(sock, server_side=True) if context is not None else sock


def request_from(sock: socket.socket) -> bytes:
    """A request with its whole body."""
    raw = b""
    while b"\r\n\r\n" not in raw:
        raw += sock.recv(65536)
    head, _, body = raw.partition(b"\r\n\r\n")
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    size = int(lengths[0].split(b":")[1]) if lengths else 0
    while len(body) < size:
        body += sock.recv(65536)
    return head + b"\r\n\r\n" + body


def saying(*parts: bytes) -> Talk:
    """Says the same to everybody."""
    return lambda sock, request: sock.sendall(b"".join(parts))


@contextmanager
def driving(http_url: str, path: Path | None = None, **fields: Any) -> Iterator[Driver]:
    """A driver for such a server; its WebSocket is nobody's."""
    fields = {"url": "ws://127.0.0.1:1/v1/responses", "model": "m", "timing": FAST, **fields}
    profile = Profile(http_url=http_url, **fields)
    recording = Recording(Header(scenario="test"), masker=Masker(profile.secrets), path=path)
    with recording, Driver(profile, recording) as driver:
        yield driver


def entries(driver: Driver, kind: type) -> list:
    return [e for e in driver.recording.transcript.entries if isinstance(e, kind)]


def stream_of(*events: dict) -> bytes:
    lines = [f"event: {e['type']}\ndata: {json.dumps(e)}\n\n" for e in events]
    return "".join([*lines, "data: [DONE]\n\n"]).encode()


def test_stream_is_read_as_an_exchange(tmp_path: Path) -> None:
    events = [*message_stream("resp_1", "ready", {})]
    path = tmp_path / "t.jsonl"
    with serving(saying(STREAM, stream_of(*events))) as url, driving(url, path) as driver:
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
    with serving(saying(STREAM, stream_of(*events))) as url, driving(url) as driver:
        driver.api.attempt("hi")
        evidence = Evidence.of(driver.recording.transcript)
    assert (evidence.exchanges, evidence.responses, evidence.connections) == ([], [], [])


def test_response_object_is_a_terminal_event() -> None:
    *_, last = message_stream("resp_1", "ready", {})
    body = json.dumps(last["response"]).encode()
    with serving(saying(JSON, body)) as url, driving(url) as driver:
        exchange = driver.api.attempt("hi", stream=False)
    assert "stream" not in exchange.request
    assert (exchange.outcome, exchange.text) == ("completed", "ready")


def test_refusal_is_an_error_event() -> None:
    body = b'{"error": {"code": "model_not_found", "message": "No."}}'
    head = b"HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\n\r\n"
    with serving(saying(head, body)) as url, driving(url) as driver:
        exchange = driver.api.attempt("hi")
        with pytest.raises(Blocked, match="model_not_found"):
            driver.api.require(exchange, by="RWS-HTTP-002")
    assert (exchange.outcome, exchange.error_status, exchange.error_code) == (
        "error",
        400,
        "model_not_found",
    )


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
    with serving(look) as url, driving(url, path, **fields) as driver:
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
    with serving(look) as url, driving(url, tmp_path / "t.jsonl", **fields) as driver:
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
        with serving(saying(head.encode())) as url, driving(url, api_key=SECRET) as driver:
            exchange = driver.api.attempt("hi")
    assert (exchange.outcome, exchange.error_status) == ("error", 307)


def test_body_has_a_largest_size() -> None:
    with (
        serving(saying(JSON, b"x" * 200_000)) as url,
        driving(url, max_message_bytes=100_000) as driver,
    ):
        call = driver.api.get("resp_1")
    assert call.answered is not None
    assert call.answered.failure == "the body is longer than 100000 bytes"
    assert len(call.answered.body or "") <= 100_000


def never(sock: socket.socket, request: bytes) -> None:
    sock.recv(1)


def stalls(sock: socket.socket, request: bytes) -> None:
    sock.sendall(STREAM + b'data: {"type": "response.created"}\n\n')
    sock.recv(1)


def trickles(sock: socket.socket, request: bytes) -> None:
    sock.sendall(STREAM)
    gone = threading.Event()
    while not gone.wait(0.05):
        try:
            sock.sendall(b": still here\n")
        except OSError:
            gone.set()


@pytest.mark.parametrize(
    ("talk", "clock", "limit"),
    [(never, "first-event", 0.4), (stalls, "idle", 0.4), (trickles, "total", 1.5)],
)
def test_wait_that_runs_out_is_an_entry(talk: Talk, clock: str, limit: float) -> None:
    started = time.monotonic()
    with serving(talk) as url, driving(url) as driver:
        exchange = driver.api.attempt("hi")
        (expired,) = entries(driver, Expired)
        with pytest.raises(Blocked, match="time limit"):
            driver.api.require(exchange, by="RWS-HTTP-002")
    assert (expired.clock, expired.limit, expired.exchange) == (clock, limit, exchange.name)
    assert exchange.outcome == "expired"
    assert time.monotonic() - started < 5


def test_create_without_a_stream_may_take_the_whole_time() -> None:
    def slow(sock: socket.socket, request: bytes) -> None:
        threading.Event().wait(2 * FAST.idle)
        sock.sendall(JSON + b'{"object": "response", "id": "resp_1", "status": "completed"}')

    with serving(slow) as url, driving(url) as driver:
        assert driver.api.attempt("hi", stream=False).outcome == "completed"


def test_broken_off_answer_is_a_lost_connection() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 500\r\n\r\n"
    data = b'data: {"type": "response.created", "response": {"id": "resp_1"}}\n\n'
    with serving(saying(head, data)) as url, driving(url) as driver:
        exchange = driver.api.attempt("hi")
        (answered,) = entries(driver, Answered)
    assert (exchange.outcome, exchange.response_id) == ("closed", "resp_1")
    assert answered.failure


def test_server_that_hangs_up_is_asked_again() -> None:
    with serving(lambda sock, request: None) as url, driving(url) as driver:
        exchange = driver.api.attempt("hi")
        with pytest.raises(Blocked) as blocked:
            driver.api.require(exchange, by="RWS-HTTP-002")
    assert (exchange.outcome, blocked.value.cause) == ("closed", Cause.TRANSIENT)


def test_nobody_there_stops_the_run() -> None:
    dead = dead_port().replace("ws://", "http://")
    with driving(dead) as driver:
        with pytest.raises(Unreachable, match="connection refused"):
            driver.api.get("resp_1")
        (answered,) = entries(driver, Answered)
    assert (answered.status, answered.failure) == (None, "connection refused")


def test_tls_is_verified_against_the_profile(tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)

    def secured(sock: socket.socket, request: bytes) -> None:
        sock.sendall(JSON + b'{"object": "response", "id": "resp_1", "status": "completed"}')

    with serving(secured, context) as url:
        with driving(url, ca_file=tmp_path / "ca.pem") as driver:
            assert driver.api.get("resp_1").status == 200
        with driving(url) as driver, pytest.raises(Unreachable, match="CERTIFICATE_VERIFY"):
            driver.api.get("resp_1")


def test_connections_are_served_while_an_answer_is_awaited() -> None:
    def slow(sock: socket.socket, request: bytes) -> None:
        threading.Event().wait(0.3)
        sock.sendall(JSON + b"{}")

    def speaks(connection) -> None:
        connection.recv()
        connection.ping(b"x").wait(2)
        for event in message_stream("resp_1", "ready", {}):
            connection.send(json.dumps(event))
        connection.recv()

    with stub(speaks) as ws, serving(slow) as url, driving(url, url=ws) as driver:
        exchange = driver.connect().submit("hi")
        driver.api.get("resp_1")
        assert exchange.outcome == "completed"


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
