"""A vendor's conftest.py: start the vendor's own server, and add a requirement of its own.

Lies at the root from which pytest is started; the suite is then run with

    pytest --pyargs responses_ws_conformance.suite
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from responses_ws_conformance.vendor import (
    Driver,
    Finding,
    Mark,
    Outcome,
    Profile,
    expectation,
    requirement,
    scenario,
)

KEY = "acme-key"


@pytest.fixture(scope="session")
def rws_target() -> Iterator[Profile]:
    """The vendor's server; here the reference server plays its part."""
    command = [sys.executable, "-m", "responses_ws_reference", "--port", "0"]
    command += ["--api-key-env", "ACME_KEY", "--model", "acme-1"]
    environment = {**os.environ, "ACME_KEY": KEY}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        url = server.stdout.readline().strip().removeprefix("listening on ")
        yield Profile(url=url, model="acme-1", api_key=KEY, secrets={"api_key": KEY})
        server.terminate()


requirement(
    "ACME-TIER-001",
    level="MUST",
    text="The server MUST name the service tier that it used in each completed response.",
    url="https://acme.example/docs/tiers#acme-tier-001",
)
requirement(
    "ACME-TIER-002",
    level="MUST",
    text="The server MUST serve every response in the platinum tier.",
    url="https://acme.example/docs/tiers#acme-tier-002",
)


@scenario("acme/tier", exercises=("ACME-TIER-001", "ACME-TIER-002"), turns=1)
def tier(driver: Driver) -> None:
    """One plain turn."""
    turn = driver.connect().turn("Reply with exactly: ready", store=False)
    driver.mark("ACME-TIER-001", subject=turn)
    driver.mark("ACME-TIER-002", subject=turn)


@expectation("ACME-TIER-001")
def tier_is_named(mark: Mark) -> Iterator[Outcome]:
    """The completed response has a service_tier."""
    exchange = mark.exchange()
    if not isinstance(exchange.response.get("service_tier"), str):
        yield Finding(exchange.last, "a service_tier in the response", "none")


@expectation("ACME-TIER-002")
def tier_is_platinum(mark: Mark) -> Iterator[Outcome]:
    """The completed response was served in the platinum tier."""
    exchange = mark.exchange()
    seen = exchange.response.get("service_tier")
    if seen != "platinum":
        yield Finding(exchange.last, "service_tier 'platinum'", repr(seen))
