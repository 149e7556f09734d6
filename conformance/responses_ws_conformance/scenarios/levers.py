"""Scenarios on what the profile's levers provoke, and on what is left behind it.

What is provoked meets the third create of a chain, by whatever means the lever has. It is no
accident of the target's: only what comes before and after it can be one.
"""

from __future__ import annotations

from typing import Final

from responses_ws_conformance.checks import Cause
from responses_ws_conformance.checks.answers import describe, is_transient
from responses_ws_conformance.checks.connection import was_busy
from responses_ws_conformance.driver import Blocked, Connection, Driver
from responses_ws_conformance.prompts import count, message, recall, remember, say
from responses_ws_conformance.reading.exchanges import Exchange
from responses_ws_conformance.scenarios import scenario
from responses_ws_conformance.scenarios.chains import Chain, require_settled, settle

LONG: Final = 40
# So often a connection has to be lost before it is no accident.
TRIES: Final = 2
FIRST_PAUSE: Final = 0.05  # seconds between two handshakes after a restart, doubled up to …
LONGEST_PAUSE: Final = 1.0


def provoke(driver: Driver, lever: str) -> tuple[Chain, Exchange]:
    """A chain of two turns, and the create that continues it and meets the trouble."""
    chain = Chain(driver.connect(lever=driver.profile.levers[lever]))
    chain.turn(say())
    chain.turn(say())
    driver.pull(lever, chain.connection)
    provoked = chain.connection.attempt(
        [message(count(LONG))], store=False, previous_response_id=chain.newest
    )
    chain.connection.require(
        provoked, ends=("completed", "failed", "incomplete", "error", "closed")
    )
    if provoked.error is not None and provoked.events:
        wait_for_the_rest(driver, provoked)
    return chain, provoked


def wait_for_the_rest(driver: Driver, provoked: Exchange) -> None:
    """Take the terminal event that may follow an error; before it the response is not over."""
    until = driver.now() + driver.profile.timing.quiet
    while provoked.terminal is None and provoked.closed is None and driver.now() < until:
        driver.pump(until)


def require_act(lever: str, provoked: Exchange, *, has_acted: bool) -> None:
    """Raise Blocked where something else came of a lever than what it is there for."""
    if not has_acted:
        cause = Cause.TRANSIENT if is_transient(provoked) else Cause.BLOCKED
        raise Blocked(cause, f"the lever {lever} did not act: {describe(provoked)}")


def is_server_error(exchange: Exchange) -> bool:
    """True where a create was refused with a 5xx status, or with none that says otherwise."""
    status = exchange.error_status
    return exchange.outcome == "error" and not exchange.events and (status or 500) >= 500


@scenario(
    "levers/failure",
    exercises=("RWS-EVENT-009", "RWS-EVENT-020", "RWS-EVENT-024", "RWS-TURN-007"),
    turns=4,
    lever="failure",
)
def failure(driver: Driver) -> None:
    """A response that fails while it runs, and the next create on the connection."""
    following: list[Exchange] = []
    for _ in range(TRIES):
        chain, failed = provoke(driver, "failure")
        is_broken_off = failed.outcome in ("failed", "error") and bool(failed.events)
        require_act("failure", failed, has_acted=is_broken_off)
        following.append(chain.connection.attempt(say(), store=False))
        driver.mark("RWS-EVENT-020", subject=failed, following=following[-1])
        if failed.terminal is None or following[-1].outcome != "closed":
            break
    if failed.terminal is not None:
        driver.mark("RWS-TURN-007", subject=following)


@scenario(
    "levers/refusal-5xx",
    exercises=("RWS-CHAIN-013", "RWS-CHAIN-022", "RWS-ERROR-009"),
    turns=5,
    lever="refusal-5xx",
)
def refusal(driver: Driver) -> None:
    """A continuation refused with a 5xx, the next one of the same response, then a full replay."""
    retries: list[Exchange] = []
    for _ in range(TRIES):
        chain, refused = provoke(driver, "refusal-5xx")
        require_act("refusal-5xx", refused, has_acted=is_server_error(refused))
        connection, control = chain.connection, chain.turns[-1]
        retries.append(
            connection.attempt([message(say())], previous_response_id=chain.newest, store=False)
        )
        if retries[-1].outcome != "closed":
            break
    retry = retries[-1]
    driver.mark("RWS-ERROR-009", subject=retries)
    driver.mark("RWS-CHAIN-022", subject=retry, control=control)
    require_settled(connection, retry)
    connection.require(retry, ends=("error",), by="RWS-CHAIN-022")
    replay = settle(connection, [*chain.history(), message(say())], store=False)
    driver.mark("RWS-CHAIN-013", subject=replay)


@scenario("levers/overload", exercises=("RWS-ERROR-012",), turns=4, lever="overload")
def overload(driver: Driver) -> None:
    """A create that meets an overload, and the next one on the connection."""
    following: list[Exchange] = []
    for _ in range(TRIES):
        chain, overloaded = provoke(driver, "overload")
        is_overload = overloaded.outcome == "failed" or overloaded.error is not None
        require_act("overload", overloaded, has_acted=is_overload)
        following.append(chain.connection.attempt(say(), store=False))
        if following[-1].outcome != "closed":
            break
    driver.mark("RWS-ERROR-012", subject=following, overloaded=overloaded)


@scenario(
    "levers/restart",
    exercises=("RWS-CHAIN-009", "RWS-CHAIN-011", "RWS-LIMIT-006", "RWS-LIMIT-007"),
    turns=6,
    lever="restart",
)
def restart(driver: Driver) -> None:
    """A connection that goes away in mid-response; a full replay, and the old id, on a new one."""
    lever, word = driver.profile.levers["restart"], driver.code_word()
    chain = Chain(driver.connect(lever=lever))
    chain.turn(remember(word))
    own = chain.ask()
    lost = chain.connection
    running = lost.submit([message(count(LONG))], store=False, previous_response_id=chain.newest)
    lost.until(running, lambda x: bool(x.events))
    driver.pull("restart", lost)
    if not lost.wait_for_close(lever.within):
        why = f"the lever restart did not end the connection within {lever.within:g} s"
        raise Blocked(Cause.BLOCKED, why)
    driver.mark("RWS-LIMIT-007", subject=lost)
    new = come_back(driver, lever.within)
    if not new.wire.is_open:
        driver.mark("RWS-LIMIT-006", subject=new, create=[])
        raise Blocked(Cause.BLOCKED, "no new connection was opened", by="RWS-LIMIT-006")
    served = new.attempt(say(), store=False)
    driver.mark("RWS-LIMIT-006", subject=new, create=[served])
    new.require(served, by="RWS-LIMIT-006")
    ask = [message(recall())]
    replay = settle(new, [*chain.history(), *ask], store=False)
    driver.mark("RWS-CHAIN-011", {"word": word}, recalls=[replay], controls=[own])
    stale = settle(driver.connect(), ask, previous_response_id=chain.newest, store=False)
    driver.mark("RWS-CHAIN-009", subject=stale, control=own)


def come_back(driver: Driver, within: float) -> Connection:
    """Try to connect until it works, the time is over, or the server says that it never will."""
    until, pause = driver.now() + within, FIRST_PAUSE
    while True:
        connection = driver.shake_hands(driver.profile.api_key)
        opened = driver.recording.reading.connection(connection.name).opened
        if opened is None or not was_busy(opened) or driver.now() >= until:
            return connection
        again = min(until, driver.now() + pause)
        while driver.now() < again:
            driver.pump(again)
        pause = min(2 * pause, LONGEST_PAUSE)
