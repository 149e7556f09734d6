"""Faults of looking an id up: what is found instead of it, and what is said where nothing is."""

from __future__ import annotations

from responses_ws_reference.faults.issued import previous_of
from responses_ws_reference.faults.registry import Fault, register, replace_policy, rewrite_events
from responses_ws_reference.messages.creates import read_create
from responses_ws_reference.messages.effects import CloseConnection, Event
from responses_ws_reference.responses.response import response_object
from responses_ws_reference.seams.hooks import Hooks, Incoming, Link, Sendings
from responses_ws_reference.session.policies import Cache, resolve
from responses_ws_reference.session.store import NOTHING, Snapshot

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
