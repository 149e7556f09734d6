"""Faults of custom tools, and of the other calls that a client executes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Final, TypeAlias

from responses_ws_reference.faults.registry import (
    Fault,
    on_incoming,
    register,
    replace_policy,
    rewrite_events,
)
from responses_ws_reference.faults.texts import with_a_late_delta
from responses_ws_reference.messages.calls import CUSTOM, FUNCTION, OUTPUTS, PATCH, SHELL, Kind
from responses_ws_reference.messages.context import Context
from responses_ws_reference.messages.creates import Create
from responses_ws_reference.messages.effects import CloseConnection, Event
from responses_ws_reference.messages.items import Item
from responses_ws_reference.messages.refusals import Refusal
from responses_ws_reference.responses.engine import Message, Outputs, Prompt
from responses_ws_reference.seams.hooks import Hooks, Incoming, Link, Reply, Sendings
from responses_ws_reference.seams.numbering import renumbered
from responses_ws_reference.session.policies import gather, match_calls
from responses_ws_reference.session.store import Snapshot

DELTA: Final = "response.custom_tool_call_input.delta"
DONE: Final = "response.custom_tool_call_input.done"
ITEM_DONE: Final = "response.output_item.done"

Ids: TypeAlias = list[tuple[str, str]]


def _items_of(event: Event, kind: str) -> Iterator[dict[str, Any]]:
    """The items of one type that an event shows."""
    shown = [event["item"]] if "item" in event else event.get("response", {}).get("output", [])
    return (item for item in shown if item["type"] == kind)


def _answers(event: Event) -> list[dict[str, Any]]:
    """The outputs of calls that a create brings along."""
    items = event.get("input")
    items = items if isinstance(items, list) else []
    return [item for item in items if isinstance(item, dict) and item.get("type") in OUTPUTS]


def _refused(why: str) -> Reply:
    return Reply((Refusal("invalid_value", why, "input").event(),))


# The call


@on_incoming("RWS-CUSTOM-001", on="response.create")
def custom_tools_become_functions(event: Event, link: Link) -> Incoming | Reply:
    """A gateway passes a custom tool on as a function of one argument, and leaves it at that."""

    def as_function(tool: Any) -> Any:
        is_custom = isinstance(tool, dict) and tool.get("type") == CUSTOM.tool
        return {**tool, "type": FUNCTION.tool} if is_custom else tool

    tools = event.get("tools")
    if not isinstance(tools, list):
        return event
    choice = {"tool_choice": as_function(event["tool_choice"])} if "tool_choice" in event else {}
    return {**event, **choice, "tools": [as_function(tool) for tool in tools]}


def _without_custom_calls(prompt: Prompt, outputs: Outputs, shared: dict[str, Any]) -> Outputs:
    known = (o for o in outputs if isinstance(o, Message) or o.kind is not CUSTOM)
    return tuple(known) or (Message(("Noted.",)),)


register(
    Fault(
        "custom-tools-are-dropped",
        ("RWS-CUSTOM-001",),
        "Custom tools are accepted and never reach the model, which answers in words.",
        Hooks(mood=_without_custom_calls),
    )
)


@rewrite_events("RWS-CUSTOM-003", on=DELTA)
def input_deltas_shout(event: Event, link: Link) -> Sendings:
    """The deltas of an input are in capital letters."""
    return {**event, "delta": event["delta"].upper()}


@rewrite_events("RWS-CUSTOM-004")
def input_gets_a_line_break(event: Event, link: Link) -> Sendings:
    """The finished item has its input with a line break at the end."""
    for item in _items_of(event, CUSTOM.call):
        item["input"] += "\n" if item["input"] else ""
    return event


@rewrite_events("RWS-CUSTOM-005")
def input_ends_without_saying_so(event: Event, link: Link) -> Sendings:
    """After the deltas of an input its item is done at once."""
    return renumbered([] if event["type"] == DONE else [event], link)


@rewrite_events("RWS-CUSTOM-005")
def input_ends_before_its_last_delta(event: Event, link: Link) -> Sendings:
    """The last delta of an input comes when the input has been told whole."""
    return with_a_late_delta(event, link, "response.custom_tool_call_input")


# What ties a call to its output


def _renaming(kind: Kind, rename: Callable[[str, Ids], str]) -> Hooks:
    """Calls of one kind get another call_id on the way out, and their outputs the right one back.

    ``rename`` is told the call_id and what the calls of the connection are called so far.
    """

    def outgoing(sending: Event | CloseConnection, link: Link) -> Sendings:
        if isinstance(sending, CloseConnection):
            return sending
        names: Ids = link.memory.setdefault("names", [])
        for function in _items_of(sending, FUNCTION.call):
            names.append(("", function["call_id"]))
        for item in _items_of(sending, kind.call):
            shown = rename(item["call_id"], names)
            names.append((item["call_id"], shown))
            item["call_id"] = shown
        return sending

    def incoming(message: Incoming, link: Link) -> Incoming:
        if not isinstance(message, dict) or message.get("type") != "response.create":
            return message
        real = {shown: name for name, shown in link.memory.get("names", []) if name}
        for item in _answers(message):
            if item["type"] == kind.output:
                item["call_id"] = real.get(item["call_id"], item["call_id"])
        return message

    return Hooks(incoming=incoming, outgoing=outgoing)


def _empty(name: str, names: Ids) -> str:
    return ""


def _as_the_last_function(name: str, names: Ids) -> str:
    return next((shown for real, shown in reversed(names) if not real), name)


register(
    Fault(
        "custom-calls-have-an-empty-id",
        ("RWS-CUSTOM-002",),
        "The call_id of a custom tool call is an empty string.",
        _renaming(CUSTOM, _empty),
    )
)
register(
    Fault(
        "a-custom-call-takes-the-id-of-a-function-call",
        ("RWS-CUSTOM-010",),
        "A custom tool call has the call_id of the function call before it.",
        _renaming(CUSTOM, _as_the_last_function),
    )
)
register(
    Fault(
        "shell-calls-have-an-empty-id",
        ("RWS-CUSTOM-012",),
        "The call_id of a shell call is an empty string.",
        _renaming(SHELL, _empty),
    )
)


# The output


@on_incoming("RWS-CUSTOM-006", "RWS-CUSTOM-011", on="response.create")
def custom_outputs_are_unknown(event: Event, link: Link) -> Incoming | Reply:
    """The outputs of custom tools are no item that the server has heard of."""
    kinds = {item["type"] for item in _answers(event)}
    return _refused("Unknown item.") if CUSTOM.output in kinds else event


@on_incoming("RWS-CUSTOM-011", on="response.create")
def outputs_are_of_one_kind(event: Event, link: Link) -> Incoming | Reply:
    """The outputs of functions and of custom tools are not taken together."""
    kinds = {item["type"] for item in _answers(event)}
    return _refused("One kind of output at a time.") if len(kinds) > 1 else event


@on_incoming("RWS-CUSTOM-013", on="response.create")
def shell_outputs_are_unknown(event: Event, link: Link) -> Incoming | Reply:
    """What a shell printed is no item that the server has heard of."""
    kinds = {item["type"] for item in _answers(event)}
    return _refused("Unknown item.") if SHELL.output in kinds else event


@on_incoming("RWS-CUSTOM-014", on="response.create")
def patch_outputs_are_unknown(event: Event, link: Link) -> Incoming | Reply:
    """Whether a file could be changed is no item that the server has heard of."""
    kinds = {item["type"] for item in _answers(event)}
    return _refused("Unknown item.") if PATCH.output in kinds else event


@replace_policy("gather", "RWS-CUSTOM-007")
def custom_outputs_are_emptied(previous: Snapshot, create: Create) -> tuple[Item, ...]:
    """The model sees that a custom tool has answered, but not what."""
    items = tuple({**i, "output": ""} if i["type"] == CUSTOM.output else i for i in create.items)
    return gather(previous, replace(create, items=items) if previous.context else create)


def _passed_over(context: Context, code: str) -> Refusal | None:
    refusal = match_calls(context)
    is_custom = refusal is not None and CUSTOM.noun in refusal.message
    return None if is_custom and refusal and refusal.code == code else refusal


@replace_policy("match_calls", "RWS-CUSTOM-008")
def orphan_custom_outputs_are_taken(context: Context) -> Refusal | None:
    """Calls and outputs are paired for functions only: an orphan of a custom tool passes."""
    return _passed_over(context, "tool_call_not_found")


@replace_policy("match_calls", "RWS-CUSTOM-009")
def open_custom_calls_are_passed_over(context: Context) -> Refusal | None:
    """A continuation goes on although the call of a custom tool has no output."""
    return _passed_over(context, "tool_output_not_found")
