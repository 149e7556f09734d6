"""Scenarios on what the server refuses."""

from __future__ import annotations

from responses_ws_conformance.driver import Driver
from responses_ws_conformance.exchanges import Exchange
from responses_ws_conformance.prompts import say
from responses_ws_conformance.scenarios import scenario


@scenario(
    "errors/refused-creates",
    exercises=tuple(f"RWS-ERROR-{number:03}" for number in range(1, 12)),
    turns=4,
)
def refused_creates(driver: Driver) -> None:
    """A create that continues an invented id, one for an unknown model; after each a turn.

    The metadata tells whose a response is, if a refused create has one.
    """
    wrong: tuple[dict[str, str], ...] = (
        {"previous_response_id": driver.invented_id()},
        {"model": f"no-such-model-{driver.code_word()}"},
    )
    connection = driver.connect()
    subjects: list[Exchange] = []
    for number, members in enumerate(wrong):
        metadata = {"create": f"refused {number}"}
        refused = connection.attempt(say(), store=False, metadata=metadata, **members)
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
