"""The model behind the server: deterministic, and honest about the context it was given.

It follows a few plain prompts, reading only what stands in its `Prompt`, so a server that loses
context loses the answer. A token is a word with the space before it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol, TypeAlias

from responses_ws_reference.messages.calls import (
    CALLS,
    CUSTOM,
    FUNCTION,
    KINDS,
    OUTPUTS,
    PATCH,
    SHELL,
    Kind,
    key,
)
from responses_ws_reference.messages.context import Context
from responses_ws_reference.messages.creates import Create
from responses_ws_reference.messages.items import text_in, text_of
from responses_ws_reference.responses.arguments import sample
from responses_ws_reference.responses.compaction import unfolded

_TOKEN: Final = re.compile(r"\s*\S+|\s+\Z")
_ARGUMENT_TOKEN: Final = re.compile(r"\s*(?:\w+|[^\w\s]+)")

_REPLY_WITH: Final = re.compile(r"Reply with(?: exactly)?: (.*\S)", re.IGNORECASE)
_CODE_WORD: Final = re.compile(r"code word(?: is|:) ([\w-]+)", re.IGNORECASE)
_ASK_CODE_WORD: Final = re.compile(r"What is the code word\?", re.IGNORECASE)
_FOLLOW: Final = re.compile(r"Follow your instructions", re.IGNORECASE)
_COUNT: Final = re.compile(r"Count from 1 to (\d{1,9})", re.IGNORECASE)
_USE_TOOL: Final = re.compile(r"Use the tool\b", re.IGNORECASE)
_CALL_EVERY_TOOL: Final = re.compile(r"Call every tool once", re.IGNORECASE)

_THOUGHT: Final = ("What", " is", " asked", " is", " plain.")

# A model has an end of its own; this one is far beyond what the plain prompts ask for.
_MAX_OUTPUT_TOKENS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Prompt:
    """All that the model knows for one response."""

    create: Create
    context: Context


@dataclass(frozen=True, slots=True)
class Message:
    """Text of the assistant, token by token."""

    tokens: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """A call that the client executes: JSON arguments, free text or a command, token by token."""

    name: str
    tokens: tuple[str, ...]
    kind: Kind = FUNCTION


Outputs: TypeAlias = tuple[Message | Call, ...]


@dataclass(frozen=True, slots=True)
class Thought:
    """What the model thinks before it speaks, token by token, and what the client sees of it."""

    tokens: tuple[str, ...]
    is_summed_up: bool = False
    is_sealed: bool = False


@dataclass(frozen=True, slots=True)
class Breakdown:
    """Why a model broke down while it spoke; ``is_announced`` by an ``error`` event of its own."""

    kind: str
    code: str
    message: str
    is_announced: bool = False


@dataclass(frozen=True, slots=True)
class Completion:
    """What the model says; ``is_cut_short`` where it ran out of tokens in its last output.

    With a ``breakdown`` the model does not get to the end of it. A ``thought`` comes before
    all outputs, and before that the ``compaction`` of what it was given, where that was folded.
    """

    outputs: Outputs
    is_cut_short: bool = False
    breakdown: Breakdown | None = None
    thought: Thought | None = None
    compaction: str | None = None


class Engine(Protocol):
    """A model: it turns a prompt into a completion."""

    def complete(self, prompt: Prompt) -> Completion:
        """The model's answer; raises Refused where it cannot take the prompt at all."""


def _as_asked(prompt: Prompt, outputs: Outputs) -> Outputs:
    return outputs


class ScriptedEngine:
    """Follows the plain prompts, and says "ok" to everything else.

    A mood takes what the prompt asks for and gives what the model says instead.
    """

    def __init__(self, mood: Callable[[Prompt, Outputs], Outputs] = _as_asked) -> None:
        self._mood = mood

    def complete(self, prompt: Prompt) -> Completion:
        """The outputs that the prompt asks for, as far as mood and token limit allow."""
        prompt = replace(prompt, context=unfolded(prompt.context))
        tools = _tools_to_call(prompt)
        outputs: Outputs = (
            tuple(_call(tool) for tool in tools) if tools else (Message(tokenize(_reply(prompt))),)
        )
        thought = _thought(prompt.create)
        limit = prompt.create.fields.get("max_output_tokens", _MAX_OUTPUT_TOKENS)
        left = min(limit, _MAX_OUTPUT_TOKENS) - (len(thought.tokens) if thought else 0)
        return replace(_cut(self._mood(prompt, outputs), left), thought=thought)


def tokenize(text: str) -> tuple[str, ...]:
    """The tokens of a text; joined, they are the text."""
    return tuple(_TOKEN.findall(text))


