"""Checks on the form of events: their types, their members, and what these add up to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Final

from responses_ws_schemas import dialect_schema, event_types, explain, layer_events, load

from responses_ws_conformance.checks import (
    Evidence,
    Finding,
    Outcome,
    invariant,
)
from responses_ws_conformance.checks.streams import (
    number_of,
    of_type,
    told_number,
)
from responses_ws_conformance.reading.exchanges import (
    LIFECYCLE_EVENTS,
    TERMINAL_EVENTS,
    response_of,
)
from responses_ws_conformance.transcript import Received
from responses_ws_conformance.transcript.payloads import integer

# A member that neither owner requires of an event; null is as good as none there.
LANE: Final = "stream_id"


def core_schema(kind: str) -> str | None:
    """The core schema of a published type; envelopes of errors are judged on their own."""
    return f"server_events/{kind}" if kind in event_types() - {"error"} else None


def response_schema(kind: str) -> str | None:
    """The Open Responses schema of an event that carries a response."""
    if kind not in LIFECYCLE_EVENTS:
        return None
    return dialect_schema("open-responses", f"server_events/{kind}")


def item_schema(kind: str) -> str | None:
    """The Open Responses schema of an event about an item or a text."""
    if kind in LIFECYCLE_EVENTS or kind == "error":
        return None
    return dialect_schema("open-responses", f"server_events/{kind}")


def openai_schema(kind: str) -> str | None:
    """What OpenAI's types require of an event beyond core, where they do."""
    return dialect_schema("openai", f"server_events/{kind}")


def received_types(evidence: Evidence) -> set[str]:
    """The types of all events of the recording."""
    return {e.type for e in evidence.received if e.type is not None}


def misfits(evidence: Evidence, schema_of: Callable[[str], str | None]) -> Iterator[Finding]:
    """Where events break their schema; what many deltas have in common is said once."""
    said: set[tuple[str, str, str]] = set()
    for event in evidence.received:
        name = schema_of(event.type) if event.type is not None else None
        for pointer, message in explain(name, event.payload) if name is not None else ():
            if pointer == f"/{LANE}" and event.payload[LANE] is None:
                continue
            problem = (str(event.type), pointer, message.partition("got ")[0])
            if problem not in said:
                said.add(problem)
                yield Finding(
                    event.n, f"{event.type} as the schema {name} has it", message, path=pointer
                )


@invariant("RWS-EVENT-015", when=lambda e: any(map(core_schema, received_types(e))))
def events_have_their_members(evidence: Evidence) -> Iterator[Outcome]:
    """Events of published types have the members that both owners require."""
    yield from misfits(evidence, core_schema)


@invariant("RWS-EVENT-016", when=lambda e: any(map(response_schema, received_types(e))))
def responses_are_whole(evidence: Evidence) -> Iterator[Outcome]:
    """Events that carry a response carry the long response object of Open Responses."""
    yield from misfits(evidence, response_schema)


@invariant("RWS-EVENT-021", when=lambda e: any(map(item_schema, received_types(e))))
def items_are_whole(evidence: Evidence) -> Iterator[Outcome]:
    """Events about items and texts have the members that Open Responses requires beyond core."""
    yield from misfits(evidence, item_schema)


def usages(evidence: Evidence) -> list[tuple[Received, list[int]]]:
    """The terminal events with a usage, and its counters: input, output and total."""
    names = ("input_tokens", "output_tokens", "total_tokens")
    rows = []
    for event in of_type(evidence, *TERMINAL_EVENTS):
        usage = (response_of(event) or {}).get("usage")
        counters = [integer(usage.get(name)) for name in names] if isinstance(usage, dict) else []
        rows.append((event, [c for c in counters if c is not None]))
    return [(event, counters) for event, counters in rows if len(counters) == len(names)]


@invariant("RWS-EVENT-022", when=lambda e: bool(usages(e)))
def usage_adds_up(evidence: Evidence) -> Iterator[Outcome]:
    """The tokens read and the tokens written are all tokens there are."""
    for event, (read, written, total) in usages(evidence):
        if total != read + written:
            yield Finding(event.n, f"total_tokens {read} + {written}", f"total_tokens {total}")


@invariant("RWS-EVENT-019", when=lambda e: any(map(openai_schema, received_types(e))))
def events_have_the_members_of_openai(evidence: Evidence) -> Iterator[Outcome]:
    """Events have the members that OpenAI's types require beyond core."""
    yield from misfits(evidence, openai_schema)


@cache
def open_responses_types() -> frozenset[str]:
    """The event types that Open Responses defines."""
    return frozenset(
        kind
        for kind in event_types()
        if "open-responses" in load(f"server_events/{kind}")["x-published-by"]
    )


@invariant("RWS-EVENT-017", when=lambda e: bool(received_types(e) - {"error"}))
def types_are_defined_or_prefixed(evidence: Evidence) -> Iterator[Outcome]:
    """An event type is one of Open Responses or of a claimed layer, or has a vendor prefix."""
    layers = evidence.transcript.header.features
    known = open_responses_types().union(*map(layer_events, layers))
    said: set[str] = set()
    for event in evidence.received:
        kind = event.type
        if kind is None or ":" in kind or kind in known or kind in said:
            continue
        said.add(kind)
        yield Finding(
            event.n,
            "an event type that Open Responses defines, or one with a prefix such as vendor:name",
            repr(kind),
        )


def has_vendor_events(evidence: Evidence) -> bool:
    """True where the server sent an event with a vendor prefix."""
    return any(":" in kind for kind in received_types(evidence))


@invariant("RWS-EVENT-018", when=has_vendor_events)
def vendor_events_are_numbered(evidence: Evidence) -> Iterator[Outcome]:
    """An event with a vendor prefix has an integer sequence_number."""
    for event in evidence.received:
        if event.type is not None and ":" in event.type and number_of(event) is None:
            yield Finding(event.n, f"a sequence_number on {event.type}", told_number(event))
