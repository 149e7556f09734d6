"""Views that the checks on events share: which events make up a response, and their numbers.

Only events of published types count: an unknown type that begins with ``response.`` may be
anything. Answers to steering, injection and interrupts are no part of a response either.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import cache, wraps
from itertools import pairwise
from typing import Final, TypeVar

from responses_ws_schemas import event_types

from responses_ws_conformance.checks import Evidence, Finding, Mark, Outcome, once
from responses_ws_conformance.reading.exchanges import ConnectionView, Exchange, response_of
from responses_ws_conformance.transcript import Note, Received
from responses_ws_conformance.transcript.payloads import integer
from responses_ws_conformance.values import excerpt

ANSWERS: Final = ("response.steer.", "response.inject.", "response.interrupt.")

# What a response breaks that is announced twice.
CREATED_ONCE: Final = "RWS-EVENT-023"

Stream = tuple[Exchange, list[Received]]
Given = TypeVar("Given", Evidence, Mark)


@cache
def stream_types() -> frozenset[str]:
    """The published types of the events that make up a response."""
    return frozenset(
        kind
        for kind in event_types()
        if kind.startswith("response.") and not kind.startswith(ANSWERS)
    )


@once
def streams(evidence: Evidence) -> list[Stream]:
    """Each response with its events, in the order of arrival; what came late is not among them."""
    of_exchange = (
        (exchange, [e for e in exchange.events if e.type in stream_types()])
        for exchange in evidence.exchanges
    )
    return [(exchange, events) for exchange, events in of_exchange if events]


def has_streams(evidence: Evidence) -> bool:
    """True where the server sent an event of a response."""
    return bool(streams(evidence))


def of_type(evidence: Evidence, *kinds: str) -> list[Received]:
    """Every event of these types that belongs to a response."""
    return [e for _, events in streams(evidence) for e in events if e.type in kinds]


def number_of(event: Received) -> int | None:
    """The ``sequence_number``, None where it is absent or not an integer."""
    payload = event.payload
    return integer(payload.get("sequence_number")) if isinstance(payload, dict) else None


def told_number(event: Received) -> str:
    """What stands where the ``sequence_number`` of an event should be."""
    name = "sequence_number"
    return excerpt(event.payload[name]) if name in event.payload else f"no {name}"


def numbers_of(events: Iterable[Received]) -> list[int]:
    """The numbers of the events that have one, in the order of arrival."""
    return [number for number in map(number_of, events) if number is not None]


@once
def numbered_streams(evidence: Evidence) -> list[Stream]:
    """The responses whose numbers are all there and rise: the others have greater trouble."""
    return [
        (exchange, events)
        for exchange, events in streams(evidence)
        if len(numbers := numbers_of(events)) == len(events)
        and all(before < number for before, number in pairwise(numbers))
    ]


def consecutive_streams(evidence: Evidence) -> list[tuple[Stream, Stream]]:
    """Each numbered response with the one that followed it on its connection and lane."""
    pairs: list[tuple[Stream, Stream]] = []
    latest: dict[tuple[str, str], Stream] = {}
    for stream in sorted(numbered_streams(evidence), key=lambda stream: stream[1][0].n):
        place = (stream[0].conn, stream[0].lane)
        if place in latest:
            pairs.append((latest[place], stream))
        latest[place] = stream
    return pairs


@once
def torn(evidence: Evidence) -> set[str]:
    """The connections on which more responses begin than creates were taken: which is whose?"""
    return {view.name for view in evidence.connections if _begun(evidence, view) > _taken(view)}


def _begun(evidence: Evidence, view: ConnectionView) -> int:
    begun = (e for e in evidence.received if e.conn == view.name and e.type == "response.created")
    return len({str((response_of(e) or {}).get("id")) for e in begun})


def _taken(view: ConnectionView) -> int:
    return sum(x.is_create and x.error is None for x in view.exchanges)


def folded_where_torn(
    judge: Callable[[Given], Iterator[Outcome]],
) -> Callable[[Given], Iterator[Outcome]]:
    """A check whose findings a second ``response.created`` explains, on its own connection only."""

    @wraps(judge)
    def explaining(given: Given) -> Iterator[Outcome]:
        evidence = given.evidence if isinstance(given, Mark) else given
        for outcome in judge(given):
            if isinstance(outcome, Finding) and _place(evidence, outcome.at) in torn(evidence):
                outcome = replace(outcome, root=CREATED_ONCE)
            yield outcome

    return explaining


def _place(evidence: Evidence, at: int) -> str | None:
    entries = (e for e in evidence.transcript.entries if not isinstance(e, Note))
    return next((e.conn for e in entries if e.n == at), None)
