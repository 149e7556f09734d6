"""Other envelopes: what an ``error`` event may leave out, and what may stand in its place."""

from __future__ import annotations

from typing import Final

from responses_ws_reference.messages.creates import read_create
from responses_ws_reference.messages.effects import Event
from responses_ws_reference.responses.response import response_object
from responses_ws_reference.seams.hooks import Link
from responses_ws_reference.variants.registry import OPENAI, register, rewriting

# The codes that the protocol itself gives a meaning to.
NAMED: Final = (
    "invalid_stream_id",
    "previous_response_not_found",
    "websocket_connection_limit_reached",
    "websocket_stream_limit_reached",
)
LIMIT: Final = "websocket_connection_limit_reached"


def _without_codes(event: Event, link: Link) -> list[Event]:
    """Ordinary validation errors have a null code, as OpenAI's do."""
    if event["type"] == "error" and event["error"]["code"] not in NAMED:
        event["error"]["code"] = None
    return [event]


def _without_params(event: Event, link: Link) -> list[Event]:
    if event["type"] == "error":
        del event["error"]["param"]
    return [event]


def _without_statuses(event: Event, link: Link) -> list[Event]:
    """As in the alpha document and in some servers; the lifetime limit has always had one."""
    if event["type"] == "error" and event["error"]["code"] != LIMIT:
        event.pop("status", None)
    return [event]


def _failed(event: Event, link: Link) -> list[Event]:
    """A model that is not there is found out after the response was created."""
    if event["type"] != "error" or event["error"]["code"] != "model_not_found":
        return [event]
    count = link.shared["failed"] = link.shared.get("failed", 0) + 1
    response = response_object(
        read_create(link.create), response_id=f"resp_failed_{count}", model="none", now=0
    )
    error = {"code": "invalid_prompt", "message": event["error"]["message"]}
    failed = {**response, "status": "failed", "error": error}
    return [
        {"type": "response.created", "sequence_number": 0, "response": response},
        {"type": "response.failed", "sequence_number": 1, "response": failed},
    ]


register(
    "null-codes",
    "Errors have a code only where the protocol gives it a meaning.",
    rewriting(_without_codes),
    dialects=(OPENAI,),
)
register(
    "errors-without-param",
    "Errors do not say which member was wrong.",
    rewriting(_without_params),
    warns=("RWS-CHAIN-006", "RWS-ERROR-008", "RWS-TOOL-012"),
    lacks=("lanes",),
)
register(
    "errors-without-status",
    "Errors have no status, except at the lifetime limit.",
    rewriting(_without_statuses),
    dialects=(OPENAI,),
    warns=("RWS-CHAIN-006", "RWS-ERROR-003"),
    lacks=("lanes",),
)
register(
    "failed-for-the-model",
    "A create for an unknown model is answered with a response that fails.",
    rewriting(_failed),
)
