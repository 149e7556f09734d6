"""Other loads: right servers that are slow, take one thing at a time, or are busy now and then.

A session waits by staying busy and saying nothing; the time it is told decides when it goes on.
"""

from __future__ import annotations

import json
from typing import Any, Final

from responses_ws_reference.messages.effects import Effect, SendPing, StartTurn
from responses_ws_reference.messages.handshake import HandshakeAnswer, HandshakeRequest, refusal
from responses_ws_reference.messages.refusals import Refusal, Refused
from responses_ws_reference.responses.engine import Outputs, Prompt
from responses_ws_reference.seams.hooks import Hooks
from responses_ws_reference.seams.seams import Conversation
from responses_ws_reference.variants.registry import register

BUSY_EVERY: Final = 3
CREATE: Final = "response.create"
COMMANDS: Final = ("response.inject", "response.interrupt", "response.steer")
TOO_MANY: Final = Refusal(
    "rate_limit_exceeded", "Too many requests. Try again.", status=429, kind="rate_limit_error"
)
OVERLOADED: Final = Refusal(
    "server_is_overloaded", "Try again later.", status=503, kind="service_unavailable_error"
)


class Waiting:
    """A session whose messages are let in one at a time, when a gate opens for them."""

    def __init__(self, inner: Conversation) -> None:
        self._inner = inner
        self._outside: list[str | bytes] = []

    def may_enter(self, *, now: float) -> bool:
        """True where the next message can be read."""
        raise NotImplementedError

    def waits(self, message: str | bytes) -> bool:
        """True for a message that waits: what is about a response that runs is let in."""
        return not (self._inner.is_busy and _type_of(message) in COMMANDS)

    def has_arrived(self, *, now: float) -> None:
        """A message stands before the gate."""

    def has_left(self) -> None:
        """Nothing is running any more."""

    @property
    def expires_at(self) -> float | None:
        """As the session says."""
        return self._inner.expires_at

    @property
    def is_busy(self) -> bool:
        """True while something runs or waits."""
        return self._inner.is_busy or bool(self._outside)

    @property
    def queued(self) -> int:
        """How many messages wait, inside and outside."""
        return self._inner.queued + len(self._outside)

    def open(self, *, now: float) -> list[Effect]:
        """As the session does."""
        return self._inner.open(now=now)

    def receive(self, data: str | bytes, *, now: float) -> list[Effect]:
        """A message waits for the gate, behind those before it."""
        if not self.waits(data):
            return self._inner.receive(data, now=now)
        self._outside.append(data)
        self.has_arrived(now=now)
        return [StartTurn()]

    def advance(self, *, now: float) -> list[Effect]:
        """The next step of what runs, or of what waits."""
        effects: list[Effect] = []
        if self._inner.is_busy:
            effects = self._inner.advance(now=now)
        elif self._outside and self.may_enter(now=now):
            effects = self._inner.receive(self._outside.pop(0), now=now)
        if not self._inner.is_busy:
            self.has_left()
        return effects

    def tick(self, *, now: float) -> list[Effect]:
        """As the session does; nobody waits at its end."""
        effects = self._inner.tick(now=now)
        if effects:
            self._forget()
        return effects

    def close(self) -> None:
        """What was waiting is gone."""
        self._inner.close()
        self._forget()

    def _forget(self) -> None:
        self._outside.clear()
        self.has_left()


class OneSlot(Waiting):
    """All connections of a server share one slot; the others wait until it is free."""

    def __init__(self, inner: Conversation, shared: dict[str, Any]) -> None:
        super().__init__(inner)
        self._shared = shared

    def may_enter(self, *, now: float) -> bool:
        """Take the slot if nobody has it."""
        return self._shared.setdefault("slot", self) is self

    def has_left(self) -> None:
        """Give the slot back."""
        if self._shared.get("slot") is self:
            del self._shared["slot"]


class LongThought(Waiting):
    """Each create, or each message, is thought about before anything comes of it."""

    def __init__(
        self, inner: Conversation, seconds: float, ping_every: float | None, *, about_all: bool
    ) -> None:
        super().__init__(inner)
        self._seconds = seconds
        self._ping_every = ping_every
        self._is_about_all = about_all
        self._begins_at: float | None = None
        self._pings_at = 0.0

    def waits(self, message: str | bytes) -> bool:
        """Where all messages are thought about, all of them wait."""
        return self._is_about_all or super().waits(message)

    def has_arrived(self, *, now: float) -> None:
        """Begin to think, unless something else comes first."""
        if not self._inner.is_busy and len(self._outside) == 1:
            self._think(now)

    def may_enter(self, *, now: float) -> bool:
        """True once it has been thought about long enough."""
        if self._begins_at is None:
            self._think(now)
        if self._begins_at is not None and now < self._begins_at:
            return False
        self._begins_at = None
        return True

    def advance(self, *, now: float) -> list[Effect]:
        """Silence is broken by pings only."""
        effects = super().advance(now=now)
        is_silent = self._begins_at is not None and not effects
        if is_silent and self._ping_every and now >= self._pings_at:
            self._pings_at = now + self._ping_every
            return [SendPing()]
        return effects

    def _think(self, now: float) -> None:
        if self._is_about_all or _type_of(self._outside[0]) == CREATE:
            self._begins_at = now + self._seconds
            self._pings_at = now + (self._ping_every or 0.0)


def _type_of(message: str | bytes) -> Any:
    try:
        event = json.loads(message) if isinstance(message, str) else None
    except (ValueError, RecursionError):
        return None
    return event.get("type") if isinstance(event, dict) else None


def thinking(seconds: float, *, ping_every: float | None = None, about_all: bool = False) -> Hooks:
    """Creates, or all messages, are thought about for so long, with pings in the meantime."""

    def session(inner: Conversation, shared: dict[str, Any]) -> Conversation:
        return LongThought(inner, seconds, ping_every, about_all=about_all)

    return Hooks(session=session)


def busy_handshakes(every: int) -> Hooks:
    """Each so many-th handshake that would be accepted is refused with 429."""

    def handshake(
        request: HandshakeRequest, answer: HandshakeAnswer, shared: dict[str, Any]
    ) -> HandshakeAnswer:
        if answer.status != 101:
            return answer
        count = shared["handshakes"] = shared.get("handshakes", 0) + 1
        return refusal(429, ("Retry-After", "1")) if count % every == 0 else answer

    return Hooks(handshake=handshake)


def overloaded(every: int) -> Hooks:
    """Each so many-th create that could be run is refused, by turns with 429 and with 503."""

    def mood(prompt: Prompt, outputs: Outputs, shared: dict[str, Any]) -> Outputs:
        count = shared["creates"] = shared.get("creates", 0) + 1
        if count % every:
            return outputs
        raise Refused((TOO_MANY, OVERLOADED)[count // every % 2])

    return Hooks(mood=mood)


register(
    "one-slot",
    "One response runs at a time on all connections.",
    Hooks(session=OneSlot),
    lacks=("lanes",),
)
register(
    "slow",
    "Each create is thought about for half a second.",
    thinking(0.5),
    lacks=("lanes",),
)
register(
    "silent-with-pings",
    "Each create is thought about for half a second, with pings in the meantime.",
    thinking(0.5, ping_every=0.1),
    lacks=("lanes",),
)
register(
    "busy-handshakes",
    "Every third handshake is refused with 429.",
    busy_handshakes(BUSY_EVERY),
    leaves_open=("transient",),
)
register(
    "overloaded",
    "Every third create that could be run is refused with 429 or 503.",
    overloaded(BUSY_EVERY),
    leaves_open=("transient",),
)
