"""A broken instance is explained in short sentences, each with a JSON Pointer to its place.

A branch of `anyOf` that wanted another JSON type altogether explains nothing, so it is left out:
what remains is the branch that the sender most likely meant.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any, Final

from jsonschema import ValidationError

from responses_ws_schemas.registry import is_valid, judge_for, validator_for

LONGEST_VALUE: Final = 120


def explain(name: str, instance: object) -> list[tuple[str, str]]:
    """All that is wrong with an instance, as (JSON Pointer, message), ordered by place."""
    if is_valid(name, instance):
        return []
    faults = {
        (_pointer(error.absolute_path), message)
        for root in validator_for(name).iter_errors(instance)
        for error in _leaves(root)
        for message in _messages(error)
    }
    return sorted(faults or _bare(name, instance))


def _bare(name: str, instance: object) -> Iterator[tuple[str, str]]:
    """What the fast validator says, where jsonschema has no objection."""
    for error in judge_for(name).iter_errors(instance):
        yield _pointer(error.instance_path), _cut(error.message)


def _leaves(error: ValidationError) -> Iterator[ValidationError]:
    """The errors that say what is wrong, in place of an `anyOf` that only says something is."""
    by_branch = groupby(error.context or (), key=lambda inner: inner.schema_path[0])
    branches = [list(inner) for _, inner in by_branch]
    meant = [branch for branch in branches if not any(map(_rejects_the_type, branch))]
    if not meant:
        yield error
        return
    for inner in min(meant, key=len):
        yield from _leaves(inner)


def _rejects_the_type(error: ValidationError) -> bool:
    return error.validator == "type" and not error.relative_path


def _messages(error: ValidationError) -> Iterable[str]:
    keyword = str(error.validator)
    value: Any = error.validator_value
    instance: Any = error.instance
    schema: Any = error.schema
    if keyword == "required":
        return [f"{member} is missing" for member in value if member not in instance]
    if keyword == "additionalProperties" and value is False:
        known = schema.get("properties", {})
        return [f"{_cut(member)} is not allowed here" for member in instance if member not in known]
    if keyword in ("anyOf", "oneOf") and error.context:
        rejections = filter(_rejects_the_type, error.context)
        keyword, value = "type", [wanted for inner in rejections for wanted in _listed(inner)]
    sentence = _SENTENCES.get(keyword)
    message = sentence(value, instance) if sentence else _cut(error.message)
    # An error about a member's name points to the object, so it has to say which member.
    about_a_name = "propertyNames" in list(error.schema_path)[-2:-1]
    return [f"member {_show(instance)}: {message}" if about_a_name else message]


def _listed(error: ValidationError) -> list[str]:
    wanted = error.validator_value
    return wanted if isinstance(wanted, list) else [str(wanted)]


def _wrong_type(wanted: Any, found: object) -> str:
    *first, last = dict.fromkeys([wanted] if isinstance(wanted, str) else wanted)
    expected = f"{', '.join(first)} or {last}" if first else last
    return f"expected {expected}, got {_describe(found)}"


_SENTENCES: Final[Mapping[str, Callable[[Any, Any], str]]] = {
    "not": lambda wanted, found: "is not allowed here",
    "type": _wrong_type,
    "const": lambda wanted, found: f"expected {_show(wanted)}, got {_describe(found)}",
    "enum": lambda wanted, found: (
        f"expected one of {', '.join(map(_show, wanted))}; got {_describe(found)}"
    ),
    "minLength": lambda wanted, found: f"expected at least {wanted} characters, got {len(found)}",
    "maxLength": lambda wanted, found: f"expected at most {wanted} characters, got {len(found)}",
    "minItems": lambda wanted, found: f"expected at least {wanted} elements, got {len(found)}",
    "maxItems": lambda wanted, found: f"expected at most {wanted} elements, got {len(found)}",
    "maxProperties": lambda wanted, found: f"expected at most {wanted} members, got {len(found)}",
    "minimum": lambda wanted, found: f"expected at least {wanted}, got {found}",
    "maximum": lambda wanted, found: f"expected at most {wanted}, got {found}",
    "pattern": lambda wanted, found: f"expected a match of {wanted}, got {_show(found)}",
}

_JSON_TYPES: Final = {dict: "an object", list: "an array", type(None): "null"}
_SCALARS: Final = {str: "string", bool: "boolean", int: "number", float: "number"}


def _describe(found: object) -> str:
    """Scalars are shown, containers are only named: they would fill the line."""
    if kind := _JSON_TYPES.get(type(found)):
        return kind
    return f"{_SCALARS.get(type(found), 'value')} {_show(found)}"


def _show(value: object) -> str:
    return _cut(json.dumps(value, ensure_ascii=False))


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 1] + "…"


def _pointer(path: Iterable[str | int]) -> str:
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in path)
