"""The driver reaches its target every way a profile can say, and records what happens."""

from __future__ import annotations

import html
import json
import socket
import ssl
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import trustme
from responses_ws_conformance.driver import Blocked, Driver, Unreachable
from responses_ws_conformance.errors import InvalidClientEvent
from responses_ws_conformance.masking import Masker
from responses_ws_conformance.profile import Profile, Timing
from responses_ws_conformance.recording import Recording
from responses_ws_conformance.scenarios.inject import connect as connect_with_agents
from responses_ws_conformance.transcript import Closed, Expired, Header, Opened, Received, Sent
from responses_ws_conformance.transcript_files import load
from websockets.frames import Frame, Opcode
from websockets.sync.server import ServerConnection

from tests.cases import message_stream
from tests.peers import hostile
from tests.stubs import always_an_error, answering, dead_port, silent, stub

FAST = Timing(connect=1, first_event=0.4, idle=0.4, total=2, quiet=0.1, close=0.4)


@contextmanager
def driving(
    url: str, path: Path | None = None, *, timing: Timing = FAST, **fields: Any
) -> Iterator[Driver]:
    """A driver for a stub."""
    profile = Profile(url=url, model="m", timing=timing, **fields)
    recording = Recording(Header(scenario="test"), masker=Masker(profile.secrets), path=path)
    with recording, Driver(profile, recording) as driver:
        yield driver


def answers(connection: ServerConnection) -> None:
    """Answers every create healthily."""
    for number, message in enumerate(connection):
        for event in message_stream(f"resp_{number}", "ready", json.loads(message)):
            connection.send(json.dumps(event))


def entries(driver: Driver, kind: type) -> list:
    return [e for e in driver.recording.transcript.entries if isinstance(e, kind)]


def test_turn_is_recorded_and_read(tmp_path: Path) -> None:
    with stub(answers) as url, driving(url, tmp_path / "t.jsonl") as driver:
        exchange = driver.connect().turn("hi", store=False)
        assert (exchange.outcome, exchange.text) == ("completed", "ready")
    saved = load(tmp_path / "t.jsonl")
    assert saved.entries == driver.recording.transcript.entries
    assert [type(e) for e in saved.entries[:3]] == [Opened, Sent, Received]
    assert isinstance(saved.entries[-1], Closed)


@pytest.mark.parametrize(
    ("headers", "sent"),
    [
        ({}, "responses_multi_agent=v1"),
        ({"openai-beta": "other=v2"}, "other=v2, responses_multi_agent=v1"),
    ],
)
def test_the_header_of_a_beta_stands_beside_that_of_the_profile(
    headers: dict[str, str], sent: str
) -> None:
    seen: list[list[str]] = []

    def handler(connection: ServerConnection) -> None:
        assert connection.request is not None
        seen.append(connection.request.headers.get_all("OpenAI-Beta"))

    with stub(handler) as url, driving(url, headers=headers) as driver:
        connect_with_agents(driver)
    assert seen == [[sent]]


def test_headers_query_and_subprotocol_reach_the_target() -> None:
    seen: dict[str, str] = {}

    def look(connection: ServerConnection) -> None:
        assert connection.request is not None
        seen["path"] = connection.request.path
        seen["authorization"] = connection.request.headers["Authorization"]
        seen["header"] = connection.request.headers["X-Tenant"]
        seen["subprotocol"] = connection.subprotocol or ""
        answers(connection)

    with (
        stub(look, subprotocols=["beta.v1"]) as url,
        driving(
            url,
            api_key="canary-key",
            headers={"X-Tenant": "one"},
            query={"api-version": "preview"},
            subprotocol="beta.v1",
            secrets={"api_key": "canary-key"},
        ) as driver,
    ):
        driver.connect().turn("hi", store=False)
    assert seen == {
        "path": "/v1/responses?api-version=preview",
        "authorization": "Bearer canary-key",
        "header": "one",
        "subprotocol": "beta.v1",
    }


