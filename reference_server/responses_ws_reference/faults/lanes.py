"""Faults of lanes: what they are called, what runs beside what, how many there are."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from responses_ws_reference.faults.registry import (
    TERMINAL,
    Fault,
    on_incoming,
    register,
    replace_policy,
    rewrite_events,
)
from responses_ws_reference.messages.effects import CloseConnection, Event
from responses_ws_reference.messages.refusals import Refusal
from responses_ws_reference.seams.hooks import Hooks, Incoming, Link, Reply, Sendings
from responses_ws_reference.session.policies import MAX_ACTIVE, Admission, judge_lane

LANE = "stream_id"
BAD_NAME = "invalid_stream_id"
NO_ROOM = "websocket_stream_limit_reached"


def _code(event: Event) -> Any:
    return event["error"]["code"] if event["type"] == "error" else None


def _without_lane(event: Event) -> Event:
    return {name: value for name, value in event.items() if name != LANE}


# What lanes are called


@rewrite_events("RWS-LANE-001", "RWS-STEER-009", "RWS-STEER-010")
def lanes_are_not_named(event: Event, link: Link) -> Sendings:
    """A proxy passes streams on by order alone: no event of a response names its lane."""
    return event if event["type"] == "error" else _without_lane(event)


@rewrite_events("RWS-LANE-001", "RWS-STEER-010")
def only_beginning_and_end_name_their_lane(event: Event, link: Link) -> Sendings:
    """Items and deltas are sent as over HTTP, without a lane."""
    has_item = "item_id" in event or "item" in event
    return _without_lane(event) if has_item else event


@rewrite_events("RWS-LANE-001", on=TERMINAL)
def names_are_folded(event: Event, link: Link) -> Sendings:
    """The name of a lane comes back in lower case when its response has ended."""
    return {**event, LANE: event[LANE].lower()} if LANE in event else event


@rewrite_events("RWS-LANE-002", "RWS-LANE-007", "RWS-LIMIT-002", "RWS-STEER-009", "RWS-STEER-010")
def default_lane_is_called_default(event: Event, link: Link) -> Sendings:
    """The lane without a name gets one."""
    return {LANE: "default", **event}


@rewrite_events("RWS-LANE-003", on="error")
def errors_name_no_lane(event: Event, link: Link) -> Sendings:
    """An error is sent without saying which lane it is about."""
    return _without_lane(event)


@rewrite_events("RWS-LANE-003", on="error")
def limit_names_no_lane(event: Event, link: Link) -> Sendings:
    """A name that is one too many is treated like one that is no name."""
    return _without_lane(event) if _code(event) == NO_ROOM else event


@rewrite_events("RWS-LANE-003", on="error")
def errors_name_the_newest_lane(event: Event, link: Link) -> Sendings:
    """An error names the lane of the create that came last, whichever it is about."""
    lane = link.create.get(LANE)
    return {**event, LANE: lane} if LANE in event and lane is not None else event


@replace_policy("judge_lane", "RWS-LANE-004")
def long_names_are_refused(name: Any) -> Refusal | None:
    """A name of more than 64 characters is none."""
    is_long = isinstance(name, str) and len(name) > 64
    return judge_lane("") if is_long else judge_lane(name)


@replace_policy("judge_lane", "RWS-LANE-004")
def names_are_identifiers(name: Any) -> Refusal | None:
    """A name begins with a letter, as in a programming language."""
    is_digit = isinstance(name, str) and name[:1].isdigit()
    return judge_lane("") if is_digit else judge_lane(name)


@replace_policy("judge_lane", "RWS-LANE-005", "RWS-EVENT-015")
def any_name_will_do(name: Any) -> Refusal | None:
    """A name is any text."""
    return None if isinstance(name, str) else judge_lane(name)


@on_incoming("RWS-LANE-005", on="response.create")
def an_empty_name_is_the_default_lane(event: Event, link: Link) -> Incoming | Reply:
    """What is false in the server's language is taken for absent."""
    return event if event.get(LANE) else _without_lane(event)


@rewrite_events("RWS-LANE-006", on="error")
def bad_name_is_not_pointed_at(event: Event, link: Link) -> Sendings:
    """The refusal of a bad name leaves open what is wrong."""
    if _code(event) == BAD_NAME:
        event["error"]["param"] = None
    return event


@rewrite_events("RWS-LANE-006", on="error")
def bad_name_is_unprocessable(event: Event, link: Link) -> Sendings:
    """The refusal of a bad name has the status of a web framework's validation."""
    return {**event, "status": 422} if _code(event) == BAD_NAME else event


@rewrite_events("RWS-LANE-007", on="error")
def bad_name_is_echoed(event: Event, link: Link) -> Sendings:
    """A name that is none comes back as the name of a lane."""
    return {**event, LANE: link.create.get(LANE)} if _code(event) == BAD_NAME else event


@rewrite_events("RWS-LANE-008", on="error")
def bad_name_closes_the_connection(event: Event, link: Link) -> Sendings:
    """A client that cannot name a lane is hung up on."""
    closing = _code(event) == BAD_NAME
    return [event, CloseConnection(1008, "bad stream_id")] if closing else event


# What runs beside what


@replace_policy("has_slot", "RWS-LANE-009", "RWS-LANE-012")
def lanes_run_one_by_one(running: Collection[str | None], name: str | None) -> bool:
    """Names are taken and echoed, and one response runs after another."""
    return not running


@replace_policy("has_slot", "RWS-LANE-009")
def named_lanes_share_one_worker(running: Collection[str | None], name: str | None) -> bool:
    """All named lanes are one queue; only the default lane runs beside it."""
    return name not in running and (name is None or not any(running))


