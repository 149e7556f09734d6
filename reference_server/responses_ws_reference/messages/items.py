"""The input of a create: a string is one user message, a list holds items.

Items become plain dictionaries that carry a ``type``, in the order in which the model reads them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeAlias

from responses_ws_reference.messages import rules
from responses_ws_reference.messages.calls import CALLS
from responses_ws_reference.messages.refusals import quoted, refuse
from responses_ws_reference.messages.sealing import COMPACTION, REASONING, sealed

Item: TypeAlias = Mapping[str, Any]

MAX_INPUT_CHARACTERS: Final = 10_485_760

_content_part = rules.members(("type",), type=rules.text(), text=rules.text(), refusal=rules.text())


def _content(value: Any, path: str) -> None:
    """A string, or an array of parts."""
    rule = rules.text() if isinstance(value, str) else rules.array(_content_part)
    rule(value, path)


_MESSAGE = rules.members(
    ("role", "content"),
    role=rules.one_of("user", "assistant", "system", "developer"),
    content=_content,
)
_CALL = rules.members(
    ("call_id", "name", "arguments"),
    call_id=rules.text(),
    name=rules.text(),
    arguments=rules.text(),
)
_OUTPUT = rules.members(("call_id", "output"), call_id=rules.text(), output=_content)
_CUSTOM_CALL = rules.members(
    ("call_id", "name", "input"), call_id=rules.text(), name=rules.text(), input=rules.text()
)
_SHELL_CALL = rules.members(
    ("call_id", "action"),
    call_id=rules.text(),
    action=rules.members(("commands",), commands=rules.array(rules.text())),
)
_SHELL_OUTPUT = rules.members(
    ("call_id", "output"),
    call_id=rules.text(),
    output=rules.array(rules.members(stdout=rules.text(), stderr=rules.text())),
)
_PATCH_CALL = rules.members(
    ("call_id", "operation"),
    call_id=rules.text(),
    operation=rules.members(("type", "path"), type=rules.text(), path=rules.text()),
)
_PATCH_OUTPUT = rules.members(
    ("call_id", "status"),
    call_id=rules.text(),
    status=rules.text(),
    output=rules.nullable(rules.text()),
)
_REASONING = rules.members(
    summary=rules.array(rules.mapping), encrypted_content=rules.nullable(sealed(REASONING))
)
_COMPACTION = rules.members(("encrypted_content",), encrypted_content=sealed(COMPACTION))

# Items that a client may bring along from elsewhere and that this model does not read.
_CARRIED_ALONG: Final = (
    "item_reference",
    *("computer_call", "computer_call_output"),
    *("local_shell_call", "local_shell_call_output"),
    *("tool_search_call", "tool_search_output"),
    *("web_search_call", "file_search_call", "code_interpreter_call", "image_generation_call"),
    *("mcp_list_tools", "mcp_approval_request", "mcp_approval_response", "mcp_call"),
    *("multi_agent_call", "multi_agent_call_output", "agent_message"),
)

ITEM_RULES: Final[Mapping[str, rules.Rule]] = {
    "message": _MESSAGE,
    "function_call": _CALL,
    "function_call_output": _OUTPUT,
    "custom_tool_call": _CUSTOM_CALL,
    "custom_tool_call_output": _OUTPUT,
    "shell_call": _SHELL_CALL,
    "shell_call_output": _SHELL_OUTPUT,
    "apply_patch_call": _PATCH_CALL,
    "apply_patch_call_output": _PATCH_OUTPUT,
    "reasoning": _REASONING,
    "compaction": _COMPACTION,
    **dict.fromkeys(_CARRIED_ALONG, rules.anything),
}


def read_input(value: Any) -> tuple[Item, ...]:
    """The items of an ``input`` member."""
    if isinstance(value, str):
        rules.text(at_most=MAX_INPUT_CHARACTERS)(value, "input")
        content = [{"type": "input_text", "text": value}]
        return ({"type": "message", "role": "user", "content": content},)
    if not isinstance(value, list):
        raise rules.wrong_type(value, "input", "a string or an array")
    return tuple(_read_item(item, f"input[{index}]") for index, item in enumerate(value))


def _read_item(item: Any, path: str) -> Item:
    rules.mapping(item, path)
    # An item without a type is a message; several released clients rely on it.
    kind = item.get("type", "message")
    rules.text()(kind, f"{path}.type")
    if ":" not in kind:
        if kind not in ITEM_RULES:
            raise refuse("invalid_value", f"Invalid '{path}.type': {quoted(kind)}.", f"{path}.type")
        ITEM_RULES[kind](item, path)
    return {**item, "type": kind}


def text_of(content: Any) -> str:
    """The text in a message's content or in a tool's output."""
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content)


def text_in(item: Item) -> str:
    """What the model reads of an item."""
    match item:
        case {"type": "message"}:
            return text_of(item["content"])
        case {"type": "function_call"}:
            return f"{item['name']} {item['arguments']}"
        case {"type": "custom_tool_call"}:
            return f"{item['name']} {item['input']}"
        case {"type": "shell_call"}:
            return " ".join(item["action"]["commands"])
        case {"type": "function_call_output" | "custom_tool_call_output"}:
            return text_of(item["output"])
        case {"type": "shell_call_output"}:
            return "".join(entry.get("stdout", "") for entry in item["output"])
        case {"type": "apply_patch_call"}:
            return f"{item['operation']['type']} {item['operation']['path']}"
        case {"type": "apply_patch_call_output"}:
            return item.get("output") or str(item["status"])
    return ""


def without_repeats(context: Iterable[Item], items: tuple[Item, ...]) -> tuple[Item, ...]:
    """The items that the context does not hold yet; some clients send a call back with its id."""
    named = {name for item in items if (name := _identity(item)) is not None}
    repeated = named and named.intersection(map(_identity, context))
    return tuple(item for item in items if _identity(item) not in repeated)


def _identity(item: Item) -> tuple[str, Any] | None:
    if item["type"] in CALLS:
        return (item["type"], item["call_id"])
    identity = item.get("id")
    return (item["type"], identity) if isinstance(identity, str) else None
