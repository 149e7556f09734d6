"""Faults of function calls and their outputs."""

from __future__ import annotations

from dataclasses import replace

from responses_ws_reference.faults.registry import on_incoming, replace_policy, rewrite_events
from responses_ws_reference.messages.context import Context
from responses_ws_reference.messages.creates import Create
from responses_ws_reference.messages.effects import CloseConnection, Event
from responses_ws_reference.messages.items import Item
from responses_ws_reference.messages.refusals import Refusal
from responses_ws_reference.seams.hooks import Incoming, Link, Reply, Sendings
from responses_ws_reference.session.policies import Cache, gather, identify, match_calls, resolve
from responses_ws_reference.session.store import Snapshot

OUTPUT = "function_call_output"


def _new_items(event: Event, kind: str) -> int:
    """How many items of a type a continuation brings along."""
    items = event.get("input") if event.get("previous_response_id") else None
    items = items if isinstance(items, list) else []
    return sum(isinstance(item, dict) and item.get("type") == kind for item in items)


def _refused(code: str) -> Reply:
    return Reply((Refusal(code, "The outputs of function calls are not taken.", "input").event(),))


@rewrite_events("RWS-TOOL-001", on="response.completed")
def calls_end_incomplete(event: Event, link: Link) -> Sendings:
    """A response that calls a function ends as incomplete."""
    response = event["response"]
    if all(item["type"] != "function_call" for item in response["output"]):
        return event
    response |= {"status": "incomplete", "incomplete_details": {"reason": "tool_calls"}}
    return {**event, "type": "response.incomplete"}


@on_incoming("RWS-TOOL-001", "RWS-TOOL-013", "RWS-CUSTOM-001", on="response.create")
def forced_calls_are_advice(event: Event, link: Link) -> Incoming | Reply:
    """A tool_choice that forces a function is taken as auto."""
    return {**event, "tool_choice": "auto"} if isinstance(event.get("tool_choice"), dict) else event


@rewrite_events("RWS-TOOL-002")
def arguments_are_python(event: Event, link: Link) -> Sendings:
    """The arguments of calls are a dictionary as Python prints it, in single quotes."""
    if event["type"] == "response.function_call_arguments.delta":
        event["delta"] = event["delta"].replace('"', "'")
    shown = [event["item"]] if "item" in event else event.get("response", {}).get("output", [])
    for holder in (event, *shown):
        if "arguments" in holder:
            holder["arguments"] = holder["arguments"].replace('"', "'")
    return event


@on_incoming("RWS-TOOL-003", on="response.create")
def stored_calls_are_closed(event: Event, link: Link) -> Incoming | Reply:
    """The outputs for a stored response are refused."""
    is_stored = event.get("store") is not False
    return _refused("tool_call_not_found") if is_stored and _new_items(event, OUTPUT) else event


@replace_policy("resolve", "RWS-TOOL-004", "RWS-STEER-025")
def calls_are_forgotten_without_storage(
    wanted: str | None, cache: Cache, shelf: Cache
) -> Snapshot | None:
    """A response that ends with a call is gone after its turn where it is not stored."""
    previous = resolve(wanted, cache, shelf)
    if previous is None or previous.is_stored or not previous.context:
        return previous
    return None if previous.context[-1]["type"] == "function_call" else previous


@replace_policy("gather", "RWS-TOOL-004")
def outputs_are_forgotten_after_their_turn(previous: Snapshot, create: Create) -> tuple[Item, ...]:
    """A chain keeps the calls and not their outputs, so that the turn after next has open calls."""
    kept = (item for item in previous.context if item["type"] != OUTPUT)
    return (*kept, *create.items)


@replace_policy("gather", "RWS-TOOL-005")
def outputs_are_emptied(previous: Snapshot, create: Create) -> tuple[Item, ...]:
    """The model sees that a call was answered, but not the output."""
    items = tuple({**i, "output": ""} if i["type"] == OUTPUT else i for i in create.items)
    return gather(previous, replace(create, items=items) if previous.context else create)


@replace_policy("gather", "RWS-TOOL-005")
def only_the_first_output_is_passed_on(previous: Snapshot, create: Create) -> tuple[Item, ...]:
    """Of several outputs the model sees the first, and that the other calls were answered."""
    first = next((item for item in create.items if item["type"] == OUTPUT), None)
    items = tuple(
        {**item, "output": ""} if item["type"] == OUTPUT and item is not first else item
        for item in create.items
    )
    return gather(previous, replace(create, items=items))


@replace_policy("match_calls", "RWS-TOOL-006", "RWS-CUSTOM-008")
def orphan_outputs_are_taken(context: Context) -> Refusal | None:
    """An output whose call nobody knows is accepted."""
    refusal = match_calls(context)
    return None if refusal and refusal.code == "tool_call_not_found" else refusal


@replace_policy("match_calls", "RWS-TOOL-006")
def orphans_of_no_call_are_taken(context: Context) -> Refusal | None:
    """An output is accepted where its chain has no call at all."""
    return match_calls(context) if context.calls.made else None


@replace_policy("identify", "RWS-TOOL-007", "RWS-CUSTOM-010")
def calls_share_an_id(prefix: str, fresh: str) -> str:
    """All function calls have one call_id."""
    return "call_1" if prefix == "call" else identify(prefix, fresh)


@on_incoming("RWS-TOOL-008", on="response.create")
def outputs_come_one_by_one(event: Event, link: Link) -> Incoming | Reply:
    """A create with several outputs is refused."""
    return _refused("too_many_outputs") if _new_items(event, OUTPUT) > 1 else event


@on_incoming("RWS-TOOL-009", on="response.create")
def tool_choice_none_is_ignored(event: Event, link: Link) -> Incoming | Reply:
    """A function is called although none may be."""
    is_none = event.get("tool_choice") == "none" and event.get("tools")
    return {**event, "tool_choice": "required"} if is_none else event


@on_incoming("RWS-TOOL-010", "RWS-STEER-025", on="response.create")
def outputs_come_alone(event: Event, link: Link) -> Incoming | Reply:
    """A message beside the outputs of calls is refused."""
    both = _new_items(event, OUTPUT) and _new_items(event, "message")
    return _refused("unexpected_message") if both else event


@replace_policy("match_calls", "RWS-TOOL-011", "RWS-CUSTOM-009")
def open_calls_are_passed_over(context: Context) -> Refusal | None:
    """A continuation goes on although a call has no output."""
    refusal = match_calls(context)
    return None if refusal and refusal.code == "tool_output_not_found" else refusal


@on_incoming("RWS-TOOL-014", on="response.create")
def repeated_call_closes(event: Event, link: Link) -> Incoming | Reply:
    """A continuation with a call that the chain has costs the connection."""
    if not _new_items(event, "function_call"):
        return event
    return Reply((CloseConnection(1008, "duplicate item"),))
