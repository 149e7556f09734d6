"""Over HTTP what is wrong is refused, what breaks is told, and the next request is answered."""

from __future__ import annotations

import http.client
import json
from typing import Any

import pytest

from tests.http_client import KEY, Answer, Client, serving
from tests.nasty_messages import NASTY_MESSAGES
from tests.turns import DEADLINE


@pytest.mark.parametrize("is_streamed", [False, True])
@pytest.mark.parametrize(
    ("fields", "code", "param"),
    [
        ({"stream_id": "a"}, "unsupported_parameter", "stream_id"),
        ({"generate": False}, "unsupported_parameter", "generate"),
        ({"background": True}, "unsupported_value", "background"),
        ({"model": "none-such"}, "model_not_found", "model"),
        ({"temperature": 3}, "decimal_above_max_value", "temperature"),
        ({"previous_response_id": "x"}, "previous_response_not_found", "previous_response_id"),
    ],
)
def test_refused_create_is_an_http_error(
    client: Client, fields: dict[str, Any], code: str, param: str, is_streamed: bool
) -> None:
    """Whether a stream was asked for or not, nothing has begun yet."""
    answer = client.post(**fields, stream=is_streamed)
    assert (answer.status, answer.kind) == (400, "application/json")
    assert answer.json["error"].keys() == {"type", "code", "message", "param"}
    assert (answer.json["error"]["code"], answer.json["error"]["param"]) == (code, param)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "missing_required_parameter"),
        ({"input": "hi", "model": "none-such"}, "model_not_found"),
        ({"previous_response_id": "resp_1"}, "previous_response_not_found"),
        (
            {"input": [{"type": "function_call", "call_id": "c", "name": "n", "arguments": ""}]},
            "tool_output_not_found",
        ),
    ],
)
def test_what_cannot_be_compacted(client: Client, body: dict[str, Any], code: str) -> None:
    answer = client.request("POST", "/compact", body)
    assert (answer.status, answer.json["error"]["code"]) == (400, code)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"\xff\xfe", b'"hi"', b"[" * 100_000, b'{"input": NaN}']
)
def test_body_that_is_no_json_object(client: Client, body: bytes) -> None:
    answer = client.post(body)
    assert (answer.status, answer.json["error"]["code"]) == (400, "invalid_json")


@pytest.mark.parametrize("name", [name for name in NASTY_MESSAGES if name != "binary"])
def test_nasty_body(client: Client, name: str) -> None:
    """What is refused on a WebSocket is refused here, and the next request is answered."""
    message = NASTY_MESSAGES[name]
    answer = client.post(message.encode() if isinstance(message, str) else message)
    assert answer.status == 400
    assert answer.json["error"]["code"]
    assert client.post().status == 200


def test_type_in_a_body_means_nothing(client: Client) -> None:
    assert client.post(type="response.steer").json["object"] == "response"


def test_body_has_a_limit(client: Client) -> None:
    answer = client.post(b" " * (17 * 2**20))
    assert (answer.status, answer.json["error"]["code"]) == (413, "request_too_large")
    assert client.post().status == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", ""), ("POST", "/compact"), ("GET", "/resp_1"), ("DELETE", "/resp_1")],
)
def test_key_is_asked_for(client: Client, method: str, path: str) -> None:
    stranger = Client(client.url, "sk-three")
    answer = stranger.request(method, path, {"input": "hi"})
    assert (answer.status, answer.json["error"]["code"]) == (401, "invalid_api_key")


def test_levers_reach_http(client: Client) -> None:
    """A response that fails is one; a refusal and an overload are HTTP errors where they can."""

    def under(lever: str, **fields: Any) -> Answer:
        return client.request("POST", body={"input": "hi", **fields}, **{f"RWS-{lever}": "1"})

    assert under("Failure").json["status"] == "failed"
    assert under("Refusal-5xx", stream=True).status == 500
    assert under("Overload", stream=True).events[-1]["type"] == "response.failed"
    assert under("Restart").status == 500
    with pytest.raises(http.client.IncompleteRead):
        under("Restart", stream=True)
    assert client.post().status == 200


def test_a_client_that_vanishes_in_the_middle(client: Client) -> None:
    """Nobody waits for the rest of its response."""
    host = client.url.removeprefix("ws://").partition("/")[0]
    body = json.dumps({"input": "Count from 1 to 5000.", "stream": True}).encode()
    connection = http.client.HTTPConnection(host, timeout=DEADLINE)
    connection.request("POST", "/v1/responses", body, {"Authorization": f"Bearer {KEY}"})
    connection.getresponse().read(10)
    connection.close()
    assert client.post().status == 200


@pytest.mark.parametrize("place", ["compact", "create"])
def test_request_that_breaks_the_server(
    place: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is answered and written down, and the next one is served."""

    def break_down(*given: Any) -> Any:
        raise RuntimeError("on purpose")

    monkeypatch.setattr(f"responses_ws_reference.serving.http_api.HttpApi.{place}", break_down)
    with serving() as client:
        path = "/compact" if place == "compact" else ""
        answer = client.request("POST", path, {"input": "hi"})
        assert (answer.status, answer.json["error"]["code"]) == (500, "server_error")
        assert client.request("GET", "/resp_1").status == 404
    assert "a request broke the server" in caplog.text
    assert "on purpose" in caplog.text


def test_other_method_is_refused(client: Client) -> None:
    answer = client.request("PUT", body={"input": "hi"})
    assert (answer.status, answer.json["error"]["code"]) == (405, "method_not_allowed")
    assert answer.allowed == "GET, POST"


def test_host_header_does_not_change_the_path(client: Client) -> None:
    response = client.post().json
    answer = client.request("GET", f"/{response['id']}", Host="a/b?c#d")
    assert answer.json["id"] == response["id"]


def test_statuses_are_others() -> None:
    with serving(variant="other-statuses") as client:
        assert client.post(temperature=3).status == 422
        assert client.post(previous_response_id="resp_1").status == 404
        gone = client.request("DELETE", f"/{client.post().json['id']}")
        assert (gone.status, gone.text) == (204, "")
