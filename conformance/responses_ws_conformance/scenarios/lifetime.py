"""Scenarios on the end of a connection's life, and on its limits."""

from __future__ import annotations

from typing import Final

from responses_ws_conformance.driver import Driver
from responses_ws_conformance.prompts import say
from responses_ws_conformance.scenarios import scenario
from responses_ws_conformance.scenarios.fences import create_unusually

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
    driver.mark("RWS-LIMIT-004", subject=after, create=creates)


@scenario("lifetime/large-create", exercises=("RWS-LIMIT-005",), turns=2)
def large_create(driver: Driver) -> None:
    """A create of 1 MiB, then a small one."""
    create_unusually(driver, driver.connect(), "RWS-LIMIT-005", size=LARGE)
