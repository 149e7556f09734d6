"""Checks on clients in trouble: what they send again, how they reconnect, what throws them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Final, TypeGuard

from responses_ws_schemas import event_types

from responses_ws_conformance.checks import Evidence, Finding, Outcome, invariant
from responses_ws_conformance.checks.answers import NOT_FOUND
from responses_ws_conformance.checks.clients import creates
from responses_ws_conformance.reading.exchanges import PREVIOUS, Exchange, response_of
from responses_ws_conformance.reading.histories import Responses, continues, input_items
from responses_ws_conformance.transcript import Closed, Entry, Opened, Received, Sent

CROSSING: Final = 1.0  # seconds in which a create can cross an announcement on its way
REFUSALS_IN_A_ROW: Final = 4
HAMMERING: Final = 0.25  # seconds
ERROR_CLOSES: Final = frozenset({1002, 1003, 1007, 1008, 1011})
PONG_LIMIT: Final = 20.0  # seconds
NO_MORE_WEBSOCKET: Final = 426


def later(evidence: Evidence, n: int) -> list[Exchange]:
    """Every create that was sent after an entry."""
    return [x for x in creates(evidence) if x.sent.n > n]


def lost_ids(evidence: Evidence) -> list[Exchange]:
    """Each continuation whose id was unknown and after which the client went on."""
    refused = (x for x in creates(evidence) if continues(x) and x.error_code == NOT_FOUND)
    return [x for x in refused if later(evidence, x.last)]


@invariant("RWS-CLIENT-015", when=lambda e: bool(lost_ids(e)))
def dead_id_is_dropped(evidence: Evidence) -> Iterator[Outcome]:
    """An id that was not found is not tried again on the connection."""
    for refused in lost_ids(evidence):
        for again in later(evidence, refused.last):
            if again.conn == refused.conn and continues(again) == continues(refused):
                seen = f"{continues(again)!r} again, which was not found (entry {refused.last})"
                yield Finding(again.sent.n, "another id, or none", seen, path=f"/{PREVIOUS}")


def retries(evidence: Evidence) -> Iterator[tuple[Exchange, int, int]]:
    """Each create that repeats, without the id, one whose id was lost.

    With how many items it brings along, and how many stood behind the id; only where the
    transcript shows some, for else nobody knows what full input is.
    """
    responses = Responses.of(evidence.reading)
    for refused in lost_ids(evidence):
        behind, new = responses.behind(refused).items, input_items(refused)
        for again in later(evidence, refused.last):
            sent = input_items(again)
            if behind and new and continues(again) is None and sent[-len(new) :] == new:
                yield again, len(sent) - len(new), len(behind)


@invariant("RWS-CLIENT-016", when=lambda e: any(True for _ in retries(e)))
def retry_has_the_full_input(evidence: Evidence) -> Iterator[Outcome]:
    """A create that is sent again without its id brings the history along."""
    for again, brought, behind in retries(evidence):
        if brought == 0:
            wanted = f"the full input, with the {behind} items that stood behind the id"
            yield Finding(again.sent.n, wanted, "the new items only", path="/input")


def refused_restarts(evidence: Evidence) -> list[Exchange]:
    """Each create without an id that was refused for its id, and after which the client went on."""
    refused = (x for x in creates(evidence) if not continues(x) and x.error_code == NOT_FOUND)
    return [x for x in refused if later(evidence, x.last)]


@invariant("RWS-CLIENT-017", when=lambda e: bool(refused_restarts(e)))
def refused_restart_is_not_repeated(evidence: Evidence) -> Iterator[Outcome]:
    """A retry without an id that was refused for its id is the last one."""
    for refused in refused_restarts(evidence):
        for again in later(evidence, refused.last):
            if continues(again) is None and input_items(again) == input_items(refused):
                seen = (
                    f"the input of entry {refused.sent.n} again, which was refused with {NOT_FOUND}"
                )
                yield Finding(again.sent.n, "no further try", seen)


def lost_responses(evidence: Evidence) -> list[Exchange]:
    """Each response that the server or the network cut off, and after which the client went on."""
    cut = (x for x in creates(evidence) if x.events and x.outcome in ("closed", "limit"))
    return [x for x in cut if later(evidence, x.last)]


@invariant("RWS-CLIENT-018", when=lambda e: bool(lost_responses(e)))
def begun_response_is_not_asked_for_again(evidence: Evidence) -> Iterator[Outcome]:
    """A create whose response had begun is not sent again."""
    for lost in lost_responses(evidence):
        for again in later(evidence, lost.last):
            same_input = input_items(again) == input_items(lost)
            if same_input and continues(again) == continues(lost):
                seen = f"the create of entry {lost.sent.n} again, after {len(lost.events)} events"
                yield Finding(again.sent.n, "another create", seen)


def after_the_limit(evidence: Evidence) -> Iterator[tuple[Received, list[Exchange]]]:
    """Each announced end of a connection after which the client went on, and what it sent there."""
    for view in evidence.connections:
        if view.limit is not None and later(evidence, view.limit.n):
            yield view.limit, [x for x in later(evidence, view.limit.n) if x.conn == view.name]


@invariant("RWS-CLIENT-019", when=lambda e: any(True for _ in after_the_limit(e)))
def ending_connection_gets_no_create(evidence: Evidence) -> Iterator[Outcome]:
    """After its lifetime limit a connection is not used, but for what was on its way."""
    for limit, sent in after_the_limit(evidence):
        for place, create in enumerate(sent):
            if place > 0 or create.sent.t - limit.t > CROSSING:
                seen = f"a create on the one that announced its end in entry {limit.n}"
                yield Finding(create.sent.n, "a new connection", seen)


def upgrades(evidence: Evidence) -> list[Opened]:
    """Every attempt to open a WebSocket."""
    return [e for e in evidence.transcript.entries if isinstance(e, Opened) and e.upgrade]


def is_refused(opened: Opened) -> bool:
    """True where an attempt is known to have failed."""
    return opened.failure is not None or opened.status not in (None, 101)


def refusals(evidence: Evidence) -> Iterator[list[Opened]]:
    """The attempts of each row of refusals that is long enough to be judged."""
    row: list[Opened] = []
    for opened in upgrades(evidence):
        row = [*row, opened] if is_refused(opened) else []
        if len(row) == REFUSALS_IN_A_ROW:
            yield row
            row = []


@invariant("RWS-CLIENT-021", when=lambda e: any(True for _ in refusals(e)))
def refused_client_waits(evidence: Evidence) -> Iterator[Outcome]:
    """A client that is refused in a row takes its time."""
    for row in refusals(evidence):
        waits = [after.t - before.t for before, after in pairwise(row)]
        if max(waits) < HAMMERING:
            seen = f"{len(row)} attempts, the longest wait {max(waits):.3f} s"
            yield Finding(row[-1].n, "waits that grow", seen)


@invariant("RWS-CLIENT-022", when=lambda e: any(o.status == NO_MORE_WEBSOCKET for o in upgrades(e)))
def no_websocket_means_http(evidence: Evidence) -> Iterator[Outcome]:
    """Where there is no WebSocket, the client does not ask for one again."""
    refused: dict[str, Opened] = {}
    for opened in upgrades(evidence):
        if opened.target in refused:
            seen = f"the handshake again, refused with 426 in entry {refused[opened.target].n}"
            yield Finding(opened.n, "HTTP", seen)
        elif opened.status == NO_MORE_WEBSOCKET:
            refused[opened.target] = opened


def surprises(evidence: Evidence) -> Iterator[tuple[Received, Sent | Closed, bool]]:
    """Each event of an unpublished type, what the client did next, and whether at once."""
    for view in evidence.connections:
        entries = list(evidence.transcript.of_connection(view.name))
        for place, entry in enumerate(entries):
            if not isinstance(entry, Received) or not entry.is_data or entry.type in event_types():
                continue
            is_at_once = True
            for after in entries[place + 1 :]:
                if _is_deed(after):
                    yield entry, after, is_at_once
                    break
                is_at_once = is_at_once and not (isinstance(after, Received) and after.is_data)


def _is_deed(entry: Entry) -> TypeGuard[Sent | Closed]:
    if isinstance(entry, Sent):
        return entry.is_data
    return isinstance(entry, Closed) and entry.side == "client"


@invariant("RWS-CLIENT-026", when=lambda e: any(True for _ in surprises(e)))
def unknown_events_are_ignored(evidence: Evidence) -> Iterator[Outcome]:
    """A client goes on after an event that it cannot know."""
    for event, reaction, is_at_once in surprises(evidence):
        if isinstance(reaction, Closed) and reaction.code in ERROR_CLOSES and is_at_once:
            seen = f"the client closed with {reaction.code} after {event.type or 'no type'}"
            yield Finding(reaction.n, "the event ignored", seen)


def settled_pings(evidence: Evidence) -> Iterator[tuple[Received, bool]]:
    """Each ping about which the recording says whether it was answered; the answer."""
    for view in evidence.connections:
        entries = list(evidence.transcript.of_connection(view.name))
        pings = [e for e in entries if isinstance(e, Received) and e.opcode == "ping"]
        for place, ping in enumerate(pings):
            rest = [e for e in entries if e.n > ping.n]
            owed = {p.data for p in pings[place:]}
            if any(isinstance(e, Sent) and e.opcode == "pong" and e.data in owed for e in rest):
                yield ping, True
            elif _has_read_on(rest) or (rest and rest[-1].t - ping.t > PONG_LIMIT):
                yield ping, False


def _has_read_on(entries: list[Entry]) -> bool:
    """True where the client names a response whose first event is among the entries."""
    begun: list[object] = []
    for entry in entries:
        if isinstance(entry, Received) and entry.type == "response.created":
            begun.append((response_of(entry) or {}).get("id"))
        elif isinstance(entry, Sent) and isinstance(entry.payload, dict):
            named = entry.payload.get(PREVIOUS)
            if isinstance(named, str) and named in begun:
                return True
    return False


@invariant("RWS-CLIENT-027", when=lambda e: any(True for _ in settled_pings(e)))
def pings_are_answered(evidence: Evidence) -> Iterator[Outcome]:
    """Pings come back as pongs."""
    for ping, is_answered in settled_pings(evidence):
        if not is_answered:
            wanted = f"a pong with {ping.data!r}, or with that of a later ping"
            yield Finding(ping.n, wanted, "none, though the client went on")
