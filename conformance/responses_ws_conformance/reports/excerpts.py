"""Excerpts: the few entries of a recording that a reader needs to see of a finding."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

from responses_ws_conformance.reading.attribution import Reading, read_exchanges
from responses_ws_conformance.reading.commands import target_of
from responses_ws_conformance.reading.exchanges import PREVIOUS, TERMINAL_EVENTS, Exchange
from responses_ws_conformance.transcript import (
    Answered,
    Entry,
    Note,
    Received,
    Requested,
    Sent,
    Transcript,
)

MOST: Final = 20
NEIGHBOURS: Final = 2
TURN_BOUNDS: Final = 6
FRAME_LENGTH: Final = 800
# The facts of a mark that hold what was planted.
PLANTED: Final = ("word", "words")


def around(transcript: Transcript, at: int, requirement: str) -> Sequence[Entry]:
    """What a reader needs to see of a finding about a requirement, in the order of the recording.

    The neighbours of the entry, what the marks of the requirement name, and the turns that led to
    it. Where that is too much, the last of these give way.
    """
    wire = [e for e in transcript.entries if not isinstance(e, Note)]
    here = next((i for i, e in enumerate(wire) if e.n >= at), len(wire) - 1)
    near = wire[max(0, here - NEIGHBOURS) : here + NEIGHBOURS + 1]
    turns = [e for e in wire[:here] if _bounds_a_turn(e)][-TURN_BOUNDS:]
    known = {e.n for e in wire}
    numbers = dict.fromkeys(
        (*(e.n for e in near), *_named(transcript, at, requirement), *(e.n for e in turns[::-1]))
    )
    chosen = set(islice((n for n in numbers if n in known), MOST))
    return [e for e in wire if e.n in chosen]


def shorten(line: str) -> str:
    """An entry's JSON line with its long texts cut."""
    value = json.loads(line)
    for name in ("text", "body", "data"):
        text = value.get(name)
        if isinstance(text, str) and len(text) > FRAME_LENGTH:
            value[name] = f"{text[:FRAME_LENGTH]}… ({len(text)} characters)"
    return json.dumps(value, ensure_ascii=False)


def _bounds_a_turn(entry: Entry) -> bool:
    """True for what asks and for what settles; a ping and its pong are a turn of their own."""
    if isinstance(entry, Received):
        return entry.opcode == "pong" or entry.type == "error" or entry.type in TERMINAL_EVENTS
    is_asked = isinstance(entry, Sent) and (entry.is_data or entry.opcode == "ping")
    return is_asked or isinstance(entry, Requested | Answered)


def _named(transcript: Transcript, at: int, requirement: str) -> Iterator[int]:
    """The numbers of what the marks of a requirement name, the most telling first."""
    notes = [n for n in transcript.notes("mark") if n.requirement == requirement]
    if not notes:
        return
    reading = read_exchanges(transcript)
    meant = [n for n in notes if any(x.sent.n <= at <= x.last for x in _marked(reading, n))]
    notes = meant or notes
    marked = [x for note in notes for x in _marked(reading, note)]
    judged = [x for x in marked if x.sent.n <= at <= x.last]
    for exchange in judged:
        yield from _steps(reading, exchange)
    words = [word for note in notes for word in _planted(note)]
    # What was said instead of a word tells more where it was given too.
    words += [x.text.strip() for x in judged if words and x.text.strip()]
    for word in words:
        yield from _planting(reading, transcript, word, at)
    for exchange in marked:
        yield from _bounds(exchange)
    for exchange in judged:
        yield from _continued(reading, exchange)
    for name in (name for note in notes for names in note.roles.values() for name in names):
        view = reading.connections.get(name)
        if view is not None:
            yield from (e.n for e in (view.opened, view.closed) if e is not None)


def _known(reading: Reading) -> dict[str, Exchange]:
    """Every exchange by its name, calls over HTTP among them."""
    return {**reading.exchanges, **{name: call.exchange for name, call in reading.calls.items()}}


def _marked(reading: Reading, note: Note) -> list[Exchange]:
    """The exchanges that a mark names."""
    known = _known(reading)
    return [known[name] for names in note.roles.values() for name in names if name in known]


def _steps(reading: Reading, exchange: Exchange) -> Iterator[int]:
    """How an exchange began and ended, and the commands that interfered with it."""
    yield from _bounds(exchange)
    asked = exchange.parent or exchange
    for command in reading:
        if asked.response_id is not None and target_of(command) == asked.response_id:
            yield from _bounds(command)
    yield from _bounds(asked)


def _bounds(exchange: Exchange) -> Iterator[int]:
    """What was sent, and what settled it."""
    x = exchange
    yield x.sent.n
    ends = (x.terminal, x.answer, x.error, x.limit, x.closed, x.expired)
    yield next((e.n for e in ends if e is not None), x.last)


def _continued(reading: Reading, exchange: Exchange) -> Iterator[int]:
    """The turns that an exchange continues, the last of them first."""
    turns = {x.response_id: x for x in _known(reading).values() if x.response_id is not None}
    while (turn := exchange.parent or turns.pop(_previous(exchange), None)) is not None:
        yield from _bounds(turn)
        exchange = turn


def _previous(exchange: Exchange) -> str:
    name = exchange.request.get(PREVIOUS)
    return name if isinstance(name, str) else ""


def _planted(note: Note) -> list[str]:
    """The words that a mark knows of."""
    facts = [note.facts[name] for name in PLANTED if name in note.facts]
    words = [w for fact in facts for w in (fact if isinstance(fact, list) else [fact])]
    return [word for word in words if isinstance(word, str) and word]


def _planting(reading: Reading, transcript: Transcript, word: str, at: int) -> Iterator[int]:
    """The turn in which a word was given: the last one on the connection of an entry, or any."""
    given = [e for e in transcript.entries if isinstance(e, Sent | Requested) and word in _said(e)]
    conns = {e.conn for e in transcript.entries if e.n == at and not isinstance(e, Note)}
    before = [e for e in given if e.n < at and e.conn in conns]
    for entry in before[-1:] or given[:1]:
        exchange = _known(reading).get(f"e{entry.n}")
        yield from _bounds(exchange) if exchange is not None else (entry.n,)


def _said(entry: Sent | Requested) -> str:
    return (entry.text if isinstance(entry, Sent) else entry.body) or ""
