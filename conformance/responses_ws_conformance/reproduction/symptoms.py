"""Symptoms: what in a conversation shows a violation, so that a script sees it without the check.

A symptom is one plain look at the frames. Which look serves is not guessed: the same conversation
is held with a server that does it right, and the first look that tells the two apart is taken,
those that the finding itself points at before others. Where none does, there is no symptom.
"""

from __future__ import annotations

import json
import re
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any, Final, Protocol

from responses_ws_conformance.checks import Finding
from responses_ws_conformance.reproduction.frames import BEGIN, ENDS, Frame, Turn, at, came
from responses_ws_conformance.reproduction.steps import Path, is_id

EVENT_TYPE: Final = re.compile(r"\b(?:response|error)(?:\.[a-z_]+)+\b|\berror\b")
WORD: Final = re.compile(r"[a-z]+(?:_[a-z]+)*")
# A member with the one that holds it.
DOTTED: Final = re.compile(r"\b[a-z_]+\.[a-z_]+\b")
END: Final[tuple[Path, ...]] = (
    ("type",),
    ("status",),
    ("media",),
    ("code",),
    ("error", "code"),
    ("response", "error", "code"),
)
# Words of every sentence, which are names of members too.
COMMON: Final = frozenset({"type", "response", "event", "error"})
NUMBER: Final = "sequence_number"
QUOTE: Final = '"'
# The member in which the end of a stream has the whole, where that is not ``text``.
STREAMED: Final = {"arguments": "arguments", "refusal": "refusal", "_input": "input"}
DELTA: Final = ".delta"
# How names of members end whose value is a time, and another one each time.
TIME: Final = "_at"


class Symptom(Protocol):
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


def symptom(
    finding: Finding,
    text: str,
    words: Sequence[str],
    recorded: Sequence[Frame],
    rights: Sequence[Sequence[Frame]],
    again: Sequence[Sequence[Frame]],
) -> Symptom | None:
    """The first look by which a recording and the right conversations differ.

    ``text`` is the sentence that is violated, ``words`` are those that its scenario planted.
    What differs among the right conversations, or between the recording and the conversations as
    the target has held them ``again``, shows nothing. Where no look is left, those conversations
    decide alone: a script hears what it asks for, and can hear it otherwise than the suite.
    """
    for wrongs in ((recorded, *again), again):
        for look in candidates(finding, text, words, recorded, rights[0] if rights else ()):
            wrong, right = ([look.seen(frames) for frames in held] for held in (wrongs, rights))
            is_stable = all(each == held[0] for held in (wrong, right) for each in held)
            if wrong and right and is_stable and wrong[0] != right[0]:
                return look
    return None


def candidates(
    finding: Finding,
    text: str,
    words: Sequence[str],
    recorded: Sequence[Frame],
    right: Sequence[Frame],
) -> Iterator[Symptom]:
    """Every look that may show a finding, the likeliest first."""
    told = f"{finding.expected} {finding.actual}"
    names = set(WORD.findall(f"{told} {text} {finding.path or ''}")) - COMMON
    names |= set(DOTTED.findall(f"{told} {text}"))
    kinds = dict.fromkeys(EVENT_TYPE.findall(f"{told} {text}"))
    turns = list(dict.fromkeys(frame.turn for frame in recorded))
    here = [frame for frame in recorded if frame.n == finding.at]

    def looks(frame: Frame, place: Path | None) -> Iterator[Symptom]:
        """Looks at what is at a place, and then at what the finding names or quotes."""
        nth = _nth(recorded, frame)
        others = came(right, frame.turn, frame.type)[nth : nth + 1]
        values = {path: value for each in (*others, frame.value) for path, value in _inside(each)}
        paths = sorted(values, key=lambda path: (len(path), str(path)))
        if place is not None:
            yield from _looks_at(frame, nth, place)
            below = (path for path in paths if path[: len(place)] == place)
            yield from (look for path in below for look in _looks_at(frame, nth, path))
        yield Ending(frame.turn)
        for path in paths:
            is_named = path[-1] in names or ".".join(map(str, path[-2:])) in names
            if is_named or (isinstance(values[path], str) and repr(values[path]) in told):
                yield from _looks_at(frame, nth, path)

    for frame in here:
        yield from looks(frame, tuple(_keys(finding.path)) if finding.path else None)
    near = [frame.turn for frame in here]
    for turn in dict.fromkeys((*near, *reversed(turns))):
        yield Ending(turn)
        yield from (Word(turn, word) for word in words)
        yield from (Count(turn, kind) for kind in kinds)
        if turn in near:
            yield from (Count(turn, frame.type) for frame in here)
        types = dict.fromkeys(f.type for f in (*recorded, *right) if f.turn == turn)
        yield from (Joined(turn, t.removesuffix(DELTA)) for t in types if _is_delta(t))
        yield Overlap(turn[0])
        if NUMBER in names:
            yield Numbers(turn)
        yield Types(turn)
        yield Types(turn, -1)
    alike = {*kinds, *(frame.type for frame in here)}
    for frame in recorded:
        if frame.type in alike:
            yield from looks(frame, None)


def _looks_at(frame: Frame, nth: int, path: Path) -> Iterator[Symptom]:
    if is_id(path[-1]):
        yield Origin(frame.turn, frame.type, nth, path)
        yield Word(frame.turn, f'"{path[-1]}": ""')
        yield Distinct(frame.turn, str(path[-1]))
        if not isinstance(at(frame.value, *path), str):
            yield Member(frame.turn, frame.type, nth, path)
    else:
        if not str(path[-1]).endswith(TIME):
            yield Member(frame.turn, frame.type, nth, path)
        yield Kind(frame.turn, frame.type, nth, path)


def _is_delta(kind: str) -> bool:
    """True for a published-looking type: it stands in a script, and a target made it."""
    return kind.endswith(DELTA) and EVENT_TYPE.fullmatch(kind) is not None


def _nth(frames: Sequence[Frame], frame: Frame) -> int:
    """The place of a frame among those of its type in its turn."""
    alike = [f.n for f in frames if f.turn == frame.turn and f.type == frame.type]
    return alike.index(frame.n)


def _keys(pointer: str) -> Iterator[str | int]:
    """The steps of a JSON pointer."""
    for key in pointer.split("/")[1:]:
        yield int(key) if key.isdigit() else key.replace("~1", "/").replace("~0", "~")


def _inside(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Everything that stands in a JSON value, with its path."""
    if isinstance(value, dict):
        rows: Iterator[tuple[str | int, Any]] = iter(value.items())
    elif isinstance(value, list):
        rows = iter(enumerate(value))
    else:
        return
    for name, inner in rows:
        yield (*path, name), inner
        yield from _inside(inner, (*path, name))


def _at(look: Origin) -> str:
    path = "".join(f", {name!a}" for name in look.path)
    return f"at(came({look.turn!a}, {look.kind!a}), {look.nth}{path})"
