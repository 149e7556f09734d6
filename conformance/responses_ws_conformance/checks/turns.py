"""Checks on several creates at once, and on what comes after a response.

Which response belongs to which create is a matter of order, unless the response repeats what its
create said; where that is not settled (``is_guessed``) the code words in the texts decide.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import combinations, pairwise, takewhile
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
from responses_ws_conformance.checks.answers import (
    TRANSIENT_STATUSES,
    answered,
    contains,
    describe,
    is_transient,
)
from responses_ws_conformance.checks.streams import folded_where_torn
from responses_ws_conformance.reading.exchanges import ConnectionView, Exchange

ENDED_WELL: Final = ("completed", "incomplete")
UNDECIDED_WHOSE: Final = "no response says whose it is, and the texts lack the code words"


def overlapping(evidence: Evidence) -> list[tuple[Exchange, Exchange]]:
    """Pairs of creates on one lane of which the second was sent before the first had ended."""
    pairs: list[tuple[Exchange, Exchange]] = []
    for view in evidence.connections:
        creates = [x for x in view.exchanges if x.is_create]
        for place, first in enumerate(creates, start=1):
            end = _end(first)
            later = takewhile(partial(_was_sent_before, end), creates[place:])
            pairs += [(first, second) for second in later if second.lane == first.lane]
    return pairs


def _was_sent_before(end: float, exchange: Exchange) -> bool:
    return exchange.sent.n < end


def _end(exchange: Exchange) -> float:
    end = exchange.terminal or exchange.error or exchange.closed
    return end.n if end is not None else float("inf")


def has_answered_overlap(evidence: Evidence) -> bool:
    """True where the server had a response to run and another create to answer."""
    return any(x.events and (y.events or y.error) for x, y in overlapping(evidence))


@invariant("RWS-TURN-001", when=has_answered_overlap)
@folded_where_torn
def responses_do_not_mix(evidence: Evidence) -> Iterator[Outcome]:
    """A response that has begun gets all of its events before the next one begins."""
    for pair in combinations(evidence.responses, 2):
        first, second = sorted(pair, key=lambda x: x.events[0].n)
        if (first.conn, first.lane) != (second.conn, second.lane):
            continue
        begun, end = second.events[0], _end(first)
        mixed = [e for e in first.events if begun.n < e.n <= end]
        if mixed:
            yield Finding(
                mixed[0].n,
                "the end of a response before the next one begins",
                f"{mixed[0].type} of the first response after {begun.type} of the next",
            )


@expectation("RWS-TURN-002")
def second_create_is_not_dropped(mark: Mark) -> Iterator[Outcome]:
    """A create that came while a response ran is run or refused."""
    yield from _not_dropped(mark, mark.exchange())


def _not_dropped(mark: Mark, subject: Exchange) -> Iterator[Outcome]:
    """Yield why a create got neither a response nor an error.

    ``fence`` is a create that was sent later: its answer, by its word or by what it repeats of its
    create, proves that nothing else was on its way. The word of the subject may turn up in what
    order alone gave to another.
    """
    wanted = "a response or an error event for the create"
    word, fence_word = str(mark.fact("word")), str(mark.fact("fence_word"))
    fence = next(iter(mark.exchanges("fence")), None)
    neighbours = mark.evidence.reading.connection(subject.conn).exchanges
    was_heard = any(contains(x, word) for x in neighbours)
    has_own = (subject.is_ended or bool(subject.events)) and not contains(subject, fence_word)
    if subject.outcome == "closed" and not subject.events:
        if is_transient(subject):
            yield Undecided(Cause.TRANSIENT, describe(subject))
        else:
            yield Finding(subject.last, wanted, describe(subject))
    elif was_heard or has_own:
        return
    elif any(contains(x, fence_word) for x in neighbours) or _is_answered_for_sure(fence):
        yield Finding(
            subject.sent.n, wanted, "nothing, while a create that was sent later was answered"
        )
    elif fence is not None and fence.events:
        yield Undecided(Cause.MOOD, UNDECIDED_WHOSE)
    else:
        yield Undecided(Cause.TIME, describe(subject))


def _is_answered_for_sure(exchange: Exchange | None) -> bool:
    return (
        exchange is not None
        and exchange.is_ended
        and bool(exchange.events)
        and (not exchange.is_guessed)
    )


@expectation("RWS-TURN-003")
def refusal_leaves_the_first_unharmed(mark: Mark) -> Iterator[Outcome]:
    """The response that ran when another create was refused comes to its end."""
    first = mark.exchange()
    went_on = [x for x in mark.exchanges("fence") if x.outcome in ENDED_WELL]
    if first.events and not first.is_ended and went_on:
        yield Finding(
            first.last,
            "the running response to its end",
            f"no event after {first.events[-1].type}, while a later create was answered",
        )
    else:
        yield from answered(first, by=ENDED_WELL)


@expectation("RWS-TURN-004")
def queued_creates_run_in_order(mark: Mark) -> Iterator[Outcome]:
    """The responses to queued creates begin in the order in which the creates were sent."""
    words: list[str | None] = mark.fact("words")
    creates = mark.exchanges("creates")
    begun = sorted((x for x in creates if x.events), key=lambda x: x.events[0].n)
    if len(begun) < 2:
        yield Undecided(Cause.TIME, "; ".join(map(describe, creates)))
        return
    meant = [_meant(x, creates, words) for x in begun]
    unknown = [x for x in creates if x not in meant]
    if meant.count(None) == 1 and len(unknown) == 1:
        meant = [unknown[0] if x is None else x for x in meant]
    for (before, response), (after, _) in pairwise(zip(meant, begun, strict=True)):
        if before is None or after is None:
            yield Undecided(Cause.MOOD, UNDECIDED_WHOSE)
        elif before.sent.n > after.sent.n:
            yield Finding(
                response.events[0].n,
                "the responses to queued creates in the order in which these were sent",
                f"the response to create {creates.index(before) + 1} before the response to "
                f"create {creates.index(after) + 1}",
            )


def _meant(response: Exchange, creates: list[Exchange], words: list[str | None]) -> Exchange | None:
    """The create that a response answers, by its text and else by what it repeats of it."""
    spoken = [x for x, w in zip(creates, words, strict=True) if w and contains(response, w)]
    if len(spoken) == 1:
        return spoken[0]
    return None if response.is_guessed else response


@expectation("RWS-TURN-005")
def queue_goes_on_after_a_failure(mark: Mark) -> Iterator[Outcome]:
    """A queued create is run although the one before it failed."""
    after = mark.exchange()
    if after.outcome == "error" and not is_transient(after):
        yield Finding(
            after.last,
            "a response to the create behind the one that failed",
            f"it is refused for the same reason: {describe(after)}",
        )
    yield from _not_dropped(mark, after)


@expectation("RWS-TURN-006")
def new_connection_is_served(mark: Mark) -> Iterator[Outcome]:
    """A new connection is opened and answered after another was closed in mid-response.

    A server that is busy says so at any time. It is the close that matters where the one
    ``before`` was refused too, and a ``control`` after a close in peace was not.
    """
    opened = mark.connection("connection").opened
    if opened is None or opened.status is None or opened.status >= 500:
        yield Undecided(Cause.TRANSIENT, "the new connection could not be opened")
    elif opened.status in TRANSIENT_STATUSES and not (
        mark.connections("before") and all(map(was_opened, mark.connections("control")))
    ):
        yield Undecided(Cause.TRANSIENT, f"the handshake was refused with status {opened.status}")
    elif opened.status != 101:
        yield Finding(
            opened.n,
            "a new connection",
            f"the opening handshake was refused with status {opened.status}",
        )
    for exchange in mark.exchanges("subject"):
        yield from answered(exchange)


def was_opened(connection: ConnectionView) -> bool:
    """True where the opening handshake was answered with 101."""
    return connection.opened is not None and connection.opened.status == 101


def stayed_open(subjects: list[Exchange], *, after: str) -> Iterator[Outcome]:
    """Yield why a connection was not there for the next create.

    The subjects were sent on one connection after another, as long as these were closed. A close
    that could be chance proves nothing unless it comes again.
    """
    closed = [x for x in subjects if x.outcome == "closed" and not x.events]
    by_chance = [x for x in closed if is_transient(x)]
    if len(closed) > len(by_chance) or len(by_chance) > 1:
        yield Finding(
            closed[-1].closed.n if closed[-1].closed is not None else closed[-1].last,
            f"the connection open after {after}",
            describe(closed[-1]),
        )
    elif by_chance and len(subjects) == 1:
        yield Undecided(Cause.TRANSIENT, describe(by_chance[0]))


@expectation("RWS-TURN-007")
def next_create_is_answered(mark: Mark) -> Iterator[Outcome]:
    """The connection outlives a response, and the next create on it is answered."""
    subjects = mark.exchanges("subject")
    yield from stayed_open(subjects, after="a response ended")
    if mark.latest().outcome != "closed":
        yield from answered(mark.latest())
