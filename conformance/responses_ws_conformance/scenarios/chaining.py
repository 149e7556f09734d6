"""Scenarios on continuation and the connection's cache."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from responses_ws_conformance.checks import Cause
from responses_ws_conformance.checks.answers import contains, input_tokens
from responses_ws_conformance.driver import Blocked, Driver
from responses_ws_conformance.prompts import (
    count,
    follow,
    function_call_output,
    message,
    notes,
    recall,
    remember,
    say,
    told,
)
from responses_ws_conformance.reading.exchanges import Exchange
from responses_ws_conformance.scenarios import scenario
from responses_ws_conformance.scenarios.chains import Chain, settle
from responses_ws_conformance.scenarios.recollection import recollect

# A context that holds so many messages has not been cut to the last few.
MESSAGES: Final = 30


def ask_with_history(driver: Driver, history: Sequence[Mapping[str, Any]]) -> Exchange:
    """Ask for the code word with the whole history in one create, where no chain can help."""
    return driver.connect().turn([*history, message(recall())], store=False)


def recall_in(driver: Driver, chain: Chain, word: str, requirement: str, *, owes: str) -> None:
    """Ask a chain for its word; raises Blocked where it is not continued at all."""
    history = chain.history()
    recollect(
        driver,
        requirement,
        word,
        recall=lambda: chain.turn(recall(), owes=owes),
        control=lambda: ask_with_history(driver, history),
    )


def recall_in_chain(driver: Driver, chain: Chain, word: str) -> Exchange:
    """Ask a chain for its word, for RWS-CHAIN-003; raises Blocked unless it came at once.

    From a chain, or a model, that needs to be asked twice nothing else can be learnt.
    """
    place, history = len(chain.turns), chain.history()
    controls: list[Exchange] = []

    def control() -> Exchange:
        controls.append(ask_with_history(driver, history))
        return controls[-1]

    last = recollect(driver, "RWS-CHAIN-003", word, recall=chain.ask, control=control)
    if contains(chain.turns[place], word):
        return chain.turns[place]
    why = f"the chain did not bring back {word!r} when it was first asked"
    if not contains(last, word) and all(contains(x, word) for x in controls):
        raise Blocked(Cause.BLOCKED, why, by="RWS-CHAIN-003")
    raise Blocked(Cause.MOOD, why)


@scenario(
    "chaining/store-false",
    exercises=("RWS-CHAIN-002", "RWS-CHAIN-004", "RWS-CHAIN-020"),
    turns=2,
    smoke=True,
)
def continuation_without_storage(driver: Driver) -> None:
    """A turn and its continuation with store false, only the new item sent."""
    chain = Chain(driver.connect())
    chain.turn(say())
    chain.turn(say())


@scenario(
    "chaining/store-true",
    exercises=("RWS-CHAIN-001", "RWS-CHAIN-003", "RWS-CHAIN-021"),
    turns=3,
)
def continuation_with_storage(driver: Driver) -> None:
    """A stored chain asked for its code word where it began, and on a new connection."""
    word = driver.code_word()
    chain = Chain(driver.connect(), store=True)
    first = chain.attempt(remember(word))
    if first.outcome != "completed":
        driver.mark("RWS-CHAIN-001", subject=first)
        chain.connection.require(first, by="RWS-CHAIN-001")
    history = chain.history()
    own = recall_in_chain(driver, chain, word)
    new = driver.connect()
    recollect(
        driver,
        "RWS-CHAIN-021",
        word,
        recall=lambda: settle(
            new, [message(recall())], previous_response_id=chain.newest, store=True
        ),
        control=lambda: ask_with_history(driver, history),
        controls=[own],
    )


@scenario(
    "chaining/context",
    exercises=("RWS-CHAIN-003", "RWS-CHAIN-017", "RWS-CHAIN-019", "RWS-CHAIN-023"),
    turns=5,
)
def context_of_a_chain(driver: Driver) -> None:
    """A code word asked for two turns later, then in a new chain, then from an older response.

    As many messages lie between as only a long conversation has.
    """
    word = driver.code_word()
    chain = Chain(driver.connect())
    chain.turn(remember(word))
    oldest, history = chain.newest, chain.history()
    chain.turn(say(), behind=[notes(1)] * MESSAGES)
    third = recall_in_chain(driver, chain, word)
    blank = Chain(chain.connection).ask()
    driver.mark("RWS-CHAIN-017", {"word": word}, subject=blank, controls=[third])
    if input_tokens(third) and input_tokens(blank):
        driver.mark("RWS-CHAIN-023", {"word": word}, subject=third, alone=blank)
    recollect(
        driver,
        "RWS-CHAIN-019",
        word,
        recall=lambda: settle(
            chain.connection, [message(recall())], previous_response_id=oldest, store=False
        ),
        control=lambda: ask_with_history(driver, history),
        controls=[third],
    )


@scenario("chaining/output", exercises=("RWS-CHAIN-003",), turns=2)
def output_of_a_chain(driver: Driver) -> None:
    """A code word that stands nowhere but in the output of the first response."""
    word = driver.code_word()
    chain = Chain(driver.connect())
    first = chain.turn(follow(), instructions=say(told(word)))
    if not contains(first, word):
        raise Blocked(Cause.MOOD, f"the model did not say {word!r} when its instructions told it")
    recall_in_chain(driver, chain, word)


@scenario(
    "chaining/other-connections",
    exercises=("RWS-CHAIN-004", "RWS-CHAIN-009", "RWS-CHAIN-010", "RWS-CHAIN-011"),
    turns=5,
)
def other_connections(driver: Driver) -> None:
    """A store:false id on a parallel and on a later connection, then a replay on a new one."""
    word = driver.code_word()
    chain = Chain(driver.connect())
    chain.turn(remember(word))
    ask = [message(recall())]
    beside = settle(driver.connect(), ask, previous_response_id=chain.newest, store=False)
    own = chain.attempt(recall())
    driver.mark("RWS-CHAIN-010", subject=beside, control=own)
    driver.mark("RWS-CHAIN-002", subject=own)
    chain.connection.require(own, by="RWS-CHAIN-002")
    chain.connection.close()
    later = settle(driver.connect(), ask, previous_response_id=chain.newest, store=False)
    driver.mark("RWS-CHAIN-009", subject=later, control=own)
    new = driver.connect()
    recollect(
        driver,
        "RWS-CHAIN-011",
        word,
        recall=lambda: settle(new, [*chain.history(), message(recall())], store=False),
        control=lambda: driver.connect().turn(recall(), instructions=remember(word), store=False),
        controls=[own],
    )


@scenario(
    "chaining/eviction", exercises=("RWS-TOOL-006", "RWS-CHAIN-012", "RWS-CHAIN-013"), turns=5
)
def eviction(driver: Driver) -> None:
    """A refused continuation, the next one of the same response, then everything without an id.

    The response before it in the chain is the control: the next create continues it.
    """
    chain = Chain(driver.connect())
    chain.turn(say())
    control = chain.turn(say())
    connection, base = chain.connection, chain.newest
    failed = settle(connection, [orphan(driver)], previous_response_id=base, store=False)
    driver.mark("RWS-TOOL-006", subject=failed, control=control)
    # Where the model found the mistake there is no status that could have been a 4xx.
    by = None if failed.outcome == "failed" else "RWS-TOOL-006"
    connection.require(failed, ends=("error",), by=by)
    retry = settle(connection, [message(say())], previous_response_id=base, store=False)
    driver.mark("RWS-CHAIN-012", subject=retry, control=control, failed=failed)
    connection.require(retry, ends=("error",), by="RWS-CHAIN-012")
    replay = settle(connection, [*chain.history(), message(say())], store=False)
    driver.mark("RWS-CHAIN-013", subject=replay)


@scenario(
    "chaining/undisturbed",
    exercises=(
        "RWS-CHAIN-003",
        "RWS-CHAIN-014",
        "RWS-CHAIN-015",
        "RWS-CHAIN-016",
        "RWS-CHAIN-018",
        "RWS-TOOL-006",
    ),
    turns=10,
)
def undisturbed(driver: Driver) -> None:
    """A chain goes on after an unknown id, unreadable messages, a cut answer, a refused create.

    Where it went on each time it is asked in the end for the code word that it began with.
    """
    word = driver.code_word()
    chain = planted = Chain(driver.connect())
    chain.turn(remember(word))
    chain.turn(say())
    unknown = settle(
        chain.connection, say(), previous_response_id=driver.invented_id(), store=False
    )
    chain = probe(driver, chain, "RWS-CHAIN-015", after=unknown)

    chain.begin()
    unreadable = [chain.connection.provoke(text) for text in ("{bad", '{"type": "rws.unknown"}')]
    chain = probe(driver, chain, "RWS-CHAIN-016", after=unreadable)

    cut = chain.attempt(count(200), max_output_tokens=16)
    if cut.outcome == "incomplete":
        chain = probe(driver, chain, "RWS-CHAIN-018", base=cut)
    else:
        driver.mark("RWS-CHAIN-018", subject=cut, base=cut)
        chain = Chain(driver.connect())

    chain.begin()
    refused = settle(chain.connection, [orphan(driver)], store=False)
    driver.mark("RWS-TOOL-006", subject=refused, control=chain.turns[0])
    chain = probe(driver, chain, "RWS-CHAIN-014", after=refused)
    if chain is planted:
        recall_in_chain(driver, chain, word)


def probe(driver: Driver, chain: Chain, requirement: str, **roles: Any) -> Chain:
    """Show whether a chain still goes on; where it does not, an empty one elsewhere."""
    exchange = chain.attempt(say())
    driver.mark(requirement, subject=exchange, **roles)
    return chain if exchange.outcome == "completed" else Chain(driver.connect())


def orphan(driver: Driver) -> dict[str, Any]:
    """The output of a function call that nobody made."""
    return function_call_output({"call_id": driver.invented_id("call")}, "12:00")
