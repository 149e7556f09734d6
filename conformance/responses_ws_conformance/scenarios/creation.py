"""Scenarios on ``response.create``."""

from __future__ import annotations

from typing import Any, Final

from responses_ws_conformance.checks import Cause
from responses_ws_conformance.checks.answers import contains
from responses_ws_conformance.driver import OMIT, Blocked, Connection, Driver
from responses_ws_conformance.prompts import CLOCK, count, message, recall, say, told
from responses_ws_conformance.reading.exchanges import Exchange
from responses_ws_conformance.scenarios import scenario
from responses_ws_conformance.scenarios.chains import Chain, require_settled, settle
from responses_ws_conformance.scenarios.fences import insist
from responses_ws_conformance.scenarios.recollection import recollect

GENERATION_FIELDS: Final[dict[str, Any]] = {
    "metadata": {"suite": "rws", "purpose": "conformance"},
    "text": {"format": {"type": "text"}},
    "tool_choice": "auto",
    "parallel_tool_calls": True,
    "truncation": "disabled",
    "include": [],
}


@scenario(
    "creation/string-input",
    exercises=("RWS-CREATE-001", "RWS-CREATE-014"),
    turns=1,
    smoke=True,
)
def string_input(driver: Driver) -> None:
    """One turn with a string input; the plainest thing that a client does."""
    connection, word = driver.connect(), driver.code_word()
    recollect(
        driver,
        "RWS-CREATE-001",
        word,
        recall=lambda: connection.turn(say(word), store=False),
        control=lambda: connection.turn([message(say(word))], store=False),
    )


@scenario(
    "creation/inheritance",
    exercises=(
        "RWS-CREATE-003",
        "RWS-CREATE-006",
        "RWS-CREATE-007",
        "RWS-CREATE-008",
        "RWS-CREATE-018",
    ),
    turns=4,
)
def inheritance(driver: Driver) -> None:
    """Instructions and a tool, a continuation without them, and a new chain."""
    chain, word = Chain(driver.connect()), driver.code_word()
    first = chain.turn(say(), instructions=told(word), tools=[CLOCK])
    if first.function_calls or contains(first, word):
        raise Blocked(Cause.MOOD, f"the model did not just answer {say()!r}")
    heir = chain.turn(recall())
    driver.mark("RWS-CREATE-008", subject=heir, before=first)
    told_directly = [message(told(word), role="developer"), message(recall())]
    aware = recollect(
        driver,
        "RWS-CREATE-018",
        word,
        recall=lambda: chain.turn(recall(), instructions=told(word)),
        control=lambda: settle(driver.connect(), told_directly, store=False),
    )
    driver.mark("RWS-CREATE-007", {"word": word}, subject=heir, controls=[aware])
    fresh = settle(chain.connection, recall(), previous_response_id=None, store=False)
    driver.mark("RWS-CREATE-006", {"word": word}, subject=fresh)


@scenario("creation/generation-fields", exercises=("RWS-CREATE-004", "RWS-CREATE-012"), turns=1)
def generation_fields(driver: Driver) -> None:
    """One turn with the generation fields of the HTTP body together."""
    driver.connect().turn(say(), owes="RWS-CREATE-012", store=False, **GENERATION_FIELDS)


@scenario("creation/without-model", exercises=("RWS-CREATE-013",), turns=2)
def without_model(driver: Driver) -> None:
    """A create without a model, then a healthy one."""
    connection = driver.connect()
    without = insist(
        connection, "RWS-CREATE-013", lambda c: c.attempt(say(), model=OMIT, store=False)
    )
    require_settled(connection, without)
    after = connection.attempt(say(), store=False)
    if after.outcome != "closed":
        connection.require(after, by="RWS-CREATE-001")
    driver.mark("RWS-CREATE-013", subject=without, after=after)


@scenario("creation/token-limit", exercises=("RWS-CREATE-009", "RWS-EVENT-010"), turns=1)
def token_limit(driver: Driver) -> None:
    """A long answer under the lowest max_output_tokens."""
    connection = driver.connect()
    turn = connection.turn(
        count(200),
        owes="RWS-CREATE-009",
        ends=("incomplete", "completed"),
        max_output_tokens=16,
        store=False,
    )
    connection.require(turn, ends=("incomplete",), by="RWS-CREATE-009")


@scenario(
    "creation/bounds",
    exercises=("RWS-CREATE-015", "RWS-CREATE-016"),
    turns=4,
    dialect="open-responses",
)
def bounds(driver: Driver) -> None:
    """A token limit and a number of log probabilities, each within its bounds and outside."""
    for requirement, member, good, bad in (
        ("RWS-CREATE-015", "max_output_tokens", 16, 15),
        ("RWS-CREATE-016", "top_logprobs", 0, 21),
    ):
        connection = driver.connect()
        fields: dict[str, Any] = {"store": False, member: good}
        control = connection.attempt(say(), **fields)
        require_settled(connection, control)
        if control.outcome not in ("completed", "incomplete") and member == "top_logprobs":
            continue  # models that tell no probabilities take none of its values
        wrong = create(connection, input=say(), **{**fields, member: bad})
        driver.mark(requirement, subject=wrong, control=control)


@scenario("creation/conversation", exercises=("RWS-CREATE-017",), turns=3, dialect="openai")
def conversation_and_response(driver: Driver) -> None:
    """A continuation, then one more that names a conversation as well."""
    chain = Chain(driver.connect())
    chain.turn(say())
    control = chain.turn(say())
    both = {**control.request, "previous_response_id": chain.newest}
    wrong = create(chain.connection, **both, conversation=driver.invented_id("conv"))
    driver.mark("RWS-CREATE-017", subject=wrong, control=control)


@scenario(
    "creation/transport-fields",
    exercises=("RWS-CREATE-002", "RWS-CREATE-010", "RWS-CREATE-011"),
    turns=3,
)
def transport_fields(driver: Driver) -> None:
    """The members background and stream, which mean nothing on a WebSocket."""
    connection = driver.connect()
    ask = [{"type": "message", "role": "user", "content": say()}]
    control = connection.turn(ask, store=False)
    # Without store: a server may refuse to run in the background what it does not keep.
    behind = insist(connection, "RWS-CREATE-010", lambda c: create(c, input=ask, background=True))
    driver.mark("RWS-CREATE-010", subject=behind, control=control)
    connection = driver.connect()  # the refusal may have cost the other one
    streamed = insist(
        connection, "RWS-CREATE-011", lambda c: create(c, input=ask, store=False, stream=True)
    )
    if streamed.is_ended:
        driver.mark("RWS-CREATE-011", subject=streamed, control=control)
        return
    word = driver.code_word()
    fence = connection.attempt([message(say(word))], store=False)
    driver.mark("RWS-CREATE-011", {"word": word}, subject=streamed, control=control, fence=fence)


def create(connection: Connection, **fields: Any) -> Exchange:
    """A create with members that the client schema forbids."""
    model = connection.driver.profile.model
    event = {"type": "response.create", "model": model, **fields}
    if model is None:
        del event["model"]
    connection.driver.pace()
    return connection.finish(connection.provoke(event))
