"""Checks on interrupts: what ends, what is thrown away, and what can be continued."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from responses_ws_conformance.checks import (
    Cause,
    Evidence,
    Finding,
    Mark,
    Outcome,
    Undecided,
    expectation,
    invariant,
)
from responses_ws_conformance.checks.answers import answered, describe, recalled, unanswered
from responses_ws_conformance.checks.turns import ENDED_WELL
from responses_ws_conformance.reading.commands import came_too_late
from responses_ws_conformance.reading.exchanges import (
    Exchange,
    item_id_of,
    output_of,
    reason_of,
)
from responses_ws_conformance.reading.items import Item, items_of
from responses_ws_conformance.transcript import Received
from responses_ws_conformance.values import excerpt

ACCEPTED: Final = "response.interrupt.accepted"
FAILED: Final = "response.interrupt.failed"
INTERRUPTED: Final = "response.output_item.interrupted"
INTERRUPTION: Final = "interrupted"


@expectation("RWS-INTR-001")
def interrupt_is_accepted(mark: Mark) -> Iterator[Outcome]:
    """An interrupt of a running response is accepted, and its acceptance names the response."""
    if came_too_late(mark.exchange(), mark.exchange("response")):
        yield Undecided(Cause.TIME, "the response had ended before it could be interrupted")
    else:
        yield from _answered_with(mark, ACCEPTED)


@expectation("RWS-INTR-007", offence=("/history",))
def late_interrupt_fails(mark: Mark) -> Iterator[Outcome]:
    """An interrupt of a response that has ended fails, and the failure names the response."""
    control = mark.exchange("control")
    if is_accepted(control):
        yield from _answered_with(mark, FAILED)
    else:
        why = f"the failure proves nothing; the control: {describe(control)}"
        yield Undecided(Cause.BLOCKED, why, by="RWS-INTR-001")


def _answered_with(mark: Mark, wanted: str) -> Iterator[Outcome]:
    command, response = mark.exchange(), mark.exchange("response")
    answer = command.answer
    if answer is None:
        yield from unanswered(command, wanted, fences=mark.exchanges("fence"))
    elif answer.type != wanted:
        yield Finding(
            answer.n, wanted, f"{answer.type} with error {excerpt(answer.payload.get('error'))}"
        )
    elif answer.payload.get("response_id") != response.response_id:
        seen = excerpt(answer.payload.get("response_id"))
        yield Finding(answer.n, f"response_id {response.response_id!r}", seen, path="/response_id")


@expectation("RWS-INTR-002")
def interrupted_response_is_incomplete(mark: Mark) -> Iterator[Outcome]:
    """An interrupted response ends as incomplete, and says that it was interrupted."""
    yield from _unaccepted(mark)
    response = mark.exchange()
    if not is_accepted(mark.exchange("command")):
        return
    yield from answered(response, by=("incomplete",))
    if response.terminal is not None and response.outcome == "incomplete":
        reason = reason_of(response.response)
        if reason != INTERRUPTION:
            path = "/response/incomplete_details/reason"
            wanted = f"the reason {INTERRUPTION!r}"
            yield Finding(response.terminal.n, wanted, excerpt(reason), path=path)


@expectation("RWS-INTR-011")
def interrupt_ends_no_other_lane(mark: Mark) -> Iterator[Outcome]:
    """A response that runs beside the interrupted one, on another lane, comes to its own end."""
    yield from _unaccepted(mark)
    response = mark.exchange()
    if not is_accepted(mark.exchange("command")):
        return
    if response.terminal is not None and reason_of(response.response) == INTERRUPTION:
        wanted = "a response that goes on, for the interrupt names one of another lane"
        yield Finding(response.terminal.n, wanted, describe(response))
    else:
        yield from answered(response, by=ENDED_WELL)


@expectation("RWS-INTR-003")
def interrupted_response_counts_its_tokens(mark: Mark) -> Iterator[Outcome]:
    """The terminal event of an interrupted response has usage."""
    yield from _unaccepted(mark)
    response = mark.exchange()
    if is_accepted(mark.exchange("command")) and response.terminal is not None:
        usage = response.response.get("usage")
        if not isinstance(usage, dict):
            at, seen = response.terminal.n, excerpt(usage)
            yield Finding(at, "the usage so far", seen, path="/response/usage")


@invariant("RWS-INTR-004", when=lambda e: bool(left_open(e)))
def open_item_is_reported(evidence: Evidence) -> Iterator[Outcome]:
    """Each item that was not done is reported once as interrupted, before the end."""
    for response, end, item in left_open(evidence):
        reports = _interruptions(evidence, response)
        told = [e for e in reports if _names(e, item) and e.n < end.n]
        if len(told) != 1:
            wanted = f"one {INTERRUPTED} before the end with the item_id of the open item"
            yield Finding(end.n, f"{wanted} at output_index {item.index}", f"{len(told) or 'none'}")


def left_open(evidence: Evidence) -> list[tuple[Exchange, Received, Item]]:
    """The items that were not done when their response ended, whose interrupt was accepted."""
    answers = (x.answer for x in evidence.exchanges)
    names = [a.payload.get("response_id") for a in answers if a and a.type == ACCEPTED]
    return [
        (response, response.terminal, item)
        for response in evidence.responses
        if response.response_id in names and response.terminal is not None
        for item in items_of(response)
        if item.done is None
    ]


@invariant("RWS-INTR-005", when=lambda e: bool(_interruptions(e)))
def only_open_items_are_interrupted(evidence: Evidence) -> Iterator[Outcome]:
    """An item that is reported as interrupted had begun and is not done.

    A server that announces no items shows one by its first delta, and may have begun it before.
    """
    announces = any(item.added for x in evidence.responses for item in items_of(x))
    for event in _interruptions(evidence):
        name = event.payload.get("response_id")
        items = [i for x in evidence.responses if x.response_id == name for i in items_of(x)]
        named = [item for item in items if _names(event, item)]
        is_open = any(
            item.events[0].n < event.n and (item.done is None or item.done.n > event.n)
            for item in named
        )
        if not is_open and (named or announces):
            seen = f"item_id {excerpt(event.payload.get('item_id'))}, which names no open item"
            yield Finding(event.n, "an item of the response that is open", seen, path="/item_id")


@expectation("RWS-INTR-006")
def only_done_items_are_kept(mark: Mark) -> Iterator[Outcome]:
    """An output that is repeated at the end has the items that were done, and no other."""
    yield from _unaccepted(mark)
    response = mark.exchange()
    if not is_accepted(mark.exchange("command")) or response.terminal is None:
        return
    done = [item.final.get("id") for item in items_of(response) if item.done is not None]
    kept = [i.get("id") for i in output_of(response.terminal) if isinstance(i, dict)]
    if kept and kept != done:
        wanted, seen = f"the items {excerpt(done)}", f"the items {excerpt(kept)}"
        yield Finding(response.terminal.n, wanted, seen, path="/response/output")


@expectation("RWS-INTR-008", root="RWS-CHAIN-002")
@expectation("RWS-INTR-010")
def conversation_goes_on(mark: Mark) -> Iterator[Outcome]:
    """A create that continues an interrupted response, or follows a late interrupt, is answered."""
    yield from answered(mark.exchange())


@expectation("RWS-INTR-009", root="RWS-CHAIN-003")
def what_was_said_before_is_seen(mark: Mark) -> Iterator[Outcome]:
    """A word from the input of an interrupted response comes back in its continuation."""
    yield from recalled(mark)


def is_accepted(command: Exchange) -> bool:
    """True for an interrupt that the server has accepted."""
    return command.answer is not None and command.answer.type == ACCEPTED


def _unaccepted(mark: Mark) -> Iterator[Outcome]:
    if not is_accepted(mark.exchange("command")):
        why = f"the interrupt was not accepted: {describe(mark.exchange('command'))}"
        yield Undecided(Cause.BLOCKED, why, by="RWS-INTR-001")


def _interruptions(evidence: Evidence, response: Exchange | None = None) -> list[Received]:
    """The reports of interrupted items, of one response or of all."""
    return [
        event
        for view in evidence.connections
        for event in view.others
        if event.type == INTERRUPTED
        and (response is None or event.payload.get("response_id") == response.response_id)
    ]


def _names(event: Received, item: Item) -> bool:
    ids = set(map(item_id_of, item.events))
    return item_id_of(event) in ids and event.payload.get("output_index") == item.index
