"""Shrinking: the shortest recording that still shows a violation.

Whole pieces are taken out of the recording, never what is inside of one: connections, exchanges
(a message with everything that the server sent because of it), and what stands alone. After each
cut the check judges what is left; the cut stands where the very same finding is still there. A
message that names an id keeps the exchange in which the server told it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from enum import Enum
from typing import Final

from responses_ws_conformance.checks import Evidence, Finding, load_checks
from responses_ws_conformance.reading.calls import Call
from responses_ws_conformance.reading.exchanges import Exchange
from responses_ws_conformance.reproduction.steps import conversation, events_of
from responses_ws_conformance.transcript import Entry, Expired, Message, Note, Transcript

# More than a hundred exchanges need fewer; a recording that needs more stays as long as it is.
MOST_JUDGEMENTS: Final = 300

Piece = frozenset[int]  # the numbers of its entries


class Depth(Enum):
    """What may be taken out of a recording, each with what stands before it."""

    NOTES = 0
    CONNECTIONS = 1
    EXCHANGES = 2


def shrink(
    transcript: Transcript, requirement: str, finding: Finding, *, depth: Depth = Depth.EXCHANGES
) -> Transcript:
    """The shortest part of a recording in which a requirement is still violated in this way.

    What came before can matter to a server though the check does not ask for it: ``depth`` says
    how small the pieces are that may go.
    """
    header = replace(transcript.header, selected=(requirement,))
    search = _Shrinking(Transcript(header, transcript.entries), requirement, finding)
    return search.shrunk(depth)


class _Shrinking:
    """One search. ``kept`` are the entries that are left."""

    def __init__(self, whole: Transcript, requirement: str, finding: Finding) -> None:
        self.whole = whole
        self.requirement = requirement
        self.finding = finding
        self.judgements = 0
        self.kept: list[Entry] = list(whole.entries)
        reading = Evidence.of(whole).reading
        calls = reading.calls.values()
        self.exchanges = [*reading, *(call.exchange for call in calls)]
        self.entries = {x.name: _entries_of(x) for x in reading}
        self.entries |= {call.name: _entries_of_call(call) for call in calls}
        self.sources = _sources(whole)

    def shrunk(self, depth: Depth) -> Transcript:
        """What is left when nothing more can go."""
        self._drop_notes()
        if depth is not Depth.NOTES:
            self._drop_connections()
        if depth is Depth.EXCHANGES:
            needed = self._needed()
            self._drop_exchanges([x.name for x in self.exchanges if x.name not in needed])
            self._drop_loose()
        return self._left(self.kept)

    def _drop_notes(self) -> None:
        """Of the notes only those stay that the check reads, one mark if one is enough."""
        notes = [e for e in self.kept if isinstance(e, Note)]
        others = [n.n for n in notes if n.requirement != self.requirement and n.note != "lever"]
        if not self._try(others):
            self._bisect([frozenset({n}) for n in others])
        self._bisect([frozenset({n.n}) for n in notes if n.requirement == self.requirement])

    def _drop_connections(self) -> None:
        needed = self._needed()
        needed |= {x.conn for x in self.exchanges if x.name in needed}
        for conn in dict.fromkeys(map(_connection, self.kept)):
            if conn is not None and conn not in needed:
                self._try(e.n for e in self.kept if _connection(e) == conn)

    def _drop_loose(self) -> None:
        """Pings, and what the server sent on its own."""
        owned = {n for x in self.exchanges for n in self.entries[x.name]}
        loose = [e for e in self.kept if e.n not in owned and isinstance(e, Message | Expired)]
        self._bisect([frozenset({e.n}) for e in loose])

    def _needed(self) -> set[str]:
        """What cannot go: what marks name, the exchange of the finding, and what told them ids."""
        marks = [e for e in self.kept if isinstance(e, Note)]
        needed = {name for mark in marks for names in mark.roles.values() for name in names}
        needed |= {x.name for x in self.exchanges if self.finding.at in self.entries[x.name]}
        return self._with_sources(needed)

    def _with_sources(self, names: Iterable[str]) -> set[str]:
        known, todo = set[str](), list(names)
        while todo:
            name = todo.pop()
            if name not in known:
                known.add(name)
                todo += self.sources.get(name, ())
        return known

    def _drop_exchanges(self, names: Sequence[str]) -> None:
        """The last ones first, since later messages name what came of earlier ones."""
        names = names[::-1]
        for size in _sizes(len(names)):
            left: list[str] = []
            for start in range(0, len(names), size):
                chunk = names[start : start + size]
                if not self._try_exchanges(chunk):
                    left += chunk
            names = left

    def _try_exchanges(self, names: Sequence[str]) -> bool:
        """Take exchanges out, unless one that stays names what came of them."""
        kept = {e.n for e in self.kept}
        rest = {x.name for x in self.exchanges if x.sent.n in kept and x.name not in names}
        if self._with_sources(rest) & set(names):
            return False
        return self._try(n for name in names for n in self.entries[name])

    def _bisect(self, pieces: Sequence[Piece]) -> None:
        """Drop as many pieces as can go, in halves, quarters and so on."""
        for size in _sizes(len(pieces)):
            left: list[Piece] = []
            for start in range(0, len(pieces), size):
                chunk = pieces[start : start + size]
                if not self._try(n for piece in chunk for n in piece):
                    left += chunk
            pieces = left

    def _try(self, gone: Iterable[int]) -> bool:
        """Take entries out; True where the finding is still there, else nothing is changed."""
        numbers = set(gone)
        if not numbers or self.finding.at in numbers or self.judgements >= MOST_JUDGEMENTS:
            return False
        self.judgements += 1
        rest = [e for e in self.kept if e.n not in numbers]
        if not self._is_shown_by(self._left(rest)):
            return False
        self.kept = rest
        return True

    def _is_shown_by(self, transcript: Transcript) -> bool:
        check = load_checks()[self.requirement]
        evidence = Evidence.of(transcript)
        return check.when(evidence) and self.finding in list(check.judge(evidence))

    def _left(self, entries: list[Entry]) -> Transcript:
        return Transcript(self.whole.header, entries)


def _sizes(size: int) -> Iterator[int]:
    """All at once, then halves, quarters and so on."""
    while size:
        yield size
        size //= 2


def _connection(entry: Entry) -> str | None:
    return None if isinstance(entry, Note) else entry.conn


def _entries_of(exchange: Exchange) -> Piece:
    """The numbers of the entries that belong to an exchange and to nothing else."""
    ends = (exchange.expired, exchange.quiet)
    numbers = {exchange.sent.n, *(e.n for e in events_of(exchange))}
    return frozenset(numbers | {e.n for e in ends if e is not None})


def _entries_of_call(call: Call) -> Piece:
    ends = (call.answered, call.expired)
    return frozenset({call.requested.n, *(e.n for e in ends if e is not None)})


def _sources(transcript: Transcript) -> dict[str, set[str]]:
    """For each exchange those that told it an id."""
    return {
        f"e{step.entry.n}": {s.exchange for b in step.bindings for s in b.sources}
        for step in conversation(transcript).steps
        if step.bindings
    }
