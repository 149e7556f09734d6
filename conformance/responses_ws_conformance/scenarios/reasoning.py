"""Scenarios on reasoning: shown in a summary, and carried along by the client."""

from __future__ import annotations

from typing import Any

from responses_ws_schemas import explain

from responses_ws_conformance.checks import Cause
from responses_ws_conformance.driver import Blocked, Driver
from responses_ws_conformance.prompts import message, say, think
from responses_ws_conformance.reading.exchanges import Exchange
from responses_ws_conformance.scenarios import scenario

INCLUDE = ["reasoning.encrypted_content"]


@scenario(
    "reasoning/summary",
    exercises=("RWS-REASON-002", "RWS-REASON-004", "RWS-REASON-006", "RWS-REASON-011"),
    turns=1,
    features=("reasoning",),
)
def summary(driver: Driver) -> None:
    """A question to think about, and a summary of the thoughts."""
    reasoning = {"effort": "medium", "summary": "auto"}
    driver.connect().attempt(think(), reasoning=reasoning, store=False)


@scenario(
    "reasoning/carried-along",
    exercises=(
        "RWS-REASON-001",
        "RWS-REASON-003",
        "RWS-REASON-005",
        "RWS-REASON-007",
        "RWS-REASON-008",
        "RWS-REASON-009",
        "RWS-REASON-010",
    ),
    turns=3,
    features=("reasoning",),
)
def carried_along(driver: Driver) -> None:
    """A chain that the client keeps: all items sent back, then with a reasoning that nobody had."""
    connection = driver.connect()
    fields: dict[str, Any] = {
        "reasoning": {"effort": "medium"},
        "include": INCLUDE,
        "store": False,
    }
    first = connection.attempt([message(think())], **fields)
    for requirement in ("RWS-REASON-007", "RWS-REASON-008"):
        driver.mark(requirement, subject=first)
    connection.require(first, by="RWS-REASON-007")
    kept = items_to_keep(first)
    control = connection.turn(
        [message(think()), *kept, message(say())], owes="RWS-REASON-009", **fields
    )
    if driver.profile.dialect == "openai" and any(item.get("encrypted_content") for item in kept):
        foreign = [with_foreign_content(driver, item) for item in kept]
        refused = connection.attempt([message(think()), *foreign, message(say())], **fields)
        driver.mark("RWS-REASON-010", subject=refused, control=control)


def items_to_keep(exchange: Exchange) -> list[dict[str, Any]]:
    """The output of a response as it goes into the next input; ends the scenario if none can."""
    items = exchange.output_items
    reasoning = [item for item in items if item.get("type") == "reasoning"]
    if not reasoning:
        raise Blocked(Cause.MOOD, "the model answered without reasoning")
    if not all(item.get("encrypted_content") or item.get("content") for item in reasoning):
        raise Blocked(Cause.BLOCKED, "the reasoning holds nothing to carry along", "RWS-REASON-007")
    if any(explain("objects/input_item", item) for item in items):
        raise Blocked(Cause.BLOCKED, "an output item cannot be sent back", "RWS-EVENT-015")
    return items


def with_foreign_content(driver: Driver, item: dict[str, Any]) -> dict[str, Any]:
    """The item with an encrypted content that no server has made, if it has one at all."""
    if not item.get("encrypted_content"):
        return item
    return {**item, "encrypted_content": driver.invented_id("rws")}