@replace_policy("has_slot", "RWS-LANE-012")
def default_lane_runs_alone(running: Collection[str | None], name: str | None) -> bool:
    """A create without a name waits for all lanes, and all lanes wait for it."""
    return None not in running if name is not None else not running


@replace_policy("take", "RWS-LANE-010")
def what_waits_is_a_heap(queued: int) -> int:
    """What waits on a lane is kept in a heap without a key, in which only two are in order."""
    return 1 if queued == 3 else 0


@replace_policy("admit", "RWS-LANE-010")
def a_busy_lane_refuses(is_busy: bool, queued: int) -> Admission:
    """A lane takes one create at a time."""
    return Admission.REFUSE if is_busy else Admission.START


@rewrite_events("RWS-LANE-010", "RWS-TURN-001", on=("response.created", *TERMINAL))
def responses_of_a_lane_overlap(event: Event, link: Link) -> Sendings:
    """On a named lane the next response begins before the one before it has ended."""
    lane = event.get(LANE)
    held = link.memory.setdefault("held", {})
    if lane is not None and event["type"] in TERMINAL and link.session.queued:
        held[lane] = event
        return []
    last = held.pop(lane, None)
    return [event, last] if last else event


def fail(link: Link, event: Event) -> Sendings:
    """The response that an event belongs to fails here, and says no more."""
    lane = event.get(LANE)
    broken: set[str | None] = link.memory.setdefault("broken", set())
    if lane in broken:
        return []
    broken.add(lane)
    error = {"code": "broken", "message": "The response was broken off."}
    response = {**link.memory["running"][lane], "status": "failed", "error": error}
    number = event["sequence_number"]
    kind = "response.failed"
    return {"type": kind, "sequence_number": number, "response": response, LANE: lane}


def track(link: Link, event: Event) -> None:
    """Note which responses run, by their lane; a new one is not broken."""
    running = link.memory.setdefault("running", {})
    lane = event.get(LANE)
    if event["type"] == "response.created":
        running[lane] = event["response"]
        for group in ("doomed", "broken"):
            link.memory.setdefault(group, set()).discard(lane)
    elif event["type"] in TERMINAL and lane not in link.memory.get("doomed", ()):
        running.pop(lane, None)


@rewrite_events("RWS-LANE-011")
def an_error_breaks_the_other_lanes(event: Event, link: Link) -> Sendings:
    """What goes wrong on one lane takes the responses of all others with it."""
    if event["type"] == "error":
        link.memory["doomed"] = {*link.memory.get("running", {})} - {event.get(LANE)}
        return event
    track(link, event)
    return fail(link, event) if event.get(LANE) in link.memory["doomed"] else event


# How many there are


def _count(sending: Event | CloseConnection, link: Link) -> Sendings:
    if not isinstance(sending, CloseConnection) and sending["type"] != "error":
        track(link, sending)
    return sending


def _refuse_when_full(message: Incoming, link: Link) -> Incoming | Reply:
    if not isinstance(message, dict) or len(link.memory.get("running", ())) < MAX_ACTIVE:
        return message
    refusal = Refusal("too_many_active_responses", "Wait for one of them to end.", status=409)
    return Reply(({**refusal.event(), LANE: message.get(LANE)},))


register(
    Fault(
        "a-full-connection-refuses",
        ("RWS-LANE-013",),
        "A create that comes while 16 responses run is refused and does not wait.",
        Hooks(incoming=_refuse_when_full, outgoing=_count),
    )
)


@replace_policy("has_room", "RWS-LANE-014")
def names_run_out_early(lanes: Collection[str | None]) -> bool:
    """A connection has room for 24 names."""
    return sum(name is not None for name in lanes) < 24


@replace_policy("has_room", "RWS-LANE-015")
def names_never_run_out(lanes: Collection[str | None]) -> bool:
    """Names are not counted."""
    return True


@rewrite_events("RWS-LANE-016", on="error")
def limit_is_not_pointed_at(event: Event, link: Link) -> Sendings:
    """The refusal of a further name leaves open what is one too many."""
    if _code(event) == NO_ROOM:
        event["error"]["param"] = None
    return event


@rewrite_events("RWS-LANE-016", on="error")
def limit_is_a_conflict(event: Event, link: Link) -> Sendings:
    """The refusal of a further name has a status of its own."""
    return {**event, "status": 409} if _code(event) == NO_ROOM else event


@replace_policy("has_room", "RWS-LANE-014", "RWS-LANE-017")
def default_lane_takes_a_name(lanes: Collection[str | None]) -> bool:
    """The table of lanes is full when it has 32 rows, whatever they are."""
    return len(lanes) < 32


def _note_the_limit(sending: Event | CloseConnection, link: Link) -> Sendings:
    if not isinstance(sending, CloseConnection) and _code(sending) == NO_ROOM:
        link.memory["is_full"] = True
    return sending


def _refuse_for_good(message: Incoming, link: Link) -> Incoming | Reply:
    if not isinstance(message, dict) or not link.memory.get("is_full"):
        return message
    refusal = Refusal(NO_ROOM, "This connection has named too many streams.", LANE)
    return Reply(({**refusal.event(), LANE: message.get(LANE)},))


register(
    Fault(
        "after-the-limit-nothing-is-served",
        ("RWS-LANE-018",),
        "Once a name was one too many the connection takes no create any more.",
        Hooks(incoming=_refuse_for_good, outgoing=_note_the_limit),
    )
)
