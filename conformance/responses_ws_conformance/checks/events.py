"""Checks on the events of a response: how it begins and ends, its numbers, its members."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from itertools import pairwise
from typing import Final

from responses_ws_schemas import dialect_schema, event_types, explain, layer_events, load

from responses_ws_conformance.checks import (
    Cause,
    Evidence,
    Finding,
    Outcome,
    Undecided,
    invariant,
)
from responses_ws_conformance.checks.streams import (
    consecutive_streams,
    has_streams,
    number_of,
    numbered_streams,
    numbers_of,
    of_type,
    stream_types,
    streams,
)
from responses_ws_conformance.exchanges import (
    LIFECYCLE_EVENTS,
    TERMINAL_EVENTS,
    Exchange,
    response_of,
)
from responses_ws_conformance.transcript import Received

FIRST_STATUSES: Final = ("in_progress", "queued")


@invariant("RWS-EVENT-001", when=has_streams)
def created_comes_first(evidence: Evidence) -> Iterator[Outcome]:
    """No event of a response comes before its response.created; a warm-up may have but its end."""
    for exchange, events in streams(evidence):
        if events[0].type != "response.created" and not exchange.is_warm_up:
            yield Finding(
                events[0].n,
                "response.created before any other event of the response",
                f"{events[0].type} first",
            )


@invariant("RWS-EVENT-002", when=has_streams)
def created_names_a_running_response(evidence: Evidence) -> Iterator[Outcome]:
    """response.created carries a response with an id that is in progress or queued."""
    created = of_type(evidence, "response.created")
    if not created:
        yield Undecided(Cause.BLOCKED, "no response.created came", by="RWS-EVENT-001")
    for event in created:
        response = response_of(event) or {}
        name, status = response.get("id"), response.get("status")
        if not isinstance(name, str) or not name:
            yield Finding(event.n, "a response with a non-empty id", f"the id {name!r}")
        if status not in FIRST_STATUSES:
            yield Finding(
                event.n,
                "a response with the status in_progress or queued",
                f"the status {status!r}",
            )


@invariant("RWS-EVENT-003", when=lambda e: bool(of_type(e, "response.queued")))
def queued_comes_before_in_progress(evidence: Evidence) -> Iterator[Outcome]:
    """A response that makes progress is not queued again."""
    for _, events in streams(evidence):
        progress = [e for e in events if e.type == "response.in_progress" or is_output(e)]
        for event in events:
            if event.type == "response.queued" and progress and progress[0].n < event.n:
                kind = progress[0].type
                yield Finding(event.n, f"response.queued before {kind}", f"it after {kind}")


def is_output(event: Received) -> bool:
    """True for an event about an output item."""
    return event.type not in LIFECYCLE_EVENTS


def has_output(evidence: Evidence) -> bool:
    """True where a response has an event about an output item."""
    return any(is_output(e) for _, events in streams(evidence) for e in events)


@invariant("RWS-EVENT-004", when=has_output)
def progress_is_announced_before_output(evidence: Evidence) -> Iterator[Outcome]:
    """response.in_progress comes before the first event about an output item."""
    for _, events in streams(evidence):
        kinds = [e.type for e in events]
        output = next((place for place, e in enumerate(events) if is_output(e)), None)
        if output is not None and "response.in_progress" not in kinds[:output]:
            came = "came later" if "response.in_progress" in kinds else "never came"
            yield Finding(
                events[output].n,
                f"response.in_progress before the first {kinds[output]}",
                f"response.in_progress {came}",
            )


def was_left_open(evidence: Evidence, exchange: Exchange) -> bool:
    """True where the server went on to the next response of the lane without ending this one.

    A wait that ran out does not show it alone; neither does a next response that has only begun.
    """
    if exchange.terminal or exchange.error or exchange.limit or exchange.superseded_by is None:
        return False
    following = (x for x in evidence.exchanges if x.created is exchange.superseded_by)
    return exchange.expired is not None or any(x.terminal is not None for x in following)


def has_ended_responses(evidence: Evidence) -> bool:
    """True where it can be told whether and how a response ended."""
    return any(
        x.terminal is not None or x.error is not None or was_left_open(evidence, x)
        for x, _ in streams(evidence)
    )


@invariant("RWS-EVENT-005", when=has_ended_responses)
def response_ends_once(evidence: Evidence) -> Iterator[Outcome]:
    """Each response ends with one terminal event, or with an error event instead."""
    wanted = "exactly one terminal event, or an error event instead"
    for exchange, events in streams(evidence):
        ends = [e for e in events if e.type in TERMINAL_EVENTS]
        if len(ends) > 1:
            names = ", ".join(str(e.type) for e in ends)
            yield Finding(ends[1].n, wanted, f"{len(ends)} terminal events: {names}")
        elif was_left_open(evidence, exchange):
            yield Finding(
                events[-1].n,
                wanted,
                f"none: the last event was {events[-1].type}, then the next response began",
            )


@invariant("RWS-EVENT-006", when=lambda e: bool(of_type(e, *TERMINAL_EVENTS)))
def nothing_follows_the_terminal_event(evidence: Evidence) -> Iterator[Outcome]:
    """A response is over with its terminal event."""
    for exchange, _ in streams(evidence):
        end = exchange.terminal
        if end is None:
            continue
        late = [e for e in exchange.late if e.n > end.n and e.type in stream_types()]
        if late:
            more = f" and {len(late) - 1} more" if len(late) > 1 else ""
            yield Finding(
                late[0].n,
                f"no event of the response after {end.type}",
                f"{late[0].type}{more}",
            )


def broken_off(evidence: Evidence) -> list[tuple[Exchange, Received]]:
    """The responses that an error event, surely their own, broke off, and that event."""
    begun = (x for x, events in streams(evidence) if not x.doubtful_error)
    return [(x, x.error) for x in begun if x.error is not None and x.events[0].n < x.error.n]


@invariant("RWS-EVENT-024", when=lambda e: bool(broken_off(e)))
def only_a_failure_follows_an_error(evidence: Evidence) -> Iterator[Outcome]:
    """After the error that broke a response off nothing comes of it but response.failed."""
    for exchange, error in broken_off(evidence):
        late = [e for e in (*exchange.events, *exchange.late) if e.n > error.n]
        late = [e for e in late if e.type in stream_types() and e.type != "response.failed"]
        if late:
            yield Finding(
                min(e.n for e in late),
                "nothing but response.failed after the error event",
                f"{min(late, key=lambda e: e.n).type}, {len(late)} events in all",
            )


@invariant("RWS-EVENT-023", when=has_streams)
def response_is_created_once(evidence: Evidence) -> Iterator[Outcome]:
    """One create has one response.created."""
    wanted = "one response.created for a response.create"
    for exchange, _ in streams(evidence):
        created = [e for e in (*exchange.events, *exchange.late) if e.type == "response.created"]
        if len(created) > 1:
            yield Finding(created[1].n, wanted, f"{len(created)} of them")
    # A response of another connection is another matter (RWS-CONN-008).
    known = {x.response_id for x in evidence.exchanges}
    for view in evidence.connections:
        # What else a client can send may start a response too, and lanes can be misnamed.
        is_plain = all(x.is_create and not x.lane for x in view.exchanges)
        for stray in view.strays if is_plain else ():
            name = (response_of(stray) or {}).get("id")
            begins = stray.type == "response.created" and any(x.events for x in view.exchanges)
            if begins and name not in known:
                yield Finding(stray.n, wanted, f"one more, for a response {name!r}")


def ids_of(events: list[Received]) -> list[tuple[Received, str]]:
    """The events that carry a response with an id, and the id."""
    pairs = ((e, (response_of(e) or {}).get("id")) for e in events)
    return [(e, name) for e, name in pairs if isinstance(name, str)]


@invariant("RWS-EVENT-007", when=lambda e: any(len(ids_of(x)) > 1 for _, x in streams(e)))
def response_keeps_its_id(evidence: Evidence) -> Iterator[Outcome]:
    """All events that carry the response give it the same id."""
    for _, events in streams(evidence):
        pairs = ids_of(events)
        for event, name in pairs[1:]:
            if name != pairs[0][1]:
                yield Finding(
                    event.n,
                    f"the id {pairs[0][1]!r}, as in {pairs[0][0].type}",
                    f"the id {name!r} in {event.type}",
                )


@invariant("RWS-EVENT-008", when=lambda e: bool(of_type(e, *TERMINAL_EVENTS)))
def terminal_status_matches(evidence: Evidence) -> Iterator[Outcome]:
    """The response in a terminal event has the status that the event's name says."""
    for event in of_type(evidence, *TERMINAL_EVENTS):
        wanted = TERMINAL_EVENTS[event.type or ""]
        status = (response_of(event) or {}).get("status")
        if status != wanted:
            yield Finding(
                event.n, f"the status {wanted!r} in {event.type}", f"the status {status!r}"
            )


