"""Checks on what comes of the troubles that a profile's levers provoke."""

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
from responses_ws_conformance.checks.answers import answered, describe
from responses_ws_conformance.checks.turns import stayed_open
from responses_ws_conformance.transcript import Closed

# After these a client library that reconnects on its own does so.
GOING_AWAY: Final = frozenset({1001, 1011, 1012, 1013})


@expectation("RWS-EVENT-020")
def broken_response_ends_with_failed(mark: Mark) -> Iterator[Outcome]:
    """A response that an error broke off has a response.failed."""
    subject, following = mark.exchange(), mark.exchange("following")
    if subject.terminal is not None:
        return
    if following.outcome == "completed":
        seen = f"{describe(subject)}, and nothing more before the next create was answered"
        yield Finding(subject.last, "response.failed at the end of the response", seen)
    else:
        yield Undecided(
            Cause.TIME, f"what came after the error is not known: {describe(following)}"
        )


@expectation("RWS-ERROR-012")
def overload_leaves_the_connection(mark: Mark) -> Iterator[Outcome]:
    """The connection of an overload takes the next create."""
    following, overloaded = mark.exchanges("subject"), mark.exchange("overloaded")
    last = mark.latest()
    was_running = bool(overloaded.events) and (
        overloaded.terminal is None or overloaded.terminal.n > last.sent.n
    )
    if was_running and last.outcome == "error":
        why = f"the overloaded response was perhaps not over: {describe(last)}"
        yield Undecided(Cause.TIME, why)
    else:
        yield from [*stayed_open(following, after="an overload error")] or answered(last)


def farewells(evidence: Evidence) -> list[Closed]:
    """How the server closed the connections that a restart took."""
    notes = [mark.note for mark in evidence.marks("RWS-LIMIT-007")]
    taken = {name for note in notes for name in note.roles.get("subject", ())}
    ends = [view.closed for view in evidence.connections if view.name in taken]
    return [end for end in ends if end is not None and end.side == "server" and end.code]


@invariant("RWS-LIMIT-007", when=lambda e: bool(farewells(e)))
def going_away_is_said(evidence: Evidence) -> Iterator[Outcome]:
    """The close code of a server that goes away is one after which clients come back."""
    for end in farewells(evidence):
        if end.code not in GOING_AWAY:
            yield Finding(
                end.n, "close code 1001, 1011, 1012 or 1013", f"{end.code} {end.reason!r}"
            )
