"""Scenarios on continuation and the connection's cache."""

from __future__ import annotations

from responses_ws_conformance.driver import Driver
from responses_ws_conformance.prompts import message, say
from responses_ws_conformance.scenarios import scenario


@scenario("chaining/store-false", exercises=("RWS-CHAIN-002",), turns=2, smoke=True)
def continuation_without_storage(driver: Driver) -> None:
    """A turn and its continuation with store false, only the new item sent."""
    connection = driver.connect()
    first = connection.turn(say(), store=False)
    connection.turn([message(say())], previous_response_id=first.response_id, store=False)


@scenario(
    "chaining/unknown-id",
    exercises=("RWS-CHAIN-005", "RWS-CHAIN-007", "RWS-CHAIN-008"),
    turns=2,
)
def unknown_id(driver: Driver) -> None:
    """An invented id, then a healthy create on the same connection."""
    connection = driver.connect()
    refused = connection.attempt(say(), previous_response_id=driver.invented_id(), store=False)
    after = connection.turn(say(), store=False, owes="RWS-CHAIN-008")
    driver.mark("RWS-CHAIN-005", subject=refused, control=after)
    driver.mark("RWS-CHAIN-007", subject=refused, control=after)
