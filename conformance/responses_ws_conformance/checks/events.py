"""Checks on the events of a response: how it begins, goes on and ends."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from responses_ws_conformance.checks import (
    Cause,
    Evidence,
    Finding,
    Outcome,
    Undecided,
    invariant,
)
from responses_ws_conformance.checks.streams import (
    CREATED_ONCE,
    folded_where_torn,
    has_streams,
    of_type,
    stream_types,
    streams,
)
from responses_ws_conformance.reading.exchanges import (
    LIFECYCLE_EVENTS,
    TERMINAL_EVENTS,
    Exchange,
    reason_of,
    response_of,
)
from responses_ws_conformance.transcript import Received
from responses_ws_conformance.values import excerpt

FIRST_STATUSES: Final = ("in_progress", "queued")
# Times that are less apart are two ways to write one.
A_SECOND: Final = 1


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
            yield Finding(event.n, "a response with a non-empty id", f"the id {excerpt(name)}")
        if status not in FIRST_STATUSES:
            yield Finding(
                event.n,
                "a response with the status in_progress or queued",
                f"the status {excerpt(status)}",
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
@folded_where_torn
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
@folded_where_torn
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


@invariant(CREATED_ONCE, when=has_streams)
def response_is_created_once(evidence: Evidence) -> Iterator[Outcome]:
    """One create has one response.created."""
    wanted = "one response.created for a response.create"
    for exchange, _ in streams(evidence):
        created = [e for e in (*exchange.events, *exchange.late) if e.type == "response.created"]
        if len(created) > 1:
            yield Finding(created[1].n, wanted, f"{len(created)} of them")
    # A response of another connection is another matter (RWS-CONN-008).
    known = [x.response_id for x in evidence.exchanges]
    for view in evidence.connections:
        # What else a client can send may start a response too, and lanes can be misnamed.
        is_plain = all(x.is_create and not x.lane for x in view.exchanges)
        for stray in view.strays if is_plain else ():
            name = (response_of(stray) or {}).get("id")
            begins = stray.type == "response.created" and any(x.events for x in view.exchanges)
            if begins and name not in known:
                yield Finding(stray.n, wanted, f"one more, for a response {excerpt(name)}")


def ids_of(events: list[Received]) -> list[tuple[Received, str]]:
    """The events that carry a response with an id, and the id."""
    pairs = ((e, (response_of(e) or {}).get("id")) for e in events)
    return [(e, name) for e, name in pairs if isinstance(name, str)]


@invariant("RWS-EVENT-007", when=lambda e: any(len(ids_of(x)) > 1 for _, x in streams(e)))
@folded_where_torn
def response_keeps_its_id(evidence: Evidence) -> Iterator[Outcome]:
    """All events that carry the response give it the same id."""
    for _, events in streams(evidence):
        pairs = ids_of(events)
        for event, name in pairs[1:]:
            if name != pairs[0][1]:
                yield Finding(
                    event.n,
                    f"the id {excerpt(pairs[0][1])}, as in {pairs[0][0].type}",
                    f"the id {excerpt(name)} in {event.type}",
                )


@invariant("RWS-EVENT-008", when=lambda e: bool(of_type(e, *TERMINAL_EVENTS)))
def terminal_status_matches(evidence: Evidence) -> Iterator[Outcome]:
    """The response in a terminal event has the status that the event's name says."""
    for event in of_type(evidence, *TERMINAL_EVENTS):
        wanted = TERMINAL_EVENTS[event.type or ""]
        status = (response_of(event) or {}).get("status")
        if status != wanted:
            yield Finding(
                event.n, f"the status {wanted!r} in {event.type}", f"the status {excerpt(status)}"
            )


def moments(events: list[Received]) -> list[tuple[Received, float]]:
    """The events that carry a response with the time of its creation, and that time."""
    pairs = ((e, (response_of(e) or {}).get("created_at")) for e in events)
    return [
        (e, value)
        for e, value in pairs
        if isinstance(value, (int, float)) and not isinstance(value, bool)
    ]


@invariant("RWS-EVENT-026", when=lambda e: any(len(moments(x)) > 1 for _, x in streams(e)))
def response_is_created_at_one_time(evidence: Evidence) -> Iterator[Outcome]:
    """All events that carry the response give the same second as its beginning."""
    for _, events in streams(evidence):
        pairs = moments(events)
        for event, value in pairs[1:]:
            if abs(value - pairs[0][1]) >= A_SECOND:
                yield Finding(
                    event.n,
                    f"created_at {excerpt(pairs[0][1])}, as in {pairs[0][0].type}",
                    f"created_at {excerpt(value)} in {event.type}",
                    path="/response/created_at",
                )


@invariant("RWS-EVENT-025", when=lambda e: bool(of_type(e, "response.completed")))
def completion_has_no_excuse(evidence: Evidence) -> Iterator[Outcome]:
    """response.completed carries no error and no reason for being incomplete."""
    for event in of_type(evidence, "response.completed"):
        response = response_of(event) or {}
        found = (("error", response.get("error")), ("incomplete_details", reason_of(response)))
        for name, value in found:
            if value is not None:
                wanted = f"a completed response without {name}"
                seen = f"{name} {excerpt(response[name])}"
                yield Finding(event.n, wanted, seen, path=f"/response/{name}")


@invariant("RWS-EVENT-009", when=lambda e: bool(of_type(e, "response.failed")))
def failure_is_explained(evidence: Evidence) -> Iterator[Outcome]:
    """response.failed carries an error with code and message."""
    for event in of_type(evidence, "response.failed"):
        error = (response_of(event) or {}).get("error")
        members = error if isinstance(error, dict) else {}
        if not all(isinstance(members.get(name), str) for name in ("code", "message")):
            yield Finding(
                event.n,
                "a response whose error has a code and a message",
                f"error {excerpt(error)}",
            )


@invariant("RWS-EVENT-010", when=lambda e: bool(of_type(e, "response.incomplete")))
def incompleteness_is_explained(evidence: Evidence) -> Iterator[Outcome]:
    """response.incomplete carries a reason."""
    for event in of_type(evidence, "response.incomplete"):
        response = response_of(event) or {}
        reason = reason_of(response)
        if not isinstance(reason, str) or not reason:
            yield Finding(
                event.n,
                "a response whose incomplete_details has a reason",
                f"incomplete_details {excerpt(response.get('incomplete_details'))}",
            )
