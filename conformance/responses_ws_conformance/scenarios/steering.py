"""Scenarios on steering: input for a response that runs, and the response that follows it.

A steer can come too late. That is nobody's fault; the same is tried with a longer answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from responses_ws_conformance.checks import Cause
from responses_ws_conformance.checks.answers import describe
from responses_ws_conformance.driver import OMIT, Blocked, Connection, Driver
from responses_ws_conformance.prompts import CLOCK, count, message, recall, remember, say
from responses_ws_conformance.reading.commands import FAILED, PENDING, came_too_late, is_accepted
from responses_ws_conformance.reading.exchanges import Exchange
from responses_ws_conformance.scenarios import scenario
from responses_ws_conformance.scenarios.chains import require_settled
from responses_ws_conformance.scenarios.recollection import recollect
from responses_ws_conformance.scenarios.turns import settle_all

STEER: Final = "response.steer"
LONG: Final = (60, 240, 960)
Input = str | Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Steered:
    """A response that was steered, the steers, and the successor where there is one."""

    target: Exchange
    steers: list[Exchange]
    successor: Exchange | None = None


def steer(target: Exchange, input: Any, **members: Any) -> dict[str, Any]:
    """A steer to a response."""
    event = {"type": STEER, "previous_response_id": target.response_id, "input": input}
    return {**event, **members}


def begin(
    connection: Connection, input: Input, *, is_speaking: bool = False, **fields: Any
) -> Exchange:
    """A create, up to its response, or to the first item of that; raises Blocked without one."""
    target = connection.submit(input, **{"store": False, **fields})
    has_begun = is_speaking_now if is_speaking else is_known
    connection.until(target, has_begun)
    if target.response_id is None:
        connection.require(target, by="RWS-CREATE-001")
    return target


def is_known(exchange: Exchange) -> bool:
    """True where a response has an id, and so can be steered."""
    return exchange.response_id is not None


def is_speaking_now(exchange: Exchange) -> bool:
    """True where it has begun with an item too."""
    return is_known(exchange) and bool(exchange.item_ids)


def send(connection: Connection, target: Exchange, *inputs: Input) -> list[Exchange]:
    """Several steers at once, and the answers to them."""
    steers = [connection.command(steer(target, each)) for each in inputs]
    settle_all(connection, *steers)
    return steers


def settle_steers(
    connection: Connection, target: Exchange, steers: Sequence[Exchange]
) -> Exchange | None:
    """What becomes of a response and its steers: all of it, up to the end of the successor."""
    connection.finish(target)
    connection.require(target, ends=("completed", "incomplete"), by="RWS-EVENT-005")
    if not any(map(is_accepted, steers)) or target.function_calls:
        return None
    return await_successor(connection, target, steers)


def await_successor(
    connection: Connection, target: Exchange, steers: Sequence[Exchange]
) -> Exchange | None:
    """The successor of a response, up to its end, unless the input comes back."""
    came_back = (FAILED, PENDING)
    accepted = [*filter(is_accepted, steers)]
    connection.follow(
        target,
        lambda x: (
            successor_of(connection, x) is not None
            or all(any(e.type in came_back for e in each.sequels) for each in accepted)
        ),
    )
    successor = successor_of(connection, target)
    return None if successor is None else connection.finish(successor)


def successor_of(connection: Connection, target: Exchange) -> Exchange | None:
    """The successor of a response, so far."""
    view = connection.driver.recording.reading.connection(connection.name)
    return next((x for x in view.exchanges if x.parent is target), None)


def fence(connection: Connection, target: Exchange) -> list[Exchange]:
    """A create on the lane of a response, behind which nothing more of it can come."""
    return [connection.attempt(say(), store=False, stream_id=target.lane or OMIT)]


def steer_long_answer(
    driver: Driver,
    connection: Connection,
    *inputs: Input,
    before: Sequence[str] = (),
    **fields: Any,
) -> Steered:
    """Steer a response that counts; raises Blocked where none can be steered."""
    targets: list[Exchange] = []
    tries: list[Exchange] = []
    for length in LONG:
        create = [*map(message, before), message(count(length))]
        targets.append(begin(connection, create, **fields))
        steers = send(connection, targets[-1], *inputs)
        tries.append(next((s for s in steers if not is_accepted(s)), steers[0]))
        successor = settle_steers(connection, targets[-1], steers)
        if not came_too_late(tries[-1], targets[-1]):
            break
    silent = tries[-1].answer is None and tries[-1].error is None
    proof = fence(connection, targets[-1]) if silent else []
    driver.mark("RWS-STEER-001", targets=targets, subject=tries, fence=proof)
    if not is_accepted(tries[-1]):
        late = came_too_late(tries[-1], targets[-1])
        cause = Cause.TIME if late else Cause.BLOCKED
        raise Blocked(cause, describe(tries[-1]), None if late else "RWS-STEER-001")
    return Steered(targets[-1], steers, successor)


def require_successor(driver: Driver, connection: Connection, steered: Steered) -> Exchange:
    """The successor, ended well; raises Blocked where there is none."""
    target, successor = steered.target, steered.successor
    if target.function_calls:
        raise Blocked(Cause.BLOCKED, "the response calls a tool all the same", "RWS-TOOL-009")
    proof: list[Exchange] = []
    if successor is None:
        # A successor can be late, and behind the create that shows that it is not.
        proof = fence(connection, target)
        successor = await_successor(connection, target, steered.steers)
    driver.mark("RWS-STEER-003", subject=steered.steers[0], target=target, fence=proof)
    driver.mark("RWS-STEER-004", subject=target)
    if any(e.type == FAILED for each in steered.steers for e in each.sequels):
        raise Blocked(Cause.TRANSIENT, "the input came back, there is no successor")
    if successor is None:
        raise Blocked(Cause.BLOCKED, "there is no successor", by="RWS-STEER-003")
    connection.require(successor, by="RWS-STEER-003")
    return successor


SETTINGS: Final[dict[str, Any]] = {
    "instructions": "Answer in plain English.",
    "tools": [CLOCK],
    "tool_choice": "none",
}


@scenario(
    "steering/successor",
    exercises=(
        "RWS-STEER-001",
        "RWS-STEER-002",
        "RWS-STEER-003",
        "RWS-STEER-004",
        "RWS-STEER-005",
        "RWS-STEER-006",
        "RWS-STEER-007",
        "RWS-STEER-008",
        "RWS-STEER-009",
        "RWS-STEER-010",
        "RWS-STEER-011",
        "RWS-STEER-019",
    ),
    turns=4,
    features=("steering",),
)
def successor(driver: Driver) -> None:
    """A long answer is steered with the question for a word that was planted before it."""
    connection, word = driver.connect(), driver.code_word()
    runs: list[Steered] = []

    def go() -> Exchange:
        runs.append(
            steer_long_answer(driver, connection, recall(), before=[remember(word)], **SETTINGS)
        )
        return require_successor(driver, connection, runs[-1])

    def control() -> Exchange:
        said = [message(runs[-1].target.text, role="assistant")] if runs[-1].target.text else []
        history = [*runs[-1].target.request["input"], *said, message(recall())]
        return driver.connect().turn(history, store=False)

    recollect(driver, "RWS-STEER-008", word, recall=go, control=control)
    fence(connection, runs[-1].target)


@scenario(
    "steering/order",
    exercises=("RWS-STEER-001", "RWS-STEER-009", "RWS-STEER-010", "RWS-STEER-011", "RWS-STEER-013"),
    turns=4,
    features=("steering",),
)
def order(driver: Driver) -> None:
    """Two words and the question for the last of them in three steers, on a lane if there are."""
    connection = driver.connect()
    words = [driver.code_word() for _ in range(2)]
    inputs = (*map(remember, words), recall())
    lane = "steered" if "lanes" in driver.profile.features else OMIT
    runs: list[Steered] = []

    def go() -> Exchange:
        runs.append(steer_long_answer(driver, connection, *inputs, stream_id=lane))
        return require_successor(driver, connection, runs[-1])

    def control() -> Exchange:
        said = [message(runs[-1].target.text, role="assistant")] if runs[-1].target.text else []
        history = [*runs[-1].target.request["input"], *said, *map(message, inputs)]
        return driver.connect().turn(history, store=False)

    recollect(driver, "RWS-STEER-013", words[-1], recall=go, control=control)
    fence(connection, runs[-1].target)


ORPHAN: Final = {"type": "function_call_output", "call_id": "call_rws", "output": "done"}
WRONG_INPUTS: Final[tuple[Any, ...]] = ([], [ORPHAN], [message("Be brief.", role="developer")])
WRONG_MEMBERS: Final[tuple[dict[str, Any], ...]] = (
    {"stream_id": "steered"},
    {"metadata": {"rws": "1"}},
)


@scenario(
    "steering/refusals",
    exercises=("RWS-STEER-014", "RWS-STEER-015", "RWS-STEER-016", "RWS-STEER-017", "RWS-STEER-018"),
    turns=3,
    features=("steering",),
)
def refusals(driver: Driver) -> None:
    """Six wrong steers and a right one while an answer runs, the right one again when it ended."""
    connection = driver.connect()
    good = say("steered")
    for length in LONG:
        target = begin(connection, count(length))
        unknown = {**steer(target, good), "previous_response_id": driver.invented_id()}
        wrong = [
            unknown,
            *(steer(target, each) for each in WRONG_INPUTS),
            *(steer(target, good, **each) for each in WRONG_MEMBERS),
        ]
        steers = [connection.command(each, is_wrong=True) for each in wrong]
        control = connection.command(steer(target, good))
        settle_all(connection, *steers, control)
        settle_steers(connection, target, [*steers, control])
        if not came_too_late(control, target):
            break
    if came_too_late(control, target):
        raise Blocked(Cause.TIME, "the response was over before it could be steered")
    names = ["RWS-STEER-014", *["RWS-STEER-016"] * len(WRONG_INPUTS)]
    names += ["RWS-STEER-017"] * len(WRONG_MEMBERS)
    for name, each in zip(names, steers, strict=True):
        driver.mark(name, subject=each, control=control)
    if not is_accepted(control):
        connection.require(control, ends=(), by="RWS-STEER-001")
    (late,) = send(connection, target, good)
    if not is_accepted(late):
        driver.mark("RWS-STEER-015", subject=late, control=control)


@scenario("steering/compacting", exercises=("RWS-STEER-020",), turns=3, features=("steering",))
def compacting(driver: Driver) -> None:
    """A response with automatic compaction, which not every server can steer."""
    connection = driver.connect()
    management = [{"type": "compaction", "compact_threshold": 100_000}]
    for length in LONG:
        target = connection.submit(count(length), store=False, context_management=management)
        connection.until(target, is_known)
        if target.response_id is None:
            require_settled(connection, target)
            return  # a server may know nothing of compaction
        (late,) = send(connection, target, say("steered"))
        settle_steers(connection, target, [late])
        if not came_too_late(late, target):
            break
    if not (is_accepted(late) or came_too_late(late, target)):
        driver.mark("RWS-STEER-020", subject=late)
