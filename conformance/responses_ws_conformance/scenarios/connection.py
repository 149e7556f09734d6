"""Scenarios on opening handshakes, closing handshakes, and what belongs to a connection."""

from __future__ import annotations

from responses_ws_conformance.checks import Cause
from responses_ws_conformance.checks.connection import describe_handshake, was_busy
from responses_ws_conformance.driver import Blocked, Connection, Driver
from responses_ws_conformance.prompts import count, say
from responses_ws_conformance.scenarios import scenario
from responses_ws_conformance.scenarios.fences import own_tool


def decisive(driver: Driver, connection: Connection) -> Connection:
    """The connection, where its handshake got an answer that does not speak of the moment only."""
    opened = driver.recording.reading.connection(connection.name).opened
    if opened is None or was_busy(opened):
        why = describe_handshake(opened) if opened else "no handshake"
        raise Blocked(Cause.TRANSIENT, why)
    return connection


@scenario(
    "connection/opening-and-closing",
    exercises=("RWS-CONN-001", "RWS-CONN-005", "RWS-CONN-006", "RWS-CONN-007"),
    turns=1,
)
def opening_and_closing(driver: Driver) -> None:
    """A handshake that offers nothing, a silent moment, a turn, a ping and a close."""
    connection = driver.shake_hands(driver.profile.api_key, plain=True)
    driver.mark("RWS-CONN-001", subject=connection)
    if not connection.wire.is_open:
        connection = driver.connect()
    connection.watch()
    connection.turn(say(), store=False)
    connection.ping(b"rws before the close")
    connection.close()


@scenario(
    "connection/keys",
    exercises=("RWS-CONN-002", "RWS-CONN-003", "RWS-CONN-004"),
    turns=0,
    features=("auth",),
    alone=True,  # who tries wrong keys may be let in no more for a while
)
def keys(driver: Driver) -> None:
    """The right key, a wrong one, and none."""
    control = driver.connect()
    wrong = decisive(driver, driver.shake_hands(driver.invented_id("sk-rws")))
    missing = decisive(driver, driver.shake_hands(None))
    driver.mark("RWS-CONN-002", {"key": "invented"}, subject=wrong, control=control)
    driver.mark("RWS-CONN-003", subject=missing, control=control)
    driver.mark("RWS-CONN-004", subject=wrong)
    driver.mark("RWS-CONN-004", subject=missing)


@scenario("connection/two-connections", exercises=("RWS-CONN-008",), turns=3, alone=True)
def two_connections(driver: Driver) -> None:
    """A turn on one connection, then creates that run at the same time on two."""
    first = driver.connect()
    before = first.turn(say(), store=False)
    second = decisive(driver, driver.shake_hands(driver.profile.api_key))
    one = first.submit(count(60), store=False, tools=own_tool(driver))
    two = second.submit(say(), store=False, tools=own_tool(driver))
    first.finish(one)
    second.finish(two)
    driver.mark("RWS-CONN-008", before=before, one=one, two=two)


@scenario("connection/plain-get", exercises=("RWS-CONN-009",), turns=0)
def plain_get(driver: Driver) -> None:
    """A GET without an upgrade on the path of the WebSocket."""
    control = driver.connect()
    answer = driver.shake_hands(driver.profile.api_key, upgrade=False)
    driver.mark("RWS-CONN-009", subject=decisive(driver, answer), control=control)
