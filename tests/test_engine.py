"""The engine follows the plain prompts from its context, and nothing else."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
from responses_ws_reference.messages.context import Context
from responses_ws_reference.messages.creates import read_create
from responses_ws_reference.messages.refusals import Refused
from responses_ws_reference.responses.arguments import sample
from responses_ws_reference.responses.engine import (
    Call,
    Completion,
    Message,
    Prompt,
    ScriptedEngine,
)


def user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


def call(call_id: str = "c1") -> dict[str, Any]:
    return {"type": "function_call", "call_id": call_id, "name": "clock", "arguments": "{}"}


def noted(output: str, call_id: str = "c1") -> list[dict[str, Any]]:
    called = {"type": "custom_tool_call", "call_id": call_id, "name": "note", "input": "milk"}
    answer = {"type": "custom_tool_call_output", "call_id": call_id, "output": output}
    return [called, answer]


def printed(stdout: str) -> list[dict[str, Any]]:
    called = {"type": "shell_call", "call_id": "c1", "action": {"commands": ["uname"]}}
    entry = {"stdout": stdout, "stderr": "", "outcome": {"type": "exit", "exit_code": 0}}
    return [called, {"type": "shell_call_output", "call_id": "c1", "output": [entry]}]


def output(text: str, call_id: str = "c1") -> dict[str, Any]:
    return {"type": "function_call_output", "call_id": call_id, "output": text}


def assistant(text: str) -> dict[str, Any]:
    return {"role": "assistant", "content": [{"type": "output_text", "text": text}]}


def complete(items: Any, **fields: Any) -> Completion:
    create = read_create({"type": "response.create", "input": items, **fields})
    return ScriptedEngine().complete(Prompt(create, Context(create.items)))


ASK = "What is the code word? Reply with the code word only."
REPLIES: dict[str, tuple[Any, dict[str, Any], str]] = {
    "exact words": ("Reply with exactly: red green", {}, "red green"),
    "a planted word is acknowledged": (
        "Remember: the code word is owl-3. Reply with: ok",
        {},
        "ok",
    ),
    "no word was planted": (ASK, {}, "unknown"),
    "the word is in an earlier message": ([user("the code word is elk."), user(ASK)], {}, "elk"),
    "the latest word counts": (
        [user("the code word is elk."), user("The code word is owl."), user(ASK)],
        {},
        "owl",
    ),
    "the word is in the instructions": (ASK, {"instructions": "The code word is fox."}, "fox"),
    "a message is newer than instructions": (
        [user("the code word is elk"), user(ASK)],
        {"instructions": "The code word is fox."},
        "elk",
    ),
    "the word is in a tool output": (
        [user("hi"), call(), output("the code word is yak"), user(ASK)],
        {},
        "yak",
    ),
    "the word was said by the assistant": (
        [assistant("the code word is ant"), user(ASK)],
        {},
        "ant",
    ),
    "the word is given in short": ([user("code word: emu"), user(ASK)], {}, "emu"),
    "the instructions are followed": (
        "Follow your instructions.",
        {"instructions": "Reply with exactly: aye aye"},
        "aye aye",
    ),
    "there are no instructions to follow": ("Follow your instructions.", {}, "ok"),
    "counting": ("Count from 1 to 4.", {}, "1 2 3 4"),
    "a tool answered": (
        [user("What time is it?"), call(), output("12:00")],
        {},
        "The tool returned: 12:00",
    ),
    "a tool answered where something else was asked before": (
        [user("Reply with exactly: red"), call(), output("12:00")],
        {},
        "The tool returned: 12:00",
    ),
    "two tools answered": (
        [user("hi"), call("a"), call("b"), output("1", "a"), output("2", "b")],
        {},
        "The tool returned: 1, 2",
    ),
    "a tool answered in parts": (
        [user("hi"), call(), {**output(""), "output": [{"type": "input_text", "text": "7"}]}],
        {},
        "The tool returned: 7",
    ),
    "a custom tool answered": ([user("hi"), *noted("saved")], {}, "The tool returned: saved"),
    "a shell answered": ([user("hi"), *printed("Linux")], {}, "The tool returned: Linux"),
    "a function and a custom tool answered": (
        [user("hi"), noted("b")[0], call("a"), output("1", "a"), noted("b")[1]],
        {},
        "The tool returned: 1, b",
    ),
    "the word is in the output of a custom tool": (
        [user("hi"), *noted("the code word is gnu"), user(ASK)],
        {},
        "gnu",
    ),
    "a message beside the output asks for something": (
        [user("hi"), call(), output("12:00"), user("Reply with exactly: done")],
        {},
        "done",
    ),
    "an older output is old news": (
        [user("hi"), call(), output("12:00"), assistant("noon"), user("thanks")],
        {},
        "ok",
    ),
    "anything else": ("Sing a song.", {}, "ok"),
    "content in parts": (
        [{"role": "user", "content": [{"type": "input_text", "text": "Reply with exactly: x"}]}],
        {},
        "x",
    ),
}


@pytest.mark.parametrize("name", REPLIES)
def test_reply(name: str) -> None:
    """A message is answered from the context."""
    items, fields, expected = REPLIES[name]
    completion = complete(items, **fields)
    assert [type(each) for each in completion.outputs] == [Message]
    assert "".join(completion.outputs[0].tokens) == expected
    assert not completion.is_cut_short


def function(name: str, **parameters: Any) -> dict[str, Any]:
    return {"type": "function", "name": name, "parameters": parameters}


TOOLS = [function("clock"), function("scale"), {"type": "web_search"}]
EVERY = "Call every tool once."
CALLS: dict[str, tuple[Any, dict[str, Any], list[str]]] = {
    "required calls one": ("hi", {"tool_choice": "required"}, ["clock"]),
    "a named function is called": (
        "hi",
        {"tool_choice": {"type": "function", "name": "scale"}},
        ["scale"],
    ),
    "none forbids what the prompt asks": (EVERY, {"tool_choice": "none"}, []),
    "auto calls nothing by itself": ("hi", {}, []),
    "auto follows the prompt": (EVERY, {}, ["clock", "scale"]),
    "required follows the prompt": (EVERY, {"tool_choice": "required"}, ["clock", "scale"]),
    "auto uses a tool when told": ("Use the tool.", {}, ["clock"]),
    "the output is there already": ([user("Use the tool."), call("a"), output("1", "a")], {}, []),
    "parallel calls are forbidden": (EVERY, {"parallel_tool_calls": False}, ["clock"]),
    "allowed tools are a limit": (
        EVERY,
        {
            "tool_choice": {
                "type": "allowed_tools",
                "mode": "auto",
                "tools": [{"type": "function", "name": "scale"}],
            }
        },
        ["scale"],
    ),
    "the outputs are there already": (
        [user(EVERY), call("a"), output("1", "a")],
        {},
        [],
    ),
}


NOTE = {"type": "custom", "name": "note"}
SHELL = {"type": "shell", "environment": {"type": "local"}}
PATTERN = {**NOTE, "name": "match", "format": {"type": "grammar", "syntax": "regex"}}
HOSTED = {"type": "shell", "environment": {"type": "container_auto"}}
PATCH = {"type": "apply_patch"}
MIXED = [function("clock"), HOSTED, PATTERN, NOTE, SHELL, PATCH]
CLIENTS: dict[str, tuple[Any, Any, list[str]]] = {
    "a named custom tool is called": ("hi", {"type": "custom", "name": "note"}, ["note"]),
    "a shell is called": ("hi", {"type": "shell"}, ["shell"]),
    "a file is changed": ("hi", {"type": "apply_patch"}, ["apply_patch"]),
    "every tool of the client is called": (
        EVERY,
        "required",
        ["clock", "note", "shell", "apply_patch"],
    ),
    "allowed custom tools are a limit": (
        EVERY,
        {
            "type": "allowed_tools",
            "mode": "required",
            "tools": [{"type": "custom", "name": "note"}],
        },
        ["note"],
    ),
}


@pytest.mark.parametrize("name", CLIENTS)
def test_calls_of_all_kinds(name: str) -> None:
    """What the client executes can be called; what the server would have to execute is not."""
    items, choice, expected = CLIENTS[name]
    completion = complete(items, tools=MIXED, tool_choice=choice)
    assert [each.name for each in completion.outputs if isinstance(each, Call)] == expected


@pytest.mark.parametrize(
    "choice",
    [{"type": "custom", "name": "match"}, {"type": "function", "name": "note"}, {"type": "shell"}],
    ids=["it follows a grammar", "it is no function", "it runs on the server"],
)
def test_a_tool_that_cannot_be_called_cannot_be_forced(choice: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        complete("hi", tools=[PATTERN, NOTE, HOSTED], tool_choice=choice)


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        ({}, None),
        ({"reasoning": {"effort": "none", "summary": "auto"}}, None),
        ({"reasoning": {}}, (False, False)),
        ({"reasoning": {"effort": "low", "summary": "auto"}}, (True, False)),
        ({"reasoning": {}, "include": ["reasoning.encrypted_content"]}, (False, True)),
        ({"include": ["reasoning.encrypted_content"]}, None),
    ],
    ids=["unasked", "no effort", "hidden", "summed up", "sealed", "nothing to seal"],
)
def test_thoughts(fields: dict[str, Any], shown: tuple[bool, bool] | None) -> None:
    """The model thinks where that is asked for, and the client sees what it asked to see."""
    thought = complete("hi", **fields).thought
    assert (thought and (thought.is_summed_up, thought.is_sealed)) == shown


def test_thoughts_are_within_the_token_limit() -> None:
    completion = complete("Count from 1 to 100.", reasoning={}, max_output_tokens=16)
    assert completion.thought is not None
    assert len(completion.thought.tokens) + len(completion.outputs[0].tokens) == 16


@pytest.mark.parametrize("name", CALLS)
def test_calls(name: str) -> None:
    """Functions are called where the tool choice or the prompt demands it."""
    items, fields, expected = CALLS[name]
    completion = complete(items, tools=TOOLS, **fields)
    assert [each.name for each in completion.outputs if isinstance(each, Call)] == expected


def test_the_token_limit_cuts_the_reply() -> None:
    """A token is a word with the space before it."""
    completion = complete("Count from 1 to 100.", max_output_tokens=16)
    assert completion.is_cut_short
    assert "".join(completion.outputs[0].tokens) == " ".join(map(str, range(1, 17)))


def test_a_reply_of_exactly_the_limit_is_whole() -> None:
    """The limit counts tokens, not what would have come after them."""
    completion = complete("Count from 1 to 16.", max_output_tokens=16)
    assert not completion.is_cut_short


def test_a_reply_has_an_end_of_its_own() -> None:
    """No prompt makes the model talk without end."""
    completion = complete("Count from 1 to 999999999.")
    assert completion.is_cut_short


SCHEMAS: dict[str, dict[str, Any]] = {
    "nothing": {},
    "required members": {
        "type": "object",
        "properties": {"zone": {"type": "string"}, "day": {"type": "integer"}},
        "required": ["day"],
        "additionalProperties": False,
    },
    "all members where none is required": {
        "type": "object",
        "properties": {"a": {"type": "boolean"}, "b": {"type": ["null", "number"]}},
    },
    "enumerations and constants": {
        "type": "object",
        "properties": {"unit": {"enum": ["C", "F"]}, "kind": {"const": 3}},
        "required": ["unit", "kind"],
    },
    "bounds": {
        "type": "object",
        "properties": {
            "n": {"type": "integer", "minimum": 4.5},
            "s": {"type": "string", "minLength": 9},
            "l": {"type": "array", "items": {"type": "integer"}, "minItems": 2},
        },
        "required": ["n", "s", "l"],
    },
    "references and alternatives": {
        "$defs": {"place": {"anyOf": [{"type": "string"}, {"type": "null"}]}},
        "type": "object",
        "properties": {"place": {"$ref": "#/$defs/place"}},
        "required": ["place"],
    },
}


@pytest.mark.parametrize("name", SCHEMAS)
def test_arguments_satisfy_their_schema(name: str) -> None:
    """The arguments of a call are valid under the parameters of its function."""
    tool = {"type": "function", "name": "f", "parameters": SCHEMAS[name]}
    (made,) = complete("hi", tools=[tool], tool_choice="required").outputs
    jsonschema.validate(json.loads("".join(made.tokens)), SCHEMAS[name])


ODD_SCHEMAS = [
    {"type": "object", "properties": {"a": {"$ref": "#"}}, "required": ["a"]},
    {"$ref": "#/$ref"},
    {"type": "array", "minItems": 10**9, "items": {"$ref": "#"}},
    {"type": "object", "required": 5, "properties": []},
    {"type": "string", "minLength": 2.5},
    {"type": "string", "minLength": True},
    {"type": "array", "minItems": -1},
    {"type": "integer", "minimum": "low"},
    {"type": [], "enum": []},
    {"anyOf": [7]},
    {"type": "no such type"},
]


@pytest.mark.parametrize("schema", ODD_SCHEMAS, ids=json.dumps)
def test_an_odd_schema_costs_nothing(schema: dict[str, Any]) -> None:
    """Whatever the client calls a schema, a small value comes of it."""
    assert len(json.dumps(sample(schema))) < 20_000
