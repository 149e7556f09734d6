"""Creates behind which silence is proof: what was not answered before them is not slow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from responses_ws_conformance.checks import Cause
from responses_ws_conformance.checks.answers import describe, is_transient
from responses_ws_conformance.driver import Blocked, Connection, Driver
from responses_ws_conformance.prompts import CLOCK, say
from responses_ws_conformance.reading.exchanges import TERMINAL_EVENTS, Exchange

PATIENCE: Final = 20


def own_tool(driver: Driver) -> list[dict[str, Any]]:
    """A list with one tool of a new name, by which a response tells whose it is."""
    return [{**CLOCK, "name": f"rws_{driver.code_word()}"}]


def plain_create(driver: Driver) -> dict[str, Any]:
    """The members of the create that follows what is no client event, all but its type."""
    model = driver.profile.model
    return {**({} if model is None else {"model": model}), "store": False, "input": say()}


def behind(connection: Connection, command: Exchange) -> list[Exchange]:
    """A create behind a command that has met silence; none behind one that was answered."""
    is_silent = command.outcome in ("expired", "open")
    return [connection.attempt(say(), store=False)] if is_silent else []


def create_unusually(
    driver: Driver, connection: Connection, requirement: str, *, said: str = "ready", **how: Any
) -> None:
    """A create that is sent in an unusual way, then a plain one.

    Where the connection does not survive the first it is sent again on a new one, so that a
    connection lost by chance is told from one that is always lost.
    """
    subjects: list[Exchange] = []
    for _ in range(2):
        subjects.append(connection.attempt(say(said), store=False, tools=own_tool(driver), **how))
        if subjects[-1].outcome == "error":
            connection.watch()  # an answer to each fragment would be taken for one to the fence
        if connection.wire.is_open:
            break
        connection = driver.connect()
    fence = connection.attempt(say(), store=False, tools=own_tool(driver))
    driver.mark(requirement, subject=subjects, fence=fence)
    connection.require(fence, by="RWS-CREATE-001")


def provoke(
    driver: Driver,
    connection: Connection,
    message: str | bytes | Mapping[str, Any],
    *requirements: str,
    lingers: bool = False,
    probes: str | None = None,
) -> Connection:
    """Send what is no client event, then a create; the connection to go on with.

    Where the connection was lost the message is sent again on a new one. One that ``lingers``
    is given a quiet moment after its error, so that what else it starts is not taken for an
    answer to the create. ``probes`` names what the message invents.
    """
    subjects = [connection.provoke(message)]
    if subjects[0].closed is not None:
        connection = driver.connect()
        subjects.append(connection.provoke(message))
    if subjects[-1].closed is not None:
        connection = driver.connect()
    else:
        if lingers:
            connection.watch()
        wait_for_strays(driver, connection)
    if probes is not None:
        driver.probe(probes, subjects[-1])
    fence = control = connection.attempt(say(), store=False)
    if fence.outcome == "closed":
        connection = driver.connect()
        control = connection.turn(say(), store=False)
    connection.require(fence, ends=("completed", "closed"), by="RWS-CREATE-001")
    for requirement in requirements:
        driver.mark(requirement, subject=subjects, fence=fence, control=control)
    return connection


def wait_for_strays(driver: Driver, connection: Connection) -> None:
    """Take the rest of a response that nobody asked for, lest the create after it gets some."""
    strays = driver.recording.reading.connection(connection.name).strays
    for _ in range(PATIENCE):
        if not strays or strays[-1].type in TERMINAL_EVENTS:
            return
        connection.watch()


def insist(
    connection: Connection, requirement: str, send: Callable[[Connection], Exchange]
) -> Exchange:
    """Send; where that ends the connection, send again on another one.

    A connection may be lost by chance, and then the scenario is recorded again. One that is lost
    for the same create twice is marked for the requirement.
    """
    exchange = send(connection)
    if exchange.outcome != "closed":
        if is_transient(exchange):
            raise Blocked(Cause.TRANSIENT, describe(exchange))
        return exchange
    again = send(connection.driver.connect())
    if again.outcome != "closed":
        raise Blocked(Cause.TRANSIENT, describe(exchange))
    connection.driver.mark(requirement, subject=exchange, again=again)
    raise Blocked(Cause.BLOCKED, describe(exchange), requirement)
