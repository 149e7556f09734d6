"""Scenarios on output items; their checks are invariants and judge all other recordings too."""

from __future__ import annotations

from responses_ws_conformance.driver import Driver
from responses_ws_conformance.prompts import CLOCK, SCRIPTS, count, force, say, use_tool
from responses_ws_conformance.scenarios import scenario


@scenario(
    "items/text-cut-and-call",
    exercises=["RWS-EVENT-021", *(f"RWS-ITEM-{number:03}" for number in range(1, 21))],
    turns=3,
)
def text_cut_and_call(driver: Driver) -> None:
    """A text in several scripts, a text that its token limit cuts off, and a forced call."""
    connection = driver.connect()
    connection.turn(say(SCRIPTS), store=False)
    connection.attempt(count(200), max_output_tokens=16, store=False)
    connection.turn(
        use_tool(), owes="RWS-TOOL-001", tools=[CLOCK], tool_choice=force(CLOCK), store=False
    )
