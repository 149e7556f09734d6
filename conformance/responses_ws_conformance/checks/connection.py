"""Checks on opening handshakes, closing handshakes, and what belongs to a connection."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from itertools import takewhile
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
    describe,
    is_transient,
    tools_of,
)
from responses_ws_conformance.reading.exchanges import Exchange, item_id_of, response_of
from responses_ws_conformance.transcript import (
    Closed,
    Entry,
    Expired,
    Headers,
    Opened,
    Received,
    Sent,
)
from responses_ws_conformance.transcript.payloads import parse

GUID: Final = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, section 1.3
NO_CLOSE_FRAME: Final = 1006
NOT_IMPLEMENTED: Final = 501
KEY_REFUSALS: Final = (401, 403)


def was_busy(opened: Opened) -> bool:
    """True where a handshake got no HTTP response, or one that speaks of the moment only."""
    status = opened.status
    if status is None or status in TRANSIENT_STATUSES:
        return True
    return status >= 500 and status != NOT_IMPLEMENTED


def describe_handshake(opened: Opened) -> str:
    """What came of an opening handshake, in words for a report."""
    if opened.status is None:
        return f"no HTTP response: {opened.failure}"
    return f"status {opened.status}" + (", the WebSocket is open" if opened.status == 101 else "")


@expectation("RWS-CONN-001")
def handshake_is_accepted(mark: Mark) -> Iterator[Outcome]:
    """A valid handshake that offers nothing gets status 101 and the accept value of its key."""
    opened = mark.handshake()
    if was_busy(opened):
        yield Undecided(Cause.TRANSIENT, describe_handshake(opened))
    elif opened.status != 101:
        yield Finding(opened.n, "status 101", describe_handshake(opened))
    else:
        key = opened.request_header("Sec-WebSocket-Key") or ""
        digest = hashlib.sha1(f"{key}{GUID}".encode(), usedforsecurity=False).digest()
        wanted = base64.b64encode(digest).decode()
        given = opened.response_header("Sec-WebSocket-Accept")
        if given != wanted:
            yield Finding(
                opened.n,
                f"Sec-WebSocket-Accept {wanted!r} for the key {key!r}",
                f"Sec-WebSocket-Accept {given!r}" if given else "no Sec-WebSocket-Accept",
            )


@expectation("RWS-CONN-002", offence=("/handshake/headers/authorization",))
def wrong_key_is_refused(mark: Mark) -> Iterator[Outcome]:
    """A wrong key is refused with 401 or 403 before a WebSocket is open."""
    yield from _refused(mark)


@expectation("RWS-CONN-003", offence=("/handshake/headers/authorization",))
def missing_key_is_refused(mark: Mark) -> Iterator[Outcome]:
    """A handshake without a key is refused with 401 or 403."""
    yield from _refused(mark)


def _refused(mark: Mark) -> Iterator[Outcome]:
    opened = mark.handshake()
    others = [name for name, value in opened.request_headers if "[secret: header" in value]
    if opened.status in KEY_REFUSALS:
        yield from _without_control(mark)
    elif was_busy(opened):
        yield Undecided(Cause.TRANSIENT, describe_handshake(opened))
    elif opened.status == 101 and others:
        why = f"the handshake was accepted, but it carries another secret in {', '.join(others)}"
        yield Undecided(Cause.BLOCKED, why)
    else:
        wanted = " or ".join(f"HTTP status {status}" for status in KEY_REFUSALS)
        yield Finding(opened.n, wanted, describe_handshake(opened))


def _without_control(mark: Mark) -> Iterator[Outcome]:
    """Yield where a refusal proves nothing, because a proper handshake was refused too."""
    control = mark.handshake("control")
    if control.status != 101:
        why = f"the refusal proves nothing; a proper handshake: {describe_handshake(control)}"
        yield Undecided(Cause.BLOCKED, why, by="RWS-CONN-001")


@expectation("RWS-CONN-004")
def refusal_has_an_error_object(mark: Mark) -> Iterator[Outcome]:
    """The body of a refused handshake is a JSON object with an error object in it."""
    opened = mark.handshake()
    if was_busy(opened) or opened.status == 101:
        yield Undecided(Cause.BLOCKED, f"nothing was refused: {describe_handshake(opened)}")
        return
    body = parse(opened.body)
    if not isinstance(body, dict) or not isinstance(body.get("error"), dict):
        actual = repr(opened.body[:120]) if opened.body else "no body"
        yield Finding(opened.n, "a JSON body with an error object", actual)


def _before_the_client(evidence: Evidence) -> Iterator[list[Entry]]:
    """What happened on each connection before its first client event."""
    for view in evidence.connections:
        entries = evidence.transcript.of_connection(view.name)
        yield list(takewhile(lambda e: not (isinstance(e, Sent) and e.is_data), entries))


def _listened_first(evidence: Evidence) -> bool:
    return any(
        (isinstance(e, Received) and e.is_data) or (isinstance(e, Expired) and e.clock == "quiet")
        for entries in _before_the_client(evidence)
        for e in entries
    )


@invariant("RWS-CONN-005", when=_listened_first)
def server_is_silent_at_first(evidence: Evidence) -> Iterator[Outcome]:
    """Before the first client event only an error about the connection comes."""
    for entries in _before_the_client(evidence):
        for entry in entries:
            if isinstance(entry, Received) and entry.is_data and entry.type != "error":
                actual = entry.type or repr(entry.text or entry.data)[:80]
                yield Finding(entry.n, "no data message before the first client event", actual)
                break


def _accepted(evidence: Evidence) -> list[Opened]:
    """The handshakes that opened a WebSocket and whose request is known."""
    opened = (view.opened for view in evidence.connections)
    return [o for o in opened if o and o.status == 101 and o.request_headers]


def _listed(headers: Headers, name: str) -> list[str]:
    """The members of a list header, without their parameters."""
    values = ",".join(value for key, value in headers if key.lower() == name.lower())
    members = (member.partition(";")[0].strip() for member in values.split(","))
    return [member for member in members if member]


@invariant("RWS-CONN-006", when=lambda evidence: bool(_accepted(evidence)))
def selection_was_offered(evidence: Evidence) -> Iterator[Outcome]:
    """Subprotocol and extensions of the response are among those of the request."""
    for opened in _accepted(evidence):
        for name in ("Sec-WebSocket-Protocol", "Sec-WebSocket-Extensions"):
            offered = _listed(opened.request_headers, name)
            for member in _listed(opened.response_headers, name):
                if member not in offered:
                    known = ", ".join(offered)
                    wanted = f"one of {known}" if known else "none, since none was offered"
                    yield Finding(opened.n, f"{name}: {wanted}", f"{name}: {member}")


def _closed_by_us(evidence: Evidence) -> list[Closed]:
    return [v.closed for v in evidence.connections if v.closed and v.closed.side == "client"]


@invariant("RWS-CONN-007", when=lambda evidence: bool(_closed_by_us(evidence)))
def close_is_answered(evidence: Evidence) -> Iterator[Outcome]:
    """The client's close frame is answered with a close frame."""
    for closed in _closed_by_us(evidence):
        before = [e for e in evidence.transcript.of_connection(closed.conn) if e.n < closed.n]
        if closed.code == NO_CLOSE_FRAME:
            yield Finding(closed.n, "a close frame", "the transport ended without one")
        elif closed.code is None and before and isinstance(before[-1], Expired):
            why = f"no close frame within {before[-1].limit:g} s"
            if _answers_pings_within(before, before[-1].limit / 2):
                yield Finding(closed.n, "a close frame", f"{why}, though a ping had its pong")
            else:
                yield Undecided(Cause.TIME, why)


