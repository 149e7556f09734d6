"""Looks: what a script can see of a conversation without a check, each as a value and as source."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any, Final, Protocol

from responses_ws_conformance.reproduction.frames import (
    ABSENT,
    BEGIN,
    CLOSED,
    ENDS,
    Frame,
    Turn,
    at,
    came,
)
from responses_ws_conformance.reproduction.steps import Path

END: Final[tuple[Path, ...]] = (
    ("type",),
    ("status",),
    ("media",),
    ("code",),
    ("error", "code"),
    ("response", "error", "code"),
)
NUMBER: Final = "sequence_number"
QUOTE: Final = '"'
# The member in which the end of a stream has the whole, where that is not ``text``.
STREAMED: Final = {"arguments": "arguments", "refusal": "refusal", "_input": "input"}


class Look(Protocol):
    """One look at the frames of a conversation."""

    @abstractmethod
    def seen(self, frames: Sequence[Frame]) -> Any:
        """What it shows, as a value that Python can spell."""

    @abstractmethod
    def source(self) -> str:
        """The same look as a Python expression of the script."""


@dataclass(frozen=True, slots=True)
class Member:
    """The value at a path of an event; of what holds others the names, or how many there are.

    The value is in a list, which is empty where the event did not come.
    """

    turn: Turn
    kind: str
    nth: int
    path: Path

    def seen(self, frames: Sequence[Frame]) -> Any:
        event = came(frames, self.turn, self.kind)[self.nth : self.nth + 1]
        values = [at(value, *self.path) for value in event]
        return [
            sorted(v) if isinstance(v, dict) else len(v) if isinstance(v, list) else v
            for v in values
        ]

    def source(self) -> str:
        event = f"came({self.turn!a}, {self.kind!a})[{self.nth}:{self.nth + 1}]"
        shape = "sorted(v) if isinstance(v, dict) else len(v) if isinstance(v, list) else v"
        path = "".join(f", {name!a}" for name in self.path)
        return f"[{shape} for v in (at(f{path}) for f in {event})]"


@dataclass(frozen=True, slots=True)
class Kind:
    """Of which kind the value at a path of an event is."""

    turn: Turn
    kind: str
    nth: int
    path: Path

    def seen(self, frames: Sequence[Frame]) -> Any:
        event = came(frames, self.turn, self.kind)[self.nth : self.nth + 1]
        return [type(at(value, *self.path)).__name__ for value in event]

    def source(self) -> str:
        event = f"came({self.turn!a}, {self.kind!a})[{self.nth}:{self.nth + 1}]"
        path = "".join(f", {name!a}" for name in self.path)
        return f"[type(at(f{path})).__name__ for f in {event}]"


@dataclass(frozen=True, slots=True)
class Changes:
    """Whether the frames of a turn disagree on the value at a path."""

    turn: Turn
    path: Path

    def seen(self, frames: Sequence[Frame]) -> Any:
        return len({json.dumps(at(value, *self.path)) for value in self._having(frames)}) > 1

    def source(self) -> str:
        path = "".join(f", {name!a}" for name in self.path)
        values = f"json.dumps(at(f{path})) for f in came({self.turn!a})"
        return f"len({{{values} if at(f{path}) != {ABSENT!a}}}) > 1"

    def _having(self, frames: Sequence[Frame]) -> list[Any]:
        return [v for v in came(frames, self.turn) if at(v, *self.path) != ABSENT]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the id at a path was heard first."""

    turn: Turn
    kind: str
    nth: int
    path: Path

    def seen(self, frames: Sequence[Frame]) -> Any:
        name = json.dumps(at(came(frames, self.turn, self.kind), self.nth, *self.path))
        rows = ((f.turn, f.type) for f in frames if name in json.dumps(f.value))
        return next(rows, None)

    def source(self) -> str:
        first = "(key, f['type']) for key, f in heard"
        return f"next(({first} if json.dumps({_at(self)}) in json.dumps(f)), None)"


@dataclass(frozen=True, slots=True)
class Ending:
    """How a turn ended: the type, status, media type and code of its last frame."""

    turn: Turn

    def seen(self, frames: Sequence[Frame]) -> Any:
        return [at(came(frames, self.turn), -1, *path) for path in END]

    def source(self) -> str:
        return f"[at(came({self.turn!a}), -1, *path) for path in {END!a}]"


@dataclass(frozen=True, slots=True)
class Cut:
    """Whether a turn ended with its connection; with which code can differ from time to time."""

    turn: Turn

    def seen(self, frames: Sequence[Frame]) -> Any:
        return [value["type"] == CLOSED for value in came(frames, self.turn)[-1:]]

    def source(self) -> str:
        return f"[f['type'] == {CLOSED!a} for f in came({self.turn!a})[-1:]]"


