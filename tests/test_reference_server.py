"""The reference server over real sockets: handshakes, nasty input, faults, variants and the end."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from responses_ws_reference.faults import FAULTS
from responses_ws_reference.variants import VARIANTS
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

KEY = "a-key-for-tests"
DEADLINE = 10.0
TERMINAL = ("response.completed", "response.incomplete", "response.failed", "error")


@dataclass
class Server:
    """A server in a process of its own."""

    process: subprocess.Popen[str]
    url: str
    is_asgi: bool = False

    def connect(self, **options: Any) -> ClientConnection:
        headers = {"Authorization": f"Bearer {KEY}", **options.pop("headers", {})}
        return connect(self.url, additional_headers=headers, close_timeout=DEADLINE, **options)

    def get(self, path: str = "/v1/responses", **headers: str) -> Any:
        """A plain HTTP request and its answer: status and parsed body."""
        host = self.url.removeprefix("ws://").partition("/")[0]
        with contextlib.closing(http.client.HTTPConnection(host, timeout=DEADLINE)) as client:
            client.request("GET", path, headers=headers)
            answer = client.getresponse()
            assert answer.getheader("Content-Type") == "application/json"
            return answer.status, json.loads(answer.read())

    def stop(self, number: signal.Signals = signal.SIGTERM) -> str:
        """Everything that was said on stderr until the process ended with 0."""
        self.process.send_signal(number)
        _, said = self.process.communicate(timeout=DEADLINE)
        assert self.process.returncode == 0, said
        return said


@contextlib.contextmanager
def serving(*options: str) -> Iterator[Server]:
    command = [sys.executable, "-m", "responses_ws_reference", "--api-key-env", "RWS_KEY", *options]
    process = subprocess.Popen(
        command,
        env={**os.environ, "RWS_KEY": KEY},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line.startswith("listening on ws://127.0.0.1:"), line
            yield Server(process, line.split()[-1], "--http" in options)
        finally:
            process.kill()


@pytest.fixture(scope="module", params=[(), ("--http",)], ids=["websockets", "asgi"])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """One server on each shell, that many tests maltreat; at the end it must have kept quiet."""
    with serving("--levers", *request.param) as running:
        yield running
        assert running.stop() == ""


def create(**fields: Any) -> str:
    return json.dumps({"type": "response.create", "input": "hi", **fields})


def turn(client: ClientConnection, message: str | bytes | None = None) -> list[dict[str, Any]]:
    """The events of one turn, up to its terminal or error event."""
    client.send(create() if message is None else message)
    events: list[dict[str, Any]] = []
    while not events or events[-1]["type"] not in TERMINAL:
        events.append(json.loads(client.recv(timeout=DEADLINE)))
    return events


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


NASTY_MESSAGES: dict[str, str | bytes] = {
    "binary": create().encode(),
    "binary that is no text": bytes(range(256)),
    "empty": "",
    "malformed": '{"type": "response.create"',
    "deeply nested": "[" * 1_000_000,
    "deeply nested objects": '{"a":' * 200_000 + "1" + "}" * 200_000,
    "just within the parser": create(metadata=None, x=None)[:-1]
    + ',"y":'
    + "[" * 500
    + "]" * 500
    + "}",
    "a huge integer": '{"type":"response.create","max_output_tokens":' + "9" * 100_000 + "}",
    "a large integer": '{"type":"response.create","max_output_tokens":-' + "9" * 4_000 + "}",
    "a lone surrogate": '{"type":"response.create","input":"\\udfff"}',
    "ten megabytes of nothing": " " * 10_000_000,
    "ten megabytes of input": create(input="a" * 10_000_000, model="none"),
    "a million members": '{"a":[' + ",".join("1" * 1_000_000) + "]}",
    "everything of a wrong type": json.dumps(
        {"type": "response.create"}
        | dict.fromkeys(["input", "model", "tools", "store", "text", "metadata"], 0)
    ),
}


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


def close_code(client: ClientConnection) -> int | None:
    """The code with which the server closes; what it says before is read past."""
    try:
        while True:
            client.recv(timeout=DEADLINE)
    except ConnectionClosed as closed:
        return closed.rcvd and closed.rcvd.code


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


def test_the_lifetime_lever(server: Server) -> None:
    """A connection that asks for a short life gets one; another does not share it."""
    with server.connect(headers={"RWS-Lifetime": "0.2"}) as short, server.connect() as other:
        event = json.loads(short.recv(timeout=DEADLINE))
        assert event["error"]["code"] == "websocket_connection_limit_reached"
        assert close_code(short) == 1000
        assert turn(other)[-1]["type"] == "response.completed"


def kinds(client: ClientConnection) -> list[str]:
    """The types of the events of one turn."""
    return [event["type"] for event in turn(client)]


@pytest.mark.parametrize(
    ("name", "end"),
    [
        ("Failure", ["response.output_text.delta", "response.failed"]),
        ("Overload", ["response.output_text.delta", "error", "response.failed"]),
        ("Refusal-5xx", ["error"]),
    ],
)
def test_a_lever_takes_hold_in_the_turn_that_its_header_names(
    server: Server, name: str, end: list[str]
) -> None:
    """Before and behind it all is well, and other connections notice nothing."""
    with server.connect(headers={f"RWS-{name}": "2"}) as client, server.connect() as other:
        assert kinds(client)[-1] == "response.completed"
        events = turn(client)
        if end[-1] != events[-1]["type"]:
            events.append(json.loads(client.recv(timeout=DEADLINE)))
        assert [event["type"] for event in events][-len(end) :] == end
        assert kinds(client)[-1] == kinds(other)[-1] == "response.completed"


def test_a_restart_takes_the_connection_in_mid_response(server: Server) -> None:
    """It is said why, and a new connection is served."""
    with server.connect(headers={"RWS-Restart": "1"}) as client:
        client.send(create(input="Count from 1 to 9."))
        assert close_code(client) == 1012
    with server.connect() as client:
        assert kinds(client)[-1] == "response.completed"


def test_what_failed_cannot_be_continued(server: Server) -> None:
    """Neither the failed response nor, without storage, the one that it went on from."""
    with server.connect(headers={"RWS-Failure": "2"}) as client:
        first = turn(client, create(store=False))[-1]["response"]["id"]
        failed = turn(client, create(previous_response_id=first))[-1]["response"]["id"]
        for name in (first, failed):
            (error,) = turn(client, create(previous_response_id=name))
            assert error["error"]["code"] == "previous_response_not_found"


def test_levers_by_get(server: Server) -> None:
    """A GET arms a lever for the next turn, whoever has it; a restart closes all connections."""
    key = {"Authorization": f"Bearer {KEY}"}
    with server.connect() as client, server.connect() as idle:
        assert server.get("/rws/levers/failure", **key) == (200, {"lever": "failure"})
        assert kinds(client)[-1] == "response.failed"
        assert kinds(client)[-1] == "response.completed"
        assert server.get("/rws/levers/restart", **key)[0] == 200
        assert close_code(client) == close_code(idle) == 1012


def test_lifetime_by_get(server: Server) -> None:
    """All connections reach their limit and say so; the next one is served."""
    key = {"Authorization": f"Bearer {KEY}"}
    with server.connect() as client, server.connect() as idle:
        assert kinds(client)[-1] == "response.completed"
        assert server.get("/rws/levers/lifetime", **key) == (200, {"lever": "lifetime"})
        for connection in (client, idle):
            error = json.loads(connection.recv(timeout=DEADLINE))
            assert error["error"]["code"] == "websocket_connection_limit_reached"
            assert close_code(connection) == 1000
    with server.connect() as after:
        assert kinds(after)[-1] == "response.completed"


@pytest.mark.parametrize(("path", "status"), [("failure", 401), ("earthquake", 404), ("", 404)])
def test_not_everybody_pulls_every_lever(server: Server, path: str, status: int) -> None:
    assert server.get(f"/rws/levers/{path}")[0] == status


def test_without_the_option_there_are_no_levers() -> None:
    with serving() as running, running.connect(headers={"RWS-Failure": "1"}) as client:
        assert kinds(client)[-1] == "response.completed"
        key = {"Authorization": f"Bearer {KEY}"}
        assert running.get("/rws/levers/failure", **key)[0] == 404


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize(("options", "code"), [((), 1001), (("--http",), 1012)])
def test_a_signal_ends_the_server_gracefully(
    options: tuple[str, ...], code: int, number: signal.Signals
) -> None:
    """Open connections are closed and told so, a running response is cut, the exit code is 0."""
    with serving("--pace", "0.05", *options) as running, running.connect() as client:
        client.send(create(input="Count from 1 to 5000."))
        json.loads(client.recv(timeout=DEADLINE))
        assert running.stop(number) == ""
        assert close_code(client) == code


def test_an_idle_server_is_small() -> None:
    """An idle server stays under 60 MB."""
    status = Path("/proc/self/status")
    if not status.exists():
        pytest.skip("memory is read from /proc")
    with serving() as running:
        lines = Path(f"/proc/{running.process.pid}/status").read_text().splitlines()
    (resident,) = (int(line.split()[1]) for line in lines if line.startswith("VmRSS"))
    assert resident < 60_000


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--fault", "none-such"], "unknown fault 'none-such'"),
        (["--variant", "none-such"], "unknown variant 'none-such'"),
        (["--http", "--fault", "pongs-are-lost"], "--http cannot have the fault pongs-are-lost"),
        (["--api-key-env", "RWS_UNSET"], "RWS_UNSET is not set"),
        (["--fault", "ends-twice", "--fault", "never-ends"], "--fault is there twice"),
        (["--port", "65536"], "a number from 0 to 65535"),
        (["--lifetime", "0"], "a positive number"),
        (["--lifetime", "soon"], "a positive number"),
        (["--pace", "nan"], "a positive number"),
    ],
)
def test_a_wrong_option_is_explained(options: list[str], complaint: str) -> None:
    """The command line ends with 2 and says why."""
    command = [sys.executable, "-m", "responses_ws_reference", *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE, check=False)
    assert done.returncode == 2
    assert complaint in done.stderr


def test_the_lists_name_everything() -> None:
    """Each fault and each variant has a line with its summary."""
    command = [sys.executable, "-m", "responses_ws_reference", "--list-faults", "--list-variants"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE, check=True)
    named = {line.split()[0] for line in done.stdout.splitlines()}
    assert named == {*FAULTS, *VARIANTS}


def test_reader_of_a_list_may_have_seen_enough() -> None:
    command = [sys.executable, "-m", "responses_ws_reference", "--list-faults"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.wait(timeout=30) == 0
        assert process.stderr is not None
        assert process.stderr.read() == b""
