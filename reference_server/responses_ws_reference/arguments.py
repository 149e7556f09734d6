"""Generates one plain value for a JSON Schema: the arguments of a function call.

The schema comes from a client and may be anything, so whatever is not understood is passed over
and nothing in it is trusted to end: nesting is bounded, and so are lengths.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

_MAX_DEPTH: Final = 12
_MAX_LENGTH: Final = 64


def sample(schema: Any, root: Any = None, depth: int = 0) -> Any:
    """One value that satisfies the plain keywords of a schema."""
    if not isinstance(schema, Mapping) or depth > _MAX_DEPTH:
        return None if depth else {}
    root = schema if root is None else root
    if "const" in schema:
        return schema["const"]
    for keyword in ("enum", "examples"):
        if isinstance(schema.get(keyword), list) and schema[keyword]:
            return schema[keyword][0]
    if "$ref" in schema:
        return sample(_target(root, schema["$ref"]), root, depth + 1)
    for keyword in ("anyOf", "oneOf", "allOf"):
        if isinstance(schema.get(keyword), list) and schema[keyword]:
            return sample(schema[keyword][0], root, depth + 1)
    return _typed(schema, root, depth)


def _typed(schema: Mapping[str, Any], root: Any, depth: int) -> Any:
    match _type_of(schema):
        case "object":
            return _object(schema, root, depth)
        case "array":
            count = min(_bound(schema, "minItems", 0), _MAX_LENGTH)
            return [sample(schema.get("items"), root, depth + 1) for _ in range(count)]
        case "integer":
            return _bound(schema, "minimum", 1)
        case "number":
            return _bound(schema, "minimum", 1.0)
        case "boolean":
            return True
        case "null":
            return None
        case _:
            return "text".ljust(min(_bound(schema, "minLength", 0), _MAX_LENGTH), "x")


def _object(schema: Mapping[str, Any], root: Any, depth: int) -> dict[str, Any]:
    """The required members; all members where none is required."""
    properties = schema.get("properties")
    if not isinstance(properties, Mapping):
        return {}
    required = schema.get("required")
    names = [name for name in required if isinstance(name, str)] if required else list(properties)
    return {name: sample(properties.get(name), root, depth + 1) for name in names[:_MAX_LENGTH]}


def _type_of(schema: Mapping[str, Any]) -> Any:
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next((name for name in kind if name != "null"), "null")
    return kind or ("object" if "properties" in schema else "string")


def _bound(schema: Mapping[str, Any], keyword: str, default: Any) -> Any:
    value = schema.get(keyword)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return value if is_number else default


def _target(root: Any, reference: Any) -> Any:
    """What a local JSON pointer points at."""
    if not isinstance(reference, str) or not reference.startswith("#"):
        return None
    found = root
    for name in reference[1:].split("/")[1:]:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found
