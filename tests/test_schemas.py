"""The schemas are well-formed, complete, and say what their examples show."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import responses_ws_schemas as schemas
from jsonschema import Draft202012Validator
from referencing import Registry

PACKAGE = Path(schemas.__file__).parent
EXAMPLES = PACKAGE / "examples"
OPEN_RESPONSES, OPENAI = "open-responses", "openai"
BOTH = {OPEN_RESPONSES, OPENAI}

# Who publishes which server event type: Open Responses 2026-04-24 and OpenAI as of November 2026.
PUBLISHED = {
    "response.created": BOTH,
    "response.queued": BOTH,
    "response.in_progress": BOTH,
    "response.completed": BOTH,
    "response.failed": BOTH,
    "response.incomplete": BOTH,
    "response.output_item.added": BOTH,
    "response.output_item.done": BOTH,
    "response.content_part.added": BOTH,
    "response.content_part.done": BOTH,
    "response.output_text.delta": BOTH,
    "response.output_text.done": BOTH,
    "response.output_text.annotation.added": BOTH,
    "response.refusal.delta": BOTH,
    "response.refusal.done": BOTH,
    "response.function_call_arguments.delta": BOTH,
    "response.function_call_arguments.done": BOTH,
    "response.reasoning_summary_part.added": BOTH,
    "response.reasoning_summary_part.done": BOTH,
    "response.reasoning_summary_text.delta": BOTH,
    "response.reasoning_summary_text.done": BOTH,
    "error": BOTH,
    "response.reasoning.delta": {OPEN_RESPONSES},
    "response.reasoning.done": {OPEN_RESPONSES},
    "response.reasoning_text.delta": {OPENAI},
    "response.reasoning_text.done": {OPENAI},
    "response.custom_tool_call_input.delta": {OPENAI},
    "response.custom_tool_call_input.done": {OPENAI},
    "response.file_search_call.in_progress": {OPENAI},
    "response.file_search_call.searching": {OPENAI},
    "response.file_search_call.completed": {OPENAI},
    "response.web_search_call.in_progress": {OPENAI},
    "response.web_search_call.searching": {OPENAI},
    "response.web_search_call.completed": {OPENAI},
    "response.code_interpreter_call.in_progress": {OPENAI},
    "response.code_interpreter_call.interpreting": {OPENAI},
    "response.code_interpreter_call.completed": {OPENAI},
    "response.code_interpreter_call_code.delta": {OPENAI},
    "response.code_interpreter_call_code.done": {OPENAI},
    "response.image_generation_call.in_progress": {OPENAI},
    "response.image_generation_call.generating": {OPENAI},
    "response.image_generation_call.completed": {OPENAI},
    "response.image_generation_call.partial_image": {OPENAI},
    "response.mcp_call.in_progress": {OPENAI},
    "response.mcp_call.completed": {OPENAI},
    "response.mcp_call.failed": {OPENAI},
    "response.mcp_call_arguments.delta": {OPENAI},
    "response.mcp_call_arguments.done": {OPENAI},
    "response.mcp_list_tools.in_progress": {OPENAI},
    "response.mcp_list_tools.completed": {OPENAI},
    "response.mcp_list_tools.failed": {OPENAI},
    "response.shell_call_command.added": {OPENAI},
    "response.shell_call_command.delta": {OPENAI},
    "response.shell_call_command.done": {OPENAI},
    "response.shell_call_output_content.delta": {OPENAI},
    "response.shell_call_output_content.done": {OPENAI},
    "response.compaction.compacting": {OPENAI},
    "response.audio.delta": {OPENAI},
    "response.audio.done": {OPENAI},
    "response.audio.transcript.delta": {OPENAI},
    "response.audio.transcript.done": {OPENAI},
    "response.steer.accepted": {OPENAI},
    "response.steer.pending": {OPENAI},
    "response.steer.failed": {OPENAI},
    "response.inject.created": {OPENAI},
    "response.inject.failed": {OPENAI},
}

# Seen on the wire, published by nobody.
PRIVATE = {
    "response.interrupt.accepted",
    "response.interrupt.failed",
    "response.output_item.interrupted",
}


def example_files(kind: str) -> list[Any]:
    """One parameter set, of schema name and file, for each valid or invalid example."""
    cases = []
    for path in sorted(EXAMPLES.rglob(f"{kind}/*.json")):
        name = path.parent.parent.relative_to(EXAMPLES).as_posix()
        cases.append(pytest.param(name, path, id=f"{name}/{path.stem}"))
    return cases


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def core_of(name: str) -> str | None:
    """The core schema under an overlay, or nothing for a core schema."""
    return name.split("/", 2)[2] if name.startswith("dialects/") else None


@cache
def every_schema() -> Registry[Any]:
    """A registry that holds the schemas and retrieves nothing else."""
    loaded = map(schemas.load, schemas.names())
    registry: Registry[Any] = Registry().with_contents((s["$id"], s) for s in loaded)
    return registry.crawl()


def references(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if isinstance(reference := schema.get("$ref"), str):
            yield reference
        schema = list(schema.values())
    if isinstance(schema, list):
        for inner in schema:
            yield from references(inner)


@pytest.mark.parametrize("name", schemas.names())
def test_schema_is_valid_2020_12(name: str) -> None:
    schema = schemas.load(name)
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"


@pytest.mark.parametrize("name", schemas.names())
def test_schema_is_known_by_its_name(name: str) -> None:
    schema = schemas.load(name)
    assert schema["$id"] == f"{schemas.BASE_URL}schemas/0/{name}.json"
    assert schema["title"]
    assert schema["description"].endswith(".")


@pytest.mark.parametrize("name", schemas.names())
def test_references_resolve_offline(name: str) -> None:
    schema = schemas.load(name)
    resolver = every_schema().resolver(base_uri=schema["$id"])
    for reference in references(schema):
        assert resolver.lookup(reference).contents


@pytest.mark.parametrize("name", schemas.names())
@pytest.mark.parametrize("kind", ["valid", "invalid"])
def test_schema_has_examples(name: str, kind: str) -> None:
    assert list((EXAMPLES / name / kind).glob("*.json"))


def test_examples_belong_to_schemas() -> None:
    known = set(schemas.names())
    assert {p.values[0] for kind in ("valid", "invalid") for p in example_files(kind)} <= known


@pytest.mark.parametrize(("name", "path"), example_files("valid"))
def test_valid_example_validates(name: str, path: Path) -> None:
    instance = read(path)
    assert schemas.explain(name, instance) == []
    if core := core_of(name):
        assert schemas.explain(core, instance) == []


@pytest.mark.parametrize(("name", "path"), example_files("invalid"))
def test_invalid_example_fails_where_it_says(name: str, path: Path) -> None:
    example = read(path)
    assert example["why"].endswith(".")
    faults = schemas.explain(name, example["instance"])
    assert {pointer for pointer, _ in faults} == {example["path"]}


@pytest.mark.parametrize(("name", "path"), example_files("invalid"))
def test_overlay_rejects_what_core_accepts(name: str, path: Path) -> None:
    if core := core_of(name):
        assert schemas.explain(core, read(path)["instance"]) == []


def test_one_file_for_each_server_event_type() -> None:
    files = {path.stem for path in (PACKAGE / "server_events").iterdir()}
    assert files == {*PUBLISHED, *PRIVATE}
    assert schemas.event_types() == set(PUBLISHED)


@pytest.mark.parametrize("event_type", [*PUBLISHED, *sorted(PRIVATE)])
def test_event_schema_names_its_type_and_owners(event_type: str) -> None:
    schema = schemas.load(f"server_events/{event_type}")
    assert schema["properties"]["type"] == {"const": event_type}
    assert set(schema["x-published-by"]) == PUBLISHED.get(event_type, set())


def test_overlays_lie_over_core_schemas() -> None:
    overlays = [name for name in schemas.names() if core_of(name)]
    assert overlays
    for overlay in overlays:
        _, dialect, core = overlay.split("/", 2)
        assert core in schemas.names()
        assert schemas.dialect_schema(dialect, core) == overlay


def test_no_overlay_is_none() -> None:
    assert schemas.dialect_schema(OPENAI, "objects/stream_id") is None


def test_unknown_schema_is_named_in_the_error() -> None:
    with pytest.raises(KeyError, match=r"server_events/response\.done"):
        schemas.load("server_events/response.done")


def test_loaded_schema_is_a_copy() -> None:
    schemas.load("server_events/error").clear()
    assert schemas.load("server_events/error")


def test_validator_is_made_once() -> None:
    name = "server_events/response.completed"
    assert schemas.validator_for(name) is schemas.validator_for(name)
