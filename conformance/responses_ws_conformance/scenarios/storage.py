"""Scenarios on stored responses: where and for whom they are known, and what is not kept."""

from __future__ import annotations

from responses_ws_conformance.checks import Cause
from responses_ws_conformance.driver import Blocked, Connection, Driver
from responses_ws_conformance.profile import SECOND_KEY
from responses_ws_conformance.prompts import message, recall, remember, say
from responses_ws_conformance.scenarios import scenario
from responses_ws_conformance.scenarios.chaining import orphan, recall_in
from responses_ws_conformance.scenarios.chains import Chain, settle
from responses_ws_conformance.scenarios.connection import decisive


@scenario(
    "storage/resumed",
    exercises=(
        "RWS-STORE-001",
        "RWS-STORE-002",
        "RWS-STORE-003",
        "RWS-STORE-004",
        "RWS-STORE-005",
    ),
    turns=6,
    features=("storage",),
)
def resumed(driver: Driver) -> None:
    """A stored chain, and a response without store, continued when their connection is closed."""
    word, other = driver.code_word(), driver.code_word()
    chain = Chain(driver.connect(), store=True)
    chain.turn(remember(word))
    chain.turn(say())
    by_default = chain.connection.turn([message(remember(other))])
    chain.connection.close()
    chain.connection = driver.connect()
    recall_in(driver, chain, word, "RWS-STORE-002", owes="RWS-STORE-001")
    beside = Chain(driver.connect(), store=True, turns=chain.turns[-1:])
    beside.turn(say(), owes="RWS-STORE-003")
    default = Chain(chain.connection, store=True, turns=[by_default])
    recall_in(driver, default, other, "RWS-STORE-004", owes="RWS-STORE-004")


@scenario(
    "storage/older",
    exercises=("RWS-STORE-006", "RWS-STORE-007"),
    turns=4,
    features=("storage",),
)
def older(driver: Driver) -> None:
    """A second branch from the first of three stored responses of one connection."""
    word, later = driver.code_word(), driver.code_word()
    chain = Chain(driver.connect(), store=True)
    chain.turn(remember(word))
    branch = Chain(chain.connection, store=True, turns=chain.turns[:])
    chain.turn(remember(later))
    control = chain.turn(recall())
    recall_in(driver, branch, word, "RWS-STORE-006", owes="RWS-STORE-006")
    driver.mark("RWS-STORE-007", {"word": later}, subject=branch.turns[1], controls=[control])


@scenario(
    "storage/not-stored",
    exercises=("RWS-STORE-001", "RWS-STORE-009", "RWS-STORE-010", "RWS-CHAIN-001"),
    turns=5,
    features=("storage",),
)
def not_stored(driver: Driver) -> None:
    """A chain that is stored at first and then no more, looked at from another connection."""
    chain = Chain(driver.connect(), store=True)
    chain.turn(remember(driver.code_word()))
    stored, secret = chain.turns[:], driver.code_word()
    chain.store = False
    chain.turn(remember(secret), owes="RWS-CHAIN-001")
    unstored = chain.newest
    control = chain.turn(recall())
    chain.connection.close()
    new = driver.connect()
    gone = settle(new, [message(recall())], previous_response_id=unstored, store=False)
    driver.mark("RWS-STORE-009", subject=gone, control=control)
    after = Chain(new, store=True, turns=stored).turn(recall(), owes="RWS-STORE-001")
    driver.mark("RWS-STORE-010", {"word": secret}, subject=after, controls=[control])


@scenario(
    "storage/failed-continuation",
    exercises=("RWS-STORE-008",),
    turns=3,
    features=("storage",),
)
def failed_continuation(driver: Driver) -> None:
    """A refused continuation of a stored response, then a healthy one."""
    chain = Chain(driver.connect(), store=True)
    chain.turn(say())
    connection, base = chain.connection, chain.newest
    refused = settle(connection, [orphan(driver)], previous_response_id=base, store=True)
    connection.require(refused, ends=("error", "failed"), by="RWS-TOOL-006")
    again = settle(connection, [message(say())], previous_response_id=base, store=True)
    driver.mark("RWS-STORE-008", subject=again, after=refused)


@scenario(
    "storage/another-tenant",
    exercises=("RWS-STORE-011", "RWS-STORE-012"),
    turns=4,
    features=("storage",),
    lever=SECOND_KEY,
)
def another_tenant(driver: Driver) -> None:
    """The key of another tenant continues a stored response, and then its owner does."""
    chain = Chain(driver.connect(), store=True)
    chain.turn(remember(driver.code_word()))
    chain.connection.close()
    stranger = connect_as_another_tenant(driver)
    plain = settle(stranger, [message(say())], store=False)
    stranger.require(plain)
    ask, base = [message(recall())], chain.newest
    subject = settle(stranger, ask, previous_response_id=base, store=True)
    control = settle(driver.connect(), ask, previous_response_id=base, store=True)
    driver.mark("RWS-STORE-011", subject=subject, control=control)
    driver.mark("RWS-STORE-012", subject=subject, control=control)


def connect_as_another_tenant(driver: Driver) -> Connection:
    """A connection with the second key; raises Blocked where the key does not make the tenant."""
    if any(f"header {name}" in driver.profile.secrets for name in driver.profile.headers):
        why = "each handshake carries another secret, which may name the tenant whatever the key"
        raise Blocked(Cause.BLOCKED, why)
    connection = decisive(driver, driver.shake_hands(driver.profile.second_api_key))
    if not connection.wire.is_open:
        raise Blocked(Cause.BLOCKED, "the second API key opens no connection")
    return connection
