"""The plain prompts that scenarios use; published as data in ``prompts.json``."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any, Final


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


def count(number: int) -> str:
    """A prompt whose answer is long."""
    return _prompts()["count"].format(number=number)


def call_every_tool() -> str:
    """A prompt that asks for parallel function calls."""
    return _prompts()["call_every_tool"]


def use_tool() -> str:
    """A prompt that goes with a forced function call."""
    return _prompts()["use_tool"]


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


def force(tool: dict[str, Any]) -> dict[str, Any]:
    """The ``tool_choice`` that forces a function tool."""
    return {"type": "function", "name": tool["name"]}


def allow(*tools: dict[str, Any]) -> dict[str, Any]:
    """The ``tool_choice`` that demands a call of one of some function tools."""
    return {"type": "allowed_tools", "mode": "required", "tools": [force(t) for t in tools]}
