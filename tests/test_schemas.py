"""The schemas are well-formed, complete, and say what their examples show."""

import json
from collections.abc import Iterator
from functools import cache
from itertools import cycle
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

RESPONSE = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1780000000,
    "model": "m",
    "output": [],
    "parallel_tool_calls": True,
    "tool_choice": "auto",
    "tools": [],
}
REFUSAL_MEMBERS = [
    ("", f"{member} is missing")
    for member in (
        "content_index",
        "item_id",
        "output_index",
        "refusal",
        "sequence_number",
        "type",
    )
]
WRONG_USAGE = "expected object or null, got number 5"


def example_files(kind: str, within: str = ".") -> list[Any]:
    """One parameter set, of schema name and file, for each valid or invalid example."""
    cases = []
    for path in sorted((EXAMPLES / within).rglob(f"{kind}/*.json")):
        name = path.parent.parent.relative_to(EXAMPLES).as_posix()
        cases.append(pytest.param(name, path, id=f"{name}/{path.stem}"))
    return cases


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def core_of(overlay: str) -> str:
    """The name of the core schema under an overlay."""
    _dialects, _dialect, core = overlay.split("/", 2)
    return core


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


ODD_VALUES = cycle((None, "", 0, [], True, -1, {}, 1.5, "x y", 10**30, [None], {"type": "odd"}))


def spoilt(instance: Any) -> Iterator[Any]:
    """An instance with one value changed, or one member left out, for each place in it."""
    if not isinstance(instance, dict | list):
        return
    places = instance.items() if isinstance(instance, dict) else enumerate(instance)
    for place, value in [*places]:
        copy = instance.copy()
        del copy[place]
        yield copy
        for odd in (next(ODD_VALUES), *spoilt(value)):
            copy = instance.copy()
            copy[place] = odd
            yield copy


def test_examples_belong_to_schemas() -> None:
    known = set(schemas.names())
    assert {p.values[0] for kind in ("valid", "invalid") for p in example_files(kind)} <= known


@pytest.mark.parametrize(("name", "path"), example_files("valid"))
def test_valid_example_validates(name: str, path: Path) -> None:
    assert schemas.explain(name, read(path)) == []


@pytest.mark.parametrize(("name", "path"), example_files("invalid"))
def test_invalid_example_fails_where_it_says(name: str, path: Path) -> None:
    example = read(path)
    assert example["why"].endswith(".")
    faults = schemas.explain(name, example["instance"])
    assert {pointer for pointer, _ in faults} == {example["path"]}


@pytest.mark.parametrize(("name", "path"), [*example_files("valid"), *example_files("invalid")])
def test_fast_validator_agrees_with_the_one_that_explains(name: str, path: Path) -> None:
    example = read(path)
    original = example["instance"] if path.parent.name == "invalid" else example
    for instance in (original, *spoilt(original)):
        assert schemas.is_valid(name, instance) == schemas.validator_for(name).is_valid(instance)


@pytest.mark.parametrize(("name", "path"), example_files("valid", within="dialects"))
def test_instance_of_a_dialect_satisfies_core(name: str, path: Path) -> None:
    assert schemas.explain(core_of(name), read(path)) == []


@pytest.mark.parametrize(("name", "path"), example_files("invalid", within="dialects"))
def test_overlay_demands_more_than_core(name: str, path: Path) -> None:
    assert schemas.explain(core_of(name), read(path)["instance"]) == []


def test_one_file_for_each_server_event_type() -> None:
    files = {path.stem for path in (PACKAGE / "server_events").iterdir()}
    assert files == {*PUBLISHED, *PRIVATE}
    assert schemas.event_types() == set(PUBLISHED)


@pytest.mark.parametrize("event_type", [*PUBLISHED, *sorted(PRIVATE)])
def test_event_schema_names_its_type_and_owners(event_type: str) -> None:
    schema = schemas.load(f"server_events/{event_type}")
    assert schema["properties"]["type"] == {"const": event_type}
    assert set(schema["x-published-by"]) == PUBLISHED.get(event_type, set())


def test_layers_have_events_that_open_responses_does_not_define() -> None:
    features = schemas.load("files/profile")["properties"]["features"]["items"]["enum"]
    layers = {each: events for each in features if (events := schemas.layer_events(each))}
    assert layers.keys() == {"compaction", "custom-tools", "inject", "interrupt", "steering"}
    for kind in frozenset().union(*layers.values()):
        assert OPEN_RESPONSES not in PUBLISHED.get(kind, set())


def test_overlays_lie_over_core_schemas() -> None:
    overlays = [name for name in schemas.names() if name.startswith("dialects/")]
    assert {overlay.split("/")[1] for overlay in overlays} == BOTH
    for overlay in overlays:
        assert core_of(overlay) in schemas.names()
        assert schemas.dialect_schema(overlay.split("/")[1], core_of(overlay)) == overlay


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


@pytest.mark.parametrize(
    ("name", "instance", "faults"),
    [
        ("server_events/response.audio.done", [], [("", "expected object, got an array")]),
        (
            "server_events/response.audio.done",
            {"type": "response.audio.done"},
            [("", "sequence_number is missing")],
        ),
        (
            "server_events/response.audio.done",
            {"type": "audio.done", "sequence_number": "4"},
            [
                ("/sequence_number", 'expected integer, got string "4"'),
                ("/type", 'expected "response.audio.done", got string "audio.done"'),
            ],
        ),
        ("server_events/response.refusal.done", {}, REFUSAL_MEMBERS),
        ("objects/output_item", {"id": "msg_1"}, [("", "type is missing")]),
        (
            "objects/response",
            {**RESPONSE, "output": [{"type": "compaction", "id": 7}]},
            [
                ("/output/0", "encrypted_content is missing"),
                ("/output/0/id", "expected string, got number 7"),
            ],
        ),
        ("objects/response", {**RESPONSE, "usage": 5}, [("/usage", WRONG_USAGE)]),
        (
            "objects/tool_choice",
            "any",
            [("", 'expected one of "none", "auto", "required"; got string "any"')],
        ),
        ("objects/tool_choice", None, [("", "expected string or object, got null")]),
        ("objects/metadata", {"a/b~c": True}, [("/a~1b~0c", "expected string, got boolean true")]),
        (
            "objects/metadata",
            {"k" * 65: ""},
            [("", f'member "{"k" * 65}": expected at most 64 characters, got 65')],
        ),
        (
            "client_events/response.create",
            {"type": "response.create", "input": 5},
            [("/input", "expected string, array or null, got number 5")],
        ),
        (
            "client_events/response.steer",
            {"type": "response.steer", "previous_response_id": "r", "input": "x", "stream_id": "a"},
            [("", "stream_id is not allowed here")],
        ),
        (
            "dialects/open-responses/client_events/response.create",
            {"type": "response.create", "stream": True},
            [("/stream", "is not allowed here")],
        ),
    ],
)
def test_explanation_is_readable(
    name: str, instance: object, faults: list[tuple[str, str]]
) -> None:
    assert schemas.explain(name, instance) == faults


def test_long_values_are_cut_in_explanations() -> None:
    [(_, message)] = schemas.explain("objects/stream_id", "long " * 40)
    assert message.startswith("expected a match of ^[A-Za-z0-9_.-]+$, got ")
    assert message.endswith("lon…")
