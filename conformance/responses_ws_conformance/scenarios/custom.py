"""Scenarios on custom tools, and on a shell and files of the client.

What a model wants run is never run, what it wants changed is never changed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from responses_ws_conformance.checks import Cause
from responses_ws_conformance.driver import Blocked, Connection, Driver
from responses_ws_conformance.prompts import (
    CLOCK,
    NOTEPAD,
    PATCH,
    SHELL,
    apply_patch_call_output,
    call_every_tool,
    custom_tool_call,
    custom_tool_call_output,
    force,
    function_call_output,
    message,
    recall,
    shell_call_output,
    told,
    use_tool,
)
from responses_ws_conformance.reading.exchanges import Exchange
from responses_ws_conformance.scenarios import scenario
from responses_ws_conformance.scenarios.recollection import recollect


def custom_calls(exchange: Exchange) -> list[dict[str, Any]]:
    """The custom calls of a response that can be continued; ends the scenario otherwise."""
    if not exchange.response_id:
        raise Blocked(Cause.BLOCKED, "the response has no id", "RWS-EVENT-002")
    calls = [item for item in exchange.output_items if item.get("type") == "custom_tool_call"]
    if not calls:
        raise Blocked(Cause.BLOCKED, "the response calls no custom tool", "RWS-CUSTOM-001")
    names = ("call_id", "name", "input")
    if not all(isinstance(call.get(name), str) for call in calls for name in names):
        raise Blocked(Cause.BLOCKED, "a custom call cannot be answered", "RWS-CUSTOM-002")
    return calls


def answers(exchange: Exchange, text: str) -> list[dict[str, Any]]:
    """An output for each custom call of a response, which may have more than one."""
    return [custom_tool_call_output(call, text) for call in custom_calls(exchange)]


def take_note(
    connection: Connection,
    input: str | list[dict[str, Any]],
    owes: str = "RWS-CUSTOM-001",
    **fields: Any,
) -> Exchange:
    """A turn that has to take a note."""
    return connection.turn(
        input, owes=owes, tools=[NOTEPAD], tool_choice=force(NOTEPAD), store=False, **fields
    )


@scenario(
    "custom/answered-call",
    exercises=[f"RWS-CUSTOM-{number:03}" for number in range(1, 8)],
    turns=2,
    features=("custom-tools",),
)
def answered_call(driver: Driver) -> None:
    """A forced call of a custom tool, and an output that holds a word to bring back."""
    connection = driver.connect()
    latest = take_note(connection, recall())
    calls, word = custom_calls(latest), driver.code_word()

    def continued() -> Exchange:
        nonlocal latest
        # A model may call its tool again instead of speaking.
        has_called = any(item.get("type") == "custom_tool_call" for item in latest.output_items)
        latest = connection.turn(
            answers(latest, told(word)) if has_called else [message(recall())],
            owes="RWS-CUSTOM-006" if has_called else None,
            previous_response_id=latest.response_id,
            tools=[NOTEPAD],
            store=False,
        )
        return latest

    def at_once() -> Exchange:
        # On another connection: here it would take the place of the response to continue.
        outputs = [custom_tool_call_output(call, told(word)) for call in calls]
        history = [message(recall()), *map(custom_tool_call, calls), *outputs]
        return driver.connect().turn(history, tools=[NOTEPAD], store=False)

    recollect(driver, "RWS-CUSTOM-007", word, recall=continued, control=at_once)


@scenario(
    "custom/wrong-call-id",
    exercises=("RWS-CUSTOM-001", "RWS-CUSTOM-006", "RWS-CUSTOM-008"),
    turns=3,
    features=("custom-tools",),
)
def wrong_call_id(driver: Driver) -> None:
    """A custom call answered by its call_id, and a second one by an invented call_id."""
    connection = driver.connect()
    first = take_note(connection, use_tool())
    second = take_note(
        connection,
        answers(first, "noted"),
        "RWS-CUSTOM-006",
        previous_response_id=first.response_id,
    )
    orphan, *others = answers(second, "noted")
    orphan["call_id"] = driver.invented_id("call")
    refused = _try_again(connection, [orphan, *others], second)
    driver.mark("RWS-CUSTOM-008", subject=refused, control=second)


@scenario(
    "custom/unanswered-call",
    exercises=("RWS-CUSTOM-001", "RWS-CUSTOM-006", "RWS-CUSTOM-009"),
    turns=3,
    features=("custom-tools",),
    dialect="openai",
)
def unanswered_call(driver: Driver) -> None:
    """An output and a message, then a message in the place of an output."""
    connection = driver.connect()
    first = take_note(connection, use_tool())
    both = [*answers(first, "noted"), message(use_tool())]
    second = take_note(connection, both, "RWS-CUSTOM-006", previous_response_id=first.response_id)
    custom_calls(second)
    refused = _try_again(connection, [message(use_tool())], second)
    driver.mark("RWS-CUSTOM-009", subject=refused, control=second)


def _try_again(connection: Connection, items: list[dict[str, Any]], previous: Exchange) -> Exchange:
    return connection.attempt(
        items,
        previous_response_id=previous.response_id,
        tools=[NOTEPAD],
        tool_choice=force(NOTEPAD),
        store=False,
    )


@scenario(
    "custom/beside-a-function",
    exercises=("RWS-CUSTOM-010", "RWS-CUSTOM-011"),
    turns=2,
    features=("custom-tools",),
)
def beside_a_function(driver: Driver) -> None:
    """A function and a custom tool to call at once; where both are, both outputs go back."""
    connection, tools = driver.connect(), [CLOCK, NOTEPAD]
    asked = connection.attempt(call_every_tool(), tools=tools, tool_choice="required", store=False)
    connection.require(asked, by="RWS-CUSTOM-001")
    calls = [item for item in asked.output_items if isinstance(item.get("call_id"), str)]
    outputs = [
        answer(call, "fine")
        for kind, answer in (
            ("function_call", function_call_output),
            ("custom_tool_call", custom_tool_call_output),
        )
        for call in calls
        if call.get("type") == kind
    ]
    if asked.response_id and len({output["type"] for output in outputs}) > 1:
        connection.turn(
            outputs,
            owes="RWS-CUSTOM-011",
            previous_response_id=asked.response_id,
            tools=tools,
            store=False,
        )


@scenario(
    "custom/shell",
    exercises=("RWS-CUSTOM-012", "RWS-CUSTOM-013"),
    turns=2,
    features=("custom-tools",),
)
def shell(driver: Driver) -> None:
    """A shell of the client that has to be used, where the server knows it, and an output."""
    use_and_answer(driver, SHELL, "RWS-CUSTOM-013", lambda call: shell_call_output(call, "Linux"))


@scenario(
    "custom/patch",
    exercises=("RWS-CUSTOM-012", "RWS-CUSTOM-014"),
    turns=2,
    features=("custom-tools",),
)
def patch(driver: Driver) -> None:
    """A file of the client that has to be changed, where the server knows how, and an output."""
    use_and_answer(driver, PATCH, "RWS-CUSTOM-014", apply_patch_call_output)


def use_and_answer(
    driver: Driver,
    tool: dict[str, Any],
    requirement: str,
    answer: Callable[[dict[str, Any]], dict[str, Any]],
) -> None:
    """Force a call of a tool without a name, and answer it; a server may have other tools."""
    connection = driver.connect()
    asked = connection.attempt(use_tool(), tools=[tool], tool_choice=force(tool), store=False)
    calls = [item for item in asked.output_items if item.get("type") == f"{tool['type']}_call"]
    if asked.outcome != "completed" or not asked.response_id or not calls:
        return
    if all(isinstance(call.get("call_id"), str) for call in calls):
        connection.turn(
            [*map(answer, calls)],
            owes=requirement,
            previous_response_id=asked.response_id,
            tools=[tool],
            store=False,
        )
