"""Upgrading: from a target to an open wire, by way of an opening handshake.

Nothing that the network or the server does raises: where no wire opens, its handshake says why,
and what else is wrong with a handshake is left for the checks to say.
"""

from __future__ import annotations

import http.client
import io
import socket
import ssl
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

from websockets.client import ClientProtocol
from websockets.exceptions import InvalidStatus
from websockets.frames import Frame
from websockets.http11 import Response
from websockets.uri import parse_uri

from responses_ws_conformance.driver.wire import (
    READ_BYTES,
    Handshake,
    Network,
    Target,
    Wire,
)

SEND_TIMEOUT: Final = 30.0
UPGRADE_HEADERS: Final = ("Upgrade", "Connection", "Sec-WebSocket-Key", "Sec-WebSocket-Version")


class LenientProtocol(ClientProtocol):
    """A client that takes every 101: what is wrong with one is the checks' business."""

    def process_response(self, response: Response) -> None:
        """Refuse only what is not a 101."""
        if response.status_code != 101:
            raise InvalidStatus(response)
        self.extensions = []


def open_wire(target: Target, network: Network) -> Wire:
    """Connect and shake hands; never raises for what the network or the server does."""
    uri = parse_uri(target.full_url)
    protocol = LenientProtocol(
        uri,
        subprotocols=[target.subprotocol] if target.subprotocol else None,  # type: ignore[list-item]
        max_size=target.max_message_bytes,
    )
    request = protocol.connect()
    if not target.upgrade:
        for name in UPGRADE_HEADERS:
            del request.headers[name]
        request.headers["Connection"] = "close"
    for name, value in target.headers:
        request.headers[name] = value
    handshake = Handshake(request.path, tuple(request.headers.raw_items()))
    wire = Wire(protocol, handshake)
    deadline = network.clock() + target.timeout
    try:
        wire.sock = network.connect(target)
        protocol.send_request(request)
        wire.flush()
        _shake_hands(wire, network.clock, deadline)
    except (OSError, http.client.HTTPException) as problem:
        handshake.failure = _failure(problem, target)
    if handshake.status == 101 and wire.sock is not None:
        wire.sock.settimeout(SEND_TIMEOUT)
    else:
        wire.shut()
    return wire


def _shake_hands(wire: Wire, clock: Callable[[], float], deadline: float) -> None:
    assert wire.sock is not None
    raw = b""
    while True:
        remaining = deadline - clock()
        if remaining <= 0:
            _salvage(wire, raw, "no answer to the opening handshake within the time limit")
            return
        wire.sock.settimeout(remaining)
        try:
            data = wire.sock.recv(READ_BYTES)
        except TimeoutError:
            continue
        raw = raw or data
        if data:
            wire.protocol.receive_data(data)
        else:
            wire.protocol.receive_eof()
            wire.is_eof = True
        for event in wire.protocol.events_received():
            if isinstance(event, Response):
                _note_response(wire.handshake, event)
            elif isinstance(event, Frame):
                wire.frames.append(event)
        if wire.handshake.status is not None:
            return
        if not data or wire.protocol.handshake_exc is not None:
            _salvage(wire, raw, "closed before it answered the opening handshake")
            return


def _note_response(handshake: Handshake, response: Response) -> None:
    handshake.status = response.status_code
    handshake.response_headers = tuple(response.headers.raw_items())
    if response.body is not None:
        handshake.body = bytes(response.body).decode("utf-8", "replace")


def _salvage(wire: Wire, raw: bytes, silence: str) -> None:
    """Keep status, headers and what is there of the body where the parser gave up.

    A 101 that the parser does not take opens nothing.
    """
    head, _, body = raw.partition(b"\r\n\r\n")
    status_line, _, fields = head.partition(b"\r\n")
    words = status_line.split(None, 2)
    was_cut_off = b"\r\n" not in raw and b"HTTP/".startswith(raw[:5])
    if not raw or was_cut_off:
        wire.handshake.failure = silence
    elif not (len(words) >= 2 and words[0].startswith(b"HTTP/") and words[1].isdigit()):
        wire.handshake.failure = "the answer to the opening handshake is not HTTP"
    elif int(words[1]) == 101:
        problem = wire.protocol.handshake_exc
        why = str(problem.__cause__ or problem) if problem is not None else silence
        wire.handshake.failure = f"status 101, but the opening handshake is not valid: {why}"
    else:
        headers = http.client.parse_headers(io.BytesIO(fields + b"\r\n\r\n"))
        wire.handshake.status = int(words[1])
        wire.handshake.response_headers = tuple(headers.items())
        wire.handshake.body = body.decode("utf-8", "replace")


def _failure(problem: Exception, target: Target) -> str:
    if isinstance(problem, ssl.SSLError):
        reason = getattr(problem, "verify_message", "") or problem.reason or str(problem)
        return f"TLS failed: {reason}"
    if isinstance(problem, TimeoutError):
        return "no connection within the time limit"
    if isinstance(problem, socket.gaierror):
        return f"no such host: {urlsplit(target.proxy or target.url).hostname}"
    if isinstance(problem, ConnectionRefusedError):
        return "connection refused"
    return str(problem) or type(problem).__name__
