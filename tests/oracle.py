"""What a client may expect of the reference server, as far as the spec and its prompts settle it.

Written from the chapters on continuation, tools and concurrency, not from the server: which
responses can be continued from where, and what the model then knows. It imports nothing of ours.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

NOT_FOUND = "previous_response_not_found"
TOKEN_LIMIT = 16


class Asks(Enum):
    """What a create wants of the model."""

    REMEMBER = "remember"
    RECALL = "recall"
    COUNT = "count"
    CALLS = "calls"
    OUTPUTS = "outputs"
    NOTHING = "nothing"


class Fact(Enum):
    """What an item in the context means to the model."""

    WORD = "word"
    CALL = "call"
    OUTPUT = "output"


Facts = tuple[tuple[Fact, str], ...]


@dataclass(frozen=True)
class Create:
    """A create, in the terms of this module; ``message`` is what goes over the wire.

    ``facts`` are those that its input adds, ``is_faulty`` says that any server refuses it whatever
    it continues from.
    """

    message: dict[str, Any]
    asks: Asks
    previous: str | None = None
    facts: Facts = ()
    outputs: tuple[str, ...] = ()
    is_stored: bool = True
    is_warm_up: bool = False
    is_faulty: bool = False


@dataclass(frozen=True)
class Refused:
    """An ``error`` event, with one of these codes where the spec names one."""

    codes: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Answered:
    """A response that ends with this status, on top of this context; no ``text``: any."""

    status: str
    text: str | None
    context: Facts


@dataclass(frozen=True)
class Finished:
    """A response that ended, and all that a continuation from it knows."""

    id: str
    context: Facts


@dataclass(frozen=True)
class Ways:
    """What a server is free to do one way or the other.

    It ``queues`` a create that comes early or refuses it, ``resumes`` what another connection of
    the same key stored or does not, and ``forgets`` all but the most recent response or keeps them.
    """

    queues: bool = True
    resumes: bool = True
    forgets: bool = True


# The stored responses of one key: any connection of that key can continue them.
Shelf = dict[str, Finished]


@dataclass
class Line:
    """One connection: the responses it keeps, and the creates that wait, first come first."""

    shelf: Shelf
    ways: Ways
    kept: Shelf = field(default_factory=dict)
    waiting: deque[Create] = field(default_factory=deque)

    def expect(self, create: Create) -> Answered | Refused:
        """What comes of a create whose turn it is."""
        previous = self._resolve(create.previous)
        if previous is None:
            return Refused() if create.is_faulty else Refused(frozenset({NOT_FOUND}))
        context = previous.context + create.facts
        if create.is_faulty or is_unmatched(context):
            return Refused()
        if create.is_warm_up:
            return Answered("completed", "", context)
        if create.asks is Asks.COUNT:
            numbers = range(1, TOKEN_LIMIT + 1)
            return Answered("incomplete", " ".join(map(str, numbers)), context)
        return Answered("completed", _text(create, context), context)

    def refuse(self, create: Create) -> None:
        """A failed continuation takes what it continued from with it, nothing else."""
        self.kept.pop(create.previous or "", None)

    def conclude(self, create: Create, finished: Finished) -> None:
        """A response that ended is the most recent one; stored, others can continue it too."""
        if self.ways.forgets:
            self.kept.clear()
        self.kept[finished.id] = finished
        if create.is_stored and self.ways.resumes:
            self.shelf[finished.id] = finished

    def _resolve(self, previous: str | None) -> Finished | None:
        if previous is None:
            return Finished("", ())
        return self.kept.get(previous) or self.shelf.get(previous)


def is_unmatched(context: Facts) -> bool:
    """True where an output answers no call before it, or a call is left without an output."""
    return bool(open_calls(context)) or any(
        fact is Fact.OUTPUT and (Fact.CALL, name) not in context[:place]
        for place, (fact, name) in enumerate(context)
    )


def open_calls(context: Facts) -> tuple[str, ...]:
    """The calls without an output, in the order in which they came."""
    answered = {name for fact, name in context if fact is Fact.OUTPUT}
    return tuple(name for fact, name in context if fact is Fact.CALL and name not in answered)


def calls_in(output: Iterable[dict[str, Any]]) -> Facts:
    """The facts that the output of a response adds."""
    return tuple((Fact.CALL, item["call_id"]) for item in output if item["type"] == "function_call")


def _text(create: Create, context: Facts) -> str | None:
    words = [name for fact, name in context if fact is Fact.WORD]
    match create.asks:
        case Asks.RECALL:
            return words[-1] if words else "unknown"
        case Asks.OUTPUTS:
            return "The tool returned: " + ", ".join(create.outputs)
        case Asks.CALLS:
            return ""
        case Asks.NOTHING:
            return None
    return "ok"
