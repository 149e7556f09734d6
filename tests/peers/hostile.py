"""Targets that mean harm, each a few lines over a bare socket.

A ``Hostility`` gets the connection after the opening handshake and does what no library would.
Some do not even shake hands. They are not meant to be understood by a suite, only survived.
"""

from __future__ import annotations

import base64
import hashlib
import json
import socket
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

GUID: Final = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
MIB: Final = 2**20
TEXT: Final = 1
CLOSE: Final = 8
ESCAPES: Final = "\x1b]0;owned\x07\x1b[2J\x1b[31mred\x9b2J"
MARKUP: Final = "</script><script>document.title='owned'</script><img src=x onerror=alert(1)>"

Hostility = Callable[[socket.socket], None]
Refusal = Callable[[socket.socket, dict[str, str]], None]


def frame(data: bytes, *, opcode: int = TEXT, fin: bool = True, reserved: int = 0) -> bytes:
    """A frame of a server."""
    head = bytes([(0x80 if fin else 0) | reserved | opcode])
    if len(data) < 126:
        return head + bytes([len(data)]) + data
    if len(data) < 2**16:
        return head + b"\x7e" + len(data).to_bytes(2, "big") + data
    return head + b"\x7f" + len(data).to_bytes(8, "big") + data


def event(kind: str, number: int, **members: Any) -> bytes:
    """A frame with an event."""
    body = {"type": kind, "sequence_number": number, **members}
    return frame(json.dumps(body, ensure_ascii=False).encode())


def created() -> bytes:
    """The frame that begins a response."""
    return event("response.created", 0, response={"id": "resp_1", "status": "in_progress"})


def heard(sock: socket.socket) -> bytes:
    """What the client says next; nothing where it has left."""
    return sock.recv(65536)


def after_each_message(*frames: bytes) -> Hostility:
    """Send the same frames whatever the client says."""

    def act(sock: socket.socket) -> None:
        while heard(sock):
            for data in frames:
                sock.sendall(data)

    return act


def endless_stream(sock: socket.socket) -> None:
    """A response that never stops, as fast as the network takes it."""
    heard(sock)
    sock.sendall(created())
    place = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    deltas = [event("response.output_text.delta", n, **place, delta="word ") for n in range(1, 500)]
    many = b"".join(deltas)
    while True:
        sock.sendall(many)


def endless_pings(sock: socket.socket) -> None:
    """Pings without end, which are signs of life."""
    heard(sock)
    while True:
        sock.sendall(frame(b"x" * 125, opcode=9) * 100)


def endless_message(sock: socket.socket) -> None:
    """One message in fragments without end, most of them empty."""
    heard(sock)
    sock.sendall(frame(b"{", fin=False))
    while True:
        sock.sendall(frame(b"", opcode=0, fin=False) * 1000)


def large_frame(sock: socket.socket) -> None:
    """A frame of 64 MiB."""
    heard(sock)
    head = b"\x81\x7f" + (64 * MIB).to_bytes(8, "big")
    sock.sendall(head + b'{"type": "response.created", "pad": "')
    for _ in range(64):
        sock.sendall(b"x" * MIB)


def large_messages(sock: socket.socket) -> None:
    """Messages without end, each as large as any that is taken, in the costliest letters."""
    while heard(sock):
        text = "\U0001f40d" + "x" * (4 * MIB - 200)
        for number in range(64):
            sock.sendall(event("response.output_text.delta", number, delta=text))


def one_byte_per_second(sock: socket.socket) -> None:
    """An event, a byte a second."""
    heard(sock)
    for byte in created():
        sock.sendall(bytes([byte]))
        threading.Event().wait(1)


def never_closes(sock: socket.socket) -> None:
    """Nothing is answered, least of all a close."""
    while heard(sock):
        pass
    threading.Event().wait(30)


def closes_at_once(sock: socket.socket) -> None:
    """The connection ends as soon as it is open."""


def says_goodbye_at_once(sock: socket.socket) -> None:
    """The connection is closed with a frame as soon as it is open."""
    sock.sendall(frame((1000).to_bytes(2, "big") + b"bye", opcode=CLOSE))
    heard(sock)


def nested(opening: str, closing: str) -> Hostility:
    """JSON that is nested 100,000 deep."""
    text = opening * 100_000 + closing * 100_000
    return after_each_message(frame(text.encode()))


