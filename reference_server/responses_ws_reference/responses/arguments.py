"""Generates one plain value for a JSON Schema: the arguments of a function call.

The schema comes from a client and may be anything, so what is not understood is passed over, and
nothing in it is trusted to end: depth, width and the number of values are bounded.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

_MAX_DEPTH: Final = 12
_MAX_WIDTH: Final = 64
_MAX_VALUES: Final = 1_000


def sample(schema: Any) -> Any:
    """One value that satisfies the plain keywords of a schema."""
    return _Sampler(schema).value(schema, 0)


class _Sampler:
    """Walks one schema, with a limit on how much it makes of it."""

    def __init__(self, root: Any) -> None:
        self._root = root
        self._left = _MAX_VALUES

    def value(self, schema: Any, depth: int) -> Any:
        self._left -= 1
        if not isinstance(schema, Mapping) or depth > _MAX_DEPTH or self._left < 0:
            return None
        if "const" in schema:
            return schema["const"]
        for keyword in ("enum", "examples"):
            if choices := _list(schema, keyword):
                return choices[0]
        if "$ref" in schema:
            return self.value(self._target(schema["$ref"]), depth + 1)
        for keyword in ("anyOf", "oneOf", "allOf"):
            if choices := _list(schema, keyword):
                return self.value(choices[0], depth + 1)
        return self._typed(schema, depth)

    def _typed(self, schema: Mapping[str, Any], depth: int) -> Any:
        match _type_of(schema):
            case "object":
                return self._object(schema, depth)
            case "array":
                items = schema.get("items")
                return [self.value(items, depth + 1) for _ in range(_count(schema, "minItems"))]
            case "integer":
                return math.ceil(_minimum(schema))
            case "number":
                return _minimum(schema)
            case "boolean":
                return True
            case "null":
                return None
            case _:
                return "text".ljust(_count(schema, "minLength"), "x")

    def _object(self, schema: Mapping[str, Any], depth: int) -> dict[str, Any]:
        """The required members; all members where none is required."""
        properties = schema.get("properties")
        if not isinstance(properties, Mapping):
            return {}
        names = [name for name in _list(schema, "required") if isinstance(name, str)]
        names = names or list(properties)
        return {name: self.value(properties.get(name), depth + 1) for name in names[:_MAX_WIDTH]}

    def _target(self, reference: Any) -> Any:
        """What a local JSON pointer points at."""
        if not isinstance(reference, str) or not reference.startswith("#"):
            return None
        found = self._root
        for name in reference[1:].split("/")[1:]:
            found = found.get(name) if isinstance(found, Mapping) else None
        return found


def _type_of(schema: Mapping[str, Any]) -> Any:
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next((name for name in kind if name != "null"), "null")
    return kind or ("object" if "properties" in schema else "string")


def _list(schema: Mapping[str, Any], keyword: str) -> list[Any]:
    value = schema.get(keyword)
    return value if isinstance(value, list) else []


def _count(schema: Mapping[str, Any], keyword: str) -> int:
    value = schema.get(keyword)
    return min(max(value, 0), _MAX_WIDTH) if isinstance(value, int) else 0


def _minimum(schema: Mapping[str, Any]) -> int | float:
    value = schema.get("minimum")
    return value if isinstance(value, int | float) and not isinstance(value, bool) else 1
