"""Checks on lanes: how many a connection has, and how many of them can run."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate

from responses_ws_conformance.checks import (
    Cause,
    Finding,
    Mark,
    Outcome,
    Undecided,
    expectation,
)
from responses_ws_conformance.checks.answers import answered, describe
from responses_ws_conformance.checks.lanes import NO_ROOM, points_at_the_lane, refused_with
from responses_ws_conformance.checks.turns import ENDED_WELL
from responses_ws_conformance.reading.exchanges import Exchange


@expectation("RWS-LANE-013")
def full_connection_lets_creates_wait(mark: Mark) -> Iterator[Outcome]:
    """Every create has a response although so many ran at a time as the connection allows."""
    outcomes = list(no_lane_is_refused(mark))
    slots, ran = int(mark.fact("slots")), most_at_a_time(mark.exchanges("subject"))
    if not outcomes and ran < slots:
        why = f"no more than {ran} responses were seen in progress at a time, of {slots} allowed"
        outcomes = [Undecided(Cause.TIME, why)]
    yield from outcomes


def most_at_a_time(exchanges: list[Exchange]) -> int:
    """How many responses were in progress at once, as far as the order of events shows it."""
    begun = [(x.events[0].n, 1) for x in exchanges if x.events]
    ended = [(x.terminal.n, -1) for x in exchanges if x.events and x.terminal is not None]
    steps = [step for _, step in sorted(begun + ended)]
    return max(accumulate(steps, initial=0))


@expectation("RWS-LANE-014")
def no_lane_is_refused(mark: Mark) -> Iterator[Outcome]:
    """Every create has a response; what is refused is refused once for all of them."""
    for exchange in mark.exchanges("subject"):
        outcomes = list(answered(exchange, by=ENDED_WELL))
        if outcomes:
            yield outcomes[0]
            return


@expectation("RWS-LANE-015", offence=("/message/stream_id",))
def one_name_too_many_is_refused(mark: Mark) -> Iterator[Outcome]:
    """A name beyond the limit is answered with websocket_stream_limit_reached."""
    yield from refused_with(mark, NO_ROOM, "for one name more than the connection allows")


@expectation("RWS-LANE-016", offence=("/message/stream_id",))
def limit_is_pointed_at(mark: Mark) -> Iterator[Outcome]:
    """The refusal of a further name has status 400 and names stream_id."""
    yield from points_at_the_lane(mark, NO_ROOM, by="RWS-LANE-015")


@expectation("RWS-LANE-017")
def default_lane_is_not_counted(mark: Mark) -> Iterator[Outcome]:
    """The last name is accepted beside the default lane as it is without it."""
    subject = mark.exchange()
    if subject.error_code != NO_ROOM:
        yield from answered(subject, by=ENDED_WELL)
        return
    controls = mark.exchanges("control")
    if any(x.outcome == "completed" for x in controls):
        expected = "a response on the last of the names that a connection allows"
        actual = f"{describe(subject)}; without the default lane it is accepted"
        yield Finding(subject.last, expected, actual)
    else:
        yield Undecided(Cause.BLOCKED, describe(subject), by="RWS-LANE-014")
