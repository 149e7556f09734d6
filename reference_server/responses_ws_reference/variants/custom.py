"""Other custom tools: their input comes with the item alone, or they are all that there is."""

from __future__ import annotations

from responses_ws_reference.calls import SHELL
from responses_ws_reference.effects import Event
from responses_ws_reference.hooks import Hooks, Incoming, Link, Reply
from responses_ws_reference.refusals import Refusal
from responses_ws_reference.variants.registry import register, rewriting

NO_SHELL = Refusal("invalid_value", "Invalid 'tools[0].type': 'shell' is not known.", "tools")


def _items_alone(event: Event, link: Link) -> list[Event]:
    return [] if event["type"].startswith("response.custom_tool_call_input.") else [event]


def _without_shell(message: Incoming, link: Link) -> Incoming | Reply:
    tools = message.get("tools") if isinstance(message, dict) else None
    tools = tools if isinstance(tools, list) else []
    has_shell = any(isinstance(tool, dict) and tool.get("type") == SHELL.tool for tool in tools)
    return Reply((NO_SHELL.event(),)) if has_shell else message


register(
    "whole-custom-calls",
    "The input of a custom tool has no events of its own.",
    rewriting(_items_alone),
)
register(
    "no-shell",
    "Custom tools are known, and no other kinds of calls.",
    Hooks(incoming=_without_shell),
)
