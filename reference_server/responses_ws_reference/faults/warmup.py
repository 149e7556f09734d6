"""Faults of warm-up: what is generated all the same, and what gets lost on the way to the turn."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from responses_ws_reference.faults.issued import previous_of
from responses_ws_reference.faults.registry import (
    TERMINAL,
    Fault,
    on_incoming,
    register,
    replace_policy,
    rewrite_events,
)
from responses_ws_reference.messages.context import Context
from responses_ws_reference.messages.creates import Create
from responses_ws_reference.messages.effects import CloseConnection, Event
from responses_ws_reference.messages.items import Item
from responses_ws_reference.messages.refusals import Refusal
from responses_ws_reference.seams.hooks import Hooks, Incoming, Link, Reply, Sendings
from responses_ws_reference.session.policies import Cache, gather, keeps, remember
from responses_ws_reference.session.store import Snapshot

PREVIOUS = "previous_response_id"
WHOLE_TURN = ("RWS-WARM-005", "RWS-WARM-007", "RWS-WARM-009", "RWS-WARM-014")


def _is_warm_up(event: Event) -> bool:
    options = event.get("prompt_cache_options") or {}
    return event.get("generate") is False or options.get("prewarm") is True


def _generating(event: Event) -> Event:
    """The create as a server reads it that knows of no warm-up."""
    return {n: v for n, v in event.items() if n not in ("generate", "prompt_cache_options")}


# What a warm-up is


@on_incoming("RWS-WARM-002", on="response.create")
def generate_is_ignored(event: Event, link: Link) -> Incoming | Reply:
    """A warm-up is run like any other create."""
    return _generating(event) if event.get("generate") is False else event


@on_incoming("RWS-WARM-002", on="response.create")
def only_the_first_create_warms_up(event: Event, link: Link) -> Incoming | Reply:
    """A gateway answers a warm-up itself at the start, and passes a later one on to be run."""
    is_first = not link.memory.get("begun")
    link.memory["begun"] = True
    return event if is_first or not _is_warm_up(event) else _generating(event)


@on_incoming("RWS-WARM-001", "RWS-WARM-008", on="response.create")
def warm_ups_are_refused(event: Event, link: Link) -> Incoming | Reply:
    """The layer is claimed, and the server does not know the member."""
    if not _is_warm_up(event):
        return event
    refusal = Refusal("unknown_parameter", "Unknown parameter: 'generate'.", "generate").event()
    lane = {name: event[name] for name in ("stream_id",) if name in event}
    return Reply(({**refusal, **lane},))


@rewrite_events("RWS-WARM-001", "RWS-WARM-008", on="response.completed")
def a_warm_up_is_cut_short(event: Event, link: Link) -> Sendings:
    """A response that has no output counts as incomplete."""
    if not _is_warm_up(link.create):
        return event
    details = {"reason": "max_output_tokens"}
    response = {**event["response"], "status": "incomplete", "incomplete_details": details}
    return {**event, "type": "response.incomplete", "response": response}


@rewrite_events("RWS-WARM-002", on="response.completed")
def a_warm_up_has_an_empty_message(event: Event, link: Link) -> Sendings:
    """A warm-up is completed with a message that says nothing."""
    if _is_warm_up(link.create):
        event["response"]["output"] = [
            {
                "type": "message",
                "id": "msg_empty",
                "status": "completed",
                "role": "assistant",
                "content": [],
            }
        ]
    return event


@rewrite_events("RWS-WARM-003", on="response.completed")
def a_warm_up_is_billed(event: Event, link: Link) -> Sendings:
    """A warm-up counts one token of output."""
    if _is_warm_up(link.create):
        usage = event["response"]["usage"]
        usage["output_tokens"], usage["total_tokens"] = 1, usage["input_tokens"] + 1
    return event


@on_incoming("RWS-WARM-011", on="response.create")
def any_generate_warms_up(event: Event, link: Link) -> Incoming | Reply:
    """That the member is there is enough, whatever its value."""
    return {**event, "generate": False} if "generate" in event else event


@on_incoming("RWS-WARM-012", on="response.create")
def prewarm_is_ignored(event: Event, link: Link) -> Incoming | Reply:
    """The cache option prewarm has no effect."""
    return {n: v for n, v in event.items() if n != "prompt_cache_options"}


@on_incoming("RWS-WARM-012", on="response.create")
def generate_wins_over_prewarm(event: Event, link: Link) -> Incoming | Reply:
    """A create that says generate true generates, whatever the cache option says."""
    has_option = "prompt_cache_options" in event and event.get("generate") is True
    return _generating(event) if has_option else event


@on_incoming("RWS-WARM-013", on="response.create")
def generate_false_meets_silence(event: Event, link: Link) -> Incoming | Reply:
    """A warm-up is done in silence: there is nothing to send."""
    return Reply() if event.get("generate") is False else event


# What becomes of its id


@replace_policy("remember", "RWS-WARM-004", "RWS-WARM-006")
def warm_ups_are_not_remembered(cache: Cache, snapshot: Snapshot) -> Cache:
    """A warm-up leaves the memory of the connection as it was."""
    return cache if snapshot.create.is_warm_up else remember(cache, snapshot)


@replace_policy("keeps", "RWS-WARM-010")
def warm_ups_are_stored(snapshot: Snapshot) -> bool:
    """Each warm-up is written down, whatever its store says."""
    return snapshot.create.is_warm_up or keeps(snapshot)


@on_incoming("RWS-WARM-006", on="response.create")
def empty_input_is_missing_input(event: Event, link: Link) -> Incoming | Reply:
    """A continuation without input is refused."""
    if event.get("input") != []:
        return event
    return Reply((Refusal("missing_required_parameter", "Nothing to answer.", "input").event(),))


@on_incoming("RWS-WARM-008", on="response.create")
def a_chain_cannot_be_warmed_up(event: Event, link: Link) -> Incoming | Reply:
    """Generate false is refused beside the id of a response."""
    if not _is_warm_up(event) or previous_of(event) is None:
        return event
    return Reply((Refusal("invalid_value", "Warm up at the start only.", "generate").event(),))


# What becomes of its input


@replace_policy("remember", *WHOLE_TURN)
def warm_up_input_is_lost(cache: Cache, snapshot: Snapshot) -> Cache:
    """A gateway invents an id for a warm-up, accepts it later, and never passes the input on."""
    if not snapshot.create.is_warm_up:
        return remember(cache, snapshot)
    kept = len(snapshot.context) - len(snapshot.create.items)
    return remember(cache, replace(snapshot, context=Context(snapshot.context[:kept])))


@replace_policy("remember", "RWS-WARM-014")
def warm_up_input_is_passed_on_once(cache: Cache, snapshot: Snapshot) -> Cache:
    """A gateway adds the input of a warm-up to the next create, and remembers what it was sent."""
    before = cache.get(snapshot.create.previous_response_id or "")
    if before is None or not before.create.is_warm_up:
        return remember(cache, snapshot)
    added = {id(item) for item in before.create.items}
    sent = Context(item for item in snapshot.context if id(item) not in added)
    return remember(cache, replace(snapshot, context=sent))


@replace_policy("remember", "RWS-WARM-009")
def a_warm_up_begins_anew(cache: Cache, snapshot: Snapshot) -> Cache:
    """A warm-up in mid-chain prepares its own input, and the chain before it is gone."""
    if not snapshot.create.is_warm_up:
        return remember(cache, snapshot)
    return remember(cache, replace(snapshot, context=Context(snapshot.create.items)))


@replace_policy("gather", "RWS-WARM-007")
def a_turn_without_input_has_no_context(previous: Snapshot, create: Create) -> tuple[Item, ...]:
    """A continuation without input is run on nothing at all."""
    return gather(previous, create) if create.items else ()


def _skip(message: Incoming, link: Link) -> Incoming:
    """A continuation of a warm-up becomes one of the response before it."""
    skipped: dict[Any, Any] = link.memory.get("skipped", {})
    if not isinstance(message, dict) or message.get(PREVIOUS) not in skipped:
        return message
    link.memory["shown"] = message[PREVIOUS]
    return {**message, PREVIOUS: skipped[message[PREVIOUS]]}


def _show(sending: Event | CloseConnection, link: Link) -> Sendings:
    if isinstance(sending, CloseConnection) or "response" not in sending:
        return sending
    response = sending["response"]
    if _is_warm_up(link.create) and sending["type"] in TERMINAL and response[PREVIOUS]:
        link.memory.setdefault("skipped", {})[response["id"]] = response[PREVIOUS]
    elif "shown" in link.memory and response[PREVIOUS] is not None:
        response[PREVIOUS] = link.memory["shown"]
        if sending["type"] in TERMINAL:
            del link.memory["shown"]
    return sending


register(
    Fault(
        "a-warm-up-in-mid-chain-is-skipped",
        ("RWS-WARM-009",),
        "A turn after a warm-up in mid-chain continues the response before the warm-up.",
        Hooks(
            incoming=_skip,
            outgoing=_show,
            policies={"remember": lambda cache, s: {**cache, **remember(cache, s)}},
        ),
    )
)
