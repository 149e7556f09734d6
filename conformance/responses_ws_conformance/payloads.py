"""Payloads: the JSON in a text, however somebody has written it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final

MAX_DEPTH: Final = 256


class NotJson:
    """The payload of a message that no JSON parser accepts."""

    def __repr__(self) -> str:
        return "NOT_JSON"


NOT_JSON: Final = NotJson()


def parse(text: str | None) -> Any:
    """The JSON value of a text message, or NOT_JSON, which is what nests beyond MAX_DEPTH too."""
    if text is None:
        return NOT_JSON
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return NOT_JSON
    may_be_deep = text.count("[") + text.count("{") > MAX_DEPTH
    return NOT_JSON if may_be_deep and _is_deep(value) else value


def _is_deep(value: Any) -> bool:
    """True where a JSON value nests deeper than the code that reads it can follow."""
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [inner for outer in level for inner in _inside(outer)]
    return bool(level)


def _inside(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()
