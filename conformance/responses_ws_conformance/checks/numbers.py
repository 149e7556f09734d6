"""Checks on the numbers of events: that they are there, rise, and begin anew."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from responses_ws_conformance.checks import (
    Evidence,
    Finding,
    Outcome,
    invariant,
)
from responses_ws_conformance.checks.streams import (
    consecutive_streams,
    folded_where_torn,
    has_streams,
    number_of,
    numbered_streams,
    numbers_of,
    streams,
    told_number,
)


@invariant("RWS-EVENT-011", when=has_streams)
def events_are_numbered(evidence: Evidence) -> Iterator[Outcome]:
    """Each event of a response has an integer sequence_number."""
    for _, events in streams(evidence):
        bare = [e for e in events if number_of(e) is None]
        if bare:
            yield Finding(
                bare[0].n,
                "an integer sequence_number on each event of the response",
                f"{told_number(bare[0])} on {bare[0].type}; "
                f"{len(bare)} of {len(events)} events lack one",
            )


@invariant("RWS-EVENT-012", when=lambda e: any(len(numbers_of(x)) > 1 for _, x in streams(e)))
@folded_where_torn
def numbers_rise(evidence: Evidence) -> Iterator[Outcome]:
    """Within a response each sequence_number is higher than the one before."""
    for _, events in streams(evidence):
        numbered = [(number, e) for e in events if (number := number_of(e)) is not None]
        for (last, before), (number, event) in pairwise(numbered):
            if number <= last:
                yield Finding(
                    event.n,
                    f"a sequence_number above {last}, which {before.type} had",
                    f"{number} on {event.type}",
                )
                break


@invariant("RWS-EVENT-013", when=lambda e: bool(numbered_streams(e)))
@folded_where_torn
def numbers_leave_no_gaps(evidence: Evidence) -> Iterator[Outcome]:
    """The numbers of a response start at 0 and leave no gaps; other events may fill them."""
    asides = {
        view.name: [*view.others, *(e for x in view.exchanges for e in (x.answer, *x.sequels) if e)]
        for view in evidence.connections
    }
    for exchange, events in numbered_streams(evidence):
        mine = [*exchange.late, *([exchange.error] if exchange.error else [])]
        others = [*asides[exchange.conn], *mine]
        meanwhile = (e for e in others if exchange.sent.n < e.n < events[-1].n)
        taken = {*numbers_of(exchange.events), *numbers_of(meanwhile)}
        numbers = numbers_of(events)
        for event, last, number in zip(events, [-1, *numbers], numbers, strict=False):
            if not taken.issuperset(range(last + 1, number)):
                yield Finding(
                    event.n,
                    f"the sequence_number {last + 1}",
                    f"{number} on {event.type}",
                )
                break


@invariant("RWS-EVENT-014", when=lambda e: bool(consecutive_streams(e)))
def numbering_starts_anew(evidence: Evidence) -> Iterator[Outcome]:
    """A response does not go on with the numbers of the one before it."""
    for (_, before), (_, events) in consecutive_streams(evidence):
        last, first = numbers_of(before)[-1], numbers_of(events)[0]
        if first > last:
            yield Finding(
                events[0].n,
                "numbers that start anew with the response",
                f"{first}, after {last} at the end of the response before it",
            )
