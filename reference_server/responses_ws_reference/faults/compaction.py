"""Faults of compaction: conversations that are folded too little, too much or for nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from responses_ws_reference.faults.issued import PREVIOUS, previous_of, show_base
from responses_ws_reference.faults.registry import (
    TERMINAL,
    Fault,
    on_http,
    on_incoming,
    register,
    replace_policy,
    rewrite_events,
)
from responses_ws_reference.messages.context import Context
from responses_ws_reference.messages.creates import Create
from responses_ws_reference.messages.effects import CloseConnection, Event
from responses_ws_reference.messages.handshake import COMPACT, HandshakeAnswer, HttpRequest, refusal
from responses_ws_reference.messages.items import Item
from responses_ws_reference.messages.refusals import Refusal
from responses_ws_reference.seams.hooks import Hooks, Incoming, Link, Reply, Sendings

CREATE = "response.create"
ASKED = "context_management"
UNKNOWN = Refusal("unknown_parameter", f"Unknown parameter: '{ASKED}'.", ASKED)
NO_INPUT = Refusal("invalid_value", "Items of type 'compaction' are not supported.", "input")
NO_BASE = Refusal("invalid_request_error", "This response cannot be continued.", PREVIOUS)


def is_folded(item: Any) -> bool:
    """True for a compaction item."""
    return isinstance(item, dict) and item.get("type") == "compaction"


def brings_folded(message: Event) -> bool:
    """True for a create whose input has a compaction item."""
    items = message.get("input")
    return isinstance(items, list) and any(map(is_folded, items))


# The server folds by itself


@on_incoming("RWS-COMPACT-001", on=CREATE)
def compaction_is_refused(message: Event, link: Link) -> Incoming | Reply:
    """A create that asks for compaction has a member too many."""
    return Reply((UNKNOWN.event(),)) if ASKED in message else message


@replace_policy("compacts", "RWS-COMPACT-002")
def nothing_is_folded(create: Create, tokens: int) -> bool:
    """The threshold is taken, and never looked at again."""
    return False


@replace_policy("compacts", "RWS-COMPACT-002")
def thresholds_are_thousands(create: Create, tokens: int) -> bool:
    """A threshold is taken for a number of thousands of tokens."""
    return create.compact_threshold is not None and tokens > 1000 * create.compact_threshold


@rewrite_events("RWS-COMPACT-003")
def compaction_items_are_empty(event: Event, link: Link) -> Sendings:
    """The contents of a compaction item are kept on the server, and the item shows nothing."""
    items = [event.get("item"), *event.get("response", {}).get("output", ())]
    for item in filter(is_folded, items):
        if "encrypted_content" in item:
            item["encrypted_content"] = ""
    return event


@rewrite_events("RWS-COMPACT-004", "RWS-ITEM-011", on="response.compaction.compacting")
def compaction_is_announced_for_another_item(event: Event, link: Link) -> Sendings:
    """The event about a compaction names an item that never comes."""
    event["item_id"] = f"{event['item_id']}_old"
    return event


# After it


def _note_folded(sending: Event | CloseConnection, link: Link) -> Sendings:
    if not isinstance(sending, CloseConnection) and sending["type"] in TERMINAL:
        response = sending["response"]
        bases = link.memory.setdefault("folded", set())
        bases |= {response["id"]} if any(map(is_folded, response["output"])) else set()
    return sending


def _refuse_to_continue(message: Incoming, link: Link) -> Incoming | Reply:
    is_hit = previous_of(message) in link.memory.get("folded", ())
    return Reply((NO_BASE.event(),)) if is_hit else message


register(
    Fault(
        "folded-responses-are-no-base",
        ("RWS-COMPACT-005",),
        "After a compaction the chain is over.",
        Hooks(incoming=_refuse_to_continue, outgoing=_note_folded),
    )
)


@replace_policy("condense", "RWS-COMPACT-006")
def compaction_loses_everything(context: Context) -> tuple[Item, ...]:
    """A conversation is folded into an item that nothing is in."""
    return ()


@on_incoming("RWS-COMPACT-007", "RWS-COMPACT-010", on=CREATE)
def compaction_items_are_no_input(message: Event, link: Link) -> Incoming | Reply:
    """What the server folds it does not take back."""
    return Reply((NO_INPUT.event(),)) if brings_folded(message) else message


@on_incoming("RWS-COMPACT-008", on=CREATE)
def any_threshold_will_do(message: Event, link: Link) -> Event:
    """A threshold that is too low is raised in silence."""
    for entry in message.get(ASKED) or ():
        entry["compact_threshold"] = max(1000, entry.get("compact_threshold") or 0)
    return message


# Over HTTP


def is_compacted(request: HttpRequest, answer: HandshakeAnswer) -> bool:
    """True for a compact call that was answered."""
    path = request.path.partition("?")[0]
    return (request.method, path, answer.status) == ("POST", COMPACT, 200)


def _changed(answer: HandshakeAnswer, **members: Any) -> HandshakeAnswer:
    body = {**json.loads(answer.body), **members}
    return replace(answer, body=json.dumps(body).encode())


@on_http("RWS-COMPACT-009")
def there_is_no_compact_call(
    request: HttpRequest, answer: HandshakeAnswer, shared: dict[str, Any]
) -> HandshakeAnswer:
    """Conversations are folded by the server alone."""
    return refusal(404) if is_compacted(request, answer) else answer


@on_http("RWS-COMPACT-009")
def compact_calls_give_responses(
    request: HttpRequest, answer: HandshakeAnswer, shared: dict[str, Any]
) -> HandshakeAnswer:
    """The compact call is answered with an object that says that it is a response."""
    return _changed(answer, object="response") if is_compacted(request, answer) else answer


@on_http("RWS-COMPACT-009")
def compact_calls_are_free(
    request: HttpRequest, answer: HandshakeAnswer, shared: dict[str, Any]
) -> HandshakeAnswer:
    """The compact call does not say what it cost."""
    return _changed(answer, usage=None) if is_compacted(request, answer) else answer


def _fold_nothing(context: Context) -> tuple[Item, ...]:
    return ()


def _only_the_item(
    request: HttpRequest, answer: HandshakeAnswer, shared: dict[str, Any]
) -> HandshakeAnswer:
    if not is_compacted(request, answer):
        return answer
    output = json.loads(answer.body)["output"]
    return _changed(answer, output=[item for item in output if is_folded(item)])


register(
    Fault(
        "compact-calls-lose-everything",
        ("RWS-COMPACT-006", "RWS-COMPACT-011"),
        "What is folded is gone, and so is what the user said.",
        Hooks(policies={"condense": _fold_nothing}, http=_only_the_item),
    )
)


def _note_window(
    request: HttpRequest, answer: HandshakeAnswer, shared: dict[str, Any]
) -> HandshakeAnswer:
    if is_compacted(request, answer):
        given = json.loads(answer.body)
        shared.setdefault("windows", {})[given["id"]] = given["output"]
    return answer


def _go_on_from_window(message: Incoming, link: Link) -> Incoming:
    base = previous_of(message)
    window = link.shared.get("windows", {}).get(base)
    if window is None or not isinstance(message, dict):
        return message
    link.on_lane(message).memory["base"] = base
    rest = {name: value for name, value in message.items() if name != PREVIOUS}
    return {**rest, "input": [*window, *message["input"]]}


register(
    Fault(
        "compacted-conversations-are-responses",
        ("RWS-COMPACT-012",),
        "The id of a compact call is continued like that of a response.",
        Hooks(incoming=_go_on_from_window, outgoing=show_base, http=_note_window),
    )
)
