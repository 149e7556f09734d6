"""Faults of servers whose HTTP side and whose WebSocket are not one server."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from responses_ws_reference.effects import CloseConnection, Event
from responses_ws_reference.faults.issued import (
    PREVIOUS,
    issued,
    note,
    previous_of,
    show_base,
    watch,
)
from responses_ws_reference.faults.registry import (
    Fault,
    on_http,
    on_incoming,
    on_sse,
    register,
)
from responses_ws_reference.handshake import HandshakeAnswer, HttpRequest, refusal
from responses_ws_reference.hooks import Hooks, Incoming, Link, Reply, Sendings
from responses_ws_reference.policies import Cache, keeps, resolve
from responses_ws_reference.refusals import Refusal
from responses_ws_reference.store import Snapshot

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


# What is stored


def is_fetched(request: HttpRequest, answer: HandshakeAnswer) -> bool:
    """True where a stored response is handed out."""
    return request.method == "GET" and answer.status == 200


def _changed(answer: HandshakeAnswer, **members: Any) -> HandshakeAnswer:
    body = {**json.loads(answer.body), **members}
    return replace(answer, body=json.dumps(body).encode())


@on_http("RWS-HTTP-010")
def nothing_is_fetched(
    request: HttpRequest, answer: HandshakeAnswer, shared: dict[str, Any]
) -> HandshakeAnswer:
    """There is no GET for a response."""
    return refusal(404) if request.method == "GET" else answer


@on_http("RWS-HTTP-010")
def fetched_responses_are_bare(
    request: HttpRequest, answer: HandshakeAnswer, shared: dict[str, Any]
) -> HandshakeAnswer:
    """A stored response is handed out without its output."""
    return _changed(answer, output=[]) if is_fetched(request, answer) else answer


@on_http("RWS-HTTP-010")
def fetched_responses_have_new_ids(
    request: HttpRequest, answer: HandshakeAnswer, shared: dict[str, Any]
) -> HandshakeAnswer:
    """A gateway hands a stored response out with an id of its own making."""
    if not is_fetched(request, answer):
        return answer
    return _changed(answer, id=f"{request.response_id}_east")


def _keep_all(snapshot: Snapshot) -> bool:
    return snapshot.status != "failed"


def _only_the_stored(wanted: str | None, cache: Cache, shelf: Cache) -> Snapshot | None:
    return resolve(wanted, cache, {name: s for name, s in shelf.items() if keeps(s)})


register(
    Fault(
        "everything-is-written-down",
        ("RWS-HTTP-011",),
        "What is not to be stored cannot be continued, but it can be fetched.",
        Hooks(policies={"keeps": _keep_all, "resolve": _only_the_stored}),
    )
)


@on_http("RWS-HTTP-012")
def unknown_responses_are_bad_requests(
    request: HttpRequest, answer: HandshakeAnswer, shared: dict[str, Any]
) -> HandshakeAnswer:
    """A GET of what is not there is called a bad request."""
    is_missing = request.method == "GET" and answer.status == 404
    return replace(answer, status=400) if is_missing else answer


# What is deleted


@on_http("RWS-HTTP-013")
def nothing_is_deleted(
    request: HttpRequest, answer: HandshakeAnswer, shared: dict[str, Any]
) -> HandshakeAnswer:
    """There is no DELETE for a response."""
    return refusal(405) if request.method == "DELETE" else answer


@on_http("RWS-HTTP-014")
def deleted_responses_stay_in_a_cache(
    request: HttpRequest, answer: HandshakeAnswer, shared: dict[str, Any]
) -> HandshakeAnswer:
    """What was handed out once is handed out for ever."""
    if is_fetched(request, answer):
        shared[request.response_id] = answer
    return shared.get(request.response_id, answer) if request.method == "GET" else answer


def _mark_deleted(
    request: HttpRequest, answer: HandshakeAnswer, shared: dict[str, Any]
) -> HandshakeAnswer:
    if request.method == "DELETE" and answer.status == 200:
        shared.setdefault("deleted", set()).add(request.response_id)
    return answer


def _take_up(message: Incoming, link: Link) -> Incoming:
    base = previous_of(message)
    if not isinstance(message, dict) or base not in link.shared.get("deleted", ()):
        return message
    link.on_lane(message).memory["base"] = base
    return {name: value for name, value in message.items() if name != PREVIOUS}


def _show_base(sending: Event | CloseConnection, link: Link) -> Sendings:
    note(sending, link)
    return show_base(sending, link)


register(
    Fault(
        "deleted-responses-are-continued",
        ("RWS-HTTP-015",),
        "A response that was deleted is continued as if nothing had been.",
        Hooks(incoming=_take_up, outgoing=_show_base, http=_mark_deleted),
    )
)
