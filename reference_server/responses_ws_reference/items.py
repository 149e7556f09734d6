"""The input of a create: a string is one user message, a list holds items.

Items become plain dictionaries that carry a ``type``, in the order in which the model reads them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeAlias

from responses_ws_reference import rules
from responses_ws_reference.refusals import Refusal, quoted, refuse

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

# Items that a client may bring along from elsewhere and that this model does not read.
_CARRIED_ALONG: Final = (
    "reasoning",
    "item_reference",
    "compaction",
    *("custom_tool_call", "custom_tool_call_output"),
    *("computer_call", "computer_call_output"),
    *("local_shell_call", "local_shell_call_output"),
    *("shell_call", "shell_call_output"),
    *("apply_patch_call", "apply_patch_call_output"),
    *("tool_search_call", "tool_search_output"),
    *("web_search_call", "file_search_call", "code_interpreter_call", "image_generation_call"),
    *("mcp_list_tools", "mcp_approval_request", "mcp_approval_response", "mcp_call"),
    *("multi_agent_call", "multi_agent_call_output", "agent_message"),
)

ITEM_RULES: Final[Mapping[str, rules.Rule]] = {
    "message": _MESSAGE,
    "function_call": _CALL,
    "function_call_output": _OUTPUT,
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


def without_repeats(context: Iterable[Item], items: Iterable[Item]) -> tuple[Item, ...]:
    """The items that the context does not hold yet; some clients send a call back with its id."""
    seen = {_identity(item) for item in context}
    return tuple(item for item in items if _identity(item) is None or _identity(item) not in seen)


def _identity(item: Item) -> tuple[str, Any] | None:
    if item["type"] == "function_call":
        return ("function_call", item["call_id"])
    identity = item.get("id")
    return (item["type"], identity) if isinstance(identity, str) else None


def unmatched_call(context: Iterable[Item]) -> Refusal | None:
    """The refusal owed to an output without its call, or to a call without its output."""
    waiting: dict[str, None] = {}
    known: set[str] = set()
    for item in context:
        if item["type"] == "function_call" and item.get("status") != "incomplete":
            known.add(item["call_id"])
            waiting[item["call_id"]] = None
        elif item["type"] == "function_call_output":
            call_id = item["call_id"]
            if call_id not in known:
                return Refusal(
                    "tool_call_not_found",
                    f"No tool call found for function call output with call_id {quoted(call_id)}.",
                    "input",
                )
            waiting.pop(call_id, None)
    for call_id in waiting:
        return Refusal(
            "tool_output_not_found",
            f"No tool output found for function call {quoted(call_id)}.",
            "input",
        )
    return None
