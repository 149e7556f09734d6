"""One connection of a scenario: what it sends, what it waits for, what arrives.

``turn`` is a create that owes a response, ``attempt`` one that may be refused, ``submit`` and
``finish`` are its halves, ``command`` acts on a response that runs, ``provoke`` sends what the
protocol forbids. Everything that happens is recorded; a wait that runs out is an entry, not an
exception. Where a scenario cannot go on, ``Blocked`` ends it and says why.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol

from responses_ws_schemas import explain
from websockets.frames import CloseCode, Frame, Opcode
from websockets.protocol import State

from responses_ws_conformance.checks import Cause
from responses_ws_conformance.checks.answers import describe, is_moody, is_transient
from responses_ws_conformance.errors import HarnessError, InvalidClientEvent
from responses_ws_conformance.exchanges import Exchange
from responses_ws_conformance.profile import Profile
from responses_ws_conformance.prompts import say
from responses_ws_conformance.recording import Recording
from responses_ws_conformance.transcript import Closed, Expired, Received, Sent
from responses_ws_conformance.wire import Wire

OPCODES: Final[Mapping[Opcode, str]] = {
    Opcode.TEXT: "text",
    Opcode.BINARY: "binary",
    Opcode.PING: "ping",
    Opcode.PONG: "pong",
}
OMIT: Final = object()


class Loop(Protocol):
    """What a connection needs of the driver that it belongs to."""

    profile: Profile
    recording: Recording

    def connect(self) -> Connection:
        """Open one more connection with the configured key."""

    def now(self) -> float:
        """The monotonic time in seconds."""

    def pump(self, until: float) -> object:
        """Take what arrives, on any connection, until the given time."""

    def take(self, size: int) -> None:
        """Count what has arrived; raises Flooded where it is too much."""

    def pace(self) -> None:
        """Hold the least interval between two creates, and count this one."""

    def mark(self, requirement: str, facts: Mapping[str, Any] | None = None, **roles: Any) -> None:
        """Note that exchanges or connections, by role, exercise a requirement."""


class Unreachable(Exception):
    """The target gave no usable connection."""


class Blocked(Exception):
    """A scenario cannot go on; ``by`` names the requirement whose violation is the root."""

    def __init__(self, cause: Cause, why: str, by: str | None = None) -> None:
        super().__init__(why)
        self.cause = cause
        self.why = why
        self.by = by


class Connection:
    """One connection of a scenario; ``name`` is the one in the transcript."""

    def __init__(self, name: str, driver: Loop, wire: Wire) -> None:
        self.name = name
        self.driver = driver
        self.wire = wire
        self.alive_at = driver.now()
        self._pongs: set[bytes] = set()
        self._lacks_pong = False
        self._parts: list[bytes] = []
        self._opcode: Opcode | None = None
        self._closing = False
        self._ended = False

    # Creates

    def turn(
        self,
        input: str | Sequence[Mapping[str, Any]],
        *,
        owes: str | None = None,
        ends: tuple[str, ...] = ("completed",),
        **fields: Any,
    ) -> Exchange:
        """A create that owes a response; raises Blocked where it does not come."""
        owes = owes or _owed(input, fields)
        exchange = self.attempt(input, **fields)
        self.driver.mark(owes, subject=exchange)
        self.require(exchange, ends=ends, by=owes)
        return exchange

    def attempt(self, input: str | Sequence[Mapping[str, Any]], **fields: Any) -> Exchange:
        """A create that may be refused, read to its end."""
        return self.finish(self.submit(input, **fields))

    def submit(
        self,
        input: str | Sequence[Mapping[str, Any]],
        *,
        fragments: int = 1,
        size: int = 0,
        **fields: Any,
    ) -> Exchange:
        """Send a create without waiting; a field that is OMIT is left out.

        A create smaller than ``size`` bytes is filled up with white space between its tokens,
        which makes the message large and costs a model nothing.
        """
        model = self.driver.profile.model or OMIT
        event = {"type": "response.create", "model": model, **fields, "input": input}
        event = {k: v for k, v in event.items() if v is not OMIT}
        _check(event)
        text = json.dumps(event, ensure_ascii=False)
        self.driver.pace()
        return self._send_data(text, fragments=fragments, padding=size - len(text.encode()))

    def finish(self, exchange: Exchange) -> Exchange:
        """Read until the exchange has ended or a limit has run out."""
        return self.until(exchange, lambda x: x.is_ended)

    def until(self, exchange: Exchange, reached: Callable[[Exchange], bool]) -> Exchange:
        """Read until the exchange has come so far or has ended, or a limit has run out."""
        return self.follow(exchange, lambda x: reached(x) or x.is_ended)

    def follow(self, exchange: Exchange, reached: Callable[[Exchange], bool]) -> Exchange:
        """Read on, behind the end of the exchange too, until it has come so far.

        Pings and pongs restart the clock of silence; before the first event at most once over.
        """
        timing = self.driver.profile.timing
        started = self.alive_at = self.driver.now()
        while not (reached(exchange) or self._ended):
            has_begun = bool(exchange.events)
            limit = timing.idle if has_begun else timing.first_event
            most = timing.total if has_begun else min(2 * timing.first_event, timing.total)
            until = min(self.alive_at + limit, started + most)
            now = self.driver.now()
            if now >= until:
                clock = "total" if now >= started + timing.total else "first-event"
                clock = "idle" if clock != "total" and has_begun else clock
                total = timing.total if clock == "total" else limit
                self._expire(clock, total, exchange)
                break
            self.driver.pump(until)
        return exchange

    def require(
        self, exchange: Exchange, *, ends: tuple[str, ...] = ("completed",), by: str | None = None
    ) -> None:
        """Raise Blocked unless the exchange has ended well."""
        if exchange.outcome in ends:
            return
        why = describe(exchange)
        # An error that came after our patience may be the answer to what was sent before.
        is_late = exchange.expired is not None and exchange.is_ambiguous
        if is_late or exchange.outcome in ("expired", "open", "limit"):
            if exchange.created is not None:
                self._fence()
            raise Blocked(Cause.TIME, why)
        if is_transient(exchange):
            raise Blocked(Cause.TRANSIENT, why)
        if is_moody(exchange):
            raise Blocked(Cause.MOOD, why)
        raise Blocked(Cause.BLOCKED, why, by)

    def _fence(self) -> None:
        """Show whether the server went on without ending a response: send one more create."""
        fence = self.submit(say(), store=False)
        until = self.driver.now() + self.driver.profile.timing.first_event
        while fence.outcome == "open" and not fence.events and self.driver.now() < until:
            self.driver.pump(until)

    # Other messages

    def command(self, event: Mapping[str, Any], *, is_wrong: bool = False) -> Exchange:
        """Send a client event that acts on a response, beside what runs, without waiting.

        ``finish`` waits for its answer; what arrives meanwhile goes to the exchanges it is of. One
        that ``is_wrong`` is sent as it is.
        """
        if not is_wrong:
            _check(event)
        return self._send_data(json.dumps(event, ensure_ascii=False))

    def repeat(self, sent: Sent, text: str | None) -> Exchange:
        """Send a message as another was sent, without waiting; ``text`` is what is sent now."""
        message = text if text is not None else sent.data or b""
        return self._send_data(message, fragments=sent.fragments, padding=sent.padding)

    def expect_silence(self, exchange: Exchange, seconds: float) -> None:
        """Wait a moment for an answer that need not come."""
        until = self.driver.now() + seconds
        while not exchange.is_ended and not self._ended and self.driver.now() < until:
            self.driver.pump(until)
        if not exchange.is_ended:
            self._expire("quiet", seconds, exchange)

    def provoke(self, message: str | bytes | Mapping[str, Any]) -> Exchange:
        """Send what is not a proper client event, and wait a moment for the answer."""
        if isinstance(message, Mapping):
            message = json.dumps(message, ensure_ascii=False)
        exchange = self._send_data(message)
        self.expect_silence(exchange, self.driver.profile.timing.quiet)
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
        until = self.driver.now() + limit
        while payload not in self._pongs and not self._ended and self.driver.now() < until:
            self.driver.pump(until)
        if payload not in self._pongs and not self._ended:
            self._lacks_pong = True
            self._expire("pong", limit)
        return payload in self._pongs

    def watch(self, seconds: float | None = None) -> None:
        """Take what arrives in a quiet window."""
        limit = self.driver.profile.timing.quiet if seconds is None else seconds
        until = self.driver.now() + limit
        while self.driver.now() < until and not self._ended:
            self.driver.pump(until)
        if not self._ended:
            self._expire("quiet", limit)

    def wait_for_close(self, seconds: float) -> bool:
        """Wait until the server has closed; True where it has."""
        until = self.driver.now() + seconds
        while not self._ended and self.driver.now() < until:
            self.driver.pump(until)
        if not self._ended:
            self._expire("close", seconds)
        return self._ended

    def close(self, *, code: int = 1000) -> None:
        """Begin the closing handshake and take what arrives until it is over."""
        if self.wire.is_open and not self._closing:
            self._closing = True
            self.wire.protocol.send_close(code)
            self.wire.flush()
            limit = self.driver.profile.timing.close
            until = self.driver.now() + limit
            while not self._ended and self.driver.now() < until:
                self.driver.pump(until)
            if not self._ended:
                self._expire("close", limit)
                self._end("client", None, "")
        self.wire.shut()

    # What arrives

    def read(self) -> None:
        """Take the frames that have arrived, and the end of the connection."""
        for frame in self.wire.read():
            self.take(frame)
        if self._ended:
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

    def _send_data(self, message: str | bytes, *, fragments: int = 1, padding: int = 0) -> Exchange:
        binary = isinstance(message, bytes)
        data = message if isinstance(message, bytes) else message.encode("utf-8")
        padding = max(0, padding)
        data = data[:-1] + b" " * padding + data[-1:]
        if self.wire.protocol.state is State.OPEN:
            send = self.wire.protocol.send_binary if binary else self.wire.protocol.send_text
            size = -(-len(data) // fragments) or 1
            parts = [data[i : i + size] for i in range(0, len(data), size)] or [b""]
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

    def _expire(self, clock: str, limit: float, exchange: Exchange | None = None) -> None:
        self.driver.recording.add(
            Expired,
            conn=self.name,
            clock=clock,
            limit=limit,
            exchange=exchange.name if exchange else None,
        )

    def _end(self, side: str, code: int | None, reason: str) -> None:
        self._ended = True
        self.driver.recording.add(Closed, conn=self.name, side=side, code=code, reason=reason)


def _check(event: Mapping[str, Any]) -> None:
    """What a scenario sends is what its schema allows."""
    problems = explain(f"client_events/{event['type']}", event)
    if problems:
        raise InvalidClientEvent(f"{problems[0][0] or '/'}: {problems[0][1]}")


def _owed(input: str | Sequence[Mapping[str, Any]], fields: Mapping[str, Any]) -> str:
    """The requirement that a healthy create exercises by being answered."""
    stores = fields.get("store") is not False
    if isinstance(fields.get("previous_response_id"), str):
        if not isinstance(input, str) and any(
            item.get("type") == "function_call_output" for item in input
        ):
            return "RWS-TOOL-003" if stores else "RWS-TOOL-004"
        return "RWS-CHAIN-001" if stores else "RWS-CHAIN-002"
    return "RWS-CREATE-001" if isinstance(input, str) else "RWS-CREATE-002"
