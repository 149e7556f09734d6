"""Scenarios on warm-ups, and on a server that does not know them."""

from __future__ import annotations

from typing import Any

from responses_ws_conformance.driver import Connection, Driver
from responses_ws_conformance.prompts import message, recall, remember, say
from responses_ws_conformance.reading.exchanges import Exchange
from responses_ws_conformance.scenarios import scenario
from responses_ws_conformance.scenarios.chaining import recall_in
from responses_ws_conformance.scenarios.chains import Chain, settle
from responses_ws_conformance.scenarios.fences import insist
from responses_ws_conformance.scenarios.recollection import recollect


def warm_up(connection: Connection, *texts: str, **fields: Any) -> Chain:
    """A chain that begins with a warm-up; raises Blocked where that is not completed."""
    fields = {"owes": "RWS-WARM-001", "generate": False, "store": False, **fields}
    return Chain(connection, turns=[connection.turn([*map(message, texts)], **fields)])


@scenario(
    "warmup/base",
    exercises=(
        "RWS-WARM-001",
        "RWS-WARM-002",
        "RWS-WARM-003",
        "RWS-WARM-004",
        "RWS-WARM-005",
        "RWS-WARM-010",
    ),
    turns=3,
    features=("warmup",),
)
def base(driver: Driver) -> None:
    """A warm-up with a code word, the turn that asks for it, and the same on another connection."""
    word = driver.code_word()
    chain = warm_up(driver.connect(), remember(word))
    warm = chain.newest
    recall_in(driver, chain, word, "RWS-WARM-005", owes="RWS-WARM-004")
    elsewhere = settle(
        driver.connect(), [message(recall())], previous_response_id=warm, store=False
    )
    driver.mark("RWS-WARM-010", subject=elsewhere, control=chain.turns[1])


@scenario(
    "warmup/kept-in-chain",
    exercises=("RWS-WARM-001", "RWS-WARM-004", "RWS-WARM-014"),
    turns=3,
    features=("warmup",),
)
def kept_in_chain(driver: Driver) -> None:
    """A warm-up with a code word, which is asked for in the second turn after it."""
    word = driver.code_word()
    chain = warm_up(driver.connect(), remember(word))
    chain.turn(say(), owes="RWS-WARM-004")
    recall_in(driver, chain, word, "RWS-WARM-014", owes="RWS-CHAIN-002")


@scenario(
    "warmup/empty-input",
    exercises=("RWS-WARM-001", "RWS-WARM-006", "RWS-WARM-007"),
    turns=2,
    features=("warmup",),
)
def empty_input(driver: Driver) -> None:
    """A warm-up with the whole turn in it, continued without input."""
    word = driver.code_word()
    turn = (remember(word), recall())

    def go() -> Exchange:
        chain = warm_up(driver.connect(), *turn)
        return settle(chain.connection, [], previous_response_id=chain.newest, store=False)

    asked = [go()]
    driver.mark("RWS-WARM-006", subject=asked[0])
    if asked[0].outcome != "completed":
        return  # a server may want input; then there is nothing to see
    recollect(
        driver,
        "RWS-WARM-007",
        word,
        recall=lambda: asked.pop() if asked else go(),
        control=lambda: driver.connect().turn([*map(message, turn)], store=False),
    )


@scenario(
    "warmup/mid-chain",
    exercises=("RWS-WARM-002", "RWS-WARM-003", "RWS-WARM-004", "RWS-WARM-008", "RWS-WARM-009"),
    turns=5,
    features=("warmup",),
)
def mid_chain(driver: Driver) -> None:
    """A code word before a warm-up in mid-chain, then one in another such warm-up."""
    before, within = driver.code_word(), driver.code_word()
    chain = Chain(driver.connect())
    chain.turn(remember(before))
    for text, word in ((say(), before), (remember(within), within)):
        warm = chain.attempt(text, generate=False)
        driver.mark("RWS-WARM-008", subject=warm)
        if warm.outcome != "completed":
            return
        recall_in(driver, chain, word, "RWS-WARM-009", owes="RWS-WARM-004")


@scenario("warmup/generate-true", exercises=("RWS-WARM-011",), turns=1, features=("warmup",))
def generate_true(driver: Driver) -> None:
    """A create that says what is true without saying it."""
    ask = [message(say())]
    driver.connect().turn(ask, owes="RWS-WARM-011", generate=True, store=False)


@scenario(
    "warmup/prewarm",
    exercises=("RWS-WARM-004", "RWS-WARM-005", "RWS-WARM-012"),
    turns=2,
    features=("warmup",),
    dialect="openai",
)
def prewarm(driver: Driver) -> None:
    """A create that asks for a prewarmed cache, and to generate, and the turn after it."""
    word = driver.code_word()
    chain = warm_up(
        driver.connect(),
        remember(word),
        owes="RWS-WARM-012",
        generate=True,
        prompt_cache_options={"prewarm": True},
    )
    recall_in(driver, chain, word, "RWS-WARM-005", owes="RWS-WARM-004")


@scenario("warmup/not-understood", exercises=("RWS-WARM-013",), turns=2)
def not_understood(driver: Driver) -> None:
    """A create with generate false, whether the server knows it or not."""
    connection, ask = driver.connect(), [message(say())]
    subject = insist(
        connection, "RWS-WARM-013", lambda c: c.attempt(ask, generate=False, store=False)
    )
    if subject.is_ended:
        driver.mark("RWS-WARM-013", subject=subject)
        return
    word = driver.code_word()
    fence = connection.attempt([message(say(word))], store=False)
    driver.mark("RWS-WARM-013", {"word": word}, subject=subject, fence=fence)
