"""One connection of a scenario: what it asks for, and how long it waits for that.

``turn`` is a create that owes a response, ``attempt`` one that may be refused, ``submit`` and
``finish`` are its halves, ``command`` acts on a response that runs, ``provoke`` sends what the
protocol forbids. A wait that runs out is an entry of the transcript, not an exception. Where a
scenario cannot go on, ``Blocked`` ends it and says why.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol

from responses_ws_schemas import explain

from responses_ws_conformance.checks import Cause
from responses_ws_conformance.checks.answers import describe, is_moody, is_transient
from responses_ws_conformance.driver.channel import Channel, Surroundings
from responses_ws_conformance.errors import InvalidClientEvent
from responses_ws_conformance.prompts import say
from responses_ws_conformance.reading.exchanges import Exchange
from responses_ws_conformance.transcript import Sent

OMIT: Final = object()


class Loop(Surroundings, Protocol):
    """What a connection needs of the driver that it belongs to."""

    def connect(self) -> Connection:
        """Open one more connection with the configured key."""

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


class Connection(Channel):
    """One connection of a scenario."""

    driver: Loop

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
        return self.send(text, fragments=fragments, padding=size - len(text.encode()))

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
        while not (reached(exchange) or self.has_ended):
            has_begun = bool(exchange.events)
            limit = timing.idle if has_begun else timing.first_event
            most = timing.total if has_begun else min(2 * timing.first_event, timing.total)
            until = min(self.alive_at + limit, started + most)
            now = self.driver.now()
            if now >= until:
                clock = "total" if now >= started + timing.total else "first-event"
                clock = "idle" if clock != "total" and has_begun else clock
                total = timing.total if clock == "total" else limit
                self.expire(clock, total, exchange)
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
        limit = self.driver.profile.timing.first_event
        self.wait(limit, lambda: fence.outcome != "open" or bool(fence.events))

    # Other messages

    def command(self, event: Mapping[str, Any], *, is_wrong: bool = False) -> Exchange:
        """Send a client event that acts on a response, beside what runs, without waiting.

        ``finish`` waits for its answer; what arrives meanwhile goes to the exchanges it is of. One
        that ``is_wrong`` is sent as it is.
        """
        if not is_wrong:
            _check(event)
        return self.send(json.dumps(event, ensure_ascii=False))

    def repeat(self, sent: Sent, text: str | None) -> Exchange:
        """Send a message as another was sent, without waiting; ``text`` is what is sent now."""
        message = text if text is not None else sent.data or b""
        return self.send(message, fragments=sent.fragments, padding=sent.padding)

    def expect_silence(self, exchange: Exchange, seconds: float) -> None:
        """Wait a moment for an answer that need not come."""
        self.wait(seconds, lambda: exchange.is_ended)
        if not exchange.is_ended:
            self.expire("quiet", seconds, exchange)

    def provoke(self, message: str | bytes | Mapping[str, Any]) -> Exchange:
        """Send what is not a proper client event, and wait a moment for the answer."""
        if isinstance(message, Mapping):
            message = json.dumps(message, ensure_ascii=False)
        exchange = self.send(message)
        self.expect_silence(exchange, self.driver.profile.timing.quiet)
        return exchange


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
