"""Scenarios on function calls and their outputs."""

from __future__ import annotations

from typing import Any

from responses_ws_conformance.checks import Cause
from responses_ws_conformance.checks.answers import contains
from responses_ws_conformance.driver import Blocked, Connection, Driver
from responses_ws_conformance.prompts import (
    CLOCK,
    WEATHER,
    allow,
    call_every_tool,
    force,
    function_call,
    function_call_output,
    message,
    recall,
    told,
    use_tool,
)
from responses_ws_conformance.reading.exchanges import Exchange
from responses_ws_conformance.scenarios import scenario
from responses_ws_conformance.scenarios.chains import settle
from responses_ws_conformance.scenarios.recollection import recollect


def calls_of(exchange: Exchange) -> list[dict[str, Any]]:
    """The calls of a response that can be continued and answered; ends the scenario otherwise."""
    if not exchange.response_id:
        raise Blocked(Cause.BLOCKED, "the response has no id", "RWS-EVENT-002")
    calls = exchange.function_calls
    if not calls:
        raise Blocked(Cause.BLOCKED, "the response has no function call", "RWS-TOOL-001")
    names = ("call_id", "name", "arguments")
    if not all(isinstance(call.get(name), str) for call in calls for name in names):
        raise Blocked(Cause.BLOCKED, "a function call cannot be answered", "RWS-TOOL-002")
    return calls


def answers(exchange: Exchange, text: str) -> list[dict[str, Any]]:
    """An output for each call of a response: one that has to call may call more than once."""
    return [function_call_output(call, text) for call in calls_of(exchange)]


def spoken(turn: Exchange) -> Exchange:
    """A turn that was to call no tool; raises Blocked where it calls one all the same."""
    if turn.function_calls:
        raise Blocked(Cause.BLOCKED, "the response calls a tool all the same", "RWS-TOOL-009")
    return turn


@scenario(
    "tools/answered-call",
    exercises=("RWS-TOOL-001", "RWS-TOOL-002", "RWS-TOOL-004", "RWS-TOOL-005"),
    turns=2,
    smoke=True,
)
def answered_call(driver: Driver) -> None:
    """A forced call without storage, and an output that holds a word to bring back."""
    connection = driver.connect()
    latest = _force_call(connection, recall(), store=False)
    calls, word = calls_of(latest), driver.code_word()

    def continued() -> Exchange:
        nonlocal latest
        # A model may call its tool again instead of speaking.
        asked = [message(recall())] if not latest.function_calls else answers(latest, told(word))
        latest = connection.turn(
            asked, previous_response_id=latest.response_id, tools=[CLOCK], store=False
        )
        return latest

    def at_once() -> Exchange:
        # On another connection: here it would take the place of the response to continue.
        outputs = [function_call_output(call, told(word)) for call in calls]
        history = [message(recall()), *map(function_call, calls), *outputs]
        return driver.connect().turn(history, tools=[CLOCK], store=False)

    recollect(driver, "RWS-TOOL-005", word, recall=continued, control=at_once)


@scenario("tools/stored-calls", exercises=("RWS-TOOL-003", "RWS-TOOL-006", "RWS-TOOL-012"), turns=3)
def stored_calls(driver: Driver) -> None:
    """A stored call answered by its call_id, and a second one by an invented call_id."""
    connection = driver.connect()
    first = connection.attempt(use_tool(), tools=[CLOCK], tool_choice=force(CLOCK), store=True)
    connection.require(first, by="RWS-CHAIN-001")  # calls as such are owed without store too
    outputs = answers(first, "ten o'clock")
    second = _force_call(connection, outputs, "RWS-TOOL-003", previous=first, store=True)
    orphan, *others = answers(second, "ten o'clock")
    refused = connection.attempt(
        [{**orphan, "call_id": driver.invented_id("call")}, *others],
        previous_response_id=second.response_id,
        tools=[CLOCK],
        tool_choice=force(CLOCK),
        store=True,
    )
    for requirement in ("RWS-TOOL-006", "RWS-TOOL-012"):
        driver.mark(requirement, subject=refused, control=second)


@scenario(
    "tools/parallel-calls", exercises=("RWS-TOOL-005", "RWS-TOOL-007", "RWS-TOOL-008"), turns=2
)
def parallel_calls(driver: Driver) -> None:
    """Two tools to call at once; where two calls come, both outputs go back in one create.

    The last of them holds a word to bring back.
    """
    connection = driver.connect()
    tools = [CLOCK, WEATHER]
    latest = connection.turn(
        call_every_tool(), owes="RWS-TOOL-001", tools=tools, tool_choice="required", store=False
    )
    calls = calls_of(latest)
    if len(calls) == 1:
        return
    word = driver.code_word()
    outputs = [function_call_output(call, f"fine, says {call['name']}") for call in calls[:-1]]
    outputs.append(function_call_output(calls[-1], told(word)))
    words_only: dict[str, Any] = {"tools": tools, "tool_choice": "none", "store": False}
    # With one call only, because what is lost of several outputs may be lost in a replay too.
    history = [message(call_every_tool()), function_call(calls[-1]), outputs[-1]]

    def go_on(items: list[dict[str, Any]], owes: str | None = None) -> Exchange:
        nonlocal latest
        previous = latest.response_id
        latest = connection.turn(items, owes=owes, previous_response_id=previous, **words_only)
        return spoken(latest)

    told_at_once = [x for x in (go_on(outputs, "RWS-TOOL-008"),) if contains(x, word)]
    ask = [message(recall())]
    recollect(
        driver,
        "RWS-TOOL-005",
        word,
        recall=lambda: told_at_once.pop() if told_at_once else go_on(ask),
        control=lambda: driver.connect().turn([*history, *ask], **words_only),
    )


