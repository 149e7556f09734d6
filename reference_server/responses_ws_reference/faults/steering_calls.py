"""Faults of steering a response that waits for the outputs of its calls."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from responses_ws_reference.faults.registry import Fault, register, replace_policy, rewrite_events
from responses_ws_reference.faults.steering import PREVIOUS, STEER, invented, succeeded
from responses_ws_reference.messages.creates import Create
from responses_ws_reference.messages.effects import Event
from responses_ws_reference.messages.items import Item
from responses_ws_reference.seams.hooks import Hooks, Incoming, Link, Sendings
from responses_ws_reference.session.policies import inherit
from responses_ws_reference.session.steering import PENDING
from responses_ws_reference.session.store import Snapshot


@rewrite_events("RWS-STEER-012")
def nobody_waits_for_outputs(event: Event, link: Link) -> Sendings:
    """A successor begins although the calls have no outputs."""
    succeeded(event, link)
    steered = link.on_lane(event).memory["steered"]
    if event["type"] != "response.completed" or event["response"]["id"] not in steered:
        return event
    if not any("call_id" in item for item in event["response"]["output"]):
        return event
    return [event, *invented(event, event["response"]["id"])]


@rewrite_events("RWS-STEER-021", on=PENDING)
def what_waits_waits_in_silence(event: Event, link: Link) -> Sendings:
    """The client is left to find out that its input waits."""
    return []


@rewrite_events("RWS-STEER-022", on=PENDING)
def nothing_in_particular_is_required(event: Event, link: Link) -> Sendings:
    """It is said that something is required, but not what."""
    event["required_input"] = []
    return event


@rewrite_events("RWS-STEER-022", on=PENDING)
def calls_stand_for_their_outputs(event: Event, link: Link) -> Sendings:
    """The stubs are of the calls instead of their outputs."""
    for stub in event["required_input"]:
        stub["type"] = stub["type"].removesuffix("_output")
    return event


@rewrite_events("RWS-STEER-023", on=PENDING)
def what_waits_is_announced_twice(event: Event, link: Link) -> Sendings:
    """It is said once more that input waits."""
    return [event, event]


@replace_policy("take_along", "RWS-STEER-024")
def waiting_input_comes_last(items: tuple[Item, ...], create: Create) -> Create:
    """What was steered comes behind what the client brings."""
    return replace(create, items=(*create.items, *items))


@replace_policy("take_along", "RWS-STEER-024")
def waiting_input_is_forgotten(items: tuple[Item, ...], create: Create) -> Create:
    """A create that answers calls is taken as it is."""
    return create


@replace_policy("inherit", "RWS-STEER-025")
def outputs_continue_with_the_old_instructions(create: Create, previous: Snapshot) -> Create:
    """A create with outputs is the second half of the one before, instructions and all."""
    create = inherit(create, previous)
    has_outputs = any(item["type"] == "function_call_output" for item in create.items)
    if not has_outputs or previous.create.instructions is None:
        return create
    fields = {**create.fields, "instructions": previous.create.instructions}
    return replace(create, fields=fields)


def _remember_for_ever(message: Incoming, link: Link) -> Incoming:
    if not isinstance(message, dict):
        return message
    kept: dict[Any, Any] = link.shared.setdefault("kept", {})
    own = link.memory.setdefault("own", set())
    previous = message.get(PREVIOUS)
    if message.get("type") == STEER and isinstance(message.get("input"), str):
        own.add(previous)
        text = [{"type": "message", "role": "user", "content": message["input"]}]
        kept[previous] = [*kept.get(previous, []), *text]
    elif previous in kept and previous not in own and isinstance(message.get("input"), list):
        return {**message, "input": [*kept[previous], *message["input"]]}
    return message


register(
    Fault(
        "waiting-input-is-stored",
        ("RWS-STEER-026",),
        "What was steered is stored with the response, for whoever continues it.",
        Hooks(incoming=_remember_for_ever),
    )
)
