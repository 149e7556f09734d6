"""Scenarios on injection: into a response that waits for outputs, and into what takes none.

Whether a response waits is the server's choice. One that ends with its calls instead shows how it
gives back what comes too late, and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from responses_ws_schemas import explain

from responses_ws_conformance.checks import Cause
from responses_ws_conformance.checks.answers import contains, describe, is_transient
from responses_ws_conformance.checks.inject import FAILED, TOO_LATE, is_part, is_taken
from responses_ws_conformance.driver import Blocked, Connection, Driver
from responses_ws_conformance.prompts import (
    CLOCK,
    force,
    function_call,
    function_call_output,
    message,
    recall,
    say,
    told,
)
from responses_ws_conformance.reading.commands import code_of
from responses_ws_conformance.reading.exchanges import Exchange
from responses_ws_conformance.scenarios import scenario
from responses_ws_conformance.scenarios.recollection import recollect
from responses_ws_conformance.scenarios.tools import calls_of

BETA: Final = "OpenAI-Beta"
AGENTS: Final = "responses_multi_agent=v1"
MULTI_AGENT: Final = {"enabled": True}
CALL: Final[dict[str, Any]] = {"tools": [CLOCK], "tool_choice": force(CLOCK), "store": False}
ITEM_SCHEMA: Final = "objects/input_item"
# A model that calls its tool again and again is not waited for any longer.
MOST_CALLS: Final = 4

Item = dict[str, Any]


def connect(driver: Driver) -> Connection:
    """A connection with the header of the beta, beside what the profile says there."""
    headers = driver.profile.headers.items()
    name, given = next((h for h in headers if h[0].lower() == BETA.lower()), (BETA, ""))
    return driver.connect(headers={name: ", ".join(filter(None, (given, AGENTS)))})


def inject(connection: Connection, target: str | None, items: Sequence[Any]) -> Exchange:
    """Inject items and read the answer; raises Blocked where the response has no id."""
    if target is None:
        raise Blocked(Cause.BLOCKED, "the response has no id", by="RWS-EVENT-002")
    event = {"type": "response.inject", "response_id": target, "input": list(items)}
    return connection.finish(connection.command(event))


def has_called(*, more_than: int = 0) -> Callable[[Exchange], bool]:
    """Whether a response has made more calls than so many."""
    return lambda response: len(response.function_calls) > more_than


def begin(connection: Connection) -> Exchange:
    """A response of agents, up to a call that it is to wait for; raises Blocked without one."""
    response = connection.submit([message(recall())], multi_agent=MULTI_AGENT, **CALL)
    connection.until(response, has_called())
    if not response.function_calls and response.outcome in ("completed", "incomplete"):
        raise Blocked(Cause.MOOD, "the model called no tool")
    if not response.function_calls:
        connection.require(response, by="RWS-INJECT-007")
    calls_of(response)
    return response


def has_missed(connection: Connection, command: Exchange, response: Exchange) -> bool:
    """True where the server did not wait: what was injected fails, and the response ends."""
    has_failed = command.answer is not None and command.answer.type == FAILED
    return has_failed and connection.finish(response).terminal is not None


def returned(command: Exchange, items: list[Item]) -> list[Item]:
    """The input of an inject that came back, to be sent again; raises Blocked where it did not.

    Where the server has added what breaks the rules of input, it is what was sent.
    """
    if is_transient(command):
        raise Blocked(Cause.TRANSIENT, describe(command))
    has_failed = command.answer is not None and command.answer.type == FAILED
    back = command.answer.payload.get("input") if command.answer is not None else None
    if not has_failed or not isinstance(back, list) or not is_part(items, back):
        raise Blocked(Cause.BLOCKED, f"no input came back: {describe(command)}", "RWS-INJECT-004")
    return items if any(explain(ITEM_SCHEMA, item) for item in back) else back


def answer_calls(driver: Driver, connection: Connection, response: Exchange, word: str) -> bool:
    """Answer each call as it comes, to the end of the response; False where it did not wait."""
    done: list[str] = []
    while calls := [c for c in calls_of(response) if c["call_id"] not in done]:
        if len(done) >= MOST_CALLS:
            raise Blocked(Cause.MOOD, f"the model has called its tool {len(done)} times")
        outputs = [function_call_output(call, told(word)) for call in calls]
        command = inject(connection, response.response_id, outputs)
        if has_missed(connection, command, response):
            return False
        driver.mark("RWS-INJECT-001", subject=command, response=response)
        if not is_taken(command):
            connection.require(command, ends=(), by="RWS-INJECT-001")
        done += [call["call_id"] for call in calls]
        connection.until(response, has_called(more_than=len(done)))
    return True


@scenario(
    "inject/outputs",
    exercises=("RWS-INJECT-001", "RWS-INJECT-002"),
    turns=1,
    features=("inject",),
)
def outputs(driver: Driver) -> None:
    """The output of a call for a response that waits for it, with a word to bring back."""
    word = driver.code_word()

    def ask() -> Exchange | None:
        connection = connect(driver)
        response = begin(connection)
        return response if answer_calls(driver, connection, response, word) else None

    asked = [first] if (first := ask()) is not None else []

    def again() -> Exchange:
        if (response := asked.pop() if asked else ask()) is None:
            raise Blocked(Cause.MOOD, "a response has waited for an output, and another has not")
        return response

    def at_once() -> Exchange:
        call = first.function_calls[0] if first is not None else {}
        history = [function_call(call), function_call_output(call, told(word))]
        return driver.connect().turn([message(recall()), *history], tools=[CLOCK], store=False)

    if first is not None:
        recollect(driver, "RWS-INJECT-002", word, recall=again, control=at_once)


@scenario("inject/half", exercises=("RWS-INJECT-005",), turns=1, features=("inject",))
def half(driver: Driver) -> None:
    """An output of a call beside one of no call, and then alone."""
    connection, word = connect(driver), driver.code_word()
    response = begin(connection)
    good = [function_call_output(call, told(word)) for call in calls_of(response)]
    bad = function_call_output({"call_id": driver.invented_id("call")}, "noon")
    mixed = inject(connection, response.response_id, [*good, bad])
    if code_of(mixed) == TOO_LATE and has_missed(connection, mixed, response):
        return
    alone = inject(connection, response.response_id, good)
    if has_missed(connection, alone, response) and not contains(response, word):
        return
    connection.until(response, has_called(more_than=len(good)))
    driver.mark("RWS-INJECT-005", {"word": word}, subject=mixed, control=alone, response=response)


@scenario(
    "inject/late",
    exercises=("RWS-INJECT-003", "RWS-INJECT-004", "RWS-INJECT-006", "RWS-INJECT-007"),
    turns=3,
    features=("inject",),
)
def late(driver: Driver) -> None:
    """Outputs for a response that never was, for one that has ended, and in a create instead."""
    connection = connect(driver)
    ended = connection.attempt([message(say())], multi_agent=MULTI_AGENT, store=False)
    driver.mark("RWS-INJECT-007", subject=ended)
    connection.require(ended, by="RWS-INJECT-007")
    output = function_call_output({"call_id": driver.invented_id("call")}, "noon")
    unknown = inject(connection, driver.invented_id(), [output])
    missed = inject(connection, ended.response_id, [output])
    called = connection.attempt([message(recall())], **CALL)
    driver.mark("RWS-INJECT-003", subject=unknown, control=missed, fence=called)
    driver.mark("RWS-INJECT-004", subject=missed, response=ended, fence=called)
    connection.require(called, by="RWS-TOOL-001")
    items = [function_call_output(call, "ten o'clock") for call in calls_of(called)]
    command = inject(connection, called.response_id, items)
    again = connection.attempt(
        returned(command, items),
        previous_response_id=called.response_id,
        tools=[CLOCK],
        store=False,
    )
    driver.mark("RWS-INJECT-006", subject=again, command=command)
