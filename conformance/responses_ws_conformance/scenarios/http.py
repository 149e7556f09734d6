"""Scenarios on a server that is asked over HTTP as well as over the WebSocket."""

from __future__ import annotations

from typing import Any, Final

from responses_ws_conformance.checks import Cause
from responses_ws_conformance.checks.http import describe_call, is_good, is_lost, unsettled
from responses_ws_conformance.driver import Blocked, Connection, Driver
from responses_ws_conformance.prompts import CLOCK, force, message, recall, remember, say
from responses_ws_conformance.reading.calls import Call
from responses_ws_conformance.scenarios import scenario
from responses_ws_conformance.scenarios.chaining import ask_with_history
from responses_ws_conformance.scenarios.chains import Chain, settle
from responses_ws_conformance.scenarios.recollection import recollect

# How often a stored response is asked for; a store can take a moment to show what is in it.
TRIES: Final = 4


@scenario(
    "http/same-create",
    exercises=tuple(f"RWS-HTTP-{number:03}" for number in range(1, 7)),
    turns=3,
    features=("http",),
)
def same_create(driver: Driver) -> None:
    """A create that forces a call: over HTTP, as a stream over HTTP, and over the WebSocket.

    Over HTTP it is sent again where the connection was lost, behind one over the WebSocket.
    """
    ask = [message(say())]
    forced: dict[str, Any] = {"tools": [CLOCK], "tool_choice": force(CLOCK), "store": False}
    whole, between = driver.api.attempt(ask, stream=False, **forced), []
    if is_lost(whole):
        between = [driver.connect().turn(ask, owes="RWS-CREATE-002", **forced)]
        whole = driver.api.attempt(ask, stream=False, **forced)
    driver.mark("RWS-HTTP-001", subject=whole, between=between)
    if is_lost(whole):
        raise Blocked(Cause.BLOCKED, "nobody takes a POST", by="RWS-HTTP-001")
    driver.api.require(whole, by="RWS-HTTP-001")
    streamed = driver.api.turn(ask, owes="RWS-HTTP-002", **forced)
    sent = driver.connect().turn(ask, owes="RWS-CREATE-002", **forced)
    for number in range(3, 7):
        driver.mark(f"RWS-HTTP-{number:03}", http=streamed, socket=sent)


@scenario("http/unstored", exercises=("RWS-HTTP-009",), turns=3, features=("http",))
def unstored(driver: Driver) -> None:
    """An unstored response of a connection, continued over HTTP and then where it belongs."""
    chain = Chain(driver.connect())
    chain.turn(say())
    go_on: dict[str, Any] = {"previous_response_id": chain.newest, "store": False}
    subject = driver.api.attempt([message(say())], **go_on)
    control = settle(chain.connection, [message(say())], **go_on)
    driver.mark("RWS-HTTP-009", subject=subject, control=control)


@scenario(
    "http/moved",
    exercises=("RWS-HTTP-007", "RWS-HTTP-008"),
    turns=4,
    features=("http", "storage"),
)
def moved(driver: Driver) -> None:
    """A chain that began over the WebSocket and goes on over HTTP, and one the other way round."""
    word, other = driver.code_word(), driver.code_word()
    chain = Chain(driver.connect(), store=True)
    chain.turn(remember(word))
    history = chain.history()
    chain.connection.close()
    recollect(
        driver,
        "RWS-HTTP-007",
        word,
        recall=lambda: driver.api.turn(
            [message(recall())],
            owes="RWS-HTTP-007",
            previous_response_id=chain.newest,
            store=True,
        ),
        control=lambda: ask_with_history(driver, history),
    )
    begun = driver.api.turn([message(remember(other))], owes="RWS-HTTP-002", store=True)
    back = Chain(driver.connect(), store=True, turns=[begun])
    recollect(
        driver,
        "RWS-HTTP-008",
        other,
        recall=lambda: back.turn(recall(), owes="RWS-HTTP-008"),
        control=lambda: ask_with_history(driver, [*begun.request["input"]]),
    )


def fetch(driver: Driver, connection: Connection, response_id: str) -> Call:
    """Ask for a stored response, and for a while again where it is not there yet."""
    call = driver.api.get(response_id)
    for _ in range(TRIES - 1):
        if call.status != 404:
            break
        connection.watch()
        call = driver.api.get(response_id)
    return call


@scenario(
    "http/fetched",
    exercises=("RWS-HTTP-010", "RWS-HTTP-011", "RWS-HTTP-012"),
    turns=3,
    features=("http", "storage"),
)
def fetched(driver: Driver) -> None:
    """A stored response, one that is not stored and one that never was are asked for over HTTP."""
    chain = Chain(driver.connect(), store=True)
    chain.turn(say())
    stored = chain.turn(say())
    call = fetch(driver, chain.connection, chain.newest)
    driver.mark("RWS-HTTP-010", subject=call, made=stored)
    chain.turn(say(), store=False)
    withheld = driver.api.get(chain.newest)
    driver.mark("RWS-HTTP-011", subject=withheld, control=call)
    unknown = [driver.api.get(driver.invented_id())]
    # One that was handed out breaks the sentence before, and that is enough.
    unknown += [] if is_good(withheld) else [withheld]
    for each in unknown:
        driver.mark("RWS-HTTP-012", subject=each, control=call)


@scenario(
    "http/deleted",
    exercises=("RWS-HTTP-013", "RWS-HTTP-014", "RWS-HTTP-015"),
    turns=3,
    features=("http", "storage"),
)
def deleted(driver: Driver) -> None:
    """A stored response, asked for and continued before it is deleted over HTTP and after that."""
    chain = Chain(driver.connect(), store=True)
    chain.turn(say())
    ask, base = [message(say())], chain.newest
    before = fetch(driver, chain.connection, base)
    control = settle(driver.connect(), ask, previous_response_id=base, store=True)
    gone = driver.api.delete(base)
    driver.mark("RWS-HTTP-013", subject=gone)
    if not is_good(gone):
        cause = unsettled(gone) or Cause.BLOCKED
        raise Blocked(cause, describe_call(gone), by="RWS-HTTP-013")
    driver.mark("RWS-HTTP-014", subject=driver.api.get(base), control=before)
    subject = settle(driver.connect(), ask, previous_response_id=base, store=True)
    driver.mark("RWS-HTTP-015", subject=subject, control=control)