def _answers_pings_within(entries: list[Entry], seconds: float) -> bool:
    """True where a ping on a connection had its pong soon: then so could a close frame."""
    pings = {e.data: e.t for e in entries if isinstance(e, Sent) and e.opcode == "ping"}
    pongs = [e for e in entries if isinstance(e, Received) and e.opcode == "pong"]
    return any(pong.t - pings[pong.data] < seconds for pong in pongs if pong.data in pings)


@expectation("RWS-CONN-008")
def responses_keep_to_their_connection(mark: Mark) -> Iterator[Outcome]:
    """Nothing of a response comes on another connection than its create went."""
    one, two = mark.exchange("one"), mark.exchange("two")
    for mine, other in ((one, two), (two, one)):
        stranger = _listing_tools_of(mark.evidence, other, on=mine)
        if stranger is not None:
            wanted = f"only responses to creates sent on {mine.conn}"
            actual = f"{stranger.type} of the response to the create on {other.conn}"
            yield Finding(stranger.n, wanted, actual)
            return
    here, there = _ids_since(mark.evidence, one), _ids_since(mark.evidence, two)
    both = sorted((max(here[n], there[n]), n) for n in here.keys() & there.keys())
    before = mark.exchange("before")
    reused = {*before.item_ids, before.response_id} & (here.keys() | there.keys())
    if both and not reused:
        at, name = both[0]
        wanted = "the id of a response or item on one connection only"
        yield Finding(at, wanted, f"{name!r} on both {one.conn} and {two.conn}")
    elif not (one.events and two.events):
        silent = one if not one.events else two
        cause = Cause.TRANSIENT if is_transient(silent) else Cause.TIME
        yield Undecided(cause, f"one of the two creates got: {describe(silent)}")


def _listing_tools_of(evidence: Evidence, create: Exchange, *, on: Exchange) -> Received | None:
    """An event on a connection whose response lists the tools of a create on another."""
    theirs = set(tools_of(create.request))
    for event in evidence.transcript.received(on.conn):
        if theirs & set(tools_of(response_of(event) or {})):
            return event
    return None


def _ids_since(evidence: Evidence, create: Exchange) -> dict[str, int]:
    """The ids of responses and items on a connection since a create, and where they come first."""
    ids: dict[str, int] = {}
    for event in evidence.transcript.received(create.conn):
        for value in ((response_of(event) or {}).get("id"), item_id_of(event)):
            if event.n > create.sent.n and isinstance(value, str):
                ids.setdefault(value, event.n)
    return ids


@expectation("RWS-CONN-009", offence=("/handshake/upgrade",))
def plain_get_is_refused(mark: Mark) -> Iterator[Outcome]:
    """A GET without an upgrade gets a 4xx status."""
    opened = mark.handshake()
    if was_busy(opened):
        yield Undecided(Cause.TRANSIENT, describe_handshake(opened))
    elif opened.status is None or not 400 <= opened.status < 500:
        yield Finding(opened.n, "a 4xx status, best 426", describe_handshake(opened))
    else:
        yield from _without_control(mark)
