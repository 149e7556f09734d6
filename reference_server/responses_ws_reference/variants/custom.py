"""Other custom tools: their input comes with the item alone, or they are all that there is."""

from __future__ import annotations

from responses_ws_reference.messages.calls import PATCH, SHELL
from responses_ws_reference.messages.effects import Event
from responses_ws_reference.messages.refusals import Refusal
from responses_ws_reference.seams.hooks import Hooks, Incoming, Link, Reply
from responses_ws_reference.variants.registry import register, rewriting

UNKNOWN = (SHELL.tool, PATCH.tool)


def _items_alone(event: Event, link: Link) -> list[Event]:
    return [] if event["type"].startswith("response.custom_tool_call_input.") else [event]


def _custom_tools_only(message: Incoming, link: Link) -> Incoming | Reply:
    tools = message.get("tools") if isinstance(message, dict) else None
    for number, tool in enumerate(tools if isinstance(tools, list) else []):
        kind = tool.get("type") if isinstance(tool, dict) else None
        if kind in UNKNOWN:
            why = f"Invalid 'tools[{number}].type': '{kind}' is not known."
            return Reply((Refusal("invalid_value", why, "tools").event(),))
    return message


register(
    "whole-custom-calls",
    "The input of a custom tool has no events of its own.",
    rewriting(_items_alone),
)
register(
    "no-shell",
    "Custom tools are known, and no other kinds of calls.",
    Hooks(incoming=_custom_tools_only),
)
