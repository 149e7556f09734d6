"""Scenarios on what the server refuses."""

from __future__ import annotations

from typing import Any

from responses_ws_conformance.driver import Driver
from responses_ws_conformance.exchanges import Exchange
from responses_ws_conformance.prompts import function_call_output, say
from responses_ws_conformance.scenarios import scenario


@scenario(
    "errors/refused-creates",
    exercises=tuple(f"RWS-ERROR-{number:03}" for number in range(1, 12)),
    turns=6,
)
def refused_creates(driver: Driver) -> None:
    """An invented id, an output that answers no call, an unknown model; after each a turn.

    The metadata tells whose a response is, if a refused create has one.
    """
    orphan = function_call_output({"call_id": driver.invented_id("call")}, "12:00")
    wrong: tuple[dict[str, Any], ...] = (
        {"input": say(), "previous_response_id": driver.invented_id()},
        {"input": [orphan]},
        {"input": say(), "model": f"no-such-model-{driver.code_word()}"},
    )
    connection = driver.connect()
    subjects: list[Exchange] = []
    for number, members in enumerate(wrong):
        metadata = {"create": f"refused {number}"}
        refused = connection.attempt(**members, store=False, metadata=metadata)
        connection.require(refused, ends=("error", "completed", "incomplete", "failed", "closed"))
        if refused.outcome == "error":
            metadata = {"create": f"after {number}"}
            subjects.append(connection.attempt(say(), store=False, metadata=metadata))
        if not connection.wire.is_open:
            connection = driver.connect()
        elif refused.outcome == "error":
            connection.require(subjects[-1], by="RWS-CREATE-001")
    if subjects:
        driver.mark("RWS-ERROR-009", subject=subjects)
