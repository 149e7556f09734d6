"""Gists: what a message is about, which in the message stands behind ids and numbers.

Nothing that was sent has to have a form: whatever has another one has no gist.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from responses_ws_conformance.reading.exchanges import TERMINAL_EVENTS

# Members that say it by themselves.
TELLING: Final = ("delta", "text", "arguments", "refusal", "input")
ERROR_MEMBERS: Final = ("code", "param", "message")
CALLS: Final = ("function_call", "custom_tool_call")


def gist(payload: Mapping[str, Any]) -> str:
    """What a message is about in a few words, empty where nobody knows."""
    kind = payload.get("type")
    if kind == "error":
        return _error(payload)
    if isinstance(kind, str) and kind in TERMINAL_EVENTS:
        return _response(payload.get("response"))
    if isinstance(payload.get("input"), list):
        return _input(payload["input"])
    texts = (payload.get(name) for name in TELLING)
    return next((shown(text) for text in texts if isinstance(text, str)), "")


def shown(value: Any) -> str:
    """A value as JSON."""
    return json.dumps(value, ensure_ascii=False)


def _error(payload: Mapping[str, Any]) -> str:
    """The members of an error, which stand in an object of their own or in the event."""
    inner = payload.get("error")
    error = inner if isinstance(inner, dict) else payload
    return ", ".join(f"{name}: {shown(error[name])}" for name in ERROR_MEMBERS if name in error)


def _input(items: list[Any]) -> str:
    """How many items there are, and the text of the last message or the kind of the last item."""
    count = f"{len(items)} items, the last: " if len(items) > 1 else ""
    return count + _item(items[-1] if items and isinstance(items[-1], dict) else {})


def _item(last: Mapping[str, Any]) -> str:
    text = "".join(_texts(last.get("content")))
    if text:
        return shown(text)
    kind, output = last.get("type"), last.get("output")
    words = [kind] if isinstance(kind, str) else []
    words += [shown(output)] if isinstance(output, str) else []
    call = last.get("call_id")
    return " ".join([*words, f"for {call}"] if isinstance(call, str) else words)


def _response(response: Any) -> str:
    """What the model said and what it called; for one that was cut short, why."""
    if not isinstance(response, dict):
        return ""
    output = response.get("output")
    items = [i for i in (output if isinstance(output, list) else ()) if isinstance(i, dict)]
    texts = "".join(text for item in items for text in _texts(item.get("content")))
    names = [item.get("name") for item in items if item.get("type") in CALLS]
    calls = [f"calls {name if isinstance(name, str) else shown(name)}" for name in names]
    details = response.get("incomplete_details")
    reason = details.get("reason") if isinstance(details, dict) else None
    why = [reason] if isinstance(reason, str) else []
    error = response.get("error")
    why += [_error(error)] if isinstance(error, dict) else []
    return ", ".join(filter(None, [*why, shown(texts) if texts else "", *calls]))


def _texts(content: Any) -> Iterator[str]:
    """The texts of a message's content, which is one or has parts."""
    if isinstance(content, str):
        yield content
    for part in content if isinstance(content, list) else ():
        if isinstance(part, dict) and isinstance(part.get("text"), str):
            yield part["text"]