def test_no_secret_reaches_the_file(tmp_path: Path) -> None:
    def leak(connection: ServerConnection) -> None:
        for _ in connection:
            error = {"code": "x", "message": "the key canary-key is unknown"}
            connection.send(json.dumps({"type": "error", "error": error}))
            connection.send(b"binary canary-key")
            connection.close(1008, "canary-key")

    path = tmp_path / "t.jsonl"
    with (
        stub(leak) as url,
        driving(url, path, api_key="canary-key", secrets={"api_key": "canary-key"}) as driver,
    ):
        driver.connect().attempt("canary-key")
    text = path.read_text("utf-8")
    assert "canary-key" not in text
    assert "[secret: api_key]" in text


KEY = 'sk-Canary/7+q="\\z9'
MASKED = "[secret: api_key]"
ECHOES = {
    "JSON": (json.dumps(KEY), f'"{MASKED}"'),
    "JSON in JSON": (json.dumps(json.dumps(KEY)), f'"\\"{MASKED}\\""'),
    "JSON with escaped slashes": (json.dumps(KEY).replace("/", "\\/"), f'"{MASKED}"'),
    "JSON with everything escaped": ("".join(f"\\u{ord(c):04X}" for c in KEY), MASKED),
    "a URL": (quote(KEY, safe=""), MASKED),
    "a URL in lower case": (quote(KEY, safe="").replace("%2F", "%2f"), MASKED),
    "HTML": (html.escape(KEY), MASKED),
    "base64": (b64encode(KEY.encode()).decode(), MASKED),
    "base64 of the header": (
        b64encode(b"Bearer " + KEY.encode()).decode(),
        f"QmVhcmVyIH{MASKED}Q==",
    ),
    "base64 of more": (b64encode(f"k={KEY}; more".encode()).decode(), f"az1{MASKED}k7IG1vcmU="),
    "hexadecimal": (KEY.encode().hex(), MASKED),
}


@pytest.mark.parametrize("how", ECHOES)
def test_secret_is_masked_however_it_is_spelled(how: str) -> None:
    echo, masked = ECHOES[how]
    assert Masker({"api_key": KEY})(f"no such key: {echo}.") == f"no such key: {masked}."


def certified(ca_file: Path) -> ssl.SSLContext:
    """The context of a TLS server on loopback, whose authority is written to a file."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(ca_file)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


def test_tls_is_verified_against_the_profile(tmp_path: Path) -> None:
    context = certified(tmp_path / "ca.pem")
    with stub(answers, ssl=context) as url:
        with driving(url, ca_file=tmp_path / "ca.pem") as driver:
            assert driver.connect().turn("hi", store=False).outcome == "completed"
        with driving(url) as driver, pytest.raises(Unreachable, match="TLS failed"):
            driver.connect()


@dataclass
class Halves:
    """A TLS server that sends a message in one record, the second half when it is told to."""

    context: ssl.SSLContext
    message: str
    has_begun: threading.Event = field(default_factory=threading.Event)
    may_end: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def serving(self) -> Iterator[str]:
        """The URL of the server."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            thread = threading.Thread(target=self._serve, args=(listener,))
            thread.start()
            yield f"wss://127.0.0.1:{listener.getsockname()[1]}/"
            thread.join()

    def _serve(self, listener: socket.socket) -> None:
        sock, _ = listener.accept()
        arrived, leaving = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = self.context.wrap_bio(arrived, leaving, server_side=True)

        def until_done(do: Callable[[], object]) -> None:
            while True:
                try:
                    do()
                except ssl.SSLWantReadError:
                    sock.sendall(leaving.read())
                    arrived.write(sock.recv(65536))
                else:
                    sock.sendall(leaving.read())
                    return

        with sock:
            until_done(tls.do_handshake)
            until_done(lambda: tls.read(65536))
            tls.write(b"HTTP/1.1 101 OK\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
            sock.sendall(leaving.read())
            tls.write(hostile.frame(self.message.encode()))
            record = leaving.read()
            sock.sendall(record[:-10])
            self.has_begun.set()
            self.may_end.wait(60)
            sock.sendall(record[-10:])
            sock.recv(65536)


def test_half_a_record_of_tls_stops_no_clock(tmp_path: Path) -> None:
    server = Halves(certified(tmp_path / "ca.pem"), '{"type": "acme:whole"}')
    with server.serving() as url, driving(url, ca_file=tmp_path / "ca.pem") as driver:
        connection = driver.connect()
        assert server.has_begun.wait(5)
        started = time.monotonic()
        connection.watch()
        took = time.monotonic() - started
        before = entries(driver, Received)
        server.may_end.set()
        connection.wait(5, lambda: bool(entries(driver, Received)))
    assert took < 5
    assert before == []
    assert [e.text for e in entries(driver, Received)] == [server.message]


@contextmanager
def tunnel() -> Iterator[tuple[str, list[bytes]]]:
    """An HTTP proxy that tunnels one CONNECT, and the request lines that it saw."""
    lines: list[bytes] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def pipe(source: socket.socket, sink: socket.socket) -> None:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)

    def run() -> None:
        client, _ = listener.accept()
        with client:
            request = b""
            while b"\r\n\r\n" not in request:
                request += client.recv(65536)
            lines.append(request.splitlines()[0])
            host, port = request.split()[1].decode().split(":")
            with socket.create_connection((host, int(port))) as upstream:
                client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                back = threading.Thread(target=pipe, args=(upstream, client))
                back.start()
                pipe(client, upstream)
                back.join()

    thread = threading.Thread(target=run)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}", lines
    thread.join()
    listener.close()


