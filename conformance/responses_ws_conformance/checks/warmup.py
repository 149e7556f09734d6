"""Checks on warm-ups: that they put nothing out, and that what they were given is not lost."""

from __future__ import annotations

from collections.abc import Iterator

from responses_ws_conformance.checks import Evidence, Finding, Mark, Outcome, expectation, invariant
from responses_ws_conformance.checks.answers import (
    NOT_FOUND,
    answered,
    recalled,
    refused,
    without_control,
)
from responses_ws_conformance.checks.creation import answered_without_a_stall
from responses_ws_conformance.reading.exchanges import LIFECYCLE_EVENTS, Exchange, response_of
from responses_ws_conformance.transcript.payloads import integer
from responses_ws_conformance.values import excerpt


@expectation("RWS-WARM-001")
def warm_up_is_completed(mark: Mark) -> Iterator[Outcome]:
    """A warm-up ends with response.completed, and its response has an id."""
    exchange = mark.exchange()
    yield from answered(exchange)
    if exchange.terminal is not None and exchange.outcome == "completed":
        name = (response_of(exchange.terminal) or {}).get("id")
        if not isinstance(name, str) or not name:
            at, expected = exchange.terminal.n, "a response with a non-empty id"
            yield Finding(at, expected, f"the id {excerpt(name)}", path="/response/id")


def warm_ups(evidence: Evidence) -> list[Exchange]:
    """The responses that are surely those of creates with generate false."""
    own = (x for x in evidence.responses if x.is_create and not x.is_guessed)
    return [x for x in own if x.request.get("generate") is False]


@invariant("RWS-WARM-002", when=lambda e: bool(warm_ups(e)))
def warm_up_has_no_output(evidence: Evidence) -> Iterator[Outcome]:
    """A response to a create with generate false has no output."""
    for exchange in warm_ups(evidence):
        yield from output(exchange)


def output(exchange: Exchange) -> Iterator[Finding]:
    """The first sign of output in a response that is to have none."""
    for event in exchange.events:
        items = (response_of(event) or {}).get("output")
        if event.type not in LIFECYCLE_EVENTS or items:
            count = len(items) if isinstance(items, list) else 0
            shown = f"{count} items in {event.type}" if count else str(event.type)
            yield Finding(event.n, "no output of a warm-up", shown)
            return


def counted(exchange: Exchange) -> int | None:
    """The output tokens that a response says it has."""
    usage = exchange.response.get("usage")
    return integer(usage.get("output_tokens")) if isinstance(usage, dict) else None


@invariant("RWS-WARM-003", when=lambda e: bool(warm_ups(e)))
def warm_up_counts_no_output(evidence: Evidence) -> Iterator[Outcome]:
    """The usage of a warm-up has no output tokens."""
    for exchange in warm_ups(evidence):
        tokens = counted(exchange)
        if tokens:
            path = "/response/usage/output_tokens"
            root = "RWS-WARM-002" if any(output(exchange)) else None
            yield Finding(exchange.events[-1].n, "0 output tokens", f"{tokens}", path, root)


@expectation("RWS-WARM-004", root="RWS-CHAIN-002")
@expectation("RWS-WARM-006", root="RWS-CHAIN-002")
@expectation("RWS-WARM-008", root="RWS-CHAIN-002")
def warm_up_is_a_response_like_others(mark: Mark) -> Iterator[Outcome]:
    """What continues a warm-up, and a warm-up that continues a response, is completed."""
    yield from answered(mark.exchange())


@expectation("RWS-WARM-005", root="RWS-CHAIN-003")
@expectation("RWS-WARM-007", root="RWS-CHAIN-003")
@expectation("RWS-WARM-009", root="RWS-CHAIN-003")
@expectation("RWS-WARM-014", root="RWS-CHAIN-003")
def what_came_with_the_warm_up_is_seen(mark: Mark) -> Iterator[Outcome]:
    """A word from the input of a warm-up, or from before it, comes back."""
    yield from recalled(mark)


@expectation("RWS-WARM-010", offence=("/connection",))
def unstored_warm_up_is_not_found(mark: Mark) -> Iterator[Outcome]:
    """A store:false warm-up is not found on another connection."""
    what = "for the id of a store:false warm-up of another connection"
    outcomes = list(refused(mark.exchange(), codes=(NOT_FOUND,), what=what))
    yield from outcomes or without_control(mark, by="RWS-WARM-004")


@expectation("RWS-WARM-011")
def generate_true_generates(mark: Mark) -> Iterator[Outcome]:
    """A create with generate true has output."""
    exchange = mark.exchange()
    yield from answered(exchange)
    if exchange.outcome == "completed" and not exchange.output_items:
        yield Finding(exchange.last, "a response with output", "a completed response without any")


@expectation("RWS-WARM-012", root="RWS-WARM-002")
def prewarm_is_a_warm_up(mark: Mark) -> Iterator[Outcome]:
    """A create with the cache option prewarm is completed without output."""
    exchange = mark.exchange()
    yield from answered(exchange)
    yield from output(exchange)


@expectation("RWS-WARM-013")
def generate_is_no_obstacle(mark: Mark) -> Iterator[Outcome]:
    """A create with generate false is answered with a response or an error event."""
    yield from answered_without_a_stall(mark, "with generate false")
