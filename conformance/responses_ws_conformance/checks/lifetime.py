"""Checks on the end of a connection's life, and on its limits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from responses_ws_conformance.checks import (
    Cause,
    Finding,
    Mark,
    Outcome,
    Undecided,
    expectation,
)
from responses_ws_conformance.checks.answers import (
    answered,
    answered_like_others,
    describe,
    is_transient,
    tools_of,
)
from responses_ws_conformance.checks.connection import describe_handshake, was_busy
from responses_ws_conformance.reading.exchanges import ConnectionView, Exchange
from responses_ws_conformance.transcript import Expired, Received
from responses_ws_conformance.values import excerpt

LIMIT_REACHED: Final = "websocket_connection_limit_reached"
TOO_BIG: Final = 1009
LIVES_ON: Final = Undecided(
    Cause.TIME, "the lever lifetime did not end the life of the connection in time"
)


@expectation("RWS-LIMIT-001")
def limit_is_announced(mark: Mark) -> Iterator[Outcome]:
    """Before the connection ends of old age, an error event says so."""
    view = mark.connection()
    if view.limit is not None:
        return
    if view.closed is None or _lives_on(view):
        yield LIVES_ON
    elif view.closed.side == "lost":
        yield Undecided(Cause.TRANSIENT, "the connection was lost without a close frame")
    else:
        wanted = f"an error event with error.code {LIMIT_REACHED} before the connection ends"
        yield Finding(view.closed.n, wanted, f"{_errors(view)}, then a close: {view.closed.code}")


def _errors(view: ConnectionView) -> str:
    errors = [e.payload.get("error") for e in view.others if e.type == "error"]
    return f"an error event with error {excerpt(errors[-1])}" if errors else "no error event"


def _lives_on(view: ConnectionView) -> bool:
    """True where nothing shows that the connection reached its limit."""
    return view.limit is None and (view.closed is None or view.closed.side == "client")


def _not_announced(view: ConnectionView) -> Undecided:
    if _lives_on(view):
        return LIVES_ON
    return Undecided(Cause.BLOCKED, f"no {LIMIT_REACHED} came", "RWS-LIMIT-001")


@expectation("RWS-LIMIT-002")
def limit_belongs_to_the_connection(mark: Mark) -> Iterator[Outcome]:
    """The event has status 400 and names no lane."""
    limit = mark.connection().limit
    if limit is None:
        yield _not_announced(mark.connection())
        return
    status, lane = limit.payload.get("status"), limit.payload.get("stream_id")
    if isinstance(status, bool) or status != 400:
        seen = f"status {excerpt(status)}" if "status" in limit.payload else "no status"
        yield Finding(limit.n, "status 400", seen, "/status")
    if lane is not None:
        yield Finding(limit.n, "no stream_id", f"stream_id {excerpt(lane)}", "/stream_id")


@expectation("RWS-LIMIT-003")
def connection_closes_after_the_limit(mark: Mark) -> Iterator[Outcome]:
    """After the event the server closes; a pong long after it shows that it did not."""
    view = mark.connection()
    limit, closed = view.limit, view.closed
    if limit is None:
        yield _not_announced(view)
        return
    if closed is not None and closed.side != "client":
        return
    waits = mark.evidence.transcript.of_connection(view.name)
    waited = next((e for e in waits if isinstance(e, Expired) and e.n > limit.n), None)
    life = [e for e in waits if isinstance(e, Received)]
    if waited is not None and life:
        seen = f"open {life[0].t - limit.t:.1f} s later: it answers pings"
        yield Finding(life[0].n, "the end of the connection", seen)
    else:
        yield Undecided(Cause.TIME, "the connection neither ended nor showed that it is alive")


@expectation("RWS-LIMIT-004")
def new_connection_is_served_after_the_limit(mark: Mark) -> Iterator[Outcome]:
    """After a connection has reached its limit another one is opened and served."""
    if any(_lives_on(before) for before in mark.connections("before")):
        yield LIVES_ON
    else:
        yield from new_connection_is_served(mark)


@expectation("RWS-LIMIT-006")
def new_connection_is_served(mark: Mark) -> Iterator[Outcome]:
    """After the end of one connection another one is opened and served."""
    opened = mark.handshake()
    if opened.status == 101:
        for exchange in mark.exchanges("create"):
            if exchange.limit is not None:
                wanted = "a response on the new connection"
                yield Finding(exchange.limit.n, wanted, "the limit is reached again at once")
            else:
                yield from answered(exchange)
    elif was_busy(opened):
        yield Undecided(Cause.TRANSIENT, describe_handshake(opened))
    else:
        yield Finding(opened.n, "status 101", describe_handshake(opened))


@expectation("RWS-LIMIT-005")
def large_create_is_answered(mark: Mark) -> Iterator[Outcome]:
    """A create of 1 MiB is answered like a small one."""
    yield from answered_like_others(mark)


@expectation("RWS-LIMIT-008")
def oversized_message_is_answered(mark: Mark) -> Iterator[Outcome]:
    """A message that is too large gets close code 1009 or an error event.

    What was lost once may have been lost by chance. Silence is judged where a plain create after
    it is answered.
    """
    subjects, fence = mark.exchanges("subject"), mark.exchange("fence")
    subject = mark.latest()
    wanted = f"close code {TOO_BIG} or an error event for a message that is too large"
    if subject.outcome in ("error", "failed") or _is_too_big(subject):
        return
    if subject.outcome in ("completed", "incomplete"):
        why = "the server took a message that is larger than limits/message_bytes of the profile"
        yield Undecided(Cause.BLOCKED, why)
    elif fence.outcome != "completed":
        cause = Cause.TRANSIENT if is_transient(fence) else Cause.TIME
        yield Undecided(cause, f"a plain create got no response either: {describe(fence)}")
    elif subject.outcome != "closed":
        if set(tools_of(fence.response)) & set(tools_of(subject.request)):
            return
        yield Finding(subject.last, wanted, "silence, while a create after it is answered")
    elif len(subjects) > 1:
        yield Finding(subject.last, wanted, f"{describe(subject)}, twice")
    else:
        yield Undecided(Cause.TRANSIENT, describe(subject))


def _is_too_big(exchange: Exchange) -> bool:
    return exchange.closed is not None and exchange.closed.code == TOO_BIG
