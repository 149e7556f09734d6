"""Small rules for one field of a client event, and how to combine them.

A rule takes a value and the path of its field, and raises `Refused` when the value breaks it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, Final, TypeAlias

from responses_ws_reference.messages.refusals import Refused, quoted, refuse

Rule: TypeAlias = Callable[[Any, str], None]

_JSON_TYPES: Final[Mapping[type, str]] = {
    dict: "an object",
    list: "an array",
    str: "a string",
    bool: "a boolean",
    int: "an integer",
    float: "a number",
    type(None): "null",
}


def anything(value: Any, path: str) -> None:
    """Any JSON value."""


def boolean(value: Any, path: str) -> None:
    """True or false."""
    if not isinstance(value, bool):
        raise wrong_type(value, path, "a boolean")


def text(*, at_most: int | None = None) -> Rule:
    """A string, perhaps of bounded length."""

    def rule(value: Any, path: str) -> None:
        if not isinstance(value, str):
            raise wrong_type(value, path, "a string")
        if at_most is not None and len(value) > at_most:
            raise refuse(
                "string_above_max_length",
                f"Invalid '{path}': at most {at_most} characters are allowed.",
                path,
            )

    return rule


def one_of(*values: str) -> Rule:
    """One of a few strings."""

    def rule(value: Any, path: str) -> None:
        if not isinstance(value, str):
            raise wrong_type(value, path, "a string")
        if value not in values:
            known = ", ".join(repr(name) for name in values)
            raise refuse(
                "invalid_value", f"Invalid '{path}': {quoted(value)} is none of {known}.", path
            )

    return rule


def integer(*, at_least: int | None = None, at_most: int | None = None) -> Rule:
    """An integer within bounds; a boolean is none."""

    def rule(value: Any, path: str) -> None:
        if isinstance(value, bool) or not isinstance(value, int):
            raise wrong_type(value, path, "an integer")
        _within(value, path, at_least, at_most, "integer")

    return rule


def number(at_least: float, at_most: float) -> Rule:
    """A number within bounds; a boolean is none."""

    def rule(value: Any, path: str) -> None:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise wrong_type(value, path, "a number")
        _within(value, path, at_least, at_most, "decimal")

    return rule


def array(of: Rule = anything, *, at_most: int | None = None) -> Rule:
    """An array whose members follow one rule."""

    def rule(value: Any, path: str) -> None:
        if not isinstance(value, list):
            raise wrong_type(value, path, "an array")
        if at_most is not None and len(value) > at_most:
            raise refuse(
                "array_above_max_length",
                f"Invalid '{path}': at most {at_most} members are allowed.",
                path,
            )
        for index, member in enumerate(value):
            of(member, f"{path}[{index}]")

    return rule


def mapping(value: Any, path: str) -> None:
    """Any object."""
    if not isinstance(value, dict):
        raise wrong_type(value, path, "an object")


def members(required: Collection[str] = (), /, **rules: Rule) -> Rule:
    """An object whose named members follow their rules; others are left alone."""

    def rule(value: Any, path: str) -> None:
        mapping(value, path)
        for name in required:
            if name not in value:
                raise missing(f"{path}.{name}")
        for name, follow in rules.items():
            if name in value:
                follow(value[name], f"{path}.{name}")

    return rule


def nullable(rule: Rule) -> Rule:
    """Null, or what the rule allows."""

    def relaxed(value: Any, path: str) -> None:
        if value is not None:
            rule(value, path)

    return relaxed


def wrong_type(value: Any, path: str, expected: str) -> Refused:
    """The refusal of a value whose JSON type is another one."""
    seen = _JSON_TYPES[type(value)]
    return refuse("invalid_type", f"Invalid type for '{path}': {expected}, not {seen}.", path)


def missing(path: str) -> Refused:
    """The refusal of an object that lacks a member."""
    return refuse("missing_required_parameter", f"Missing required parameter: '{path}'.", path)


def _within(
    value: float, path: str, at_least: float | None, at_most: float | None, kind: str
) -> None:
    if at_least is not None and value < at_least:
        raise refuse(
            f"{kind}_below_min_value", f"Invalid '{path}': the least value is {at_least}.", path
        )
    if at_most is not None and value > at_most:
        raise refuse(
            f"{kind}_above_max_value", f"Invalid '{path}': the greatest value is {at_most}.", path
        )
