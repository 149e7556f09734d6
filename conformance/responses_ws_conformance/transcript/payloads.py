"""Payloads: the JSON in a text, however somebody has written it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any, Final

MAX_DEPTH: Final = 256
# A few bytes of JSON can be a value of many: beyond this nothing is taken apart.
MAX_VALUES: Final = 200_000
SMALL: Final = 2 * MAX_VALUES
# A text that has no end goes on to the end of it all, lest the search begin anew at each quote.
STRING: Final = re.compile(r'"(?:[^"\\]++|\\.)*+(?:"|$)', re.DOTALL)


class NotJson:
    """The payload of a message that no JSON parser accepts."""

    def __repr__(self) -> str:
        return "NOT_JSON"


NOT_JSON: Final = NotJson()


def parse(text: str | None) -> Any:
    """The JSON value of a text message, or NOT_JSON.

    That is also what nests beyond MAX_DEPTH or holds more than MAX_VALUES.
    """
    if text is None or (len(text) > SMALL and _holds_too_many(text)):
        return NOT_JSON
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return NOT_JSON
    may_be_deep = text.count("[") + text.count("{") > MAX_DEPTH
    return NOT_JSON if may_be_deep and _is_deep(value) else value


def integer(value: Any) -> int | None:
    """A JSON number without a fraction, None for everything else; true and false are none."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _holds_too_many(text: str) -> bool:
    """True where a JSON text holds more values than MAX_VALUES, told without taking it apart."""
    rest = STRING.sub("", text)
    return sum(map(rest.count, ",[{")) > MAX_VALUES


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