def many_values() -> Hostility:
    """JSON of few bytes and very many values."""
    text = '{"type": "response.created", "response": [' + "[]," * 1_300_000 + "[]]}"
    return after_each_message(frame(text.encode()))


def compression_bomb() -> Hostility:
    """A compressed frame that nobody agreed to, of 64 MiB when it is inflated."""
    pack = zlib.compressobj(1, wbits=-15)
    bomb = b"".join(pack.compress(b" " * MIB) for _ in range(64)) + pack.flush(zlib.Z_SYNC_FLUSH)
    return after_each_message(frame(bomb, reserved=0x40))


def echo_of(secret: str) -> Hostility:
    """The key, in every spelling, with whatever steers a terminal or a browser."""
    encoded = base64.b64encode(secret.encode()).decode()
    spellings = [
        secret,
        f"Bearer {secret}",
        encoded,
        base64.b64encode(f"Bearer {secret}".encode()).decode(),
        "".join(f"%{b:02X}" for b in secret.encode()),
        "".join(f"\\u{ord(c):04x}" for c in secret),
        secret.encode().hex(),
    ]
    harm = f"{ESCAPES}{MARKUP}{' '.join(spellings)}"

    def act(sock: socket.socket) -> None:
        number = 0
        while heard(sock):
            error = {"type": harm, "code": harm, "message": harm, "param": harm}
            raw = json.dumps({"type": "error", "status": 400, "error": error})
            in_escapes = "".join(f"\\u{ord(c):04x}" for c in secret)
            sock.sendall(frame(f'{{"type": "x:y", "key": "{in_escapes}"}}'.encode()))
            sock.sendall(event(harm, number, **{harm: harm}))
            sock.sendall(frame(raw.encode()))
            sock.sendall(frame(raw.encode(), opcode=2))
            sock.sendall(frame(secret.encode() * 2, opcode=9))
            number += 1

    return act


def redirect(location: str) -> Refusal:
    """Every opening handshake is sent elsewhere."""

    def answer(sock: socket.socket, headers: dict[str, str]) -> None:
        line = f"HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n"
        sock.sendall(line.encode())

    return answer


def endless_refusal(sock: socket.socket, headers: dict[str, str]) -> None:
    """A refusal whose body has no end."""
    sock.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Type: text/html\r\n\r\n")
    while True:
        sock.sendall(MARKUP.encode() * 1000)


def endless_headers(sock: socket.socket, headers: dict[str, str]) -> None:
    """An answer whose headers have no end."""
    sock.sendall(b"HTTP/1.1 101 Switching Protocols\r\n")
    while True:
        sock.sendall(b"X-Padding: " + b"x" * 1000 + b"\r\n")


def slow_handshake(sock: socket.socket, headers: dict[str, str]) -> None:
    """An answer to the handshake, a byte a second."""
    for byte in b"HTTP/1.1 101 Switching Protocols\r\n" * 10:
        sock.sendall(bytes([byte]))
        threading.Event().wait(1)


@contextmanager
def hostile(
    act: Hostility = closes_at_once, *, refuse: Refusal | None = None, accept: str | None = None
) -> Iterator[str]:
    """The URL of a target that shakes hands, unless it has another answer, and then acts."""
    ended = threading.Event()

    def serve(sock: socket.socket) -> None:
        with sock:
            try:
                headers = _request(sock)
                if refuse is not None:
                    refuse(sock, headers)
                    return
                key = headers.get("sec-websocket-key", "") + GUID
                digest = hashlib.sha1(key.encode(), usedforsecurity=False).digest()
                value = accept or base64.b64encode(digest).decode()
                sock.sendall(
                    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                    b"Connection: Upgrade\r\n" + f"Sec-WebSocket-Accept: {value}\r\n\r\n".encode()
                )
                act(sock)
            except OSError:
                return

    def listen(listener: socket.socket) -> None:
        while not ended.is_set():
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(sock,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        thread = threading.Thread(target=listen, args=(listener,), daemon=True)
        thread.start()
        try:
            yield f"ws://127.0.0.1:{listener.getsockname()[1]}/v1/responses"
        finally:
            ended.set()
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def _request(sock: socket.socket) -> dict[str, str]:
    raw = b""
    while b"\r\n\r\n" not in raw:
        data = sock.recv(65536)
        if not data:
            raise ConnectionError("the client left")
        raw += data
    lines = raw.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")[1:]
    pairs = (line.partition(":") for line in lines)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}
