"""Symptoms: what in a conversation shows a violation, so that a script sees it without the check.

A symptom is one plain look at the frames. Which look serves is not guessed: the same conversation
is held with a server that does it right, and the first look that tells the two apart is taken,
those that the finding itself points at before others. Where none does, there is no symptom.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any, Final

from responses_ws_conformance.checks import Finding
from responses_ws_conformance.reproduction.frames import CLOSED, Frame, Turn, at, came
from responses_ws_conformance.reproduction.looks import (
    NUMBER,
    Changes,
    Count,
    Cut,
    Distinct,
    Ending,
    Joined,
    Kind,
    Look,
    Member,
    Numbers,
    Origin,
    Overlap,
    Types,
    Word,
)
from responses_ws_conformance.reproduction.steps import Path, is_id

EVENT_TYPE: Final = re.compile(r"\b(?:response|error)(?:\.[a-z_]+)+\b|\berror\b")
WORD: Final = re.compile(r"[a-z]+(?:_[a-z]+)*")
# A member with the one that holds it.
DOTTED: Final = re.compile(r"\b[a-z_]+\.[a-z_]+\b")
# Words of every sentence, which are names of members too.
COMMON: Final = frozenset({"type", "response", "event", "error"})
DELTA: Final = ".delta"
# How names of members end whose value is a time, and another one each time.
TIME: Final = "_at"


def symptom(
    finding: Finding,
    text: str,
    words: Sequence[str],
    recorded: Sequence[Frame],
    rights: Sequence[Sequence[Frame]],
    again: Sequence[Sequence[Frame]],
) -> Look | None:
    """The first look by which a recording and the right conversations differ.

    ``text`` is the sentence that is violated, ``words`` are those that its scenario planted.
    What differs among the right conversations, or between the recording and the conversations as
    the target has held them ``again``, shows nothing. Where no look is left, those conversations
    decide alone: a script hears what it asks for, and can hear it otherwise than the suite.
    """
    first = rights[0] if rights else ()
    # What was cut out of the recording comes again when a script holds the conversation.
    for wrongs, bases in (((recorded, *again), [recorded]), (again, [recorded, *again[:1]])):
        looks = (candidates(finding, text, words, base, first) for base in bases)
        for look in chain.from_iterable(looks):
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
) -> Iterator[Look]:
    """Every look that may show a finding, the likeliest first."""
    told = f"{finding.expected} {finding.actual}"
    names = set(WORD.findall(f"{told} {text} {finding.path or ''}")) - COMMON
    names |= set(DOTTED.findall(f"{told} {text}"))
    kinds = dict.fromkeys(EVENT_TYPE.findall(f"{told} {text}"))
    turns = list(dict.fromkeys(frame.turn for frame in recorded))
    here = [frame for frame in recorded if frame.n == finding.at]

    def looks(frame: Frame, place: Path | None) -> Iterator[Look]:
        """Looks at what is at a place, and then at what the finding names or quotes."""
        nth = _nth(recorded, frame)
        others = came(right, frame.turn, frame.type)[nth : nth + 1]
        values = {path: value for each in (*others, frame.value) for path, value in _inside(each)}
        paths = sorted(values, key=lambda path: (len(path), str(path)))
        if place is not None:
            yield from _looks_at(frame, nth, place)
            below = (path for path in paths if path[: len(place)] == place)
            yield from (look for path in below for look in _looks_at(frame, nth, path))
        yield from _endings(frame.turn, recorded)
        for path in paths:
            is_named = path[-1] in names or ".".join(map(str, path[-2:])) in names
            if is_named or _is_quoted(values[path], told):
                yield from _looks_at(frame, nth, path)

    for frame in here:
        yield from looks(frame, tuple(_keys(finding.path)) if finding.path else None)
    near = [frame.turn for frame in here]
    for turn in dict.fromkeys((*near, *reversed(turns))):
        yield from _endings(turn, recorded)
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


def _is_quoted(value: Any, told: str) -> bool:
    """True where a finding has a text, by itself or inside of another value."""
    return isinstance(value, str) and any(
        quoted in told for quoted in (repr(value), json.dumps(value, ensure_ascii=False))
    )


def _endings(turn: Turn, recorded: Sequence[Frame]) -> Iterator[Look]:
    """Looks at how a turn ended; how it was closed matters where a right server closes too."""
    if any(at(value, "type") == CLOSED for value in came(recorded, turn)[-1:]):
        yield Cut(turn)
    yield Ending(turn)


def _looks_at(frame: Frame, nth: int, path: Path) -> Iterator[Look]:
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
        yield Changes(frame.turn, path)


def _is_delta(kind: str) -> bool:
    """True for a published-looking type: it stands in a script, and a target made it."""
    return kind.endswith(DELTA) and EVENT_TYPE.fullmatch(kind) is not None


def _nth(frames: Sequence[Frame], frame: Frame) -> int:
    """The place of a frame among those of its type in its turn."""
    alike = [f for f in frames if f.turn == frame.turn and f.type == frame.type]
    return next(nth for nth, other in enumerate(alike) if other is frame)


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
