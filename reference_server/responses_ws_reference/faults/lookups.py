"""Faults of looking an id up: whose response it finds, and what is said where it finds none.

Some of them know which id was given out on which connection, as a server with one table for all of
its connections does.
"""

from __future__ import annotations

from collections.abc import Callable

from responses_ws_reference.creates import read_create
from responses_ws_reference.effects import CloseConnection, Event
from responses_ws_reference.faults.issued import (
    PREVIOUS,
    issued,
    mark_closed,
    note,
    previous_of,
    show_base,
    watch,
)
from responses_ws_reference.faults.registry import (
    Fault,
    register,
    replace_policy,
    rewrite_events,
)
from responses_ws_reference.hooks import Hooks, Incoming, Link, Reply, Sendings
from responses_ws_reference.policies import Cache, resolve
from responses_ws_reference.refusals import Refusal
from responses_ws_reference.responses import response_object
from responses_ws_reference.store import NOTHING, Snapshot

NOT_FOUND = "previous_response_not_found"


@replace_policy(
    "resolve",
    "RWS-CHAIN-005",
    "RWS-CHAIN-007",
    "RWS-CHAIN-009",
    "RWS-CHAIN-010",
    "RWS-CHAIN-012",
    "RWS-CHAIN-022",
    "RWS-CHAIN-019",
    "RWS-CHAIN-003",
    "RWS-STORE-009",
    "RWS-STORE-011",
    "RWS-WARM-010",
    "RWS-LANE-026",
    "RWS-LANE-027",
)
def unknown_id_starts_anew(wanted: str | None, cache: Cache, shelf: Cache) -> Snapshot | None:
    """A create with an unknown id is run as if it had none."""
    return resolve(wanted, cache, shelf) or NOTHING


def _is_not_found(event: Event) -> bool:
    return bool(event["type"] == "error" and event["error"]["code"] == NOT_FOUND)


@rewrite_events(
    "RWS-CHAIN-005",
    "RWS-CHAIN-009",
    "RWS-CHAIN-010",
    "RWS-CHAIN-012",
    "RWS-CHAIN-022",
    "RWS-CHAIN-019",
    "RWS-STORE-009",
    "RWS-STORE-012",
    "RWS-WARM-010",
    "RWS-LANE-026",
    "RWS-LANE-027",
    on="error",
)
def not_found_has_a_code_for_all(event: Event, link: Link) -> Sendings:
    """An unknown id is refused as any other invalid request is."""
    if _is_not_found(event):
        event["error"]["code"] = "invalid_request"
    return event


@rewrite_events("RWS-CHAIN-006", on="error")
def not_found_is_404(event: Event, link: Link) -> Sendings:
    """An unknown id has the status that HTTP would give it."""
    if _is_not_found(event):
        event["status"] = 404
    return event


@rewrite_events("RWS-CHAIN-006", on="error")
def not_found_names_no_field(event: Event, link: Link) -> Sendings:
    """An unknown id is refused without the name of the field that holds it."""
    if _is_not_found(event):
        event["error"]["param"] = None
    return event


@rewrite_events(
    "RWS-CHAIN-008",
    "RWS-ERROR-009",
    "RWS-TURN-005",
    "RWS-STORE-001",
    "RWS-LANE-010",
    "RWS-LANE-011",
    "RWS-LANE-019",
    on="error",
)
def not_found_closes_the_connection(event: Event, link: Link) -> Sendings:
    """An unknown id costs the connection."""
    return [event, CloseConnection(1008, "no such response")] if _is_not_found(event) else event


def _keep(message: Incoming, link: Link) -> Incoming:
    """A create that fails when its turn comes is not the newest one by then."""
    if previous := previous_of(message):
        link.memory.setdefault("creates", {})[previous] = message
    return message


def _created(link: Link, error: Event) -> Event:
    """The beginning of a response to the create that the error is about."""
    creates: dict[str, Event] = link.memory["creates"]
    refused = next(
        event for wanted, event in creates.items() if wanted in error["error"]["message"]
    )
    count = link.shared["created"] = link.shared.get("created", 0) + 1
    response = response_object(
        read_create(refused), response_id=f"resp_early_{count}", model="m", now=0
    )
    lane = {name: error[name] for name in ("stream_id",) if name in error}
    return {"type": "response.created", "sequence_number": 0, "response": response, **lane}


def _break_the_stream(sending: Event | CloseConnection, link: Link) -> Sendings:
    if isinstance(sending, CloseConnection) or not _is_not_found(sending):
        return sending
    created = _created(link, sending)
    error = {"code": "stream_incomplete", "message": "The upstream connection was lost."}
    failed = {**created["response"], "status": "failed", "error": error}
    end = {"type": "response.failed", "sequence_number": 1, "response": failed}
    return [created, {**created, **end}]


def _create_first(sending: Event | CloseConnection, link: Link) -> Sendings:
    if isinstance(sending, CloseConnection) or not _is_not_found(sending):
        return sending
    return [_created(link, sending), {**sending, "sequence_number": 1}]