@dataclass(frozen=True, slots=True)
class Count:
    """Whether an event type came in a turn not at all, once, or more than once; -1 without one."""

    turn: Turn
    kind: str

    def seen(self, frames: Sequence[Frame]) -> Any:
        return min(2, len(came(frames, self.turn, self.kind))) if came(frames, self.turn) else -1

    def source(self) -> str:
        count = f"min(2, len(came({self.turn!a}, {self.kind!a})))"
        return f"{count} if came({self.turn!a}) else -1"


@dataclass(frozen=True, slots=True)
class Types:
    """The event types of a turn, each where it came first; or from the end, where it came last."""

    turn: Turn
    step: int = 1

    def seen(self, frames: Sequence[Frame]) -> Any:
        values = came(frames, self.turn)[:: self.step]
        return list(dict.fromkeys(value["type"] for value in values))

    def source(self) -> str:
        way = f"[::{self.step}]" if self.step != 1 else ""
        return f"list(dict.fromkeys(f['type'] for f in came({self.turn!a}){way}))"


@dataclass(frozen=True, slots=True)
class Numbers:
    """By how much the sequence numbers of a turn grow."""

    turn: Turn

    def seen(self, frames: Sequence[Frame]) -> Any:
        numbers = [at(value, NUMBER) for value in came(frames, self.turn)]
        whole = [n if type(n) is int else -1 for n in numbers]
        return sorted({b - a for a, b in pairwise(whole)})

    def source(self) -> str:
        number = f"at(f, {NUMBER!r}) if type(at(f, {NUMBER!r})) is int else -1"
        numbers = f"[{number} for f in came({self.turn!a})]"
        return f"(lambda n: sorted({{b - a for a, b in zip(n, n[1:])}}))({numbers})"


@dataclass(frozen=True, slots=True)
class Overlap:
    """Whether responses of a connection ran none at all, one by one, or side by side."""

    conn: str

    def seen(self, frames: Sequence[Frame]) -> Any:
        kinds = [f.type for f in frames if f.turn[0] == self.conn and f.type[0] != "("]
        running = accumulate((kind == BEGIN) - kind.endswith(ENDS) for kind in kinds)
        return min(2, max(0, *running, 0))

    def source(self) -> str:
        kinds = (
            f"[f['type'] for key, f in heard if key[0] == {self.conn!a} and f['type'][0] != '(']"
        )
        running = "sum((kind == BEGIN) - kind.endswith(ENDS) for kind in kinds[:i])"
        most = f"max({running} for i in range(len(kinds) + 1))"
        return f"(lambda kinds: min(2, {most}))({kinds})"


@dataclass(frozen=True, slots=True)
class Joined:
    """Whether what was streamed in pieces is, joined, what its end says."""

    turn: Turn
    kind: str

    def seen(self, frames: Sequence[Frame]) -> Any:
        pieces = came(frames, self.turn, f"{self.kind}.delta")
        ends = came(frames, self.turn, f"{self.kind}.done")
        whole = "".join(str(at(value, "delta")) for value in pieces)
        return whole == "".join(str(at(value, self._member)) for value in ends)

    def source(self) -> str:
        pieces = f"str(at(f, 'delta')) for f in came({self.turn!a}, '{self.kind}.delta')"
        ends = f"str(at(f, {self._member!r})) for f in came({self.turn!a}, '{self.kind}.done')"
        return f"''.join({pieces}) == ''.join({ends})"

    @property
    def _member(self) -> str:
        return next((name for key, name in STREAMED.items() if self.kind.endswith(key)), "text")


@dataclass(frozen=True, slots=True)
class Word:
    """Whether a word stands in the last frame of a turn."""

    turn: Turn
    word: str

    def seen(self, frames: Sequence[Frame]) -> Any:
        return [self.word in json.dumps(value) for value in came(frames, self.turn)[-1:]]

    def source(self) -> str:
        return f"[{self.word!a} in json.dumps(f) for f in came({self.turn!a})[-1:]]"


@dataclass(frozen=True, slots=True)
class Distinct:
    """How many different ids the last frame of a turn has in members of one name."""

    turn: Turn
    name: str

    def seen(self, frames: Sequence[Frame]) -> Any:
        values = (json.dumps(value) for value in came(frames, self.turn)[-1:])
        return len(
            {part.split(QUOTE)[0] for text in values for part in text.split(self._begin)[1:]}
        )

    def source(self) -> str:
        texts = f"json.dumps(f) for f in came({self.turn!a})[-1:]"
        parts = f"for t in ({texts}) for p in t.split({self._begin!a})[1:]"
        return f"len({{p.split({QUOTE!a})[0] {parts}}})"

    @property
    def _begin(self) -> str:
        return f'"{self.name}": "'


def _at(look: Origin) -> str:
    path = "".join(f", {name!a}" for name in look.path)
    return f"at(came({look.turn!a}, {look.kind!a}), {look.nth}{path})"
