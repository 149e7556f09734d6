"""Checks on steers that are refused, and on input that was accepted and comes back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

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
from responses_ws_conformance.checks.answers import describe, is_transient
from responses_ws_conformance.reading.commands import (
    ACCEPTED,
    FAILED,
    code_of,
    is_accepted,
    steer_of,
)
from responses_ws_conformance.reading.exchanges import PREVIOUS, Exchange
from responses_ws_conformance.transcript import Received
from responses_ws_conformance.values import excerpt

NOT_FOUND: Final = "response_not_found"
INVALID: Final = "invalid_input"
NOT_SUPPORTED: Final = "steering_not_supported"
ENDED: Final = ("response_already_completed", "response_not_active", NOT_FOUND)


@expectation("RWS-STEER-014", offence=("/message/previous_response_id",))
def unknown_response_cannot_be_steered(mark: Mark) -> Iterator[Outcome]:
    """A steer to a response that never was is refused with response_not_found."""
    yield from _refused(mark, NOT_FOUND)


@expectation("RWS-STEER-015", offence=("/history",))
def ended_response_cannot_be_steered(mark: Mark) -> Iterator[Outcome]:
    """A steer to a response that has ended is refused with a code that says so."""
    yield from _refused(mark, *ENDED)


@expectation("RWS-STEER-016", offence=("/message/input",))
def other_input_is_refused(mark: Mark) -> Iterator[Outcome]:
    """A steer with nothing, or with something else than messages of the user, is refused."""
    yield from _refused(mark, INVALID)


@expectation("RWS-STEER-017", offence=("/message/stream_id", "/message/metadata"))
def other_members_are_refused(mark: Mark) -> Iterator[Outcome]:
    """A steer with further members is refused with invalid_input."""
    yield from _refused(mark, INVALID)


def _refused(mark: Mark, *codes: str) -> Iterator[Outcome]:
    """Yield why a steer was not refused so, or why its refusal proves nothing."""
    steer, control = mark.exchange(), mark.exchange("control")
    wanted = f"{FAILED} with error.code {' or '.join(codes)}"
    if is_transient(steer):
        yield Undecided(Cause.TRANSIENT, describe(steer))
    elif steer.answer is None and steer.error is None and not is_accepted(control):
        yield Undecided(Cause.TIME, describe(steer))
    elif not is_accepted(steer) and not is_accepted(control):
        why = f"the refusal proves nothing; the control: {describe(control)}"
        yield Undecided(Cause.BLOCKED, why, by="RWS-STEER-001")
    elif steer.answer is None or steer.answer.type != FAILED or code_of(steer) not in codes:
        yield Finding(steer.last, wanted, describe(steer))


def failures(evidence: Evidence) -> list[tuple[Exchange, Received]]:
    """The events that give steered input back, and what had been sent."""
    events = ((x, e) for x in evidence.exchanges for e in (x.answer, *x.sequels))
    return [(x, e) for x, e in events if e is not None and e.type == FAILED]


@invariant("RWS-STEER-018", when=lambda e: bool(failures(e)))
def failure_gives_the_input_back(evidence: Evidence) -> Iterator[Outcome]:
    """A failure names the response and has all of the text that was sent."""
    for exchange, event in failures(evidence):
        steer, sent = steer_of(event), exchange.request.get(PREVIOUS)
        if steer.get(PREVIOUS) != sent:
            yield Finding(
                event.n, excerpt(sent), excerpt(steer.get(PREVIOUS)), path=f"/steer/{PREVIOUS}"
            )
        given, back = texts(exchange.request.get("input")), texts(steer.get("input"))
        if given != back:
            yield Finding(
                event.n, f"the input with {excerpt(given)}", excerpt(back), path="/steer/input"
            )


def texts(value: Any) -> list[str]:
    """The texts in some input, whichever form they have."""
    if isinstance(value, str):
        return [value]
    items = value if isinstance(value, list) else []
    found = [i[n] for i in items if isinstance(i, dict) for n in ("content", "output") if n in i]
    parts = [p for v in found for p in (v if isinstance(v, list) else [{"text": v}])]
    return [p["text"] for p in parts if isinstance(p, dict) and isinstance(p.get("text"), str)]


def later_failures(evidence: Evidence) -> list[tuple[Exchange, Received]]:
    """The failures of what had been accepted."""
    return [(x, e) for x, e in failures(evidence) if e is not x.answer]


@invariant("RWS-STEER-019", when=lambda e: bool(later_failures(e)))
def later_failure_has_the_id(evidence: Evidence) -> Iterator[Outcome]:
    """What was accepted and fails later is named by the id of its acceptance."""
    for exchange, event in later_failures(evidence):
        wanted = steer_of(exchange.answer).get("id") if exchange.answer is not None else None
        seen = steer_of(event).get("id")
        if seen != wanted:
            yield Finding(event.n, f"the id {excerpt(wanted)}", excerpt(seen), path="/steer/id")


@expectation("RWS-STEER-020", root="RWS-STEER-001")
def other_modes_are_not_supported(mark: Mark) -> Iterator[Outcome]:
    """A steer that is refused for the mode of the response says so."""
    steer = mark.exchange()
    if is_transient(steer):
        yield Undecided(Cause.TRANSIENT, describe(steer))
    elif steer.answer is None and steer.error is None:
        yield Undecided(Cause.TIME, describe(steer))
    elif code_of(steer) != NOT_SUPPORTED:
        wanted = f"{ACCEPTED}, or {FAILED} with error.code {NOT_SUPPORTED}"
        yield Finding(steer.last, wanted, describe(steer))
