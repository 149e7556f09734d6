"""Checks on what a server keeps beyond a connection, for whom, and what it does not keep."""

from __future__ import annotations

from collections.abc import Iterator

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
    NOT_FOUND,
    answered,
    describe,
    is_transient,
    not_recalled,
    recalled,
    refused,
    without_control,
)
from responses_ws_conformance.reading.exchanges import Exchange, response_of


@expectation("RWS-STORE-001")
@expectation("RWS-STORE-003")
def stored_response_is_continued_elsewhere(mark: Mark) -> Iterator[Outcome]:
    """A continuation of a stored response on another connection ends with a completed one."""
    yield from answered(mark.exchange())


@expectation("RWS-STORE-002", root="RWS-CHAIN-003")
def whole_chain_is_stored(mark: Mark) -> Iterator[Outcome]:
    """A word from the first turn of a chain comes back on another connection."""
    yield from recalled(mark)


@expectation("RWS-STORE-004", root="RWS-CHAIN-003")
@expectation("RWS-STORE-006", root="RWS-STORE-001")
def continued_with_its_context(mark: Mark) -> Iterator[Outcome]:
    """The response is continued, and a word from its input comes back."""
    yield from recalled(mark) if mark.exchanges("recalls") else answered(mark.exchange())


def without_store(evidence: Evidence) -> list[Exchange]:
    """Responses that are surely those of creates which do not mention store."""
    own = (x for x in evidence.responses if x.is_create and not x.is_guessed)
    return [x for x in own if "store" not in x.request]


@invariant("RWS-STORE-005", when=lambda e: bool(without_store(e)))
def default_is_not_shown_as_false(evidence: Evidence) -> Iterator[Outcome]:
    """A response does not show store false where its create has no store."""
    for exchange in without_store(evidence):
        for event in exchange.events:
            if (response_of(event) or {}).get("store") is False:
                expected = "store true, or no store, for a create without store"
                seen = f"store false in {event.type}"
                yield Finding(event.n, expected, seen, path="/response/store")
                break


@expectation("RWS-STORE-007")
@expectation("RWS-STORE-010")
def later_turns_are_not_seen(mark: Mark) -> Iterator[Outcome]:
    """A word that came after a stored response is unknown to a continuation of it."""
    yield from not_recalled(mark)


@expectation("RWS-STORE-008", root="RWS-STORE-001")
def failed_continuation_loses_nothing_stored(mark: Mark) -> Iterator[Outcome]:
    """A stored response is continued after a continuation of it was refused."""
    exchange = mark.exchange()
    if exchange.outcome == "closed" and not is_transient(exchange):
        yield Undecided(Cause.BLOCKED, describe(exchange), by="RWS-ERROR-009")
    else:
        yield from answered(exchange)


@expectation("RWS-STORE-009", offence=("/connection",))
def unstored_child_is_not_found(mark: Mark) -> Iterator[Outcome]:
    """A store:false continuation of a stored response is not found on another connection."""
    what = "for the id of a store:false response of another connection"
    outcomes = list(refused(mark.exchange(), codes=(NOT_FOUND,), what=what))
    yield from outcomes or without_control(mark, by="RWS-CHAIN-002")


@expectation("RWS-STORE-011", offence=("/connection",))
def stranger_gets_no_response(mark: Mark) -> Iterator[Outcome]:
    """A continuation with the key of another tenant starts no response."""
    exchange = mark.exchange()
    if exchange.events:
        yield Finding(
            exchange.events[0].n,
            "no response for the key of another tenant",
            f"{exchange.events[0].type}; the create ended with {describe(exchange)}",
        )
    elif not exchange.is_ended or exchange.outcome == "limit":
        yield Undecided(Cause.TIME, describe(exchange))
    elif is_transient(exchange):
        yield Undecided(Cause.TRANSIENT, describe(exchange))
    else:
        yield from without_control(mark, by="RWS-STORE-001")


@expectation("RWS-STORE-012", offence=("/connection",))
def strangers_id_is_not_found(mark: Mark) -> Iterator[Outcome]:
    """The id of another tenant is refused as one that nobody knows."""
    exchange = mark.exchange()
    if exchange.events:
        yield Undecided(Cause.BLOCKED, describe(exchange), by="RWS-STORE-011")
    else:
        outcomes = list(refused(exchange, codes=(NOT_FOUND,), what="for another tenant's id"))
        yield from outcomes or without_control(mark, by="RWS-STORE-001")
