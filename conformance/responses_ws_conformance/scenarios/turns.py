"""Scenarios on several creates at once, and on what comes after a response.

The first create of several asks for a long answer, so that a real server is still busy with it
when the others arrive.
"""

from __future__ import annotations

from typing import Any, Final

from responses_ws_conformance.checks.answers import NOT_FOUND, TRANSIENT_STATUSES, is_transient
from responses_ws_conformance.driver import Connection, Driver
from responses_ws_conformance.prompts import count, say
from responses_ws_conformance.reading.exchanges import Exchange
from responses_ws_conformance.scenarios import scenario

LONG: Final = 60
# What is said of the events of a response; the checks look at all other recordings too.
NUMBERS: Final = (*range(1, 10), *range(11, 20), *range(22, 27))
EVENTS: Final = tuple(f"RWS-EVENT-{number:03}" for number in NUMBERS)


def submit(connection: Connection, number: int, input: str, **fields: Any) -> Exchange:
    """Send one of several creates; its number tells its response from the others."""
    return connection.submit(input, store=False, metadata={"create": str(number)}, **fields)


def settle_all(connection: Connection, *exchanges: Exchange) -> None:
    """Wait for several creates until one gets no answer: what comes later can move an error."""
    while not any(x.expired for x in exchanges):
        waiting = [x for x in exchanges if not x.is_ended]
        if not waiting:
            return
        connection.finish(waiting[0])


@scenario(
    "turns/queue",
    exercises=("RWS-TURN-001", "RWS-TURN-002", "RWS-TURN-003", "RWS-TURN-004", "RWS-TURN-005"),
    turns=5,
    alone=True,
)
def queue(driver: Driver) -> None:
    """Three creates while a response runs, the second of them wrong; one more if any is silent."""
    connection = driver.connect()
    word, last_word, fence_word = (driver.code_word() for _ in range(3))
    first = submit(connection, 1, count(LONG))
    second = submit(connection, 2, say(word))
    wrong = submit(connection, 3, say(), previous_response_id=driver.invented_id())
    last = submit(connection, 4, say(last_word))
    creates = (first, second, wrong, last)
    settle_all(connection, *creates)
    fence = []
    if not all(x.is_ended for x in creates):
        fence = [submit(connection, 5, say(fence_word))]
        settle_all(connection, *fence)
    if first.outcome == second.outcome == "error":
        connection.require(first, by="RWS-CREATE-001")
    facts: dict[str, Any] = {"word": word, "fence_word": fence_word}
    driver.mark("RWS-TURN-002", facts, subject=second, fence=fence)

    refused = [x for x in (first, second) if x.outcome == "error" and not is_transient(x)]
    if refused:
        running = second if first in refused else first
        driver.mark("RWS-TURN-003", subject=running, refused=refused, fence=fence)

    words = {first.name: None, second.name: word, last.name: last_word}
    queued = [x for x in (first, second, last) if x.outcome != "error"]
    if len(queued) > 1:
        facts = {"words": [words[x.name] for x in queued]}
        driver.mark("RWS-TURN-004", facts, creates=queued)

    # A server that does not queue refuses the last create for being too early.
    was_too_early = last.outcome == "error" and last.error_code != NOT_FOUND
    if wrong.outcome == "error" and not is_transient(wrong) and not was_too_early:
        facts = {"word": last_word, "fence_word": fence_word}
        driver.mark("RWS-TURN-005", facts, subject=last, wrong=wrong, fence=fence)


@scenario("turns/closed-in-mid-response", exercises=("RWS-TURN-006",), turns=3, alone=True)
def closed_in_mid_response(driver: Driver) -> None:
    """A connection that is closed while a response runs, then a turn on a new one.

    A new connection that is refused for being too many is tried again: after one that was closed
    in peace, and after another that was not.
    """
    before: list[Connection] = []
    control: list[Connection] = []
    after = reconnect_in_mid_response(driver)
    if is_refused_for_now(driver, after):
        before.append(after)
        peaceful = driver.connect()
        peaceful.turn(say(), store=False)
        peaceful.close()
        control.append(driver.shake_hands(driver.profile.api_key))
        control[0].close()
        after = reconnect_in_mid_response(driver)
    subject = [after.attempt(say(), store=False)] if after.wire.is_open else []
    driver.mark("RWS-TURN-006", connection=after, subject=subject, before=before, control=control)


def reconnect_in_mid_response(driver: Driver) -> Connection:
    """Close a connection while a response runs; the new one, which may be refused."""
    for is_patient in (True, False):
        connection = driver.connect()
        running = connection.submit(count(LONG), store=False)
        until = driver.now() + driver.profile.timing.first_event
        while is_patient and not (running.events or running.is_ended) and driver.now() < until:
            driver.pump(until)
        # A response that comes all at once can only be cut by a close right behind its create.
        if not running.is_ended:
            break
        connection.require(running, ends=("completed", "incomplete"), by="RWS-CREATE-001")
        connection.close()
    connection.close()
    return driver.shake_hands(driver.profile.api_key)


def is_refused_for_now(driver: Driver, connection: Connection) -> bool:
    """True where a handshake was refused with a status that speaks of the moment only."""
    opened = driver.recording.reading.connection(connection.name).opened
    return opened is not None and opened.status in TRANSIENT_STATUSES


@scenario(
    "turns/next-turn",
    exercises=("RWS-TURN-007", *EVENTS),
    turns=2,
)
def next_turn(driver: Driver) -> None:
    """A turn, and another on the same connection as its fence; both again where that was lost."""
    subjects: list[Exchange] = []
    for _ in range(2):
        connection = driver.connect()
        connection.turn(say(), store=False)
        subjects.append(connection.attempt(say(), store=False))
        if subjects[-1].outcome != "closed":
            break
    driver.mark("RWS-TURN-007", subject=subjects)
