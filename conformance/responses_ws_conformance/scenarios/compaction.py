"""Scenarios on conversations that grow long, and are folded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from responses_ws_schemas import explain

from responses_ws_conformance.checks import Cause
from responses_ws_conformance.checks.compaction import is_folded
from responses_ws_conformance.checks.http import describe_call, unsettled
from responses_ws_conformance.driver import Blocked, Driver
from responses_ws_conformance.prompts import message, notes, recall, remember, say
from responses_ws_conformance.reading.exchanges import Exchange
from responses_ws_conformance.scenarios import scenario
from responses_ws_conformance.scenarios.chaining import ask_with_history
from responses_ws_conformance.scenarios.chains import Chain, settle
from responses_ws_conformance.scenarios.recollection import recollect

LEAST: Final = 1000
# Some ten words each: several times as many tokens as the threshold, however they are counted.
DAYS: Final = 400
# In how many turns beyond the threshold a server can fold what came before.
CHANCES: Final = 3


def folding(threshold: int = LEAST) -> dict[str, Any]:
    """The member of a create that asks for compaction."""
    return {"context_management": [{"type": "compaction", "compact_threshold": threshold}]}


def grow(chain: Chain) -> Exchange:
    """Go on with a long text that says nothing, and a prompt behind it."""
    turn = chain.connection.turn(
        [message(notes(DAYS)), message(say())],
        owes="RWS-COMPACT-001",
        previous_response_id=chain.newest,
        store=False,
        **folding(),
    )
    chain.turns.append(turn)
    return turn


@scenario(
    "compaction/threshold",
    exercises=(
        "RWS-COMPACT-001",
        "RWS-COMPACT-002",
        "RWS-COMPACT-003",
        "RWS-COMPACT-004",
        "RWS-COMPACT-005",
        "RWS-COMPACT-006",
        "RWS-COMPACT-007",
    ),
    turns=6,
    features=("compaction",),
)
def threshold(driver: Driver) -> None:
    """A code word, a long text, turns until all that is folded, and the question for the word."""
    word = driver.code_word()
    chain = Chain(driver.connect())
    chain.turn(remember(word), owes="RWS-COMPACT-001", **folding())
    beyond = [grow(chain)]
    while not is_folded(beyond[-1]) and len(beyond) < CHANCES:
        beyond.append(chain.turn(say(), owes="RWS-COMPACT-001", **folding()))
    driver.mark("RWS-COMPACT-002", subject=beyond)
    if not is_folded(beyond[-1]):
        return
    window = as_input(beyond[-1].output_items, by="RWS-COMPACT-003")
    history = chain.history()
    recollect(
        driver,
        "RWS-COMPACT-006",
        word,
        recall=lambda: chain.turn(recall(), owes="RWS-COMPACT-005", **folding()),
        control=lambda: ask_with_history(driver, history),
    )
    driver.connect().turn([*window, message(say())], owes="RWS-COMPACT-007", store=False)


def as_input(items: object, *, by: str) -> Sequence[Mapping[str, Any]]:
    """Output of the server, to be sent back as it came; raises Blocked where it is no input."""
    if not isinstance(items, list) or not items:
        raise Blocked(Cause.BLOCKED, "there is no output to go on from", by)
    for item in items:
        problems = [problem for _, problem in explain("objects/input_item", item)]
        if isinstance(item, dict) and item.get("encrypted_content") == "":
            problems.append("a compaction item is empty")
        if problems:
            raise Blocked(Cause.BLOCKED, f"the output is no input: {problems[0]}", by)
    return items


@scenario(
    "compaction/bounds",
    exercises=("RWS-COMPACT-008",),
    turns=2,
    features=("compaction",),
    dialect="openai",
)
def bounds(driver: Driver) -> None:
    """A threshold that is too low, then the lowest one."""
    connection, ask = driver.connect(), [message(say())]
    subject = settle(connection, ask, store=False, **folding(1))
    if subject.outcome == "closed":
        connection = driver.connect()
    control = settle(connection, ask, store=False, **folding())
    driver.mark("RWS-COMPACT-008", subject=subject, control=control)


@scenario(
    "compaction/on-demand",
    exercises=(
        "RWS-COMPACT-003",
        "RWS-COMPACT-009",
        "RWS-COMPACT-010",
        "RWS-COMPACT-011",
        "RWS-COMPACT-012",
    ),
    turns=4,
    features=("compaction", "http"),
)
def on_demand(driver: Driver) -> None:
    """A conversation folded over HTTP, continued over the WebSocket by its output and by its id."""
    word = driver.code_word()
    history = [message(remember(word)), message("ok", role="assistant"), message(say())]
    call = driver.api.compact(history)
    driver.mark("RWS-COMPACT-009", subject=call)
    if call.status != 200 or not isinstance(call.payload, dict):
        raise Blocked(unsettled(call) or Cause.BLOCKED, describe_call(call), by="RWS-COMPACT-009")
    window = as_input(call.payload.get("output"), by="RWS-COMPACT-009")
    connection = driver.connect()
    recollect(
        driver,
        "RWS-COMPACT-011",
        word,
        recall=lambda: connection.turn(
            [*window, message(recall())], owes="RWS-COMPACT-010", store=False
        ),
        control=lambda: ask_with_history(driver, history),
    )
    name, ask = call.payload.get("id"), [message(say())]
    if not isinstance(name, str):
        raise Blocked(Cause.BLOCKED, "the compacted conversation has no id", by="RWS-COMPACT-009")
    subject = settle(connection, ask, previous_response_id=name, store=False)
    if subject.outcome == "closed":
        connection = driver.connect()
    control = settle(connection, ask, store=False)
    driver.mark("RWS-COMPACT-012", subject=subject, control=control)
