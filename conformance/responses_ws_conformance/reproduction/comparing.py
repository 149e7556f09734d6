"""Comparing: the same scenario on two targets, and what is different about their answers.

Ids become the place at which they were first told, and what differs from one conversation to the
next anyway (texts, times, counts of tokens) becomes its kind. Exchanges are paired in the order in
which they were sent; their events are aligned by type, pieces of one stream counting as one. How
far a response had come when the client closed its connection, and whether that was tried again, is
chance, and left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from itertools import chain, groupby, zip_longest
from typing import Any, Final

from responses_ws_conformance.checks.answers import describe
from responses_ws_conformance.reading.attribution import read_exchanges
from responses_ws_conformance.reading.exchanges import Exchange, reason_of
from responses_ws_conformance.reproduction.outcomes import judged
from responses_ws_conformance.reproduction.steps import events_of, ids_in
from responses_ws_conformance.transcript import Received, Transcript
from responses_ws_conformance.verdict import VIOLATED, Judgement

ABSENT: Final = "nothing"
DELTA: Final = ".delta"
# Members whose values are a model's, a clock's or a counter's.
VOLATILE: Final = frozenset(
    {
        "arguments",
        "completed_at",
        "created_at",
        "delta",
        "input",
        "logprob",
        "message",
        "model",
        "obfuscation",
        "sequence_number",
        "text",
    }
)
COUNTED: Final = "_tokens"
CUT_OFF: Final = ("interrupted", "steered")
# A text of so many characters in a message of the client is no word of the protocol.
MADE_UP: Final = 10


@dataclass(frozen=True, slots=True)
class Difference:
    """One kind of difference: where it is, and what each of the two has there."""

    where: str
    left: str
    right: str


@dataclass(slots=True)
class Places:
    """Where a difference was found: scenarios, and the requirements that it touches."""

    scenarios: dict[str, None] = field(default_factory=dict)
    requirements: dict[str, None] = field(default_factory=dict)
    count: int = 0


def compare(
    pairs: Sequence[tuple[Transcript, Transcript]],
) -> dict[Difference, Places]:
    """The differences of pairs of recordings, those of many places once."""
    found: dict[Difference, Places] = {}
    for left, right in pairs:
        for difference, requirements in differences(left, right):
            places = found.setdefault(difference, Places())
            places.count += 1
            places.scenarios[left.header.scenario] = None
            places.requirements |= dict.fromkeys(requirements)
    return found


def differences(left: Transcript, right: Transcript) -> Iterator[tuple[Difference, Sequence[str]]]:
    """What differs in two recordings of a scenario, and the requirements that each touches."""
    sides = _Side(left), _Side(right)
    abandoned = sides[0].abandoned() | sides[1].abandoned()
    for side in sides:
        side.leave_out(abandoned)
    for one, other in zip_longest(*(side.exchanges for side in sides)):
        pair = one, other
        if one is None or other is None:
            shown = [ABSENT if x is None else f"a message, then {describe(x)}" for x in pair]
            yield Difference("messages of the client", *shown), _touched(sides, pair)
            continue
        outcomes = [_outcome(x) for x in (one, other)]
        if outcomes[0] != outcomes[1]:
            where = f"the answer to {_request(one)}"
            yield Difference(where, *outcomes), _touched(sides, pair, by_marks=True)
        yield from _events(sides, one, other)
    for name, one_opened, other_opened in _openings(sides):
        if one_opened != other_opened:
            yield Difference(f"the opening handshake of {name}", one_opened, other_opened), ()
    yield from _verdicts(sides)


class _Side:
    """A recording with its exchanges, its verdicts, and where each id was first told."""

    def __init__(self, transcript: Transcript) -> None:
        self.reading = read_exchanges(transcript)
        self.exchanges = list(self.reading)
        self.verdicts = judged(transcript)
        self.marks: dict[str, list[str]] = {}
        for note in transcript.notes("mark"):
            for name in chain.from_iterable(note.roles.values()):
                self.marks.setdefault(name, []).append(str(note.requirement))
        self.origins: dict[str, str] = {}
        self.connections = list(self.reading.connections.values())

    def abandoned(self) -> set[str]:
        """What the client asked, and then closed the connection before it was answered."""
        return {
            _asked(x)
            for x in self.exchanges
            if x.closed is not None and x.closed.side == "client" and x.outcome == "open"
        }

    def leave_out(self, abandoned: set[str]) -> None:
        """Leave out what is abandoned here or there, unless a mark names it; look for ids."""
        gone = [x for x in self.exchanges if _asked(x) in abandoned and x.name not in self.marks]
        self.exchanges = [x for x in self.exchanges if x not in gone]
        idle = {x.conn for x in gone} - {x.conn for x in self.exchanges}
        self.connections = [view for view in self.connections if view.name not in idle]
        for place, exchange in enumerate(self.exchanges, start=1):
            for path, value in _texts(exchange.request, ()):
                where = "/".join(map(str, path))
                self.origins.setdefault(value, f"the {where} of message {place}")
            for event in events_of(exchange):
                for path, value in ids_in(event.payload):
                    where = "/".join(map(str, path))
                    self.origins.setdefault(value, f"the {where} of {event.type}, answer {place}")

    def members(self, event: Received) -> dict[str, str]:
        """The members of an event by path, normalised."""
        return dict(self._flat(event.payload, ""))

    def _flat(self, value: Any, path: str) -> Iterator[tuple[str, str]]:
        name = path.rpartition("/")[2]
        if isinstance(value, str) and value in self.origins:
            yield path, self.origins[value]
        elif name in VOLATILE or name.endswith(COUNTED):
            yield path, type(value).__name__
        elif isinstance(value, dict) and value:
            for key, inner in value.items():
                yield from self._flat(inner, f"{path}/{key}")
        elif isinstance(value, list) and value:
            for index, inner in enumerate(value):
                yield from self._flat(inner, f"{path}/{index}")
        else:
            yield path, repr(value)


Sides = tuple[_Side, _Side]


def _texts(value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """What the client made up: every longer text in a message of its own."""
    rows: Any = value.items() if isinstance(value, dict) else enumerate(value)
    for name, inner in rows:
        if isinstance(inner, str) and len(inner) >= MADE_UP and name != "type":
            yield (*path, name), inner
        elif isinstance(inner, dict | list):
            yield from _texts(inner, (*path, name))


def _events(
    sides: Sides, one: Exchange, other: Exchange
) -> Iterator[tuple[Difference, Sequence[str]]]:
    runs = [_runs(events_of(x)) for x in (one, other)]
    types = [[kind for kind, _ in rows] for rows in runs]
    for tag, i1, i2, j1, j2 in SequenceMatcher(
        a=types[0], b=types[1], autojunk=False
    ).get_opcodes():
        if tag == "equal":
            for (_, event), (_, counterpart) in zip(runs[0][i1:i2], runs[1][j1:j2], strict=True):
                yield from _members(sides, event, counterpart)
        elif _outcome(one) == _outcome(other) and not _was_cut_off(one):
            before = f"after {types[0][i1 - 1]}" if i1 else "at the beginning"
            shown = [", ".join(kinds) or ABSENT for kinds in (types[0][i1:i2], types[1][j1:j2])]
            yield Difference(f"the events {before}", *shown), _touched(sides, (one, other))


def _was_cut_off(exchange: Exchange) -> bool:
    """True for a response that the client ended: how far it had come is chance."""
    return reason_of(exchange.response) in CUT_OFF


def _members(
    sides: Sides, event: Received, counterpart: Received
) -> Iterator[tuple[Difference, Sequence[str]]]:
    left, right = sides[0].members(event), sides[1].members(counterpart)
    touched = [*_found_at(sides[0], {event.n}), *_found_at(sides[1], {counterpart.n})]
    for path in dict.fromkeys((*left, *right)):
        values = left.get(path, ABSENT), right.get(path, ABSENT)
        if values[0] != values[1]:
            yield Difference(f"{path} of {event.type}", *values), touched


def _runs(events: Sequence[Received]) -> list[tuple[str, Received]]:
    """Events with their types; the pieces of a stream as their first one."""
    rows = groupby(events, key=lambda e: str(e.type))
    return [
        (kind, event)
        for kind, group in rows
        for place, event in enumerate(group)
        if not (place and kind.endswith(DELTA))
    ]


def _verdicts(sides: Sides) -> Iterator[tuple[Difference, Sequence[str]]]:
    for name, judgement in sides[0].verdicts.items():
        pair: tuple[Judgement, Judgement] = judgement, sides[1].verdicts[name]
        if len({j.verdict in VIOLATED for j in pair}) == 2:
            verdicts = [j.verdict.value for j in pair]
            yield Difference(f"the verdict about {name}", *verdicts), [name]


def _openings(sides: Sides) -> Iterator[tuple[str, str, str]]:
    for views in zip_longest(*(side.connections for side in sides)):
        opened = [view.opened if view is not None else None for view in views]
        statuses = [ABSENT if o is None else o.failure or f"status {o.status}" for o in opened]
        yield next(view.name for view in views if view is not None), statuses[0], statuses[1]


def _touched(
    sides: Sides, pair: tuple[Exchange | None, Exchange | None], *, by_marks: bool = False
) -> list[str]:
    """The requirements that an exchange violates on either side, or is there for."""
    names: list[str] = []
    for side, exchange in zip(sides, pair, strict=True):
        if exchange is not None:
            numbers = {exchange.sent.n, exchange.last, *(e.n for e in events_of(exchange))}
            names += _found_at(side, numbers)
            names += side.marks.get(exchange.name, ()) if by_marks else ()
    return list(dict.fromkeys(names))


def _found_at(side: _Side, numbers: set[int]) -> list[str]:
    red: Mapping[str, Judgement] = side.verdicts
    return [n for n, j in red.items() if any(each.finding.at in numbers for each in j.findings)]


def _outcome(exchange: Exchange) -> str:
    if exchange.outcome == "error":
        return f"an error event with status {exchange.error_status}, code {exchange.error_code}"
    return exchange.outcome


def _asked(exchange: Exchange) -> str:
    """A request, whatever model it names."""
    request = exchange.request
    return json.dumps({name: request[name] for name in request if name != "model"})


def _request(exchange: Exchange) -> str:
    kind = exchange.request.get("type")
    return f"a {kind}" if isinstance(kind, str) else "a message without a type"
