"""Faults of servers whose HTTP side and whose WebSocket are not one server."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from responses_ws_reference.faults.issued import PREVIOUS, issued, previous_of, watch
from responses_ws_reference.faults.registry import Fault, on_http, on_incoming, on_sse, register
from responses_ws_reference.messages.effects import Event
from responses_ws_reference.messages.handshake import HandshakeAnswer, HttpRequest, refusal
from responses_ws_reference.messages.refusals import Refusal
from responses_ws_reference.seams.hooks import Hooks, Incoming, Link, Reply

NOT_FOUND = Refusal("previous_response_not_found", "There is no such response.", PREVIOUS)
NO_MEMORY = Refusal("unsupported_parameter", "Not supported over HTTP.", PREVIOUS)
CREATE = "response.create"


def is_http(link: Link) -> bool:
    """True for a create that came over HTTP."""
    return isinstance(link.handshake, HttpRequest)


def is_create(request: HttpRequest) -> bool:
    """True for a create, whatever was added to its path."""
    return request.method == "POST" and request.path.partition("?")[0].endswith("/responses")


def data_of(message: str) -> Any:
    """The event in a message of a stream, None at its end."""
    data = message.partition("data: ")[2]
    return None if data.startswith("[DONE]") else json.loads(data)


def message_of(event: Event) -> str:
    """An event as a message of a stream."""
    return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n"


# The same create


@on_http("RWS-HTTP-001")
def http_only_streams(
    request: HttpRequest, answer: HandshakeAnswer, shared: dict[str, Any]
) -> HandshakeAnswer:
    """A create over HTTP is refused unless it asks for a stream."""
    streams = json.loads(request.body or b"{}").get("stream") is True
    return answer if not is_create(request) or streams else refusal(400)


@on_http("RWS-HTTP-001")
def upgrades_only(
    request: HttpRequest, answer: HandshakeAnswer, shared: dict[str, Any]
) -> HandshakeAnswer:
    """The path of creates takes nothing but WebSockets."""
    return refusal(426) if is_create(request) else answer


@on_http("RWS-HTTP-002")
def streams_have_no_type(
    request: HttpRequest, answer: HandshakeAnswer, shared: dict[str, Any]
) -> HandshakeAnswer:
    """A stream over HTTP is announced as plain text."""
    if ("Content-Type", "text/event-stream") not in answer.headers:
        return answer
    return replace(answer, headers=(("Content-Type", "text/plain"),))


@on_sse("RWS-HTTP-002")
def streams_have_no_terminal_event(
    message: str, request: HttpRequest, memory: dict[str, Any]
) -> Sequence[str]:
    """A stream over HTTP says that it is done, and does not say how."""
    event = data_of(message)
    return [] if event is not None and event["type"] == "response.completed" else [message]


@on_incoming("RWS-HTTP-003", on=CREATE)
def http_ignores_tool_choice(message: Event, link: Link) -> Event:
    """Over HTTP nothing forces a model to call a function."""
    if is_http(link):
        message.pop("tool_choice", None)
    return message


@on_incoming("RWS-HTTP-003", on=CREATE)
def http_calls_go_by_other_names(message: Event, link: Link) -> Event:
    """A gateway gives the functions of creates over HTTP names of its own, and keeps them."""
    if is_http(link) and message.get("tools"):
        for named in (*message["tools"], message.get("tool_choice")):
            if isinstance(named, dict) and "name" in named:
                named["name"] = f"fn_{named['name']}"
    return message


# The same events


@on_sse("RWS-HTTP-004")
def http_closes_calls_before_their_arguments(
    message: str, request: HttpRequest, memory: dict[str, Any]
) -> Sequence[str]:
    """Over HTTP an item is done before its arguments are."""
    event = data_of(message) or {}
    if event.get("type") == "response.function_call_arguments.done":
        memory["held"] = message
        return []
    if event.get("type") == "response.output_item.done" and "held" in memory:
        return [message, memory.pop("held")]
    return [message]


@on_sse("RWS-HTTP-005")
def http_shows_no_progress(
    message: str, request: HttpRequest, memory: dict[str, Any]
) -> Sequence[str]:
    """Over HTTP a response is never in progress."""
    event = data_of(message)
    return [] if event is not None and event["type"] == "response.in_progress" else [message]


@on_sse("RWS-HTTP-006")
def http_has_members_of_its_own(
    message: str, request: HttpRequest, memory: dict[str, Any]
) -> Sequence[str]:
    """Over HTTP the response in an event says how long it took."""
    event = data_of(message)
    if event is None or "response" not in event:
        return [message]
    event["response"]["elapsed_ms"] = 1
    return [message_of(event)]


# One memory


@on_incoming("RWS-HTTP-007", on=CREATE)
def http_cannot_continue(message: Event, link: Link) -> Incoming | Reply:
    """Over HTTP nothing is continued, stored or not."""
    is_asked = is_http(link) and previous_of(message) is not None
    return Reply((NO_MEMORY.event(),)) if is_asked else message


@on_incoming("RWS-HTTP-007", "RWS-HTTP-009", on=CREATE)
def http_forgets_what_it_continues(message: Event, link: Link) -> Event:
    """Over HTTP any previous response is accepted, and none is looked up."""
    if is_http(link):
        message.pop(PREVIOUS, None)
    return message


def _refuse_what_http_made(message: Incoming, link: Link) -> Incoming | Reply:
    known = issued(previous_of(message), link)
    is_foreign = known is not None and is_http(known.link) and not is_http(link)
    return Reply((NOT_FOUND.event(),)) if is_foreign else message


register(
    Fault(
        "each-side-has-a-store",
        ("RWS-HTTP-008",),
        "What was stored over HTTP is unknown to the WebSocket.",
        Hooks(incoming=_refuse_what_http_made, outgoing=watch),
    )
)


def _go_on_without(message: Incoming, link: Link) -> Incoming:
    known = issued(previous_of(message), link)
    if not isinstance(message, dict) or known is None or known.is_stored or not is_http(link):
        return message
    return {name: value for name, value in message.items() if name != PREVIOUS}


register(
    Fault(
        "http-takes-unstored-ids",
        ("RWS-HTTP-009",),
        "Over HTTP an id that is not stored begins a new conversation without a word.",
        Hooks(incoming=_go_on_without, outgoing=watch),
    )
)
