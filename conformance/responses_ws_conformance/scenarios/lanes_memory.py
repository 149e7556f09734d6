"""Scenarios on what each lane remembers: chains side by side, forks, and what is evicted."""

from __future__ import annotations

from typing import Any, Final

from responses_ws_conformance.checks import Cause
from responses_ws_conformance.checks.answers import contains
from responses_ws_conformance.checks.lanes import came_before
from responses_ws_conformance.driver import Blocked, Connection, Driver
from responses_ws_conformance.prompts import count, message, recall, remember, say
from responses_ws_conformance.reading.exchanges import Exchange
from responses_ws_conformance.scenarios import scenario
from responses_ws_conformance.scenarios.chaining import ask_with_history, orphan
from responses_ws_conformance.scenarios.chains import settle
from responses_ws_conformance.scenarios.lanes import LONG, submit, tell_apart
from responses_ws_conformance.scenarios.recollection import recollect

# What a response can say of itself before it runs.
WAITS: Final = ("response.created", "response.queued")


def ask(connection: Connection, lane: str, text: str, **fields: Any) -> Exchange:
    """A create on a lane that may be refused."""
    return settle(connection, [message(text)], store=False, stream_id=lane, **fields)


def begin(connection: Connection, lane: str, text: str) -> Exchange:
    """The first turn on a lane; raises Blocked where no response comes."""
    return connection.turn([message(text)], owes="RWS-LANE-004", store=False, stream_id=lane)


def go_on(connection: Connection, lane: str, text: str, previous: Exchange) -> Exchange:
    """A turn on a lane that continues a response of that lane."""
    turn = ask(connection, lane, text, previous_response_id=previous.response_id)
    connection.driver.mark("RWS-LANE-019", subject=turn)
    connection.require(turn, by="RWS-LANE-019")
    return turn


@scenario(
    "lanes/memories",
    exercises=("RWS-LANE-001", "RWS-LANE-003", "RWS-LANE-019", "RWS-LANE-027"),
    turns=8,
    features=("lanes",),
)
def memories(driver: Driver) -> None:
    """Two chains by turns, each on its lane, and two creates on a third lane that are refused.

    Then the ids of the chains on a new connection.
    """
    connection = driver.connect()
    lanes = ("left", "right")
    firsts = {lane: begin(connection, lane, say()) for lane in lanes}
    ask(connection, "lost", say(), previous_response_id=driver.invented_id())
    settle(connection, [orphan(driver)], store=False, stream_id="lost")
    seconds = {lane: go_on(connection, lane, say(), firsts[lane]) for lane in lanes}
    connection.close()
    later = driver.connect()
    for lane in lanes:
        newest = seconds[lane].response_id
        lost = ask(later, lane, say(), previous_response_id=newest)
        driver.mark("RWS-LANE-027", subject=lost, control=seconds[lane])


@scenario(
    "lanes/forks",
    exercises=(
        "RWS-LANE-019",
        "RWS-LANE-020",
        "RWS-LANE-021",
        "RWS-LANE-022",
        "RWS-LANE-023",
        "RWS-LANE-024",
    ),
    turns=5 + 2 * len(LONG),
    features=("lanes",),
)
def forks(driver: Driver) -> None:
    """A chain that is forked twice; the second fork runs while the lane it came from goes on.

    A fork that is over too soon shows nothing; then a longer one is asked for.
    """
    connection, word = driver.connect(), driver.code_word()
    root = begin(connection, "main", remember(word))
    tell_apart(root)
    fork_and_ask(driver, connection, root, word)

    main = root
    for length in LONG:
        later_word = driver.code_word()
        fork = submit(connection, "side", count(length), previous_response_id=main.response_id)
        connection.until(fork, has_progress)
        main = go_on(connection, "main", remember(later_word), main)
        connection.finish(fork)
        if main.created is None or not came_before(fork, main.created):
            break
    driver.mark("RWS-LANE-024", subject=fork, main=main)
    connection.require(fork, ends=("completed", "incomplete"), by="RWS-LANE-024")

    aside = go_on(connection, "side", recall(), fork)
    known = go_on(connection, "main", recall(), main)
    driver.mark("RWS-LANE-023", {"word": later_word}, subject=aside, controls=[known])
    blank = ask(connection, "main", recall())
    driver.mark("RWS-LANE-020", {"word": later_word}, subject=blank, controls=[known])


def has_progress(exchange: Exchange) -> bool:
    """True where a fork needs its parent no more; output says so as well.

    One that is still queued may have to look its parent up.
    """
    return any(e.type not in WAITS for e in exchange.events)


def fork_and_ask(driver: Driver, connection: Connection, root: Exchange, word: str) -> None:
    """Ask for the word of a chain on another lane; raises Blocked where that is not answered."""
    history = [*root.request["input"], message(root.text or "ok", role="assistant")]

    def fork() -> Exchange:
        turn = ask(connection, "fork", recall(), previous_response_id=root.response_id)
        driver.mark("RWS-LANE-021", subject=turn)
        connection.require(turn, by="RWS-LANE-021")
        return turn

    last = recollect(
        driver,
        "RWS-LANE-022",
        word,
        recall=fork,
        control=lambda: ask_with_history(driver, history),
    )
    if not contains(last, word):
        raise Blocked(Cause.MOOD, f"the fork did not bring back {word!r}")


@scenario(
    "lanes/evictions",
    exercises=("RWS-LANE-003", "RWS-LANE-025", "RWS-LANE-026", "RWS-TOOL-006"),
    turns=5,
    features=("lanes",),
)
def evictions(driver: Driver) -> None:
    """A fork that is refused, the parent on its own lane, then a refused continuation there."""
    connection = driver.connect()
    root = begin(connection, "own", say())
    fork = fail(driver, connection, "other", root)
    kept = ask(connection, "own", say(), previous_response_id=root.response_id)
    driver.mark("RWS-LANE-025", subject=kept, failed=fork)
    connection.require(kept, by="RWS-LANE-025")
    failed = fail(driver, connection, "own", kept)
    driver.mark("RWS-TOOL-006", subject=failed, control=kept)
    gone = ask(connection, "own", say(), previous_response_id=kept.response_id)
    driver.mark("RWS-LANE-026", subject=gone, control=kept, failed=failed)


def fail(driver: Driver, connection: Connection, lane: str, previous: Exchange) -> Exchange:
    """A continuation that is refused for what it brings."""
    items, known = [orphan(driver)], previous.response_id
    return settle(connection, items, store=False, stream_id=lane, previous_response_id=known)
