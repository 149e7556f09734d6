"""One WebSocket connection, on the sans-I/O protocol of the websockets library.

A suite has to see pings, refused handshakes and broken frames instead of having them handled
away, so this stands below the library's own client: bytes go in, frames come out, and what is
wrong with a handshake is left for the checks to say.
"""

from __future__ import annotations

import contextlib
import http.client
import io
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlencode, urlsplit

from websockets.client import ClientProtocol
from websockets.exceptions import InvalidStatus
from websockets.frames import Frame
from websockets.http11 import Response
from websockets.protocol import State
from websockets.uri import parse_uri

from responses_ws_conformance.transcript import Headers

READ_BYTES: Final = 65536
SEND_TIMEOUT: Final = 30.0
UPGRADE_HEADERS: Final = ("Upgrade", "Connection", "Sec-WebSocket-Key", "Sec-WebSocket-Version")


@dataclass(frozen=True, slots=True)
class Target:
    """Where to connect, and what the opening handshake carries. ``timeout`` is in seconds."""

    url: str
    headers: Headers = ()
    query: tuple[tuple[str, str], ...] = ()
    subprotocol: str | None = None
    ca_file: str | None = None
    proxy: str | None = None
    timeout: float = 10.0
    max_message_bytes: int = 4 * 2**20
    upgrade: bool = True

    @property
    def full_url(self) -> str:
        """The URL with the query parameters."""
        if not self.query:
            return self.url
        return f"{self.url}{'&' if urlsplit(self.url).query else '?'}{urlencode(self.query)}"


@dataclass(slots=True)
class Handshake:
    """What came of an opening handshake; ``failure`` where there is no HTTP response."""

    target: str
    request_headers: Headers
    status: int | None = None
    response_headers: Headers = ()
    body: str | None = None
    failure: str | None = None


class LenientProtocol(ClientProtocol):
    """A client that takes every 101: what is wrong with one is the checks' business."""

    def process_response(self, response: Response) -> None:
        """Refuse only what is not a 101."""
        if response.status_code != 101:
            raise InvalidStatus(response)
        self.extensions = []


@dataclass(slots=True)
class Wire:
    """A socket and its protocol; where it is not usable the handshake says why."""

    protocol: LenientProtocol
    handshake: Handshake
    sock: socket.socket | None = None
    frames: list[Frame] = field(default_factory=list)  # came together with the 101
    is_eof: bool = False

    @property
    def is_open(self) -> bool:
        """True while frames can be sent and received."""
        return self.sock is not None and not self.is_eof and self.protocol.state is State.OPEN

    def fileno(self) -> int:
        """The file descriptor, for select."""
        return self.sock.fileno() if self.sock is not None else -1

    def has_buffered(self) -> bool:
        """True where there is something to read that select cannot see."""
        return isinstance(self.sock, ssl.SSLSocket) and self.sock.pending() > 0

    def take_early(self) -> list[Frame]:
        """Frames that came together with the 101."""
        early, self.frames = self.frames, []
        return early

    def flush(self) -> None:
        """Send what the protocol has to say; a lost connection shows when reading."""
        for data in self.protocol.data_to_send():
            if self.sock is None:
                return
            try:
                if data:
                    self.sock.sendall(data)
                else:
                    self.sock.shutdown(socket.SHUT_WR)
            except TimeoutError:
                # Half a frame has been sent, so the connection is of no more use.
                self._hang_up()
            except OSError:
                return

    def _hang_up(self) -> None:
        """End both directions, so that the next read finds the end."""
        if self.sock is not None:
            with contextlib.suppress(OSError):
                self.sock.shutdown(socket.SHUT_RDWR)

    def read(self) -> list[Frame]:
        """Frames in what has arrived; call when readable. Sets ``is_eof`` at the end."""
        if self.sock is None or self.is_eof:
            return []
        try:
            data = self.sock.recv(READ_BYTES)
        except (ssl.SSLWantReadError, TimeoutError):
            return []
        except OSError:
            data = b""
        if data:
            self.protocol.receive_data(data)
        else:
            self.is_eof = True
            self.protocol.receive_eof()
        self.flush()
        return [e for e in self.protocol.events_received() if isinstance(e, Frame)]

    def shut(self) -> None:
        """Close the socket at once."""
        if self.sock is not None:
            self.sock.close()
        self.sock = None
        self.is_eof = True


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


def _connect(target: Target) -> socket.socket:
    parts = urlsplit(target.url)
    secure = parts.scheme == "wss"
    host, port = parts.hostname or "", parts.port or (443 if secure else 80)
    timeout = max(0.1, target.timeout)
    if target.proxy is not None:
        proxy = urlsplit(target.proxy)
        tunnel = http.client.HTTPConnection(proxy.hostname or "", proxy.port, timeout=timeout)
        tunnel.set_tunnel(host, port)
        tunnel.connect()
        sock = tunnel.sock
    else:
        sock = socket.create_connection((host, port), timeout=timeout)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if secure:
        context = ssl.create_default_context(cafile=target.ca_file)
        sock = context.wrap_socket(sock, server_hostname=host)
    return sock


def _wait(wires: Sequence[Wire], seconds: float) -> Sequence[Wire]:
    if not wires:
        # Some systems cannot select from nothing.
        threading.Event().wait(seconds)
        return []
    readable, _, _ = select.select(wires, [], [], seconds)
    return readable


@dataclass(frozen=True, slots=True)
class Network:
    """Where connections lead, how one waits for them, and what time it is meanwhile.

    The default is the real one. ``wait`` gives the wires that have something to read, as soon as
    one has, or none when the seconds are over.
    """

    clock: Callable[[], float] = time.monotonic
    connect: Callable[[Target], socket.socket] = _connect
    wait: Callable[[Sequence[Wire], float], Sequence[Wire]] = _wait


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
    parts = urlsplit(target.url)
    if isinstance(problem, ssl.SSLError):
        reason = getattr(problem, "verify_message", "") or problem.reason or str(problem)
        return f"TLS failed: {reason}"
    if isinstance(problem, TimeoutError):
        return "no connection within the time limit"
    if isinstance(problem, socket.gaierror):
        return f"no such host: {parts.hostname}"
    if isinstance(problem, ConnectionRefusedError):
        return "connection refused"
    return str(problem) or type(problem).__name__
