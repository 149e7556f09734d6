"""Checks on lanes: their names, and what runs beside what."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from responses_ws_schemas import explain

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
    is_transient,
    refused,
    without_control,
)
from responses_ws_conformance.checks.streams import folded_where_torn
from responses_ws_conformance.checks.turns import ENDED_WELL, queued_creates_run_in_order
from responses_ws_conformance.reading.exchanges import LANE, Exchange
from responses_ws_conformance.transcript import Received
from responses_ws_conformance.values import excerpt

BAD_NAME: Final = "invalid_stream_id"
NO_ROOM: Final = "websocket_stream_limit_reached"
# A response that ran on for so many times as long as it had taken to begin was long enough.
FAR_LONGER: Final = 3
A_WHILE: Final = 0.1  # seconds
TRIES_THAT_PROVE: Final = 2


def is_named(exchange: Exchange) -> bool:
    """True for a create on a lane with a valid name."""
    name = exchange.request.get(LANE)
    return exchange.is_create and name is not None and not explain("objects/stream_id", name)


def named(evidence: Evidence) -> list[Exchange]:
    """The responses that are surely those of lanes with a name."""
    return [x for x in evidence.responses if is_named(x) and not x.is_ambiguous]


def nameless(evidence: Evidence) -> list[Exchange]:
    """The responses that are surely those of the default lane."""
    own = (x for x in evidence.responses if x.is_create and x.request.get(LANE) is None)
    return [x for x in own if not x.is_ambiguous]


@invariant("RWS-LANE-001", when=lambda e: bool(named(e)))
@folded_where_torn
def events_name_their_lane(evidence: Evidence) -> Iterator[Outcome]:
    """All events of a response carry the stream_id of its create."""
    for exchange in named(evidence):
        name = exchange.request[LANE]
        wrong = [e for e in exchange.events if e.payload.get(LANE) != name]
        if wrong:
            yield _misnamed(wrong, f"the stream_id {name!r}", len(exchange.events))


@invariant("RWS-LANE-002", when=lambda e: bool(nameless(e)))
def default_lane_has_no_name(evidence: Evidence) -> Iterator[Outcome]:
    """No event of a response carries a stream_id that its create did not have."""
    for exchange in nameless(evidence):
        wrong = [e for e in exchange.events if LANE in e.payload]
        if wrong:
            yield _misnamed(wrong, "no stream_id", len(exchange.events))


def _misnamed(wrong: list[Received], expected: str, number: int) -> Finding:
    seen = excerpt(wrong[0].payload[LANE]) if LANE in wrong[0].payload else "none"
    actual = f"{seen} on {wrong[0].type}; {len(wrong)} of {number} events are wrong"
    return Finding(wrong[0].n, f"{expected} on each event of the response", actual, f"/{LANE}")


def errors_of_lanes(evidence: Evidence) -> list[tuple[Exchange, Received]]:
    """The errors that are surely about creates of lanes with a name."""
    exchanges = (x for x in evidence.exchanges if is_named(x) and not x.is_ambiguous)
    # What a server takes for no name it cannot name.
    return [(x, x.error) for x in exchanges if x.error is not None and x.error_code != BAD_NAME]


@invariant("RWS-LANE-003", when=lambda e: bool(errors_of_lanes(e)))
def errors_name_their_lane(evidence: Evidence) -> Iterator[Outcome]:
    """An error about a create of a named lane carries its stream_id."""
    for exchange, error in errors_of_lanes(evidence):
        name = exchange.request[LANE]
        if error.payload.get(LANE) != name:
            actual = excerpt(error.payload[LANE]) if LANE in error.payload else "none"
            wanted = f"the stream_id {name!r} on the error event"
            root = "RWS-LANE-004" if knows_no_lanes(exchange) else None
            yield Finding(error.n, wanted, actual, f"/{LANE}", root)


def knows_no_lanes(exchange: Exchange) -> bool:
    """True where a create is refused for having a stream_id at all, whatever it says."""
    return exchange.error_object.get("param") == LANE and exchange.error_code != NO_ROOM


@expectation("RWS-LANE-004")
@expectation("RWS-LANE-018")
@expectation("RWS-LANE-019", root="RWS-CHAIN-002")
@expectation("RWS-LANE-021", root="RWS-CHAIN-002")
def lane_is_served(mark: Mark) -> Iterator[Outcome]:
    """A create on a lane ends with a completed response."""
    for exchange in mark.exchanges("subject"):
        yield from answered(exchange)


@expectation("RWS-LANE-005", offence=("/message/stream_id",))
def bad_name_is_refused(mark: Mark) -> Iterator[Outcome]:
    """A stream_id of another form is answered with invalid_stream_id."""
    yield from refused_with(mark, BAD_NAME, "for the stream_id")


@expectation("RWS-LANE-006", offence=("/message/stream_id",))
def bad_name_is_pointed_at(mark: Mark) -> Iterator[Outcome]:
    """The refusal of a bad name has status 400 and names stream_id."""
    yield from points_at_the_lane(mark, BAD_NAME, by="RWS-LANE-005")


@expectation("RWS-LANE-007", offence=("/message/stream_id",))
def bad_name_is_not_echoed(mark: Mark) -> Iterator[Outcome]:
    """The refusal of a bad name carries no stream_id."""
    exchange = mark.exchange()
    if exchange.error is None or exchange.error_code != BAD_NAME:
        yield Undecided(Cause.BLOCKED, describe(exchange), by="RWS-LANE-005")
        return
    yield from without_control(mark, by="RWS-LANE-004")
    if LANE in exchange.error.payload:
        actual = excerpt(exchange.error.payload[LANE])
        yield Finding(exchange.error.n, "no stream_id on the error event", actual, f"/{LANE}")


@expectation("RWS-LANE-008", root="RWS-LANE-004")
def connection_is_usable_after_a_bad_name(mark: Mark) -> Iterator[Outcome]:
    """The create after a bad name is answered on the same connection."""
    after = mark.latest("after")
    if after.outcome == "closed" and not is_transient(after):
        expected = "the connection open after an invalid_stream_id error"
        yield Finding(after.last, expected, describe(after))
        return
    yield from answered(mark.exchange(), is_about_refusals=True)


@expectation("RWS-LANE-009")
@expectation("RWS-LANE-012")
def lanes_run_side_by_side(mark: Mark) -> Iterator[Outcome]:
    """A response on an idle lane begins before the one that runs on another lane ends.

    A response that begins later proves a queue only where it does so again, and where the other
    one ran on for far longer than it had itself taken to begin, and than a scheduler takes.
    """
    pairs = mark.pairs("running", "beside")
    if any(_ran_beside(running, beside) for running, beside in pairs):
        return
    for _, beside in pairs:
        if beside.outcome == "error":
            yield from answered(beside)
            return
    for exchange in (x for pair in pairs for x in pair if is_transient(x)):
        yield Undecided(Cause.TRANSIENT, describe(exchange))
        return
    proofs = [running for running, beside in pairs if _was_held_up(running, beside)]
    if len(proofs) >= TRIES_THAT_PROVE and proofs[-1].terminal is not None:
        yield Finding(
            proofs[-1].terminal.n,
            "the beginning of the response on the idle lane before the end of the one that runs",
            f"the end first, {len(proofs)} times: the other lane waited",
        )
    else:
        why = "the response that ran was over too soon to see whether another waits for it"
        yield Undecided(Cause.TIME, why)


def _ran_beside(running: Exchange, beside: Exchange) -> bool:
    end = running.terminal
    return bool(beside.events) and (end is None or beside.events[0].n < end.n)


def _was_held_up(running: Exchange, beside: Exchange) -> bool:
    if running.terminal is None or not running.events or not beside.events:
        return False
    to_begin = running.events[0].t - running.sent.t
    to_run_on = running.terminal.t - beside.sent.t
    least = max(FAR_LONGER * to_begin, A_WHILE)
    return beside.events[0].n > running.terminal.n and to_run_on >= least


@expectation("RWS-LANE-010")
@folded_where_torn
def lane_is_first_in_first_out(mark: Mark) -> Iterator[Outcome]:
    """The creates of a lane are all run, in their order, none before the end of the last."""
    creates = mark.exchanges("creates")
    for exchange in creates:
        if not exchange.events:
            yield from answered(exchange, by=ENDED_WELL)
    yield from queued_creates_run_in_order(mark)
    begun = sorted((x for x in creates if x.events), key=lambda x: x.events[0].n)
    for first, second in pairwise(begun):
        if first.terminal is not None and second.events[0].n < first.terminal.n:
            yield Finding(
                second.events[0].n,
                "the end of a response before the next one on its lane begins",
                f"{second.events[0].type} before {first.terminal.type}",
            )


@expectation("RWS-LANE-011")
def error_stays_on_its_lane(mark: Mark) -> Iterator[Outcome]:
    """A response comes to its end although a create on another lane is refused meanwhile."""
    failed = mark.exchange("failed")
    if failed.outcome != "error":
        yield Undecided(Cause.BLOCKED, describe(failed), by="RWS-CHAIN-005")
        return
    running = mark.exchange()
    if failed.error is not None and came_before(running, failed.error):
        why = "the response had ended before the create on the other lane was refused"
        yield Undecided(Cause.TIME, why)
    else:
        yield from answered(running, by=ENDED_WELL)


def came_before(response: Exchange, event: Received) -> bool:
    """True where a response had its end before an event on another lane came."""
    return response.terminal is not None and response.terminal.n < event.n


def refused_with(
    mark: Mark, code: str, what: str, *, by: str = "RWS-LANE-004"
) -> Iterator[Outcome]:
    """Yield why the subject was not refused so, or why its refusal proves nothing."""
    outcomes = list(refused(mark.exchange(), codes=(code,), what=what))
    yield from outcomes or without_control(mark, by=by)


def points_at_the_lane(mark: Mark, code: str, *, by: str) -> Iterator[Outcome]:
    """Yield where a refusal with this code lacks status 400 or the param stream_id."""
    exchange = mark.exchange()
    if exchange.error is None or exchange.error_code != code:
        yield Undecided(Cause.BLOCKED, describe(exchange), by=by)
        return
    yield from without_control(mark, by="RWS-LANE-004")
    status, param = exchange.error.payload.get("status"), exchange.error_object.get("param")
    if status != 400:
        yield Finding(exchange.error.n, "status 400", f"status {excerpt(status)}", "/status")
    if param != LANE:
        yield Finding(
            exchange.error.n, f"param {LANE!r}", f"param {excerpt(param)}", "/error/param"
        )
