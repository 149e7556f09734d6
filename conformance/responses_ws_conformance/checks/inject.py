"""Checks on injection: what is taken, what goes on with it, and what comes back for other use."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from responses_ws_conformance.checks import (
    Cause,
    Finding,
    Mark,
    Outcome,
    Undecided,
    expectation,
)
from responses_ws_conformance.checks.answers import (
    answered,
    contains,
    describe,
    recalled,
    unanswered,
)
from responses_ws_conformance.reading.commands import came_too_late, code_of
from responses_ws_conformance.reading.exchanges import Exchange
from responses_ws_conformance.values import excerpt

CREATED: Final = "response.inject.created"
FAILED: Final = "response.inject.failed"
NOT_FOUND: Final = "response_not_found"
TOO_LATE: Final = "response_already_completed"


def is_taken(command: Exchange) -> bool:
    """True for an inject whose items the server has taken."""
    return command.answer is not None and command.answer.type == CREATED


def is_part(sent: Any, back: Any) -> bool:
    """True where all that was sent came back, whatever else there is in its items."""
    if isinstance(sent, dict) and isinstance(back, dict):
        return all(name in back and is_part(value, back[name]) for name, value in sent.items())
    if isinstance(sent, list) and isinstance(back, list):
        return len(sent) == len(back) and all(map(is_part, sent, back))
    return bool(sent == back)


@expectation("RWS-INJECT-007")
def create_with_agents_is_answered(mark: Mark) -> Iterator[Outcome]:
    """A create that lets the model direct agents is answered with a response."""
    yield from answered(mark.exchange(), by=("completed", "incomplete"))


@expectation("RWS-INJECT-001")
def outputs_are_taken(mark: Mark) -> Iterator[Outcome]:
    """The output of a call is taken while its response runs, and the answer names the response."""
    command, response = mark.exchange(), mark.exchange("response")
    if came_too_late(command, response):
        yield Undecided(Cause.TIME, f"the response had ended: {describe(command)}")
    elif command.answer is None or not is_taken(command):
        yield from unanswered(command, CREATED)
    else:
        yield from _names(command, response.response_id)


@expectation("RWS-INJECT-002")
def response_goes_on_with_the_output(mark: Mark) -> Iterator[Outcome]:
    """A word from an output that was injected comes back in the same response."""
    last = mark.latest("recalls")
    yield from list(answered(last, by=("completed", "incomplete"))) or recalled(mark)


@expectation("RWS-INJECT-003")
def unknown_response_is_not_found(mark: Mark) -> Iterator[Outcome]:
    """An inject into a response that never was gives its input back with response_not_found."""
    yield from _comes_back(mark, NOT_FOUND)
    control = mark.exchange("control")
    if code_of(mark.exchange()) == NOT_FOUND and code_of(control) == NOT_FOUND:
        why = "the failure proves nothing: a response that there was is not found either"
        yield Undecided(Cause.BLOCKED, why, by="RWS-INJECT-004")


@expectation("RWS-INJECT-004")
def ended_response_takes_nothing(mark: Mark) -> Iterator[Outcome]:
    """An inject into a response that has ended gives its input back and says so."""
    yield from _comes_back(mark, TOO_LATE)


@expectation("RWS-INJECT-005", offence=("/message/input",))
def all_items_are_taken_or_none(mark: Mark) -> Iterator[Outcome]:
    """Beside an output of no call the output of a call is not taken, and alone it is."""
    mixed, alone, response = mark.exchange(), mark.exchange("control"), mark.exchange("response")
    if came_too_late(mixed, response):
        yield Undecided(Cause.TIME, f"the response had ended: {describe(mixed)}")
    elif is_taken(mixed):
        wanted = f"{FAILED}, as one of the outputs belongs to no call"
        yield Finding(mixed.last, wanted, describe(mixed))
    elif mixed.answer is None and mixed.outcome != "error":
        yield from unanswered(mixed, FAILED)
    elif not is_taken(alone):
        # What was refused beside the other is not to be seen unless it has been taken all the same.
        if contains(response, str(mark.fact("word"))):
            wanted = "nothing of the inject that failed"
            yield Finding(response.last, wanted, f"the answer {response.text[:80]!r}")
        else:
            why = f"the failure proves nothing; the good output alone: {describe(alone)}"
            yield Undecided(Cause.BLOCKED, why, by="RWS-INJECT-001")


@expectation("RWS-INJECT-006", root="RWS-TOOL-004")
def returned_input_can_be_used(mark: Mark) -> Iterator[Outcome]:
    """A create that continues an ended response with the input that came back is answered."""
    yield from answered(mark.exchange(), by=("completed", "incomplete"))


def _comes_back(mark: Mark, code: str) -> Iterator[Outcome]:
    """Yield why an inject did not fail with this code and all that was sent."""
    command = mark.exchange()
    if command.answer is None or command.answer.type != FAILED or code_of(command) != code:
        wanted = f"{FAILED} with error.code {code}"
        yield from unanswered(command, wanted, fences=mark.exchanges("fence"))
        return
    yield from _names(command, command.request.get("response_id"))
    sent, back = command.request.get("input"), command.answer.payload.get("input")
    if not is_part(sent, back):
        yield Finding(
            command.answer.n, f"the input as it was sent: {excerpt(sent)}", excerpt(back), "/input"
        )


def _names(command: Exchange, response_id: Any) -> Iterator[Finding]:
    if command.answer is not None and command.answer.payload.get("response_id") != response_id:
        seen = excerpt(command.answer.payload.get("response_id"))
        wanted = f"response_id {response_id!r}"
        yield Finding(command.answer.n, wanted, seen, path="/response_id")