def test_proxy_is_used() -> None:
    with (
        stub(answers) as url,
        tunnel() as (proxy, lines),
        driving(url, proxy=proxy) as driver,
    ):
        assert driver.connect().turn("hi", store=False).outcome == "completed"
    assert lines[0].startswith(b"CONNECT 127.0.0.1:")


def test_dead_port_is_unreachable() -> None:
    with driving(dead_port()) as driver, pytest.raises(Unreachable, match="connection refused"):
        driver.connect()


@pytest.mark.parametrize(
    ("url", "proxy", "host"),
    [
        ("ws://localhost..:9/", None, "localhost.."),
        ("ws://127.0.0.1:9/", f"http://{'a' * 64}:3128", "a" * 64),
    ],
)
def test_host_that_nobody_finds_is_named(url: str, proxy: str | None, host: str) -> None:
    with driving(url, proxy=proxy) as driver, pytest.raises(Unreachable, match=f"host: {host}$"):
        driver.connect()


ANSWERS = {
    "nothing, and closed": (b"", "closed before it answered"),
    "101 of another version": (b"HTTP/1.0 101 OK\r\n\r\n", "status 101, .*HTTP/1.0"),
    "101 with a broken header": (
        b"HTTP/1.1 101 OK\r\nServer: \x1b[2J\r\n\r\n",
        "status 101, .*header",
    ),
    "101 without an end": (b"HTTP/1.1 101 OK\r\n", "status 101, .*within the time limit"),
    "words": (b"220 mail.example ESMTP\r\n\r\n", "not HTTP"),
    "a redirect": (
        b"HTTP/1.1 302 Found\r\nLocation: wss://new.example/\r\nContent-Length: 0\r\n\r\n",
        "redirected with status 302 to wss://new.example/",
    ),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_handshake_that_opens_nothing_is_told_for_what_it_is(name: str) -> None:
    answer, why = ANSWERS[name]
    with (
        answering(answer) as url,
        driving(url) as driver,
        pytest.raises(Unreachable, match=why),
    ):
        driver.connect()


def test_handshake_without_an_answer_runs_out_of_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"ws://127.0.0.1:{listener.getsockname()[1]}/"
        with driving(url) as driver, pytest.raises(Unreachable, match="within the time limit"):
            driver.connect()


def test_expired_wait_is_an_entry_and_blocks() -> None:
    with stub(silent) as url, driving(url) as driver, pytest.raises(Blocked) as blocked:
        driver.connect().turn("hi", store=False)
    assert blocked.value.cause.value == "time"
    assert [e.clock for e in entries(driver, Expired)] == ["first-event"]


def test_pings_are_life() -> None:
    def slow(connection: ServerConnection) -> None:
        for message in connection:
            for _ in range(10):
                connection.ping().wait(2)
                threading.Event().wait(0.2)
            for event in message_stream("resp_1", "ready", json.loads(message)):
                connection.send(json.dumps(event))

    timing = replace(FAST, first_event=1.5, total=10)
    with stub(slow) as url, driving(url, timing=timing) as driver:
        assert driver.connect().turn("hi", store=False).outcome == "completed"
    assert entries(driver, Expired) == []


def test_total_clock_ends_a_stream_that_never_ends() -> None:
    def endless(connection: ServerConnection) -> None:
        for message in connection:
            events = list(message_stream("resp_1", "x", json.loads(message)))
            for event in events[:5]:
                connection.send(json.dumps(event))
            while True:
                connection.send(json.dumps(events[4]))
                threading.Event().wait(0.05)

    with stub(endless) as url, driving(url) as driver:
        assert driver.connect().attempt("hi", store=False).outcome == "expired"
    assert next(e.clock for e in entries(driver, Expired)) == "total"


def test_fragments_of_the_server_are_joined() -> None:
    def fragmented(connection: ServerConnection) -> None:
        for message in connection:
            for event in message_stream("resp_1", "ready", json.loads(message)):
                text = json.dumps(event)
                connection.send([text[:10], text[10:20], text[20:]])

    with stub(fragmented) as url, driving(url) as driver:
        assert driver.connect().turn("hi", store=False).text == "ready"


def test_own_slip_is_not_sent() -> None:
    with stub(answers) as url, driving(url) as driver, pytest.raises(InvalidClientEvent):
        driver.connect().turn("hi", temperature="warm")
    assert entries(driver, Sent) == []


def test_message_that_is_too_large_fails_the_connection() -> None:
    def large(connection: ServerConnection) -> None:
        for _ in connection:
            connection.send("x" * 100_000)

    with stub(large) as url, driving(url, max_message_bytes=50_000) as driver:
        assert driver.connect().attempt("hi", store=False).outcome == "closed"
    (closed,) = entries(driver, Closed)
    assert (closed.side, closed.code) == ("failed", 1009)


def test_plain_handshake_offers_no_subprotocol() -> None:
    with stub(answers) as url, driving(url, subprotocol="beta.v1") as driver:
        driver.shake_hands(None, plain=True)
    (opened,) = entries(driver, Opened)
    assert opened.request_header("Sec-WebSocket-Protocol") is None


def test_create_is_filled_up_to_a_size() -> None:
    with stub(answers) as url, driving(url) as driver:
        assert driver.connect().turn("hällo", store=False, size=5000).outcome == "completed"
    (sent,) = entries(driver, Sent)
    assert len(sent.text.encode()) + sent.padding == 5000
    assert sent.payload["input"] == "hällo"


def test_close_that_is_not_answered_is_told_from_one_without_a_code() -> None:
    def closing(connection: ServerConnection, change: Callable[[Frame], Frame | None]) -> None:
        send = connection.protocol.send_frame

        def changed(frame: Frame) -> None:
            after = change(frame) if frame.opcode is Opcode.CLOSE else frame
            if after is not None:
                send(after)

        connection.protocol.send_frame = changed  # type: ignore[method-assign]
        always_an_error(connection)

    def empty(connection: ServerConnection) -> None:
        closing(connection, lambda frame: replace(frame, data=b""))

    def cut(connection: ServerConnection) -> None:
        closing(connection, lambda frame: None)

    codes = []
    for handler in (empty, cut):
        with stub(handler) as url, driving(url) as driver:
            connection = driver.connect()
            assert connection.provoke("go").outcome == "error"
            connection.close()
        (closed,) = entries(driver, Closed)
        codes.append((closed.side, closed.code))
    assert codes == [("client", None), ("client", 1006)]


def test_short_key_is_masked_as_a_header_only(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    key = {"api_key": "e"}
    with stub(answers) as url, driving(url, path, api_key="Bearer e", secrets=key) as driver:
        driver.connect().turn("hi", store=False)
    saved = load(path)
    assert saved.header.masked == ()
    assert saved.entries[0].request_header("Authorization") == "[secret]"  # type: ignore[union-attr]
    assert any(e.type == "response.created" for e in saved.received())
