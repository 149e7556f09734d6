"""Faults of ``error`` events: their envelope and what comes after them."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Final

from responses_ws_reference.faults.registry import Rewrite, rewrite_events
from responses_ws_reference.messages.creates import read_create
from responses_ws_reference.messages.effects import CloseConnection, Event
from responses_ws_reference.responses.response import response_object
from responses_ws_reference.seams.hooks import Link, Sendings
from responses_ws_reference.session.policies import identify

LIFETIME: Final = "websocket_connection_limit_reached"
NAMED: Final = (LIFETIME, "previous_response_not_found")


def rewrite_ordinary_errors(*breaks: str) -> Callable[[Rewrite], Rewrite]:
    """Replace refusals, except those whose code and status the protocol names."""

    def decorate(rewrite: Rewrite) -> Rewrite:
        @wraps(rewrite)
        def rewrite_ordinary(event: Event, link: Link) -> Sendings:
            is_refusal = "sequence_number" not in event  # else it breaks a response off
            is_ordinary = is_refusal and event["error"]["code"] not in NAMED
            return rewrite(event, link) if is_ordinary else event

        rewrite_events(*breaks, on="error")(rewrite_ordinary)
        return rewrite

    return decorate


@rewrite_ordinary_errors("RWS-ERROR-001", "RWS-LANE-003", "RWS-LANE-005", "RWS-LANE-015")
def errors_are_wrapped_in_a_body(event: Event, link: Link) -> Sendings:
    """The error object stands in a body, as it came from an HTTP server behind."""
    return {"type": "error", "status": event["status"], "body": {"error": event["error"]}}


@rewrite_events("RWS-ERROR-001", "RWS-EVENT-017", on="error")
def model_errors_have_a_type_of_their_own(event: Event, link: Link) -> Sendings:
    """The error event for an unknown model is called response.error."""
    if event["error"]["code"] != "model_not_found":
        return event
    return {**event, "type": "response.error"}


@rewrite_ordinary_errors(
    "RWS-ERROR-001",
    "RWS-ERROR-002",
    "RWS-ERROR-003",
    "RWS-ERROR-004",
    "RWS-LANE-003",
    "RWS-LANE-005",
    "RWS-LANE-015",
)
def errors_are_flat(event: Event, link: Link) -> Sendings:
    """Code, message and param stand beside the type of the event, as in an SSE stream."""
    error = event["error"]
    return {"type": "error"} | {name: error[name] for name in ("code", "message", "param")}


@rewrite_events("RWS-ERROR-002", on="error")
def errors_are_nested_and_flat(event: Event, link: Link) -> Sendings:
    """Code, message and param stand at the top level too, for the sake of old clients."""
    return {**event["error"], **event}


@rewrite_ordinary_errors("RWS-ERROR-003", "RWS-ERROR-004", "RWS-LANE-006", "RWS-LANE-016")
def errors_lack_a_status(event: Event, link: Link) -> Sendings:
    """An error event has no status."""
    del event["status"]
    return event


@rewrite_ordinary_errors("RWS-ERROR-003", "RWS-ERROR-004", "RWS-LANE-006", "RWS-LANE-016")
def errors_have_the_status_in_words(event: Event, link: Link) -> Sendings:
    """The status of an error event is a string."""
    return {**event, "status": str(event["status"])}


@rewrite_events("RWS-ERROR-005", on="error")
def errors_say_nothing(event: Event, link: Link) -> Sendings:
    """The message of an error is empty."""
    event["error"]["message"] = ""
    return event


@rewrite_ordinary_errors("RWS-ERROR-006", "RWS-LANE-005", "RWS-LANE-015")
def errors_lack_a_code(event: Event, link: Link) -> Sendings:
    """The code of an error is null, as in OpenAI's validation errors."""
    event["error"]["code"] = None
    return event


@rewrite_events("RWS-ERROR-007", on="error")
def errors_lack_a_type(event: Event, link: Link) -> Sendings:
    """An error has no type."""
    del event["error"]["type"]
    return event


@rewrite_ordinary_errors("RWS-ERROR-008", "RWS-LANE-006", "RWS-LANE-016")
def errors_lack_a_param(event: Event, link: Link) -> Sendings:
    """An error has no param, not even null."""
    del event["error"]["param"]
    return event


@rewrite_ordinary_errors(
    "RWS-ERROR-003", "RWS-ERROR-004", "RWS-ERROR-006", "RWS-LANE-005", "RWS-LANE-015"
)
def errors_carry_the_code_in_their_type(event: Event, link: Link) -> Sendings:
    """An error has its code as its type, no code and no status, as in LocalAI."""
    event["error"] |= {"type": event["error"]["code"], "code": None}
    del event["status"]
    return event


@rewrite_events(
    "RWS-ERROR-009",
    "RWS-FRAME-008",
    "RWS-FRAME-010",
    "RWS-CREATE-005",
    "RWS-CHAIN-008",
    "RWS-TURN-005",
    "RWS-LANE-008",
    on="error",
)
def errors_close_the_connection(event: Event, link: Link) -> Sendings:
    """A refused client event costs the connection."""
    if event["error"]["code"] == LIFETIME or "sequence_number" in event:
        return event
    return [event, CloseConnection(1008, "error")]


@rewrite_events("RWS-ERROR-009", on="error")
def errors_restart_the_connection(event: Event, link: Link) -> Sendings:
    """A refused client event ends the connection as if it were the server's own trouble."""
    if event["error"]["code"] == LIFETIME or "sequence_number" in event:
        return event
    return [event, CloseConnection(1011, "internal error")]


@rewrite_events("RWS-ERROR-010", on="error")
def refused_creates_are_answered_too(event: Event, link: Link) -> Sendings:
    """A create for an unknown model is refused, then run all the same."""
    if event["error"]["code"] != "model_not_found":
        return event
    create = read_create(link.create)
    link.shared["refused"] = link.shared.get("refused", 0) + 1
    response = response_object(
        create,
        response_id=identify("resp", f"refused{link.shared['refused']}"),
        model=link.create.get("model", ""),
        now=0.0,
    )
    completed = {**response, "status": "completed", "completed_at": 0}
    stream = (
        ("response.created", response),
        ("response.in_progress", response),
        ("response.completed", completed),
    )
    return [
        event,
        *(
            {"type": kind, "sequence_number": number, "response": shown}
            for number, (kind, shown) in enumerate(stream)
        ),
    ]


@rewrite_events("RWS-ERROR-011", on="error")
def errors_quote_the_key(event: Event, link: Link) -> Sendings:
    """An error repeats the headers of the handshake, the key among them."""
    event["error"]["headers"] = dict(link.handshake.headers)
    return event
