"""Scenarios on messages: pings, fragments, and what is no client event."""

from __future__ import annotations

import json

from responses_ws_conformance.driver import Driver
from responses_ws_conformance.prompts import SCRIPTS, count, say
from responses_ws_conformance.scenarios import scenario
from responses_ws_conformance.scenarios.fences import create_unusually, plain_create, provoke

FRAGMENTS = 3
# How far the responses count in the middle of which a ping is sent.
COUNTS = (60, 400, 1_500)


@scenario(
    "framing/pings-and-fragments",
    exercises=(
        "RWS-FRAME-001",
        "RWS-FRAME-002",
        "RWS-FRAME-003",
        "RWS-FRAME-004",
        "RWS-FRAME-005",
        "RWS-FRAME-006",
        "RWS-FRAME-007",
    ),
    turns=len(COUNTS) + 1,
)
def pings_and_fragments(driver: Driver) -> None:
    """A ping while idle, one in the middle of a response, then a create in three fragments.

    A response that was over before its pong came proves little; then a longer one is asked for.
    The last cut goes through a character.
    """
    connection = driver.connect()
    connection.ping(b"rws idle")
    for number in COUNTS:
        running = connection.submit(count(number), store=False)
        until = driver.now() + driver.profile.timing.first_event
        while not (running.events or running.is_ended) and driver.now() < until:
            driver.pump(until)
        payload = f"rws busy {number}".encode()
        is_in_time = connection.ping(payload) and not running.is_ended
        connection.finish(running)
        connection.require(running, ends=("completed", "incomplete"), by="RWS-CREATE-001")
        if is_in_time:
            break
        if not connection.has_pong(payload):
            connection.watch()
        if not connection.has_pong(payload):
            break
    create_unusually(driver, connection, "RWS-FRAME-006", said=SCRIPTS, fragments=FRAGMENTS)


@scenario("framing/not-an-object", exercises=("RWS-FRAME-008", "RWS-FRAME-013"), turns=4)
def not_an_object(driver: Driver) -> None:
    """A create cut off, an array, a number and a string, each with a create after it."""
    connection = driver.connect()
    cut = json.dumps({"type": "response.create", **plain_create(driver)})[:-1]
    connection = provoke(driver, connection, cut, "RWS-FRAME-008")
    for message in ("[]", "1", '"response.create"'):
        connection = provoke(driver, connection, message, "RWS-FRAME-013")


@scenario(
    "framing/not-a-create", exercises=("RWS-FRAME-009", "RWS-FRAME-010", "RWS-FRAME-011"), turns=3
)
def not_a_create(driver: Driver) -> None:
    """A create without a type, then, on a connection of its own, one of an unknown type."""
    body = plain_create(driver)
    provoke(driver, driver.connect(), body, "RWS-FRAME-009", "RWS-FRAME-011", lingers=True)
    # Some servers look at the type of the first message only (probes/inventions has that).
    connection = driver.connect()
    connection.turn(say(), store=False)
    unknown = {"type": f"response.{driver.code_word()}", **body}
    provoke(driver, connection, unknown, "RWS-FRAME-010", "RWS-FRAME-011", lingers=True)


@scenario("framing/binary", exercises=("RWS-FRAME-012",), turns=1)
def binary(driver: Driver) -> None:
    """A create in a binary message, then one in a text message."""
    body = {"type": "response.create", **plain_create(driver)}
    provoke(driver, driver.connect(), json.dumps(body).encode(), "RWS-FRAME-012")
