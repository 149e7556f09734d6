"""Scenarios on the events of a response, whose checks look at every recording."""

from __future__ import annotations

from responses_ws_conformance.driver import Driver
from responses_ws_conformance.prompts import say
from responses_ws_conformance.scenarios import scenario


@scenario(
    "events/two-turns",
    exercises=(
        "RWS-EVENT-001",
        "RWS-EVENT-002",
        "RWS-EVENT-003",
        "RWS-EVENT-004",
        "RWS-EVENT-005",
        "RWS-EVENT-006",
        "RWS-EVENT-007",
        "RWS-EVENT-008",
        "RWS-EVENT-009",
        "RWS-EVENT-011",
        "RWS-EVENT-012",
        "RWS-EVENT-013",
        "RWS-EVENT-014",
        "RWS-EVENT-015",
        "RWS-EVENT-016",
        "RWS-EVENT-017",
        "RWS-EVENT-018",
        "RWS-EVENT-019",
    ),
    turns=2,
)
def two_turns(driver: Driver) -> None:
    """Two turns on one connection; the second is the fence behind the first."""
    connection = driver.connect()
    connection.turn(say(), store=False)
    connection.turn(say(), store=False)
