"""The reference server over real sockets: handshakes, and nasty input that harms nobody."""

from __future__ import annotations

import json
import socket

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.nasty_messages import NASTY_MESSAGES
from tests.server_process import KEY, Server
from tests.turns import DEADLINE, close_code, create, turn


def test_turns_on_one_connection(server: Server) -> None:
    """A chain of two turns over a real socket."""
    with server.connect() as client:
        first = turn(client, create(input="Remember: the code word is auk. Reply with: ok"))
        second = turn(
            client,
            create(
                input="What is the code word? Reply with the code word only.",
                previous_response_id=first[-1]["response"]["id"],
            ),
        )
    assert second[-1]["response"]["output"][0]["content"][0]["text"] == "auk"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/responses", 426),
        ("/v1/responses?model=m", 426),
        ("/", 404),
        ("/v1/responses/", 404),
    ],
)
def test_what_is_no_handshake(server: Server, path: str, status: int) -> None:
    """The answer is plain HTTP with an error object."""
    seen, body = server.get(path)
    assert seen == status
    assert body["error"]["code"]
    assert body["error"]["message"]


@pytest.mark.parametrize(
    ("headers", "status"), [({}, 401), ({"Authorization": f"Bearer {KEY}"}, 400)]
)
def test_half_a_handshake(server: Server, headers: dict[str, str], status: int) -> None:
    """An upgrade without the rest of its headers is refused as JSON too."""
    if server.is_asgi:
        pytest.skip("the ASGI stack refuses it before it asks the server")
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket"}
    seen, body = server.get(**upgrade, **headers)
    assert seen == status
    assert body["error"]["code"]
    assert body["error"]["message"]


@pytest.mark.parametrize("value", [None, "Bearer wrong", f"Basic {KEY}", KEY, f"Bearer {KEY}x"])
def test_a_wrong_key_is_refused(server: Server, value: str | None) -> None:
    """The upgrade fails with 401, and the body does not repeat what was sent."""
    headers = {} if value is None else {"Authorization": value}
    with pytest.raises(InvalidStatus) as caught:
        connect(server.url, additional_headers=headers)
    answer = caught.value.response
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert json.loads(answer.body)["error"]["code"] == "invalid_api_key"
    assert KEY.encode() not in answer.body


@pytest.mark.parametrize("query", ["", "?model=other"])
def test_nothing_is_selected_that_was_not_offered(server: Server, query: str) -> None:
    """Without an offer there is no subprotocol and no extension; a query changes nothing."""
    server = Server(server.process, server.url + query)
    with server.connect(compression=None) as client:
        assert client.subprotocol is None
        assert client.response is not None
        assert "Sec-WebSocket-Extensions" not in client.response.headers
        assert turn(client)[-1]["type"] == "response.completed"


@pytest.mark.parametrize("name", NASTY_MESSAGES)
def test_nasty_message(server: Server, name: str) -> None:
    """One error event, and the connection goes on."""
    with server.connect(max_size=None) as client:
        (event,) = turn(client, NASTY_MESSAGES[name])
        assert event["type"] == "error"
        assert event["error"]["code"]
        assert turn(client)[-1]["type"] == "response.completed"


def test_ten_megabytes_are_read(server: Server) -> None:
    """A large create is a create."""
    text = "word " * 2_000_000
    with server.connect() as client:
        done = turn(client, create(input=text, store=False))[-1]["response"]
    assert done["usage"]["input_tokens"] == 2_000_000


# Frames of a client, masked with zeros, by what is wrong with them.
MASK = b"\0\0\0\0"
NASTY_FRAMES: dict[str, tuple[bytes, int]] = {
    "text that is not UTF-8": (b"\x81\x82" + MASK + b"\xff\xfe", 1007),
    "a reserved opcode": (b"\x83\x80" + MASK, 1002),
    "no mask": (b"\x81\x02{}", 1002),
    "a continuation of nothing": (b"\x80\x81" + MASK + b"x", 1002),
    "a long ping": (b"\x89\xfe\x00\x7e" + MASK + b"x" * 126, 1002),
    "twenty megabytes": (b"\x81\xff" + (20_000_000).to_bytes(8, "big") + MASK, 1009),
}


@pytest.mark.parametrize("name", NASTY_FRAMES)
def test_nasty_frame(server: Server, name: str) -> None:
    """What breaks RFC 6455 ends the connection with the code it names, and only this one."""
    data, code = NASTY_FRAMES[name]
    with server.connect() as client:
        client.socket.sendall(data)
        assert close_code(client) == code
    with server.connect() as client:
        assert turn(client)[-1]["type"] == "response.completed"


def test_garbage_instead_of_http(server: Server) -> None:
    """A peer that speaks no HTTP is not served, and harms nobody."""
    host, port = server.url.removeprefix("ws://").partition("/")[0].split(":")
    for garbage in (b"\x16\x03\x01\x02\x00", b"GET / HTTP/1.1\r\nX: \xff\xfe\r\n\r\n", b"\r\n" * 9):
        with socket.create_connection((host, int(port)), timeout=DEADLINE) as peer:
            peer.sendall(garbage)
            peer.shutdown(socket.SHUT_WR)
            while peer.recv(4096):
                pass
    with server.connect() as client:
        assert turn(client)[-1]["type"] == "response.completed"


def test_a_client_that_vanishes_in_the_middle(server: Server) -> None:
    """A connection that is cut in mid-response leaves nothing behind."""
    with server.connect() as client:
        client.send(create(input="Count from 1 to 5000."))
        json.loads(client.recv(timeout=DEADLINE))
        client.socket.shutdown(socket.SHUT_RDWR)
    with server.connect() as other:
        assert turn(other)[-1]["type"] == "response.completed"


def test_messages_get_in_between_two_events(server: Server) -> None:
    """While a response streams, pings are answered and refusals are sent."""
    with server.connect() as client:
        client.send(create(input="Count from 1 to 5000."))
        json.loads(client.recv(timeout=DEADLINE))
        client.send("{")
        pong = client.ping()
        types = []
        while "response.completed" not in types:
            types.append(json.loads(client.recv(timeout=DEADLINE))["type"])
        assert pong.wait(DEADLINE)
    assert "error" in types[:-1]


def test_a_split_message_is_one_message(server: Server) -> None:
    """Fragments of a text message are put together."""
    with server.connect() as client:
        message = create()
        client.send([message[:5], message[5:20], message[20:]])
        assert json.loads(client.recv(timeout=DEADLINE))["type"] == "response.created"
