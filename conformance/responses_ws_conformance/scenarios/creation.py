"""Scenarios on ``response.create``."""

from __future__ import annotations

from responses_ws_conformance.driver import Driver
from responses_ws_conformance.prompts import say
from responses_ws_conformance.scenarios import scenario


@scenario("creation/string-input", exercises=("RWS-CREATE-001",), turns=1, smoke=True)
def string_input(driver: Driver) -> None:
    """One turn with a string input; the plainest thing that a client does."""
    driver.connect().turn(say(), store=False)
