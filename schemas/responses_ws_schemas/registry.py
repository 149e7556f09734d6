"""Every schema is found by name, and every reference resolves without a network.

Whether an instance is valid is decided by jsonschema-rs, which is fast; jsonschema explains why one
is not.
"""

import copy
import json
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, Final

import jsonschema_rs
from jsonschema import Draft202012Validator
from referencing import Registry

BASE_URL: Final = "https://responses-ws-conformance.github.io/rws/"

Schema = dict[str, Any]

_LIFECYCLE: Final = "lifecycle.json"
_NOT_SCHEMAS: Final = frozenset({"examples", "__pycache__", _LIFECYCLE})


def names() -> tuple[str, ...]:
    """The names of all schemas, in alphabetical order."""
    return tuple(sorted(_schemas()))


def load(name: str) -> Schema:
    """The schema itself, as a copy the caller may change."""
    return copy.deepcopy(_schema(name))


@cache
def validator_for(name: str) -> Draft202012Validator:
    """The one validator of that schema; it never retrieves anything."""
    return Draft202012Validator(_schema(name), registry=_registry())


def is_valid(name: str, instance: object) -> bool:
    """True where an instance follows that schema."""
    return judge_for(name).is_valid(instance)


@cache
def judge_for(name: str) -> jsonschema_rs.Draft202012Validator:
    """The fast validator of that schema; it never retrieves anything."""
    return jsonschema_rs.Draft202012Validator(_schema(name), registry=_fast_registry())


@cache
def event_types() -> frozenset[str]:
    """The server event types that Open Responses or OpenAI publishes."""
    folder = "server_events/"
    return frozenset(
        name.removeprefix(folder)
        for name, schema in _schemas().items()
        if name.startswith(folder) and schema["x-published-by"]
    )


@cache
def layer_events(layer: str) -> frozenset[str]:
    """The server event types that belong to an optional layer, the private ones among them."""
    folder = "server_events/"
    return frozenset(
        name.removeprefix(folder)
        for name, schema in _schemas().items()
        if name.startswith(folder) and schema.get("x-layer") == layer
    )


def dialect_schema(dialect: str, name: str) -> str | None:
    """The name of the overlay that a dialect lays over a core schema, if it has one."""
    overlay = f"dialects/{dialect}/{name}"
    return overlay if overlay in _schemas() else None


def lifecycle() -> dict[str, Any]:
    """The state tables of response, output item and content part, as a copy.

    They are data of the schema ``files/lifecycle``.
    """
    text = files(__package__).joinpath(_LIFECYCLE).read_text(encoding="utf-8")
    tables: dict[str, Any] = json.loads(text)
    return tables


def _schema(name: str) -> Schema:
    try:
        return _schemas()[name]
    except KeyError:
        raise KeyError(f"no schema is named {name!r}") from None


@cache
def _schemas() -> Mapping[str, Schema]:
    return dict(_read(files(__package__)))


def _read(folder: Traversable, prefix: str = "") -> Iterator[tuple[str, Schema]]:
    for entry in folder.iterdir():
        path = prefix + entry.name
        if path in _NOT_SCHEMAS:
            continue
        if entry.is_dir():
            yield from _read(entry, f"{path}/")
        elif path.endswith(".json"):
            yield path.removesuffix(".json"), json.loads(entry.read_text(encoding="utf-8"))


@cache
def _registry() -> Registry[Any]:
    contents = ((schema["$id"], schema) for schema in _schemas().values())
    registry: Registry[Any] = Registry().with_contents(contents)
    return registry.crawl()


@cache
def _fast_registry() -> jsonschema_rs.Registry:
    return jsonschema_rs.Registry([(schema["$id"], schema) for schema in _schemas().values()])
