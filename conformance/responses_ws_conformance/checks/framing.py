"""Checks on messages: what each holds, fragments, pings, and what is no client event."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any, Final, NoReturn

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
    answered_like_others,
    describe,
    is_transient,
    without_control,
)
from responses_ws_conformance.checks.streams import folded_where_torn
from responses_ws_conformance.reading.exchanges import Exchange
from responses_ws_conformance.transcript import Received, Sent
from responses_ws_conformance.values import present

SSE_LINE: Final = re.compile(r"^(data|event):", re.MULTILINE)
DONE: Final = re.compile(r'\s*(data:\s*)?"?\[DONE\]"?\s*')
UNSUPPORTED_DATA: Final = 1003
# A response that ran on for so long behind a ping left time for its pong.
A_WHILE: Final = 3.0  # seconds; we do not read so slowly
FAR_LONGER: Final = 3
TRIES_THAT_PROVE: Final = 2


def _has_messages(evidence: Evidence) -> bool:
    return bool(evidence.received)


def _texts(evidence: Evidence) -> Iterator[Received]:
    """The text messages of the server; binary ones are another requirement's business."""
    return (e for e in evidence.received if e.opcode == "text")


def _has_texts(evidence: Evidence) -> bool:
    return any(True for _ in _texts(evidence))


def _start(message: Received) -> str:
    return repr(message.text if message.text is not None else message.data)[:120]


@invariant("RWS-FRAME-001", when=_has_messages)
def messages_are_text(evidence: Evidence) -> Iterator[Outcome]:
    """No data message is binary."""
    for message in evidence.received:
        if message.opcode != "text":
            yield Finding(message.n, "a text message", f"a binary message: {_start(message)}")


@invariant("RWS-FRAME-002", when=_has_texts)
def message_is_one_object(evidence: Evidence) -> Iterator[Outcome]:
    """Each message is one JSON object, and JSON in the strict sense."""
    for message in _texts(evidence):
        if not isinstance(message.payload, dict):
            yield Finding(message.n, "exactly one JSON object", _start(message))
        elif not _is_strict(message.text or ""):
            wanted = "numbers that JSON can spell (no NaN, no Infinity)"
            yield Finding(message.n, wanted, _start(message))


def _is_strict(text: str) -> bool:
    def refuse(constant: str) -> NoReturn:
        raise ValueError(constant)

    if "NaN" not in text and "Infinity" not in text:
        return True
    try:
        json.loads(text, parse_constant=refuse)
    except ValueError:
        return False
    return True


@invariant("RWS-FRAME-003", when=_has_texts)
def message_has_no_sse_lines(evidence: Evidence) -> Iterator[Outcome]:
    """No message has the lines of server-sent events around its JSON."""
    for message in _texts(evidence):
        if not isinstance(message.payload, dict) and SSE_LINE.search(message.text or ""):
            yield Finding(message.n, "JSON without data: and event: lines", _start(message))


@invariant("RWS-FRAME-004", when=_has_texts)
def no_done_marker(evidence: Evidence) -> Iterator[Outcome]:
    """No message is or holds the end marker of a stream over HTTP."""
    for message in _texts(evidence):
        marks = (message.text, message.type)
        if any(text is not None and DONE.fullmatch(text) for text in marks):
            yield Finding(message.n, "no [DONE] marker", _start(message))


def _objects(evidence: Evidence) -> Iterator[tuple[Received, dict[str, Any]]]:
    return ((e, e.payload) for e in _texts(evidence) if isinstance(e.payload, dict))


@invariant("RWS-FRAME-005", when=lambda evidence: any(True for _ in _objects(evidence)))
def event_has_a_type(evidence: Evidence) -> Iterator[Outcome]:
    """Each JSON object has a type, and it is a string."""
    for message, payload in _objects(evidence):
        if not isinstance(payload.get("type"), str):
            seen = f"type {present(payload['type'])}" if "type" in payload else "no type"
            yield Finding(message.n, "a string type", f"{seen}: {_start(message)}", "/type")


@expectation("RWS-FRAME-006")
def fragments_are_joined(mark: Mark) -> Iterator[Outcome]:
    """A create in several fragments is answered like one that is whole."""
    yield from answered_like_others(mark)


def _pings(evidence: Evidence) -> list[Sent]:
    return [e for e in evidence.transcript.entries if isinstance(e, Sent) and e.opcode == "ping"]


@invariant("RWS-FRAME-007", when=lambda evidence: bool(_pings(evidence)))
def ping_is_answered(evidence: Evidence) -> Iterator[Outcome]:
    """A pong with the payload of the ping comes before the answer to what was sent after it.

    Where several pings wait, one pong for the newest is enough (RFC 6455, section 5.5.3).
    Among pings in the middle of a response one has to be answered before its end.
    """
    for conn in dict.fromkeys(ping.conn for ping in _pings(evidence)):
        pings = [p for p in _pings(evidence) if p.conn == conn]
        pongs = [
            e
            for e in evidence.transcript.of_connection(conn)
            if isinstance(e, Received) and e.opcode == "pong"
        ]
        answered = [p.n for p in pings if any(o.n > p.n and o.data == p.data for o in pongs)]
        lacking = [p for p in pings if not any(n >= p.n for n in answered)]
        for ping in lacking:
            fence = _answered_after(evidence, ping)
            if fence is None:
                why = "no pong came, and nothing that was sent after the ping was answered either"
                yield Undecided(Cause.TIME, why)
            else:
                others = [_shown(o.data) for o in pongs if o.n > ping.n]
                seen = f"pongs with {', '.join(others)}" if others else "no pong"
                why = f"{seen}, though a create that was sent later was answered"
                yield Finding(fence.n, f"a pong with the payload {_shown(ping.data)}", why)
        busy = [pair for ping in pings for pair in _ends_after(evidence, ping)]
        in_time = any(p.n < o.n < (e.n if e else math.inf) for p, e in busy for o in pongs)
        if busy and not lacking and not in_time:
            yield _waited(busy, pings, pongs)


