"""Scenarios on steering a response that calls a function: the input waits for the output."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from responses_ws_conformance.checks import Cause
from responses_ws_conformance.checks.answers import describe
from responses_ws_conformance.checks.steering_calls import open_calls
from responses_ws_conformance.driver import Blocked, Connection, Driver
from responses_ws_conformance.prompts import (
    WEATHER,
    call_every_tool,
    function_call_output,
    message,
    recall,
    remember,
    use_tool,
)
from responses_ws_conformance.reading.commands import FAILED, PENDING, came_too_late, is_accepted
from responses_ws_conformance.reading.exchanges import Exchange
from responses_ws_conformance.scenarios import scenario
from responses_ws_conformance.scenarios.chains import settle
from responses_ws_conformance.scenarios.recollection import recollect
from responses_ws_conformance.scenarios.steering import begin, fence, send, settle_steers

# How many functions there are to call, and how many arguments each has, so that it takes a while.
MANY: Final = ((1, 30), (4, 60), (16, 60))
OWN: Final[dict[str, Any]] = {
    "instructions": "Answer with as few words as you can.",
    "tools": [WEATHER],
    "tool_choice": "none",
}


@dataclass(frozen=True, slots=True)
class Waiting:
    """A response whose calls wait for the client, and the steers that wait for that."""

    connection: Connection
    target: Exchange
    steers: list[Exchange]

    def answer(self, connection: Connection, **fields: Any) -> Exchange:
        """Answer the calls, and ask for the word."""
        outputs = [function_call_output(call, "done") for call in open_calls(self.target)]
        return settle(
            connection,
            [*outputs, message(recall())],
            previous_response_id=self.target.response_id,
            **{"store": False, **OWN, **fields},
        )


def form(number: int, fields: int) -> dict[str, Any]:
    """A function whose arguments are many."""
    names = [f"field_{n}" for n in range(1, fields + 1)]
    return {
        "type": "function",
        "name": f"fill_in_form_{number}",
        "description": "Fills in a form. Any word will do in each field.",
        "parameters": {
            "type": "object",
            "properties": {name: {"type": "string"} for name in names},
            "required": names,
            "additionalProperties": False,
        },
        "strict": False,
    }


def wait_for_call(driver: Driver, *inputs: str, **fields: Any) -> Waiting:
    """Steer a response that calls a function; raises Blocked where nothing waits for it."""
    connection = driver.connect()
    settings = {"instructions": "Answer in English.", **fields}
    for number, arguments in MANY:
        tools = [form(n, arguments) for n in range(1, number + 1)]
        create = {"tools": tools, "tool_choice": "required", **settings}
        ask = use_tool() if number == 1 else call_every_tool()
        target = begin(connection, [message(ask)], is_speaking=True, **create)
        steers = send(connection, target, *inputs)
        settle_steers(connection, target, steers)
        if not any(came_too_late(each, target) for each in steers):
            break
    refused = next((each for each in steers if not is_accepted(each)), None)
    if refused is not None:
        late = came_too_late(refused, target)
        cause = Cause.TIME if late else Cause.BLOCKED
        raise Blocked(cause, describe(refused), None if late else "RWS-STEER-001")
    if not open_calls(target):
        raise Blocked(Cause.MOOD, "the response that was steered called no function")
    for each in steers:
        connection.follow(each, lambda x: any(e.type in (PENDING, FAILED) for e in x.sequels))
    is_silent = not any(each.sequels for each in steers)
    if is_silent and not connection.wire.is_open:
        raise Blocked(Cause.TRANSIENT, "the connection ended while the steered input waited")
    proof = fence(connection, target) if is_silent else []
    for each in steers:
        driver.mark("RWS-STEER-021", subject=each, target=target, fence=proof)
    if any(e.type != PENDING for each in steers for e in each.sequels) or is_silent:
        raise Blocked(Cause.BLOCKED, "the steered input does not wait", by="RWS-STEER-021")
    return Waiting(connection, target, steers)


@scenario(
    "steering/calls",
    exercises=(
        "RWS-STEER-012",
        "RWS-STEER-021",
        "RWS-STEER-022",
        "RWS-STEER-023",
        "RWS-STEER-024",
        "RWS-STEER-025",
    ),
    turns=5,
    features=("steering",),
)
def calls(driver: Driver) -> None:
    """Two words are steered into a response that calls a function, and asked for after that."""
    words = [driver.code_word() for _ in range(2)]
    inputs = [*map(remember, words)]
    waiting: list[Waiting] = []

    def go() -> Exchange:
        waiting.append(wait_for_call(driver, *inputs))
        answer = waiting[-1].answer(waiting[-1].connection)
        driver.mark("RWS-STEER-025", subject=answer, target=waiting[-1].target)
        return answer

    def control() -> Exchange:
        history = [*map(message, (*inputs, recall()))]
        return driver.connect().turn(history, store=False)

    recollect(driver, "RWS-STEER-024", words[-1], recall=go, control=control)
    fence(waiting[-1].connection, waiting[-1].target)


@scenario(
    "steering/reconnect",
    exercises=("RWS-STEER-026",),
    turns=8,
    features=("steering", "storage"),
)
def reconnect(driver: Driver) -> None:
    """A word that waits when its connection is closed, and one whose connection stays."""
    word = driver.code_word()
    kept = wait_for_call(driver, remember(word), store=True)
    control = kept.answer(kept.connection, store=True)
    lost = wait_for_call(driver, remember(word), store=True)
    lost.connection.close()
    subject = lost.answer(driver.connect(), store=True)
    driver.mark("RWS-STEER-026", {"word": word}, subject=subject, controls=[control])
