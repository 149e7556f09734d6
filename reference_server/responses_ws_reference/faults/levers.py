"""Faults that show only when a lever has been pulled: what a server does wrong in trouble."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from responses_ws_reference.faults.registry import (
    Fault,
    register,
    rewrite_close,
    rewrite_events,
)
from responses_ws_reference.messages.creates import read_create
from responses_ws_reference.messages.effects import CloseConnection, Event
from responses_ws_reference.messages.handshake import HandshakeAnswer, HandshakeRequest
from responses_ws_reference.responses.response import response_object
from responses_ws_reference.seams.hooks import Hooks, Incoming, Link, Reply, Sendings

RESTART: Final = 1012
PREVIOUS: Final = "previous_response_id"


@rewrite_events("RWS-EVENT-009", on="response.failed")
def failure_has_no_reason(event: Event, link: Link) -> Sendings:
    """The reason why a response failed is in the log of the server only."""
    event["response"]["error"] = None
    return event


@rewrite_events("RWS-EVENT-020", on="response.failed")
def failure_is_an_error_event(event: Event, link: Link) -> Sendings:
    """A response that fails ends with an error event, as upstream."""
    error = {"type": "server_error", **event["response"]["error"], "param": None}
    return {"type": "error", "sequence_number": event["sequence_number"], "error": error}


@rewrite_events("RWS-EVENT-024", on="response.failed")
def error_is_no_end(event: Event, link: Link) -> Sendings:
    """A response that an error event breaks off is still announced as in progress."""
    error = {"type": "server_error", **event["response"]["error"], "param": None}
    number = event["sequence_number"]
    response = {**event["response"], "status": "in_progress", "error": None}
    return [
        {"type": "error", "sequence_number": number, "error": error},
        {"type": "response.in_progress", "sequence_number": number + 1, "response": response},
        {**event, "sequence_number": number + 2},
    ]


@rewrite_events("RWS-TURN-007", on="response.failed")
def failure_costs_the_connection(event: Event, link: Link) -> Sendings:
    """A response that fails takes its connection with it."""
    is_internal = event["response"]["error"]["code"] == "server_error"
    return [event, CloseConnection(1011, "internal error")] if is_internal else event


@rewrite_events("RWS-ERROR-009", on="error")
def server_error_costs_the_connection(event: Event, link: Link) -> Sendings:
    """A create that meets an internal error takes its connection with it."""
    is_internal = event.get("status") == 500
    return [event, CloseConnection(1011, "internal error")] if is_internal else event


@rewrite_events("RWS-ERROR-012", on="error")
def overload_costs_the_connection(event: Event, link: Link) -> Sendings:
    """A server with too much to do sheds the connection."""
    is_overload = event["error"]["code"] == "server_is_overloaded"
    return [event, CloseConnection(1013, "try again later")] if is_overload else event


@rewrite_close("RWS-LIMIT-007")
def restart_looks_like_the_end(close: CloseConnection, link: Link) -> Sendings:
    """The connections of a server that restarts are closed as if all were said."""
    return replace(close, code=1000) if close.code == RESTART else close


def _note_the_restart(sending: Event | CloseConnection, link: Link) -> Sendings:
    if isinstance(sending, CloseConnection) and sending.code == RESTART:
        link.shared["has_restarted"] = True
    return sending


def _refuse_once(
    request: HandshakeRequest, answer: HandshakeAnswer, shared: dict[str, Any]
) -> HandshakeAnswer:
    return replace(answer, status=403) if shared.pop("has_restarted", False) else answer


register(
    Fault(
        "restart-forgets-the-keys",
        ("RWS-LIMIT-006",),
        "After a restart the key of the next handshake is not known.",
        Hooks(outgoing=_note_the_restart, handshake=_refuse_once),
    )
)


def _answer_what_is_kept(message: Incoming, link: Link) -> Incoming | Reply:
    """A response to a create that continues what the session does not know any more."""
    is_create = isinstance(message, dict) and message.get("type") == "response.create"
    if not isinstance(message, dict) or not is_create:
        return message
    if message.get(PREVIOUS) not in link.shared.get("kept", ()):
        return message
    count = link.shared["answered"] = link.shared.get("answered", 0) + 1
    response = response_object(
        read_create(message), response_id=f"resp_kept_{count}", model="m", now=0
    )
    ended = {**response, "status": "completed", "completed_at": 0}
    return Reply(
        (
            {"type": "response.created", "sequence_number": 0, "response": response},
            {"type": "response.in_progress", "sequence_number": 1, "response": response},
            {"type": "response.completed", "sequence_number": 2, "response": ended},
        )
    )


def _keep(name: object, link: Link) -> None:
    link.shared.setdefault("kept", set()).add(name)


def _keep_on_an_internal_error(sending: Event | CloseConnection, link: Link) -> Sendings:
    if not isinstance(sending, CloseConnection) and sending.get("status") == 500:
        _keep(link.create.get(PREVIOUS), link)
    return sending


def _keep_on_a_restart(sending: Event | CloseConnection, link: Link) -> Sendings:
    if isinstance(sending, CloseConnection) and sending.code == RESTART:
        _keep(link.create.get(PREVIOUS), link)
    return sending


register(
    Fault(
        "server-error-evicts-nothing",
        ("RWS-CHAIN-022",),
        "A continuation that meets an internal error can be tried again.",
        Hooks(incoming=_answer_what_is_kept, outgoing=_keep_on_an_internal_error),
    )
)
register(
    Fault(
        "memory-survives-a-restart",
        ("RWS-CHAIN-009",),
        "What was not to be stored is written to disk for a restart, and read back.",
        Hooks(incoming=_answer_what_is_kept, outgoing=_keep_on_a_restart),
    )
)
