"""Faults of what is stored and deleted over HTTP."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from responses_ws_reference.faults.issued import PREVIOUS, note, previous_of, show_base
from responses_ws_reference.faults.registry import Fault, on_http, register
from responses_ws_reference.messages.effects import CloseConnection, Event
from responses_ws_reference.messages.handshake import HandshakeAnswer, HttpRequest, refusal
from responses_ws_reference.seams.hooks import Hooks, Incoming, Link, Sendings
from responses_ws_reference.session.policies import Cache, keeps, resolve
from responses_ws_reference.session.store import Snapshot


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
