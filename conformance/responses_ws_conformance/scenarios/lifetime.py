"""Scenarios on the end of a connection's life, and on its limits."""

from __future__ import annotations

from typing import Final

from responses_ws_conformance.checks.lifetime import TOO_BIG
from responses_ws_conformance.driver import Driver
from responses_ws_conformance.profile import MESSAGE_SIZE
from responses_ws_conformance.prompts import say
from responses_ws_conformance.reading.exchanges import Exchange
from responses_ws_conformance.scenarios import scenario
from responses_ws_conformance.scenarios.fences import create_unusually, own_tool

LARGE: Final = 2**20


@scenario(
    "lifetime/limit",
    exercises=("RWS-LIMIT-001", "RWS-LIMIT-002", "RWS-LIMIT-003", "RWS-LIMIT-004"),
    turns=1,
    lever="lifetime",
)
def limit(driver: Driver) -> None:
    """A connection that lives a short time, waited for, and a new one after it."""
    lever = driver.profile.levers["lifetime"]
    short = driver.connect(lever=lever)
    driver.pull("lifetime", short)
    if not short.wait_for_close(lever.within):
        short.ping(b"rws after the limit")
    for requirement in ("RWS-LIMIT-001", "RWS-LIMIT-002", "RWS-LIMIT-003"):
        driver.mark(requirement, subject=short)
    after = driver.shake_hands(driver.profile.api_key)
    creates = [after.attempt(say(), store=False)] if after.wire.is_open else []
    driver.mark("RWS-LIMIT-004", before=short, subject=after, create=creates)


@scenario("lifetime/large-create", exercises=("RWS-LIMIT-005",), turns=2)
def large_create(driver: Driver) -> None:
    """A create of 1 MiB, then a small one."""
    create_unusually(driver, driver.connect(), "RWS-LIMIT-005", size=LARGE)


@scenario("lifetime/oversized-message", exercises=("RWS-LIMIT-008",), turns=3, lever=MESSAGE_SIZE)
def oversized_message(driver: Driver) -> None:
    """A create that is larger than the target takes, and a plain one after it.

    A close of another kind than the one that is made for it may be an accident, so it is sent
    again then. Where the connection falls silent the plain create is sent on a new one as well.
    """
    size = (driver.profile.limits.message_bytes or 0) + 1
    subjects: list[Exchange] = []
    for _ in range(2):
        connection = driver.connect()
        subjects.append(connection.attempt(say(), store=False, tools=own_tool(driver), size=size))
        closed = subjects[-1].closed
        if closed is None or closed.code == TOO_BIG:
            break
    if subjects[-1].outcome == "closed":
        connection = driver.connect()
    fence = connection.attempt(say(), store=False, tools=own_tool(driver))
    if fence.outcome == "expired":
        connection = driver.connect()
        fence = connection.attempt(say(), store=False, tools=own_tool(driver))
    driver.mark("RWS-LIMIT-008", subject=subjects, fence=fence)
    connection.require(fence, by="RWS-CREATE-001")