register(
    Fault(
        "not-found-is-a-broken-stream",
        (
            "RWS-CHAIN-005",
            "RWS-CHAIN-007",
            "RWS-CHAIN-009",
            "RWS-CHAIN-010",
            "RWS-CHAIN-012",
            "RWS-CHAIN-022",
            "RWS-CHAIN-019",
            "RWS-STORE-009",
            "RWS-STORE-011",
            "RWS-WARM-010",
            "RWS-LANE-026",
            "RWS-LANE-027",
        ),
        "A proxy makes a response that fails in mid-stream of every unknown id.",
        Hooks(incoming=_keep, outgoing=_break_the_stream),
    )
)
register(
    Fault(
        "not-found-is-found-out-late",
        ("RWS-CHAIN-007", "RWS-ERROR-010", "RWS-STORE-011"),
        "A response is created before its previous one is looked up.",
        Hooks(incoming=_keep, outgoing=_create_first),
    )
)


# What knows whose id it is


def _is_unknown(wanted: str, link: Link) -> bool:
    return issued(wanted, link) is None


def _is_of_a_closed_connection(wanted: str, link: Link) -> bool:
    known = issued(wanted, link)
    return known is not None and not known.is_stored and "is_closed" in known.link.memory


def _is_of_a_parallel_connection(wanted: str, link: Link) -> bool:
    known = issued(wanted, link)
    if known is None or known.is_stored or known.link is link:
        return False
    return "is_closed" not in known.link.memory


def _is_stored_elsewhere(wanted: str, link: Link) -> bool:
    known = issued(wanted, link)
    return known is not None and known.is_stored and known.link is not link


def _is_older(wanted: str, link: Link) -> bool:
    known = issued(wanted, link)
    if known is None or known.is_stored or known.link is not link:
        return False
    return bool(wanted != link.memory["newest"])


def _answered(
    name: str,
    *breaks: str,
    summary: str,
    applies: Callable[[str, Link], bool],
    answer: Reply,
) -> None:
    """A fault that answers creates with certain ids in the session's place."""

    def incoming(message: Incoming, link: Link) -> Incoming | Reply:
        previous = previous_of(message)
        return answer if previous is not None and applies(previous, link) else message

    register(Fault(name, breaks, summary, Hooks(incoming=incoming, outgoing=watch)))


def _started_anew(
    name: str, *breaks: str, summary: str, applies: Callable[[str, Link], bool]
) -> None:
    """A fault that runs creates with certain ids without context, and echoes the id."""

    def incoming(message: Incoming, link: Link) -> Incoming | Reply:
        previous = previous_of(message)
        if not isinstance(message, dict) or previous is None or not applies(previous, link):
            return message
        link.on_lane(message).memory["base"] = previous
        return {member: value for member, value in message.items() if member != PREVIOUS}

    def outgoing(sending: Event | CloseConnection, link: Link) -> Sendings:
        note(sending, link)
        return show_base(sending, link)

    hooks = Hooks(incoming=incoming, outgoing=outgoing, closed=mark_closed)
    register(Fault(name, breaks, summary, hooks))


_answered(
    "unknown-id-meets-silence",
    "RWS-CHAIN-005",
    summary="A create with an unknown id is logged and dropped.",
    applies=_is_unknown,
    answer=Reply(),
)
_answered(
    "stored-id-belongs-to-its-connection",
    "RWS-CHAIN-021",
    "RWS-STORE-001",
    "RWS-STORE-012",
    summary="A stored id is refused on another connection, but not as one that is not found.",
    applies=_is_stored_elsewhere,
    answer=Reply((Refusal("wrong_connection", "Not of this connection.", PREVIOUS).event(),)),
)
_answered(
    "older-id-is-invalid",
    "RWS-CHAIN-019",
    "RWS-LANE-003",
    "RWS-LANE-019",
    summary="An older id of the connection is refused, but not as one that is not found.",
    applies=_is_older,
    answer=Reply((Refusal("invalid_value", "Not the newest response.", PREVIOUS).event(),)),
)
_started_anew(
    "id-of-a-closed-connection-starts-anew",
    "RWS-CHAIN-009",
    "RWS-STORE-009",
    "RWS-LANE-027",
    summary="The id of a closed connection is accepted, its context is gone.",
    applies=_is_of_a_closed_connection,
)
_started_anew(
    "id-of-a-parallel-connection-starts-anew",
    "RWS-CHAIN-010",
    "RWS-WARM-010",
    summary="The id of a parallel connection is accepted, its context stays behind.",
    applies=_is_of_a_parallel_connection,
)
_started_anew(
    "stored-id-starts-anew",
    "RWS-CHAIN-021",
    "RWS-STORE-002",
    "RWS-STORE-004",
    "RWS-STORE-011",
    summary="A stored id is accepted on another connection, its context stays behind.",
    applies=_is_stored_elsewhere,
)
_started_anew(
    "older-id-starts-anew",
    "RWS-CHAIN-019",
    summary="An older id of the connection is accepted, its context is gone.",
    applies=_is_older,
)
