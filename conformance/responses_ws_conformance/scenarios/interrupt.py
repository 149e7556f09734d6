"""Scenarios on interrupts: of a response that speaks, that has just begun, and that has ended."""

from __future__ import annotations

from collections.abc import Callable

from responses_ws_conformance.checks import Cause
from responses_ws_conformance.driver import Blocked, Connection, Driver
from responses_ws_conformance.prompts import count, message, recall, remember, say
from responses_ws_conformance.reading.commands import came_too_late
from responses_ws_conformance.reading.exchanges import Exchange
from responses_ws_conformance.reading.items import PART_KINDS, items_of
from responses_ws_conformance.scenarios import scenario
from responses_ws_conformance.scenarios.chaining import ask_with_history
from responses_ws_conformance.scenarios.chains import settle
from responses_ws_conformance.scenarios.fences import behind
from responses_ws_conformance.scenarios.recollection import recollect

# How far the responses count that are interrupted; one that was over too soon is asked for more.
COUNTS = (400, 1_500, 6_000)

WRITTEN = frozenset(kind.delta for kind in PART_KINDS.values())
# So many characters are no greeting that is soon over, but the long text that was asked for.
LONG = 60

RUNNING = ("RWS-INTR-001", "RWS-INTR-002", "RWS-INTR-003", "RWS-INTR-006")


def speaks(response: Exchange) -> bool:
    """True where a message is being written that goes on for long."""
    return any(
        sum(len(str(e.payload.get("delta"))) for e in item.events if e.type in WRITTEN) > LONG
        for item in items_of(response)
        if item.done is None
    )


def opens(response: Exchange) -> bool:
    """True where an item is on its way, whether anything of it is streamed or not."""
    return any(item.done is None for item in items_of(response))


def interrupt(connection: Connection, response: Exchange) -> Exchange:
    """Interrupt a response and read the answer; raises Blocked where the response has no id."""
    if response.response_id is None:
        raise Blocked(Cause.BLOCKED, "the response has no id", by="RWS-EVENT-002")
    event = {
        "type": "response.interrupt",
        "response_id": response.response_id,
        "mode": "discard_partial_items",
    }
    return connection.finish(connection.command(event))


def interrupt_when(
    driver: Driver, *texts: str, reached: Callable[[Exchange], bool]
) -> tuple[Connection, Exchange, Exchange]:
    """A long response that is interrupted when it has come so far; raises Blocked.

    Gives the connection, the response and the interrupt. A response that had ended before the
    interrupt came proves nothing; then a longer one is asked for. A server that streams no text is
    interrupted when an item is on its way. A model that never writes much is in no mood for what
    was asked.
    """
    longest = 0
    for number in COUNTS:
        connection = driver.connect()
        input = [*map(message, texts), message(count(number))]
        response = connection.until(connection.submit(input, store=False), reached)
        if not response.is_ended:
            command = interrupt(connection, response)
            connection.finish(response)
            if not came_too_late(command, response):
                return connection, response, command
        elif not any(event.type in WRITTEN for event in response.events):
            reached = _either(reached, opens)
        longest = max(longest, len(response.text))
    if longest <= LONG:
        raise Blocked(
            Cause.MOOD, "each response was short, and had ended before it was interrupted"
        )
    raise Blocked(Cause.TIME, "each response had ended before it could be interrupted")


def _either(
    one: Callable[[Exchange], bool], other: Callable[[Exchange], bool]
) -> Callable[[Exchange], bool]:
    return lambda response: one(response) or other(response)


def mark_running(connection: Connection, response: Exchange, command: Exchange) -> None:
    """Mark what is said of each interrupt of a response that runs."""
    driver, proof = connection.driver, behind(connection, command)
    driver.mark("RWS-INTR-001", subject=command, response=response, fence=proof)
    for requirement in RUNNING[1:]:
        driver.mark(requirement, subject=response, command=command)


@scenario(
    "interrupt/speaking",
    exercises=(*RUNNING, "RWS-INTR-004", "RWS-INTR-008", "RWS-INTR-009"),
    turns=5,
    features=("interrupt",),
)
def speaking(driver: Driver) -> None:
    """A response that is interrupted in its text, and the turn that continues it."""
    word = driver.code_word()
    connection, response, command = interrupt_when(driver, remember(word), reached=speaks)
    mark_running(connection, response, command)
    connection.require(command, ends=("answered",), by="RWS-INTR-001")
    connection.require(response, ends=("incomplete",), by="RWS-INTR-002")
    asked: list[Exchange] = []

    def go_on() -> Exchange:
        previous = asked[-1].response_id if asked else response.response_id
        asked.append(
            settle(connection, [message(recall())], previous_response_id=previous, store=False)
        )
        return asked[-1]

    go_on()
    driver.mark("RWS-INTR-008", subject=asked[0])
    connection.require(asked[0], by="RWS-INTR-008")
    first = [*asked]
    recollect(
        driver,
        "RWS-INTR-009",
        word,
        recall=lambda: first.pop() if first else go_on(),
        control=lambda: ask_with_history(driver, [message(remember(word))]),
    )


@scenario("interrupt/early", exercises=(*RUNNING, "RWS-INTR-005"), turns=2, features=("interrupt",))
def early(driver: Driver) -> None:
    """A response that is interrupted when it has just been created, and a turn, which has items."""
    connection, response, command = interrupt_when(driver, reached=lambda x: x.created is not None)
    mark_running(connection, response, command)
    connection.attempt([message(say())], store=False)


@scenario(
    "interrupt/late", exercises=("RWS-INTR-007", "RWS-INTR-010"), turns=3, features=("interrupt",)
)
def late(driver: Driver) -> None:
    """An interrupt in time, one of a response that has ended, and a turn after that."""
    connection, _, control = interrupt_when(driver, reached=lambda x: x.created is not None)
    connection.require(control, ends=("answered",), by="RWS-INTR-001")
    response = connection.turn([message(say())], store=False)
    command = interrupt(connection, response)
    after = connection.attempt([message(say())], store=False)
    driver.mark("RWS-INTR-007", subject=command, response=response, control=control, fence=after)
    driver.mark("RWS-INTR-010", subject=after, command=command)


@scenario(
    "interrupt/beside",
    exercises=(*RUNNING, "RWS-INTR-011"),
    turns=2 * len(COUNTS),
    features=("interrupt", "lanes"),
)
def beside(driver: Driver) -> None:
    """Two long responses side by side; the one that is interrupted is not the newest."""
    for number in COUNTS:
        connection = driver.connect()
        lanes = [
            connection.submit([message(count(number))], store=False, stream_id=name)
            for name in ("cut", "kept")
        ]
        for response in lanes:
            connection.until(response, lambda x: x.created is not None)
        if not any(x.is_ended for x in lanes):
            command = interrupt(connection, lanes[0])
            for response in lanes:
                connection.finish(response)
            if not came_too_late(command, lanes[0]):
                mark_running(connection, lanes[0], command)
                driver.mark("RWS-INTR-011", subject=lanes[1], command=command)
                return
    raise Blocked(Cause.TIME, "no two responses ran side by side for long enough")
