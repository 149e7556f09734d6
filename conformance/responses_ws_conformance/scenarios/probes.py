"""Probes: does the target know what nobody has told it, and what are its greens worth then?"""

from __future__ import annotations

from responses_ws_conformance.checks import Cause
from responses_ws_conformance.checks.answers import describe, is_transient
from responses_ws_conformance.driver import Blocked, Connection, Driver
from responses_ws_conformance.prompts import say
from responses_ws_conformance.reading.exchanges import Exchange
from responses_ws_conformance.scenarios import scenario
from responses_ws_conformance.scenarios.chains import require_settled
from responses_ws_conformance.scenarios.fences import insist, plain_create, provoke


@scenario(
    "probes/inventions",
    exercises=(
        "RWS-FRAME-010",
        "RWS-FRAME-011",
        "RWS-CREATE-005",
        "RWS-CHAIN-005",
        "RWS-CHAIN-006",
        "RWS-CHAIN-007",
        "RWS-CHAIN-008",
        *(f"RWS-ERROR-{number:03}" for number in range(1, 12)),
    ),
    turns=5,
)
def inventions(driver: Driver) -> None:
    """A response, a model and an event type that do not exist, each with a right create after it.

    The metadata tells whose a response is, if the create for the unknown model has one.
    """
    connection = driver.connect()
    unknown = connection.attempt(say(), previous_response_id=driver.invented_id(), store=False)
    after = connection.attempt(say(), store=False)
    driver.probe("response id", unknown)
    driver.mark("RWS-CHAIN-008", subject=after)
    for requirement in ("RWS-CHAIN-005", "RWS-CHAIN-006", "RWS-CHAIN-007"):
        driver.mark(requirement, subject=unknown, control=after)
    require_settled(connection, unknown)
    connection = usable(driver, connection, after, by="RWS-CREATE-001")
    after_refusals: list[Exchange] = [after] if unknown.outcome == "error" else []

    model = f"no-such-model-{driver.code_word()}"
    served = insist(
        connection,
        "RWS-CREATE-005",
        lambda c: c.attempt(say(), model=model, store=False, metadata={"create": "unknown model"}),
    )
    driver.probe("model", served)
    if served.outcome in ("error", "failed"):
        after = connection.attempt(say(), store=False, metadata={"create": "known model"})
        driver.mark("RWS-CREATE-005", subject=served, after=after)
        after_refusals += [after] if served.outcome == "error" else []
    if after_refusals:
        driver.mark("RWS-ERROR-009", subject=after_refusals)
    usable(driver, connection, after, by="RWS-CREATE-005")

    # On a connection of its own: what it starts must not be taken for the refused creates'.
    event = {"type": f"response.{driver.code_word()}", **plain_create(driver)}
    both = ("RWS-FRAME-010", "RWS-FRAME-011")
    provoke(driver, driver.connect(), event, *both, lingers=True, probes="event type")
    for exchange in after_refusals:
        if is_transient(exchange):
            raise Blocked(Cause.TRANSIENT, describe(exchange))


def usable(driver: Driver, connection: Connection, after: Exchange, *, by: str) -> Connection:
    """The connection, where the create after a refusal was answered; a new one where it closed."""
    if after.outcome == "closed":
        return driver.connect()
    connection.require(after, by=by)
    return connection