def count_tokens(prompt: Prompt) -> int:
    """How many words the model reads."""
    return len((prompt.create.instructions or "").split()) + prompt.context.words


def _thought(create: Create) -> Thought | None:
    if not create.asks_for_reasoning:
        return None
    return Thought(_THOUGHT, create.asks_for_summary, create.asks_for_sealed_reasoning)


def _tools_to_call(prompt: Prompt) -> list[dict[str, Any]]:
    tools = prompt.create.callable_tools
    # Once the outputs are there, a prompt that asked for calls has what it wanted.
    asked = "" if _ends_with_output(prompt) else _asked(prompt)
    wants_all = bool(_CALL_EVERY_TOOL.search(asked))
    wants_any = wants_all or bool(_USE_TOOL.search(asked))
    match prompt.create.tool_choice:
        case "none":
            return []
        case "auto" if not wants_any:
            return []
        case {"type": str(kind), **choice} if kind in KINDS:
            wanted = key({"type": kind, "name": choice.get("name")})
            return [tool for tool in tools if key(tool) == wanted][:1]
        case {"type": "allowed_tools", "tools": list(allowed), **choice}:
            keys = {key(tool) for tool in allowed}
            tools = [tool for tool in tools if key(tool) in keys]
            if choice.get("mode") != "required" and not wants_any:
                return []
        case {}:
            return []
    calls_one = not wants_all or prompt.create.fields.get("parallel_tool_calls") is False
    return tools[:1] if calls_one else tools


def _call(tool: dict[str, Any]) -> Call:
    if tool["type"] == SHELL.tool:
        return Call(SHELL.tool, tokenize("uname -s"), SHELL)
    if tool["type"] == PATCH.tool:
        return Call(PATCH.tool, tokenize("+A line for a file."), PATCH)
    if tool["type"] == CUSTOM.tool:
        return Call(tool["name"], tokenize("some plain text"), CUSTOM)
    value = sample(tool.get("parameters"))
    arguments = json.dumps(value if isinstance(value, dict) else {}, ensure_ascii=False)
    return Call(tool["name"], tuple(_ARGUMENT_TOKEN.findall(arguments)))


def _reply(prompt: Prompt) -> str:
    text_format = prompt.create.fields.get("text", {}).get("format", {})
    if text_format.get("type", "text") != "text":
        return json.dumps(sample(text_format.get("schema", {})), ensure_ascii=False)
    asked = _asked(prompt)
    outputs = _new_outputs(prompt)
    if not _ends_with_output(prompt):
        if _ASK_CODE_WORD.search(asked):
            return _known_code_word(prompt)
        if reply := _REPLY_WITH.search(asked):
            return reply[1]
        if count := _COUNT.search(asked):
            return _numbers(int(count[1]))
    return "The tool returned: " + ", ".join(outputs) if outputs else "ok"


def _numbers(last: int) -> str:
    return " ".join(str(n) for n in range(1, min(last, _MAX_OUTPUT_TOKENS + 1) + 1))


def _known_code_word(prompt: Prompt) -> str:
    texts = [prompt.create.instructions or "", *map(text_in, prompt.context)]
    words = [word for text in texts for word in _CODE_WORD.findall(text)]
    return words[-1] if words else "unknown"


def _asked(prompt: Prompt) -> str:
    """The text of the last user message, or of the instructions that it points to."""
    for item in reversed(prompt.context):
        if item["type"] == "message" and item["role"] == "user":
            text = text_of(item["content"])
            return prompt.create.instructions or "" if _FOLLOW.search(text) else text
    return ""


def _ends_with_output(prompt: Prompt) -> bool:
    """True where the model is to go on from the outputs of its calls."""
    return bool(prompt.context) and prompt.context[-1]["type"] in OUTPUTS


def _new_outputs(prompt: Prompt) -> list[str]:
    """The tool outputs since the model last said something."""
    found: list[str] = []
    for item in reversed(prompt.context):
        is_said = item["type"] == "message" and item["role"] == "assistant"
        if is_said or item["type"] in CALLS:
            break
        if item["type"] in OUTPUTS:
            found.insert(0, text_in(item))
    return found


def _cut(outputs: Outputs, limit: int) -> Completion:
    kept: list[Message | Call] = []
    for output in outputs:
        if len(output.tokens) > limit:
            cut = replace(output, tokens=output.tokens[:limit])
            return Completion((*kept, cut), is_cut_short=True)
        kept.append(output)
        limit -= len(output.tokens)
    return Completion(tuple(kept))
