"""A channel: one connection as a sequence of messages.

It sends messages, joins the frames that arrive to messages and takes the end of the connection.
All of it is recorded, and a wait that runs out is an entry too. What a message asks for, and
whether that has come, is the affair of ``connection``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Final, Protocol

from websockets.frames import CloseCode, Frame, Opcode
from websockets.protocol import State

from responses_ws_conformance.driver.recording import Recording
from responses_ws_conformance.driver.wire import Wire
from responses_ws_conformance.errors import HarnessError
from responses_ws_conformance.profile import Profile
from responses_ws_conformance.reading.exchanges import Exchange
from responses_ws_conformance.transcript import Closed, Expired, Received, Sent
from responses_ws_conformance.transcript.fragments import cuts

OPCODES: Final[Mapping[Opcode, str]] = {
    Opcode.TEXT: "text",
    Opcode.BINARY: "binary",
    Opcode.PING: "ping",
    Opcode.PONG: "pong",
}


class Surroundings(Protocol):
    """What a channel needs of the driver that it belongs to."""

    profile: Profile
    recording: Recording

    def now(self) -> float:
        """The monotonic time in seconds."""

    def pump(self, until: float) -> object:
        """Take what arrives, on any connection, until the given time."""

    def take(self, size: int) -> None:
        """Count what has arrived; raises Flooded where it is too much."""


class Channel:
    """One connection; ``name`` is the one in the transcript."""

    def __init__(self, name: str, driver: Surroundings, wire: Wire) -> None:
        self.name = name
        self.driver = driver
        self.wire = wire
        self.alive_at = driver.now()
        self.has_ended = False
        self._pongs: set[bytes] = set()
        self._lacks_pong = False
        self._parts: list[bytes] = []
        self._opcode: Opcode | None = None
        self._closing = False

    # What is sent

    def send(self, message: str | bytes, *, fragments: int = 1, padding: int = 0) -> Exchange:
        """Send a data message; ``padding`` is white space before its last byte."""
        binary = isinstance(message, bytes)
        data = message if isinstance(message, bytes) else message.encode("utf-8")
        padding = max(0, padding)
        data = data[:-1] + b" " * padding + data[-1:]
        if self.wire.protocol.state is State.OPEN:
            send = self.wire.protocol.send_binary if binary else self.wire.protocol.send_text
            bounds = [0, *cuts(data, fragments), len(data)]
            parts = [data[i:j] for i, j in pairwise(bounds)]
            send(parts[0], fin=len(parts) == 1)
            for index, part in enumerate(parts[1:], start=2):
                self.wire.protocol.send_continuation(part, fin=index == len(parts))
            self.wire.flush()
        exchange = self.driver.recording.add(
            Sent,
            conn=self.name,
            opcode="binary" if binary else "text",
            text=None if isinstance(message, bytes) else message,
            data=message if isinstance(message, bytes) else None,
            fragments=fragments,
            padding=padding,
        )
        if exchange is None:
            raise HarnessError("a data message belongs to no exchange")
        return exchange

    def ping(self, payload: bytes) -> bool:
        """Send a ping; True where its pong came. One that lacks its pong is waited for once."""
        if not self.wire.is_open:
            return False
        timing = self.driver.profile.timing
        limit = timing.quiet if self._lacks_pong else timing.first_event
        self.wire.protocol.send_ping(payload)
        self.wire.flush()
        self.driver.recording.add(Sent, conn=self.name, opcode="ping", data=payload)
        self.wait(limit, lambda: self.has_pong(payload))
        if not self.has_pong(payload) and not self.has_ended:
            self._lacks_pong = True
            self.expire("pong", limit)
        return self.has_pong(payload)

    def has_pong(self, payload: bytes) -> bool:
        """True where the pong of a ping has come, however late."""
        return payload in self._pongs

    def close(self, *, code: int = 1000) -> None:
        """Begin the closing handshake and take what arrives until it is over."""
        if self.wire.is_open and not self._closing:
            self._closing = True
            self.wire.protocol.send_close(code)
            self.wire.flush()
            limit = self.driver.profile.timing.close
            self.wait(limit)
            if not self.has_ended:
                self.expire("close", limit)
                self._end("client", None, "")
        self.wire.shut()

    # Waits

    def wait(self, seconds: float, done: Callable[[], bool] = lambda: False) -> None:
        """Take what arrives for a while, until it is done or the connection ends."""
        until = self.driver.now() + seconds
        while not (done() or self.has_ended) and self.driver.now() < until:
            self.driver.pump(until)

    def watch(self, seconds: float | None = None) -> None:
        """Take what arrives in a quiet window."""
        limit = self.driver.profile.timing.quiet if seconds is None else seconds
        self.wait(limit)
        if not self.has_ended:
            self.expire("quiet", limit)

    def wait_for_close(self, seconds: float) -> bool:
        """Wait until the server has closed; True where it has."""
        self.wait(seconds)
        if not self.has_ended:
            self.expire("close", seconds)
        return self.has_ended

    def expire(self, clock: str, limit: float, exchange: Exchange | None = None) -> None:
        """Record that a wait has run out."""
        self.driver.recording.add(
            Expired,
            conn=self.name,
            clock=clock,
            limit=limit,
            exchange=exchange.name if exchange else None,
        )

    # What arrives

    def read(self) -> None:
        """Take the frames that have arrived, and the end of the connection."""
        for frame in self.wire.read():
            self.take(frame)
        if self.has_ended:
            return
        protocol = self.wire.protocol
        if protocol.parser_exc is not None and not isinstance(protocol.parser_exc, EOFError):
            sent = protocol.close_sent
            self._end("failed", sent.code if sent else None, str(protocol.parser_exc))
        elif self.wire.is_eof and self._closing:
            self._end("client", CloseCode.ABNORMAL_CLOSURE, "")
        elif self.wire.is_eof:
            self._end("lost", None, "")

    def take(self, frame: Frame) -> None:
        """Record one frame; fragments are joined to their message."""
        self.alive_at = self.driver.now()
        data = bytes(frame.data)
        self.driver.take(len(data))
        if frame.opcode is Opcode.CLOSE:
            received = self.wire.protocol.close_rcvd
            code = received.code if received is not None else None
            self._end(
                "client" if self._closing else "server",
                None if code == CloseCode.NO_STATUS_RCVD else code,
                received.reason if received is not None else "",
            )
        elif frame.opcode in (Opcode.PING, Opcode.PONG):
            if frame.opcode is Opcode.PONG:
                self._pongs.add(data)
            self._record(frame.opcode, data, 1)
        else:
            if frame.opcode is not Opcode.CONT:
                self._opcode, self._parts = frame.opcode, []
            self._parts.append(data)
            if frame.fin and self._opcode is not None:
                self._record(self._opcode, b"".join(self._parts), len(self._parts))
                self._parts = []

    def _record(self, opcode: Opcode, data: bytes, fragments: int) -> None:
        text: str | None = None
        if opcode is Opcode.TEXT:
            try:
                text = data.decode("utf-8")
            except UnicodeDecodeError:
                text = None
        if text is not None and not text.isascii():
            self.driver.take(3 * len(text))  # a single character of another script makes all wide
        self.driver.recording.add(
            Received,
            conn=self.name,
            opcode=OPCODES[opcode],
            text=text,
            data=None if text is not None else data,
            fragments=fragments,
        )

    def _end(self, side: str, code: int | None, reason: str) -> None:
        self.has_ended = True
        self.driver.recording.add(Closed, conn=self.name, side=side, code=code, reason=reason)
