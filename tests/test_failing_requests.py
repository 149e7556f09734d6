"""HTTP requests that fail or take long: each ends within its limits, and is told for what it is."""

from __future__ import annotations

import json
import socket
import ssl
import threading
import time
from pathlib import Path

import pytest
import trustme
from responses_ws_conformance.checks import Cause
from responses_ws_conformance.driver import Blocked, Unreachable
from responses_ws_conformance.transcript import Answered, Expired

from tests.cases import message_stream
from tests.driving import FAST, driving_http, entries
from tests.http_stubs import JSON, STREAM, Talk, saying, serving
from tests.stubs import dead_port, stub


def test_refusal_is_an_error_event() -> None:
    body = b'{"error": {"code": "model_not_found", "message": "No."}}'
    head = b"HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\n\r\n"
    with serving(saying(head, body)) as url, driving_http(url) as driver:
        exchange = driver.api.attempt("hi")
        with pytest.raises(Blocked, match="model_not_found"):
            driver.api.require(exchange, by="RWS-HTTP-002")
    assert (exchange.outcome, exchange.error_status, exchange.error_code) == (
        "error",
        400,
        "model_not_found",
    )


def test_body_has_a_largest_size() -> None:
    with (
        serving(saying(JSON, b"x" * 200_000)) as url,
        driving_http(url, max_message_bytes=100_000) as driver,
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
    with serving(talk) as url, driving_http(url) as driver:
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

    with serving(slow) as url, driving_http(url) as driver:
        assert driver.api.attempt("hi", stream=False).outcome == "completed"


def test_broken_off_answer_is_a_lost_connection() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 500\r\n\r\n"
    data = b'data: {"type": "response.created", "response": {"id": "resp_1"}}\n\n'
    with serving(saying(head, data)) as url, driving_http(url) as driver:
        exchange = driver.api.attempt("hi")
        (answered,) = entries(driver, Answered)
    assert (exchange.outcome, exchange.response_id) == ("closed", "resp_1")
    assert answered.failure


def test_server_that_hangs_up_is_asked_again() -> None:
    with serving(lambda sock, request: None) as url, driving_http(url) as driver:
        exchange = driver.api.attempt("hi")
        with pytest.raises(Blocked) as blocked:
            driver.api.require(exchange, by="RWS-HTTP-002")
    assert (exchange.outcome, blocked.value.cause) == ("closed", Cause.TRANSIENT)


def test_nobody_there_stops_the_run() -> None:
    dead = dead_port().replace("ws://", "http://")
    with driving_http(dead) as driver:
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
        with driving_http(url, ca_file=tmp_path / "ca.pem") as driver:
            assert driver.api.get("resp_1").status == 200
        with driving_http(url) as driver, pytest.raises(Unreachable, match="CERTIFICATE_VERIFY"):
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

    with stub(speaks) as ws, serving(slow) as url, driving_http(url, url=ws) as driver:
        exchange = driver.connect().submit("hi")
        driver.api.get("resp_1")
        assert exchange.outcome == "completed"
