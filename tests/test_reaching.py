"""The driver reaches its target every way a profile can say, and says why where it cannot."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import trustme
from responses_ws_conformance.driver import Unreachable
from responses_ws_conformance.scenarios.inject import connect as connect_with_agents
from responses_ws_conformance.transcript import Opened, Received
from websockets.sync.server import ServerConnection

from tests.driving import driving, entries
from tests.peers import hostile
from tests.stubs import answering, answers, dead_port, stub


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


def test_plain_handshake_offers_no_subprotocol() -> None:
    with stub(answers) as url, driving(url, subprotocol="beta.v1") as driver:
        driver.shake_hands(None, plain=True)
    (opened,) = entries(driver, Opened)
    assert opened.request_header("Sec-WebSocket-Protocol") is None
