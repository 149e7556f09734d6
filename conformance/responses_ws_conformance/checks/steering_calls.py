"""Checks on steering that waits: for what the client owes to the calls of a response."""

from __future__ import annotations

from collections import Counter
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
from responses_ws_conformance.checks.answers import (
    answered,
    describe,
    not_recalled,
    recalled,
    tools_of,
)
from responses_ws_conformance.checks.steering import successors, targets
from responses_ws_conformance.checks.streams import folded_where_torn
from responses_ws_conformance.reading.commands import FAILED, PENDING, is_accepted, steer_of
from responses_ws_conformance.reading.exchanges import Exchange
from responses_ws_conformance.transcript import Received
from responses_ws_conformance.values import excerpt

# Calls that the client answers; those of hosted tools have an id of that kind as well.
ANSWERED: Final = ("function_call", "custom_tool_call")


def open_calls(exchange: Exchange) -> list[dict[str, Any]]:
    """The calls in a completed response that the client has to answer."""
    items = exchange.output_items if exchange.outcome == "completed" else []
    return [item for item in items if item.get("type") in ANSWERED and "call_id" in item]


def waiting(evidence: Evidence) -> list[Exchange]:
    """The responses with open calls for which input was accepted."""
    steered = [t for x in evidence.exchanges if is_accepted(x) for t in targets(evidence, x)]
    return [x for x in dict.fromkeys(steered) if open_calls(x)]


@invariant("RWS-STEER-012", when=lambda e: bool(waiting(e)))
@folded_where_torn
def nothing_follows_open_calls_by_itself(evidence: Evidence) -> Iterator[Outcome]:
    """A response with open calls has no successor but what the client creates."""
    for target in waiting(evidence):
        for parent, successor in successors(evidence):
            if parent is target:
                at = successor.events[0].n if successor.events else successor.last
                wanted = (
                    "no response before the client has answered the calls, and none beside that"
                )
                yield Finding(at, wanted, f"the response {successor.response_id!r}")


@expectation("RWS-STEER-021")
def waiting_input_is_announced(mark: Mark) -> Iterator[Outcome]:
    """Behind a response with open calls it is said that the input waits for their outputs."""
    target, steer = mark.exchange("target"), mark.exchange()
    fence = next(iter(mark.exchanges("fence")), None)
    if any(e.type in (PENDING, FAILED) for e in steer.sequels):
        return
    if not open_calls(target):
        yield Undecided(Cause.MOOD, f"no open call; the response: {describe(target)}")
    elif fence is None or fence.outcome not in ("completed", "incomplete"):
        yield Undecided(Cause.TIME, f"no {PENDING} within the time limit")
    else:
        seen = "none, though a create that was sent later was answered"
        yield Finding(target.last, f"{PENDING} for the steer", seen)


def announcements(evidence: Evidence) -> list[tuple[Exchange, Received]]:
    """What waits for outputs, and the event that says so."""
    events = ((x, e) for x in evidence.exchanges for e in x.sequels)
    return [(x, e) for x, e in events if e.type == PENDING]


@invariant("RWS-STEER-022", when=lambda e: bool(announcements(e)))
def announcement_names_the_calls(evidence: Evidence) -> Iterator[Outcome]:
    """The announcement has a stub of an output for each open call."""
    for exchange, event in announcements(evidence):
        given = event.payload.get("required_input")
        stubs = [s for s in given if isinstance(s, dict)] if isinstance(given, list) else []
        named = [(s.get("type"), s.get("call_id")) for s in stubs]
        for target in targets(evidence, exchange):
            for call in open_calls(target):
                wanted = (f"{call['type']}_output", call["call_id"])
                if wanted not in named:
                    expected = f"a stub of type {wanted[0]} for the call {wanted[1]!r}"
                    yield Finding(event.n, expected, f"{named}", path="/required_input")


@invariant("RWS-STEER-023", when=lambda e: bool(announcements(e)))
def announcement_comes_once(evidence: Evidence) -> Iterator[Outcome]:
    """No steer is said to wait twice."""
    seen: Counter[tuple[str, str]] = Counter()
    for exchange, event in announcements(evidence):
        name = (exchange.conn, str(steer_of(event).get("id", exchange.name)))
        seen[name] += 1
        if seen[name] > 1:
            yield Finding(event.n, f"{PENDING} once for the steer {name[1]!r}", "it once more")


@expectation("RWS-STEER-024")
def waiting_input_is_taken_along(mark: Mark) -> Iterator[Outcome]:
    """A word that was steered comes back from the create that answers the calls."""
    yield from recalled(mark)


@expectation("RWS-STEER-025", root="RWS-CHAIN-002")
def create_keeps_its_settings(mark: Mark) -> Iterator[Outcome]:
    """The response to the create that answers the calls shows the settings of that create."""
    exchange, target = mark.exchange(), mark.exchange("target")
    outcomes = list(answered(exchange))
    if outcomes:
        yield from outcomes
        return
    before, after, own = target.response, exchange.response, exchange.request
    seen = 0
    if "instructions" in before and "instructions" in after:
        seen += 1
        if before["instructions"] == after["instructions"] != own["instructions"]:
            wanted = f"the instructions {excerpt(own['instructions'])} of the create"
            path = "/response/instructions"
            yield Finding(
                exchange.last, wanted, f"{excerpt(after['instructions'])}, as before", path
            )
    if "tools" in before and "tools" in after:
        seen += 1
        if tools_of(before) == tools_of(after) != tools_of(own):
            wanted = f"the tools {excerpt(tools_of(own))} of the create"
            yield Finding(
                exchange.last, wanted, f"{excerpt(tools_of(after))}, as before", "/response/tools"
            )
    if not seen:
        why = f"no response shows settings; {describe(exchange)}"
        yield Undecided(Cause.BLOCKED, why, by="RWS-CREATE-003")


@expectation("RWS-STEER-026")
def waiting_input_ends_with_the_connection(mark: Mark) -> Iterator[Outcome]:
    """A word that waited on another connection is unknown."""
    yield from not_recalled(mark)
