"""HTTP servers that say what a test wants, on loopback, each in a thread of its own."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

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
            with (
                contextlib.suppress(ssl.SSLError, ConnectionError),
                secure(sock, context) as stream,
            ):
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


def received(sock: socket.socket) -> bytes:
    """What comes next; raises ConnectionError where nothing will."""
    if not (piece := sock.recv(65536)):
        raise ConnectionError("the client has gone before its request was whole")
    return piece


def request_from(sock: socket.socket) -> bytes:
    """A request with its whole body."""
    raw = b""
    while b"\r\n\r\n" not in raw:
        raw += received(sock)
    head, _, body = raw.partition(b"\r\n\r\n")
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    size = int(lengths[0].split(b":")[1]) if lengths else 0
    while len(body) < size:
        body += received(sock)
    return head + b"\r\n\r\n" + body


def saying(*parts: bytes) -> Talk:
    """Says the same to everybody."""
    return lambda sock, request: sock.sendall(b"".join(parts))
