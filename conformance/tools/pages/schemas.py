"""A page for each schema with its examples, a list of them, and the schemas at their ``$id``."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from itertools import groupby
from typing import Any, Final

from responses_ws_conformance.profile import DIALECTS
from responses_ws_schemas import BASE_URL, dialect_schema, load, names

from pages.places import UNSEARCHED, link

INDEX: Final = "schemas/index.md"
GROUPS: Final = {
    "client_events": ("Client events", "What a client sends."),
    "server_events": ("Server events", "What a server sends, one schema for each event type."),
    "objects": ("Objects", "What events are made of."),
    "files": ("File formats", "The suite's own files, each with examples."),
    "dialects/open-responses": (
        "Dialect open-responses",
        "What only Open Responses demands, on top of the schema of the same name.",
    ),
    "dialects/openai": (
        "Dialect openai",
        "What only OpenAI's types demand, on top of the schema of the same name.",
    ),
}
INTRODUCTION: Final = """\
JSON Schemas (draft 2020-12) of every event and object, and of the suite's own files. A core schema
demands what both owners of the protocol demand; an overlay of a dialect adds what only one of them
does, so that a message of a dialect satisfies both. Each schema is served at its `$id`, and the
package `responses_ws_schemas` has them all, with a validator that needs no network.

[`asyncapi.yaml`](../asyncapi.yaml) describes the same messages as an AsyncAPI 3 document.
"""


def schema_page(name: str) -> str:
    """The source path of a schema's page."""
    return f"schemas/{name}.md"


def served_path(name: str) -> str:
    """The path on the site that the schema's ``$id`` names."""
    identifier: str = load(name)["$id"]
    return identifier.removeprefix(BASE_URL)


def served_schemas() -> dict[str, str]:
    """The text of each schema by the path of its ``$id``."""
    return {served_path(name): _raw(f"{name}.json") for name in names()}


def schema_pages() -> dict[str, str]:
    """The Markdown of every page by its path."""
    pages = {schema_page(name): "\n".join(_page(name)) for name in names()}
    return {INDEX: "\n".join(_index()), **pages}


def group_of(name: str) -> str:
    """The group that a schema is listed in."""
    return next(group for group in GROUPS if name.startswith(f"{group}/"))


def _index() -> Iterator[str]:
    yield from ("# Schemas", "", INTRODUCTION)
    place = list(GROUPS).index
    ordered = sorted(names(), key=lambda name: (place(group_of(name)), name))
    for group, members in groupby(ordered, key=group_of):
        title, about = GROUPS[group]
        yield from ("", f"## {title}", "", about, "", "| Schema | About |", "|---|---|")
        for name in members:
            short = name.removeprefix(f"{group}/")
            yield f"| {link(short, schema_page(name), page=INDEX)} | {_about(load(name))} |"


def _about(schema: Mapping[str, Any]) -> str:
    return str(schema.get("description", schema.get("title", ""))).replace("|", "\\|")


def _page(name: str) -> Iterator[str]:
    page, schema = schema_page(name), load(name)
    short = name.rpartition("/")[2]
    yield from ("---", f"title: {short}", "---", "")
    yield from (link("All schemas", INDEX, page=page), "{ .rws-neighbours }", "", f"# {short}", "")
    yield f"**{schema['title']}.** {schema.get('description', '')}"
    yield ""
    yield f"- **Group**: {GROUPS[group_of(name)][0]}"
    yield f"- **Address**: <{schema['$id']}>"
    if published := schema.get("x-published-by"):
        yield f"- **Published by**: {', '.join(published)}"
    elif "x-published-by" in schema:
        yield "- **Published by**: nobody; it was seen in use"
    yield from _relatives(name, page)
    rows = list(_members(schema, name, page))
    if rows:
        yield from ("", "## Members", "", "| Member | Type | | About |", "|---|---|---|---|", *rows)
    yield from ("", f"## Valid examples {UNSEARCHED}")
    for label, example in _examples(name, "valid"):
        yield from ("", f"**{label}**", "", *_fence(example))
    yield from ("", f"## Invalid examples {UNSEARCHED}")
    for label, example in _examples(name, "invalid"):
        place = f" (at `{example['path']}`)" if example["path"] else ""
        yield from ("", f"**{label}**: {example['why']}{place}", "", *_fence(example["instance"]))
    yield from ("", f"## The schema {UNSEARCHED}", "", "```json", _raw(f"{name}.json").rstrip())
    yield "```"


def _relatives(name: str, page: str) -> Iterator[str]:
    if name.startswith("dialects/"):
        core = name.split("/", 2)[2]
        if core in names():
            yield f"- **Laid over**: {link(core, schema_page(core), page=page)}"
        return
    for dialect in DIALECTS:
        overlay = dialect_schema(dialect, name)
        if overlay is not None:
            more = link(overlay, schema_page(overlay), page=page)
            yield f"- **More in dialect {dialect}**: {more}"


def _members(schema: Mapping[str, Any], name: str, page: str, prefix: str = "") -> Iterator[str]:
    """A row of the table for each member, those of members behind it."""
    required = schema.get("required", ())
    for member, value in schema.get("properties", {}).items():
        if not isinstance(value, dict):
            continue
        owed = "required" if member in required else ""
        kind = _kind(value, name, page)
        yield f"| `{prefix}{member}` | {kind} | {owed} | {_about(value)} |"
        yield from _members(value, name, page, f"{prefix}{member}.")
        items = value.get("items")
        if isinstance(items, dict):
            yield from _members(items, name, page, f"{prefix}{member}[].")


def _kind(value: Mapping[str, Any], name: str, page: str) -> str:
    """The type of a member in a few words; a reference is linked."""
    if "$ref" in value:
        return _reference(value["$ref"], name, page)
    if "const" in value:
        return f"`{json.dumps(value['const'])}`"
    if "enum" in value:
        return ", ".join(f"`{json.dumps(each)}`" for each in value["enum"])
    for key in ("anyOf", "oneOf"):
        if key in value:
            return " or ".join(_kind(each, name, page) for each in value[key])
    kind = value.get("type", "anything")
    text = kind if isinstance(kind, str) else " or ".join(kind)
    items = value.get("items")
    return f"{text} of {_kind(items, name, page)}" if isinstance(items, dict) else text


def _reference(reference: str, name: str, page: str) -> str:
    path, _, inside = reference.partition("#")
    if not path:
        return f"`{inside.rpartition('/')[2]}`"
    parts: list[str] = name.split("/")[:-1]
    for step in path.removesuffix(".json").split("/"):
        parts = parts[:-1] if step == ".." else [*parts, step]
    target = "/".join(parts)
    return link(parts[-1], schema_page(target), page=page)


def _examples(name: str, kind: str) -> list[tuple[str, Any]]:
    """The examples of a kind with their names in words."""
    folder = files("responses_ws_schemas").joinpath("examples", *name.split("/"), kind)
    return sorted(
        (entry.name.removesuffix(".json").replace("-", " "), json.loads(entry.read_text("utf-8")))
        for entry in folder.iterdir()
    )


def first_example(name: str) -> Any:
    """A valid instance: the typical one, where an example is named so."""
    examples = dict(_examples(name, "valid"))
    return examples.get("typical", next(iter(examples.values())))


def _fence(value: Any) -> Sequence[str]:
    return ("```json", json.dumps(value, indent=2, ensure_ascii=False), "```")


@cache
def _raw(path: str) -> str:
    return files("responses_ws_schemas").joinpath(*path.split("/")).read_text("utf-8")
