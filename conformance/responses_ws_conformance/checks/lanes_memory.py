"""Checks on what each lane remembers: chains side by side, forks, and what is evicted."""

from __future__ import annotations

from collections.abc import Iterator

from responses_ws_conformance.checks import Cause, Mark, Outcome, Undecided, expectation
from responses_ws_conformance.checks.answers import (
    FAILED,
    NOT_FOUND,
    answered,
    describe,
    not_recalled,
    recalled,
)
from responses_ws_conformance.checks.lanes import came_before, refused_with
from responses_ws_conformance.checks.turns import ENDED_WELL


@expectation("RWS-LANE-020")
@expectation("RWS-LANE-023")
def lanes_keep_to_themselves(mark: Mark) -> Iterator[Outcome]:
    """A word that only another conversation has is unknown."""
    yield from not_recalled(mark)


@expectation("RWS-LANE-022", root="RWS-CHAIN-003")
def fork_sees_its_chain(mark: Mark) -> Iterator[Outcome]:
    """A word from the chain that a fork continues comes back."""
    yield from recalled(mark)


@expectation("RWS-LANE-024")
def fork_needs_its_parent_no_more(mark: Mark) -> Iterator[Outcome]:
    """A fork that was in progress comes to its end after its parent's lane has gone on."""
    fork, main = mark.exchange(), mark.exchange("main")
    if main.created is not None and came_before(fork, main.created):
        why = "the fork had ended before the lane that it came from went on"
        yield Undecided(Cause.TIME, why)
    else:
        yield from answered(fork, by=ENDED_WELL)


@expectation("RWS-LANE-025", root="RWS-CHAIN-002")
def failed_fork_evicts_nothing(mark: Mark) -> Iterator[Outcome]:
    """A response is continued on its own lane after a fork of it was refused."""
    failed = mark.exchange("failed")
    if failed.outcome not in FAILED:
        yield Undecided(Cause.BLOCKED, describe(failed), by="RWS-TOOL-006")
        return
    yield from answered(mark.exchange())


@expectation("RWS-LANE-026", offence=("/history",))
def failed_continuation_evicts_on_its_lane(mark: Mark) -> Iterator[Outcome]:
    """A store:false id is not found on its lane once a continuation there was refused."""
    failed = mark.exchange("failed")
    if failed.outcome != "error":
        # Where the model found the mistake there is no status that could have been a 4xx.
        by = None if failed.outcome in FAILED else "RWS-TOOL-006"
        yield Undecided(Cause.BLOCKED, describe(failed), by=by)
        return
    what = "for an id whose continuation on its lane was refused"
    yield from refused_with(mark, NOT_FOUND, what, by="RWS-LANE-019")


@expectation("RWS-LANE-027", offence=("/connection",))
def lanes_end_with_their_connection(mark: Mark) -> Iterator[Outcome]:
    """A store:false id of a lane is not found on a later connection."""
    what = "for the id of a lane of an earlier connection"
    yield from refused_with(mark, NOT_FOUND, what, by="RWS-LANE-019")
