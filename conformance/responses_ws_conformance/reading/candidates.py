"""Candidates: the exchanges that a message of the server can belong to, and how well it fits them.

What counts is the lane that the message names, the ids of its response and its item, and whether
its number comes next.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from responses_ws_schemas import explain

from responses_ws_conformance.reading.exchanges import (
    LANE,
    LIFECYCLE_EVENTS,
    PREVIOUS,
    ConnectionView,
    Exchange,
    item_id_of,
)
from responses_ws_conformance.transcript import Received
from responses_ws_conformance.transcript.payloads import integer

LANE_SCHEMA: Final = "objects/stream_id"
# The member of a create that an error with this code is about.
SUBJECTS: Final = {
    "previous_response_not_found": PREVIOUS,
    "invalid_stream_id": LANE,
    "websocket_stream_limit_reached": LANE,
}


def only_running(view: ConnectionView, entry: Received) -> Exchange | None:
    """The one response that runs, where an event goes on with it and nothing else is asked.

    All the other rules come to the same. This is how nearly all events come, and a conversation
    can have thousands of turns that need not be looked at for each of them.
    """
    if entry.type == "response.created":
        return None
    running = view.open_turns()
    if len(running) != 1 or not running[0].events or running[0].lane != (_lane_of(entry) or ""):
        return None
    is_lifecycle = entry.type in LIFECYCLE_EVENTS
    goes_on = running[0].is_named_in(entry) if is_lifecycle else continues(running[0], entry)
    return running[0] if goes_on else None


def waiting_on_its_lane(view: ConnectionView, entry: Received) -> list[Exchange]:
    """The unfinished turns, where a response begins for one of them and its lane is the only one.

    The turns that have their terminal event make no difference then, and there can be thousands.
    """
    if entry.type != "response.created":
        return []
    running = view.open_turns()
    if all(x.events for x in running) or {x.lane for x in running} != {_lane_of(entry) or ""}:
        return []
    return [x for x in view.unfinished() if x.is_turn and x.lane == running[0].lane]


def for_event(view: ConnectionView, entry: Received) -> list[Exchange]:
    """The turns that an event can belong to: those of its lane, unless it is not theirs."""
    lane, begins = _lane_of(entry), entry.type == "response.created"
    creates = [x for x in view.exchanges if x.is_turn]
    own = [x for x in creates if x.lane == (lane or "")]
    elsewhere = [x for x in creates if x.lane != (lane or "")]
    others = [x for x in elsewhere if x.may_go_on]
    over = [] if begins else [x for x in elsewhere if x.is_ended and x.is_named_in(entry)]
    if not (others or over) or any(x.is_named_in(entry) or _has_item(x, entry) for x in own):
        return own
    if over:
        return over
    known = [x for x in others if x.is_named_in(entry)]
    if not known and not any(x.events and x.may_go_on and continues(x, entry) for x in own):
        # An item can have the id of one on another lane, but hardly its number as well.
        known = [x for x in others if x.events and _is_next(x, entry, lane)]
    if known or any(x.may_go_on and not (begins and x.events) for x in own):
        return known or own
    return [x for x in others if not (begins and x.events)] or own


def for_error(view: ConnectionView, entry: Received) -> list[Exchange]:
    """Every open exchange that an error may belong to, the most plausible first."""
    lane = _lane_of(entry)
    # What has an error in doubt is a candidate too: the error that it has can be another's.
    possible = [x for x in view.exchanges if x.may_go_on]
    unanswered = [x for x in possible if not x.events]
    possible = [x for x in possible if lane in (None, x.lane)] or unanswered
    possible.sort(key=lambda x: x.error is not None)
    begun = max((x.sent.n for x in view.exchanges if x.events), default=-1)
    active = [x for x in reversed(possible) if x.events]
    waiting = [x for x in possible if not x.events]
    # What is no create and has not been answered before a later create was, got silence.
    waiting = [x for x in waiting if x.is_create or x.sent.n > begun] or waiting
    waiting.sort(key=lambda x: lane is None and x.lane != "")
    goes_on = any(_rises(x, entry) for x in active)
    ordered = [*active, *waiting] if goes_on else [*waiting, *active]
    code, param = error_member(entry, "code"), error_member(entry, "param")
    about = param if param in (PREVIOUS, LANE) else SUBJECTS.get(str(code))
    if about is not None:
        ordered = [x for x in ordered if x.request.get(about) is not None] or ordered
    if code == "invalid_stream_id":
        ordered = [x for x in ordered if explain(LANE_SCHEMA, x.request.get(LANE))] or ordered
    return ordered


def by_item(
    entry: Received, active: Sequence[Exchange], ended: Sequence[Exchange]
) -> Exchange | None:
    """The response that knows the item of an event, unless the numbers speak for another."""
    item = item_id_of(entry)
    known = [x for x in reversed(active) if item in x.item_ids]
    if not known and entry.type != "response.output_item.added":
        known = [x for x in ended if item in x.item_ids]
    goes_on = [x for x in active if continues(x, entry)]
    if goes_on and not any(x in goes_on for x in known):
        return None
    return next(iter(known), None)


def continues(exchange: Exchange, event: Received) -> bool:
    """True where an event has the number that comes next in a response."""
    number, last = _number(event), _number(_last(exchange))
    return number is not None and last is not None and number == last + 1


def last_entry(exchange: Exchange) -> int:
    """The number of the last entry that the server sent for an exchange."""
    events = [*exchange.events[-1:], *exchange.late[-1:]]
    return max([e.n for e in events] + [exchange.error.n if exchange.error else exchange.sent.n])


def has_refusal_form(error: Received) -> bool:
    """True for an error with the status of a refused request and without a number."""
    status = error.payload.get("status")
    return isinstance(status, int) and 400 <= status < 500 and _number(error) is None


def error_member(event: Received, name: str) -> Any:
    """A member of the nested object of an ``error`` event."""
    error = event.payload.get("error")
    return error.get(name) if isinstance(error, dict) else None


def _is_next(exchange: Exchange, entry: Received, lane: str | None) -> bool:
    """True where an event goes on with a response of another lane than the one that it names."""
    if lane is None and not any(map(_lane_of, exchange.events)):
        return continues(exchange, entry) or _has_item(exchange, entry)
    return _has_item(exchange, entry) and (lane is not None or continues(exchange, entry))


def _has_item(exchange: Exchange, entry: Received) -> bool:
    return item_id_of(entry) in exchange.item_ids


def _rises(exchange: Exchange, event: Received) -> bool:
    """True where an event has a number above the last one of a response."""
    number, last = _number(event), _number(_last(exchange))
    return number is not None and last is not None and number > last


def _last(exchange: Exchange) -> Received:
    return (exchange.late or exchange.events)[-1]


def _number(event: Received) -> int | None:
    return integer(event.payload.get("sequence_number"))


def _lane_of(event: Received) -> str | None:
    lane = event.payload.get(LANE)
    return lane if isinstance(lane, str) else None
