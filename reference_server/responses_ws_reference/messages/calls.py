"""The calls that a client executes: which item makes one and which answers it, tied by call_id."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from responses_ws_reference.messages.refusals import Refusal, quoted


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of call, by the type of the tool that is called; ``noun`` is for messages."""

    tool: str
    call: str
    output: str
    noun: str


CallKey: TypeAlias = tuple[Kind, str]

FUNCTION: Final = Kind("function", "function_call", "function_call_output", "function call")
CUSTOM: Final = Kind("custom", "custom_tool_call", "custom_tool_call_output", "custom tool call")
SHELL: Final = Kind("shell", "shell_call", "shell_call_output", "shell call")
PATCH: Final = Kind("apply_patch", "apply_patch_call", "apply_patch_call_output", "patch")

KINDS: Final[Mapping[str, Kind]] = {kind.tool: kind for kind in (FUNCTION, CUSTOM, SHELL, PATCH)}
# The types of the tools that are told apart by their names.
NAMED: Final = (FUNCTION.tool, CUSTOM.tool)
CALLS: Final[Mapping[str, Kind]] = {kind.call: kind for kind in KINDS.values()}
OUTPUTS: Final[Mapping[str, Kind]] = {kind.output: kind for kind in KINDS.values()}


def called(item: Mapping[str, Any]) -> CallKey | None:
    """The call that an item makes, where it is one and is complete."""
    if item["type"] not in CALLS or item.get("status") == "incomplete":
        return None
    return CALLS[item["type"]], item["call_id"]


def answered(item: Mapping[str, Any]) -> CallKey | None:
    """The call that an item answers, where it is the output of one."""
    return (OUTPUTS[item["type"]], item["call_id"]) if item["type"] in OUTPUTS else None


@dataclass(frozen=True, slots=True)
class Calls:
    """The calls of a conversation: all that were made, those that wait, an output without a call.

    An output answers a call of its own kind only.
    """

    made: frozenset[CallKey] = frozenset()
    waiting: tuple[CallKey, ...] = ()
    orphan: CallKey | None = None

    def after(self, items: Iterable[Mapping[str, Any]]) -> Calls:
        """The calls once some items have followed."""
        made, waiting, orphan = {*self.made}, dict.fromkeys(self.waiting), self.orphan
        for item in items:
            if call := called(item):
                made.add(call)
                waiting[call] = None
            elif answer := answered(item):
                orphan = orphan or (None if answer in made else answer)
                waiting.pop(answer, None)
        return Calls(frozenset(made), tuple(waiting), orphan)

    def mismatch(self) -> Refusal | None:
        """The refusal owed to an output without its call, or to a call without its output."""
        if self.orphan is not None:
            kind, call_id = self.orphan
            return Refusal(
                "tool_call_not_found",
                f"No tool call found for {kind.noun} output with call_id {quoted(call_id)}.",
                "input",
            )
        for kind, call_id in self.waiting:
            return Refusal(
                "tool_output_not_found",
                f"No tool output found for {kind.noun} {quoted(call_id)}.",
                "input",
            )
        return None


NO_CALLS: Final = Calls()


def is_called_here(tool: Mapping[str, Any]) -> bool:
    """True for a tool that this model can call: it follows no grammar and has no containers."""
    match tool:
        case {"type": "function" | "apply_patch"}:
            return True
        case {"type": "custom"}:
            return bool((tool.get("format") or {}).get("type", "text") == "text")
        case {"type": "shell"}:
            return bool((tool.get("environment") or {}).get("type", "local") == "local")
    return False


def key(tool: Mapping[str, Any]) -> tuple[str, str | None]:
    """What tells a tool, or the choice of one, from others; without a type it is a function."""
    kind = tool.get("type", FUNCTION.tool)
    return (kind, tool.get("name") if kind in NAMED else None)
