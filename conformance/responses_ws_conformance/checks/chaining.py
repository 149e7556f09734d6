"""Checks on continuation and the connection's cache."""

from __future__ import annotations

from collections.abc import Iterator

from responses_ws_conformance.checks import Finding, Mark, Outcome, expectation
from responses_ws_conformance.checks.answers import answered, describe, refused

NOT_FOUND = "previous_response_not_found"


@expectation("RWS-CHAIN-001")
@expectation("RWS-CHAIN-002")
def continuation_is_answered(mark: Mark) -> Iterator[Outcome]:
    """A continuation with the newest id ends with a completed response."""
    yield from answered(mark.exchange())


@expectation("RWS-CHAIN-005")
def unknown_id_is_refused(mark: Mark) -> Iterator[Outcome]:
    """An invented id is answered with previous_response_not_found."""
    yield from refused(mark.exchange(), codes=(NOT_FOUND,), what="for the unknown id")


@expectation("RWS-CHAIN-007")
def unknown_id_starts_no_response(mark: Mark) -> Iterator[Outcome]:
    """A create with an invented id produces no event of a response."""
    exchange = mark.exchange()
    if exchange.events:
        yield Finding(
            exchange.events[0].n,
            "no event of a response for a create with an unknown previous_response_id",
            f"{exchange.events[0].type}; the create ended with {describe(exchange)}",
        )


@expectation("RWS-CHAIN-008")
def connection_is_usable_after_an_unknown_id(mark: Mark) -> Iterator[Outcome]:
    """A create without the id works on the same connection after the refusal."""
    yield from answered(mark.exchange())