@invariant("RWS-EVENT-009", when=lambda e: bool(of_type(e, "response.failed")))
def failure_is_explained(evidence: Evidence) -> Iterator[Outcome]:
    """response.failed carries an error with code and message."""
    for event in of_type(evidence, "response.failed"):
        error = (response_of(event) or {}).get("error")
        members = error if isinstance(error, dict) else {}
        if not all(isinstance(members.get(name), str) for name in ("code", "message")):
            yield Finding(
                event.n, "a response whose error has a code and a message", f"error {error!r}"
            )


@invariant("RWS-EVENT-010", when=lambda e: bool(of_type(e, "response.incomplete")))
def incompleteness_is_explained(evidence: Evidence) -> Iterator[Outcome]:
    """response.incomplete carries a reason."""
    for event in of_type(evidence, "response.incomplete"):
        details = (response_of(event) or {}).get("incomplete_details")
        reason = details.get("reason") if isinstance(details, dict) else None
        if not isinstance(reason, str) or not reason:
            yield Finding(
                event.n,
                "a response whose incomplete_details has a reason",
                f"incomplete_details {details!r}",
            )


@invariant("RWS-EVENT-011", when=has_streams)
def events_are_numbered(evidence: Evidence) -> Iterator[Outcome]:
    """Each event of a response has an integer sequence_number."""
    for _, events in streams(evidence):
        bare = [e for e in events if number_of(e) is None]
        if bare:
            value = bare[0].payload.get("sequence_number", "missing")
            yield Finding(
                bare[0].n,
                "an integer sequence_number on each event of the response",
                f"{value!r} on {bare[0].type}; {len(bare)} of {len(events)} events lack one",
            )


@invariant("RWS-EVENT-012", when=lambda e: any(len(numbers_of(x)) > 1 for _, x in streams(e)))
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
    return {e.type for e in evidence.transcript.received() if e.type is not None}


def misfits(evidence: Evidence, schema_of: Callable[[str], str | None]) -> Iterator[Finding]:
    """Where events break their schema; what many deltas have in common is said once."""
    said: set[tuple[str, str, str]] = set()
    for event in evidence.transcript.received():
        name = schema_of(event.type) if event.type is not None else None
        for pointer, message in explain(name, event.payload) if name is not None else ():
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
        counters = [usage.get(name) for name in names] if isinstance(usage, dict) else []
        rows.append((event, [c for c in counters if isinstance(c, int)]))
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
    for event in evidence.transcript.received():
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
    for event in evidence.transcript.received():
        if event.type is not None and ":" in event.type and number_of(event) is None:
            value = event.payload.get("sequence_number", "missing")
            yield Finding(event.n, f"a sequence_number on {event.type}", repr(value))
