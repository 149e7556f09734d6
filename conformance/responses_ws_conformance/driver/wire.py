"""One WebSocket connection, on the sans-I/O protocol of the websockets library.

A suite has to see pings, refused handshakes and broken frames instead of having them handled
away, so this stands below the library's own client: bytes go in, frames come out. ``upgrading``
opens it.
"""

from __future__ import annotations

import contextlib
import http.client
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
from websockets.frames import Frame
from websockets.protocol import State

from responses_ws_conformance.transcript import Headers

READ_BYTES: Final = 65536


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


@dataclass(slots=True)
class Wire:
    """A socket and its protocol; where it is not usable the handshake says why."""

    protocol: ClientProtocol
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
        """Frames in what has arrived; never waits. Sets ``is_eof`` at the end."""
        if self.sock is None or self.is_eof:
            return []
        try:
            data = _arrived(self.sock)
        except OSError:
            data = b""
        if data is None:
            return []
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


def _arrived(sock: socket.socket) -> bytes | None:
    """What can be read now; None where nothing can, or only a part of a TLS record is there."""
    timeout = sock.gettimeout()
    sock.settimeout(0)
    try:
        return sock.recv(READ_BYTES)
    except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
        return None
    finally:
        sock.settimeout(timeout)


def _connect(target: Target) -> socket.socket:
    try:
        return _reach(target)
    except UnicodeError as problem:  # a name that no resolver can be asked for
        raise socket.gaierror(socket.EAI_NONAME, str(problem)) from None


def _reach(target: Target) -> socket.socket:
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