@scenario("tools/forbidden-call", exercises=("RWS-TOOL-009",), turns=1)
def forbidden_call(driver: Driver) -> None:
    """A tool and a prompt to use it, under a tool_choice of none."""
    connection = driver.connect()
    subject = connection.attempt(use_tool(), tools=[CLOCK], tool_choice="none", store=False)
    connection.require(subject, ends=("completed", "incomplete"))
    driver.mark("RWS-TOOL-009", subject=subject)


@scenario(
    "tools/message-and-outputs",
    exercises=("RWS-CHAIN-003", "RWS-TOOL-004", "RWS-TOOL-010", "RWS-TOOL-014"),
    turns=4,
)
def message_and_outputs(driver: Driver) -> None:
    """A message beside the output of a call, an output alone, then one whose call is sent again.

    Where that is answered, it brings the word back that only the first output has told.
    """
    connection, word = driver.connect(), driver.code_word()
    words_only: dict[str, Any] = {"tools": [CLOCK], "tool_choice": "none", "store": False}
    first, second = _answer_and_ask(connection, told(word))
    outputs = answers(second, "ten o'clock")
    third = _force_call(connection, outputs, "RWS-TOOL-004", previous=second, store=False)
    calls, ask = calls_of(third), [message(recall())]
    latest = connection.attempt(
        [*map(function_call, calls), *answers(third, "eleven o'clock"), *ask],
        previous_response_id=third.response_id,
        **words_only,
    )
    driver.mark("RWS-TOOL-014", subject=latest)
    if latest.outcome != "completed":
        return
    asked_at_once = [spoken(latest)]
    history = [*map(function_call, calls_of(first)), *answers(first, told(word))]

    def recalled() -> Exchange:
        nonlocal latest
        if asked_at_once:
            return asked_at_once.pop()
        latest = connection.turn(ask, previous_response_id=latest.response_id, **words_only)
        return spoken(latest)

    recollect(
        driver,
        "RWS-CHAIN-003",
        word,
        recall=recalled,
        control=lambda: driver.connect().turn([message(use_tool()), *history, *ask], **words_only),
    )


@scenario("tools/unanswered-call", exercises=("RWS-TOOL-011",), turns=3, dialect="openai")
def unanswered_call(driver: Driver) -> None:
    """An output and a message, then a message in the place of an output."""
    connection = driver.connect()
    _, second = _answer_and_ask(connection, "ten o'clock")
    calls_of(second)
    refused = connection.attempt(
        [message(use_tool())],
        previous_response_id=second.response_id,
        tools=[CLOCK],
        tool_choice=force(CLOCK),
        store=False,
    )
    driver.mark("RWS-TOOL-011", subject=refused, control=second)


@scenario("tools/allowed-tools", exercises=("RWS-TOOL-013",), turns=2, dialect="open-responses")
def allowed_tools(driver: Driver) -> None:
    """Two tools to call at once, both allowed, and on another connection only one of them."""
    tools = [CLOCK, WEATHER]
    control, subject = (
        settle(
            driver.connect(),
            call_every_tool(),
            tools=tools,
            tool_choice=allow(*allowed),
            store=False,
        )
        for allowed in (tools, [WEATHER])
    )
    driver.mark("RWS-TOOL-013", subject=subject, control=control)


def _answer_and_ask(connection: Connection, output: str) -> tuple[Exchange, Exchange]:
    """Two turns that have to call the clock; the input of the second is an output and a message."""
    first = _force_call(connection, use_tool(), store=False)
    both = [*answers(first, output), message(use_tool())]
    return first, _force_call(connection, both, "RWS-TOOL-010", previous=first, store=False)


def _force_call(
    connection: Connection,
    input: str | list[dict[str, Any]],
    owes: str = "RWS-TOOL-001",
    *,
    previous: Exchange | None = None,
    store: bool,
) -> Exchange:
    """A turn that has to call the clock."""
    link: dict[str, Any] = {}
    if previous is not None:
        link["previous_response_id"] = previous.response_id
    return connection.turn(
        input, owes=owes, tools=[CLOCK], tool_choice=force(CLOCK), store=store, **link
    )
