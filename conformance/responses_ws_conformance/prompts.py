"""The plain prompts that scenarios use; published as data in ``prompts.json``."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any, Final

# Something to say. A token, like a fragment, can end within a character that has several bytes.
SCRIPTS: Final = "red gr\u00fcn \u9752 \U0001f7e1 \U0001f469\u200d\U0001f680"


@cache
def _prompts() -> dict[str, str]:
    text = files("responses_ws_conformance").joinpath("prompts.json").read_text("utf-8")
    prompts: dict[str, str] = json.loads(text)["prompts"]
    return prompts


def say(text: str = "ready") -> str:
    """A prompt whose answer is the given text."""
    return _prompts()["say"].format(text=text)


def remember(word: str) -> str:
    """A prompt that plants a code word."""
    return _prompts()["remember"].format(word=word)


def recall() -> str:
    """A prompt that asks for the planted code word."""
    return _prompts()["recall"]


def told(word: str) -> str:
    """A tool output that holds a code word."""
    return _prompts()["told"].format(word=word)


def follow() -> str:
    """A prompt that leaves the asking to ``instructions``."""
    return _prompts()["follow"]


def notes(days: int) -> str:
    """A long text that asks for nothing; the prompt is a message behind it."""
    return " ".join(_prompts()["notes"].format(day=day) for day in range(1, days + 1))


def count(number: int) -> str:
    """A prompt whose answer is long."""
    return _prompts()["count"].format(number=number)


def call_every_tool() -> str:
    """A prompt that asks for parallel function calls."""
    return _prompts()["call_every_tool"]


def use_tool() -> str:
    """A prompt that goes with a forced function call."""
    return _prompts()["use_tool"]


def think() -> str:
    """A prompt that goes with a demand for reasoning, and that a model has to think about."""
    return _prompts()["think"]


def message(text: str, *, role: str = "user") -> dict[str, Any]:
    """A message input item with one text part."""
    kind = "output_text" if role == "assistant" else "input_text"
    return {"type": "message", "role": role, "content": [{"type": kind, "text": text}]}


def function_call(call: dict[str, Any]) -> dict[str, Any]:
    """A function call of an earlier response, sent again."""
    names = ("call_id", "name", "arguments")
    return {"type": "function_call", **{name: call[name] for name in names}}


def function_call_output(call: dict[str, Any], output: str) -> dict[str, Any]:
    """The answer to a function call."""
    return {"type": "function_call_output", "call_id": call.get("call_id"), "output": output}


def custom_tool_call(call: dict[str, Any]) -> dict[str, Any]:
    """A call of a custom tool of an earlier response, sent again."""
    names = ("call_id", "name", "input")
    return {"type": "custom_tool_call", **{name: call[name] for name in names}}


def custom_tool_call_output(call: dict[str, Any], output: str) -> dict[str, Any]:
    """The answer to a call of a custom tool."""
    return {"type": "custom_tool_call_output", "call_id": call.get("call_id"), "output": output}


def shell_call_output(call: dict[str, Any], stdout: str) -> dict[str, Any]:
    """The answer to a shell call, as if its commands had printed something."""
    printed = {"stdout": stdout, "stderr": "", "outcome": {"type": "exit", "exit_code": 0}}
    return {"type": "shell_call_output", "call_id": call.get("call_id"), "output": [printed]}


def apply_patch_call_output(call: dict[str, Any]) -> dict[str, Any]:
    """The answer to a call that changes a file, as if it had been changed."""
    return {
        "type": "apply_patch_call_output",
        "call_id": call.get("call_id"),
        "status": "completed",
    }


CLOCK: Final[dict[str, Any]] = {
    "type": "function",
    "name": "get_time",
    "description": "Tells the time in a city.",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    },
    "strict": True,
}
WEATHER: Final[dict[str, Any]] = {
    **CLOCK,
    "name": "get_weather",
    "description": "Tells the weather in a city.",
}


NOTEPAD: Final[dict[str, Any]] = {
    "type": "custom",
    "name": "take_note",
    "description": "Takes down a note in plain text.",
}
SHELL: Final[dict[str, Any]] = {"type": "shell", "environment": {"type": "local"}}
PATCH: Final[dict[str, Any]] = {"type": "apply_patch"}


def force(tool: dict[str, Any]) -> dict[str, Any]:
    """The ``tool_choice`` that forces a tool, by its name where it has one."""
    return {name: tool[name] for name in ("type", "name") if name in tool}


def allow(*tools: dict[str, Any]) -> dict[str, Any]:
    """The ``tool_choice`` that demands a call of one of some function tools."""
    return {"type": "allowed_tools", "mode": "required", "tools": [force(t) for t in tools]}