def _waited(
    busy: list[tuple[Sent, Received | None]], pings: list[Sent], pongs: list[Received]
) -> Finding | Undecided:
    """What it means that each pong came after the end of its response.

    A response may be over before we have read it. Two were not that ran on for a while, and for
    far longer than the server took for a pong while idle.
    """
    calm = [p for p in pings if all(p is not other for other, _ in busy)]
    idle = [o.t - p.t for p in calm for o in pongs if o.n > p.n and o.data == p.data]
    least = max(A_WHILE, FAR_LONGER * max(idle)) if idle else math.inf
    long = [(ping, end) for ping, end in busy if end and end.t - ping.t >= least]
    if len(long) < TRIES_THAT_PROVE:
        why = "each pong came after the end of the response, which may have been over before"
        return Undecided(Cause.TIME, why)
    ping, end = long[-1]
    why = f"it came after the end, and so {len(long)} times; the response ran on for "
    return Finding(
        end.n,
        f"a pong with the payload {_shown(ping.data)} in the middle of the response",
        f"{why}{end.t - ping.t:.1f} s, idle the server answered in {max(idle):.1f} s",
    )


def _shown(payload: bytes | None) -> str:
    return ascii((payload or b"").decode("utf-8", "replace"))


def _ends_after(evidence: Evidence, ping: Sent) -> Iterator[tuple[Sent, Received | None]]:
    """A ping with the end of each response in the middle of which it was sent."""
    for exchange in evidence.reading.connection(ping.conn).exchanges:
        end = exchange.terminal
        if exchange.events and exchange.events[0].n < ping.n < (end.n if end else math.inf):
            yield ping, end


def _answered_after(evidence: Evidence, ping: Sent) -> Received | None:
    """The first answer to something that was sent on the connection after a ping."""
    for exchange in evidence.reading.connection(ping.conn).exchanges:
        answers = [*exchange.events, *([exchange.error] if exchange.error else [])]
        if exchange.sent.n > ping.n and answers:
            return answers[0]
    return None


@expectation("RWS-FRAME-008", offence=("/message",))
@expectation("RWS-FRAME-010", offence=("/message/type",))
def refused_and_still_usable(mark: Mark) -> Iterator[Outcome]:
    """The message is answered with an error event, and a create works after it."""
    subject, fence = mark.latest(), mark.exchange("fence")
    if subject.outcome == "error" and fence.outcome == "closed":
        if is_transient(fence):
            yield Undecided(Cause.TRANSIENT, describe(fence))
        else:
            wanted = "a connection that goes on after the error event"
            yield Finding(fence.last, wanted, describe(fence))
    else:
        yield from _refused(mark)


@expectation("RWS-FRAME-009", offence=("/message/type",))
@expectation("RWS-FRAME-013", offence=("/message",))
def refused_with_an_error(mark: Mark) -> Iterator[Outcome]:
    """The message is answered with an error event."""
    yield from _refused(mark)


@expectation("RWS-FRAME-012", offence=("/opcode",))
def binary_is_refused(mark: Mark) -> Iterator[Outcome]:
    """A binary message is answered with an error event or a close with 1003."""
    yield from _refused(mark, close=UNSUPPORTED_DATA)


def _refused(mark: Mark, *, close: int | None = None) -> Iterator[Outcome]:
    """Yield why a message was not refused before the end of the create that follows it.

    Any error event will do, whatever its status: the create after it shows that the target was
    not merely busy. Where the connection was lost the message was sent again on a new one.
    ``control`` is the create that was answered, the fence or one on a new connection.
    """
    subjects, fence = mark.exchanges("subject"), mark.exchange("fence")
    subject = mark.latest()
    wanted = "an error event" + (f" or a close with {close}" if close is not None else "")
    closed = subject.closed if subject.outcome == "closed" else None
    if subject.outcome == "error" or (closed and close is not None and closed.code == close):
        yield from without_control(mark, by="RWS-CREATE-001")
    elif fence.outcome == "completed" and fence.conn == subject.conn:
        actual = "neither" if close is not None else "none"
        yield Finding(fence.last, wanted, f"{actual}, though the next create was answered")
    elif closed and (len(subjects) > 1 or not is_transient(subject)):
        yield Finding(closed.n, wanted, describe(subject))
    elif closed:
        yield Undecided(Cause.TRANSIENT, describe(subject))
    else:
        yield Undecided(Cause.TIME, "neither the message nor the create after it was answered")


@expectation("RWS-FRAME-011", offence=("/message/type",))
@folded_where_torn
def only_creates_start_responses(mark: Mark) -> Iterator[Outcome]:
    """No response begins for a message that is not a create."""
    subject, fence = mark.latest(), mark.exchange("fence")
    view = mark.evidence.reading.connection(subject.conn)
    started = [e for e in view.strays if e.type == "response.created" and e.n > subject.sent.n]
    if started:
        wanted = f"no response for {_what(subject)}"
        yield Finding(started[0].n, wanted, "response.created")
    elif fence.outcome in ("expired", "open") and subject.outcome != "closed":
        yield Undecided(Cause.TIME, f"the create after it got no answer: {describe(fence)}")
    else:
        yield from without_control(mark, by="RWS-CREATE-001")


def _what(exchange: Exchange) -> str:
    if exchange.request:
        kind = exchange.request.get("type")
        return f"an event of type {kind!r}" if kind else "an object without a type"
    return "a message that is no client event"
