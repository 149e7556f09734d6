"""The response object: all members that Open Responses demands and OpenAI's types know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from responses_ws_reference.messages.creates import Create

# What a response shows of its create where the create left a member out.
_DEFAULTS: Final[Mapping[str, Any]] = {
    "previous_response_id": None,
    "instructions": None,
    "tool_choice": "auto",
    "parallel_tool_calls": True,
    "store": True,
    "truncation": "disabled",
    "top_p": 1.0,
    "temperature": 1.0,
    "presence_penalty": 0.0,
    "frequency_penalty": 0.0,
    "top_logprobs": 0,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "metadata": {},
    "safety_identifier": None,
    "prompt_cache_key": None,
}


def response_object(create: Create, *, response_id: str, model: str, now: float) -> dict[str, Any]:
    """The response as it stands when it is created."""
    fields = create.fields
    return {
        "id": response_id,
        "object": "response",
        "created_at": int(now),
        "completed_at": None,
        "status": "in_progress",
        "background": False,
        "error": None,
        "incomplete_details": None,
        "model": model,
        **{name: fields.get(name, default) for name, default in _DEFAULTS.items()},
        "tools": [_tool(tool) for tool in create.tools],
        "text": {"format": {"type": "text"}, **fields.get("text", {})},
        "reasoning": _reasoning(fields.get("reasoning")),
        "service_tier": "default",
        "output": [],
        "usage": None,
    }


def usage(*, read: int, cached: int, written: int) -> dict[str, Any]:
    """The token counts of a finished response."""
    return {
        "input_tokens": read,
        "input_tokens_details": {"cached_tokens": cached, "cache_write_tokens": 0},
        "output_tokens": written,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": read + written,
    }


def _tool(tool: Mapping[str, Any]) -> dict[str, Any]:
    """A tool as declared, a function with all of its members."""
    if tool["type"] != "function":
        return dict(tool)
    return {"description": None, "parameters": None, "strict": True, **tool}


def _reasoning(given: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if given is None else {"effort": None, "summary": None, **given}
