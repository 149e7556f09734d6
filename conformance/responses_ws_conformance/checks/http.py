"""Checks on a server that is asked over HTTP too: the same creates, and one memory."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any, Final

from responses_ws_conformance.checks import Cause, Finding, Mark, Outcome, Undecided, expectation
from responses_ws_conformance.checks.answers import (
    NOT_FOUND,
    answered,
    describe,
    is_moody,
    is_transient,
    recalled,
    refused,
    without_control,
)
from responses_ws_conformance.reading.calls import Call
from responses_ws_conformance.reading.exchanges import Exchange
from responses_ws_conformance.values import excerpt

# What an item says beside its texts.
TOLD: Final = ("type", "name", "arguments")
# What a model does when it likes, and what a server says of a response beside what it is.
MOODY: Final = ("message", "reasoning")
HEARTBEATS: Final = ("response.queued", "response.in_progress")
UNCOMPARED: Final = frozenset({"obfuscation", "stream_id"})
NESTED: Final = ("response", "item", "part")


def describe_call(call: Call) -> str:
    """What came of a call, in words for a report."""
    if call.answered is not None and call.status is None and call.answered.failure is not None:
        return f"no answer: {call.answered.failure}"
    if call.answered is None or call.status is None:
        return "no answer within the time limit"
    kind = call.answered.response_header("Content-Type") or "no content type"
    body = " ".join((call.answered.body or "").split())[:200]
    broken = f", broken off: {call.answered.failure}" if call.answered.failure else ""
    return f"status {call.status}, {kind}{broken}: {body}"


def unsettled(call: Call) -> Cause | None:
    """Why a call says nothing about the server, None where it says something."""
    if call.expired is not None or call.answered is None:
        return Cause.TIME
    return Cause.TRANSIENT if is_transient(call.exchange) else None


def not_as(call: Call, expected: str) -> Outcome:
    """What to say of a call that was answered otherwise than expected, if it was answered."""
    cause = unsettled(call)
    if cause is not None:
        return Undecided(cause, describe_call(call))
    return Finding(call.last, expected, describe_call(call))


def is_lost(create: Exchange) -> bool:
    """True for a create over HTTP whose connection was closed before any answer."""
    return create.outcome == "closed" and not create.events


def is_good(call: Call) -> bool:
    """True for an answer with a status of 2xx."""
    return call.status is not None and 200 <= call.status < 300


@expectation("RWS-HTTP-001")
def create_is_answered_over_http(mark: Mark) -> Iterator[Outcome]:
    """A POST of a create is answered with 200 and a response object.

    A connection can be lost by chance. Where it is lost twice, and a create over the WebSocket was
    answered in between, there is nobody who takes a POST.
    """
    call, between = mark.call(), mark.exchanges("between")
    if is_lost(call.exchange) and any(x.outcome == "completed" for x in between):
        seen = "the connection closed without one, twice, and a WebSocket served in between"
        yield Finding(call.last, "status 200 and a response object", seen)
    elif call.status != 200 or call.exchange.outcome not in ("completed", "incomplete"):
        yield not_as(call, "status 200 and a response object")


@expectation("RWS-HTTP-002")
def create_is_streamed_over_http(mark: Mark) -> Iterator[Outcome]:
    """A POST of a create with stream true is answered with 200 and a stream of events."""
    call = mark.call()
    if call.status != 200 or not call.is_stream or call.exchange.terminal is None:
        yield not_as(call, "status 200 and a text/event-stream with a terminal event")


def both(mark: Mark) -> tuple[Exchange, Exchange]:
    """What came of the same create over HTTP, and over the WebSocket."""
    return mark.exchange("http"), mark.exchange("socket")


def kinds(exchange: Exchange) -> list[Any]:
    """Types and names of output items, without what depends on a mood, as the number of calls."""
    items = [item for item in exchange.output_items if item.get("type") not in MOODY]
    found = [[item.get("type"), item.get("name")] for item in items]
    return [kind for n, kind in enumerate(found) if kind not in found[:n]]


@expectation("RWS-HTTP-003")
def create_has_the_same_outcome(mark: Mark) -> Iterator[Outcome]:
    """A create that forces a call ends alike, with like items, on both sides."""
    http, socket = both(mark)
    outcomes = [*answered(http, by=("completed", "incomplete", "failed"))]
    if outcomes:
        yield from outcomes
    elif is_moody(http):
        yield Undecided(Cause.MOOD, describe(http))
    elif (http.outcome, kinds(http)) != (socket.outcome, kinds(socket)):
        expected = f"{describe(socket)} with {excerpt(kinds(socket))}, as over the WebSocket"
        yield Finding(http.last, expected, f"{describe(http)} with {excerpt(kinds(http))}")


def course(exchange: Exchange) -> list[str]:
    """The types of events in order; runs, heartbeats and vendors' own events left out."""
    types = [e.type for e in exchange.events if e.type is not None and ":" not in e.type]
    kept = [t for n, t in enumerate(types) if t not in HEARTBEATS or t not in types[:n]]
    return [t for t, _ in groupby(t for t in kept if t != "response.queued")]


def incomparable(mark: Mark) -> list[Outcome]:
    """Why events of two responses cannot be compared: they have different items."""
    http, socket = both(mark)
    types = [[item.get("type") for item in x.output_items] for x in (http, socket)]
    if types[0] != types[1] or (http.terminal is None or socket.terminal is None):
        why = f"the items differ: {types[0]} over HTTP, {types[1]} over the WebSocket"
        return [Undecided(Cause.MOOD, why)]
    return []


@expectation("RWS-HTTP-004")
def events_have_the_same_order(mark: Mark) -> Iterator[Outcome]:
    """The types that both sides have come in the same order."""
    http, socket = map(course, both(mark))
    theirs = [t for t in http if t in socket]
    ours = [t for t in socket if t in http]
    if theirs != ours:
        at = mark.exchange("socket").last
        finding = Finding(at, f"the order of the HTTP stream: {', '.join(theirs)}", ", ".join(ours))
        yield from incomparable(mark) or [finding]


@expectation("RWS-HTTP-005")
def events_have_the_same_types(mark: Mark) -> Iterator[Outcome]:
    """Neither side has a type of event that the other side lacks."""
    http, socket = map(course, both(mark))
    missing = sorted({*http} - {*socket})
    further = sorted({*socket} - {*http})
    if missing or further:
        seen = [f"without {', '.join(missing)}"] if missing else []
        seen += [f"with {', '.join(further)}"] if further else []
        at, expected = mark.exchange("socket").last, "the types of events of the HTTP stream"
        yield from incomparable(mark) or [Finding(at, expected, "; ".join(seen))]


def members(exchange: Exchange) -> dict[str, set[str]]:
    """The members that events of each type have, and those of the objects in them."""
    found: dict[str, set[str]] = {}
    for event in exchange.events:
        names = found.setdefault(event.type or "", set())
        names |= event.payload.keys() - UNCOMPARED
        for nest in NESTED:
            if isinstance(event.payload.get(nest), dict):
                names |= {f"{nest}.{name}" for name in event.payload[nest]}
    return found


@expectation("RWS-HTTP-006")
def events_have_the_same_members(mark: Mark) -> Iterator[Outcome]:
    """An event of a type has the same members on both sides."""
    http, socket = map(members, both(mark))
    at = mark.exchange("socket").last
    findings: list[Outcome] = [
        Finding(at, f"{kind} as in the HTTP stream", f"{how} {', '.join(sorted(names))}")
        for kind in sorted(http.keys() & socket.keys())
        for how, names in (
            ("without", http[kind] - socket[kind]),
            ("with", socket[kind] - http[kind]),
        )
        if names
    ]
    yield from (incomparable(mark) or findings) if findings else ()


@expectation("RWS-HTTP-007", root="RWS-HTTP-001")
@expectation("RWS-HTTP-008")
def stored_response_is_continued_on_the_other_side(mark: Mark) -> Iterator[Outcome]:
    """The response is continued, and a word from its input comes back."""
    yield from recalled(mark) if mark.exchanges("recalls") else answered(mark.exchange())


@expectation("RWS-HTTP-009", offence=("/connection", "/message/type", "/message/stream"))
def unstored_response_is_refused_over_http(mark: Mark) -> Iterator[Outcome]:
    """A store:false response of a connection is not continued over HTTP."""
    outcomes = list(refused(mark.exchange(), what="for the id of a store:false response"))
    yield from outcomes or without_control(mark, by="RWS-CHAIN-002")


def texts(item: dict[str, Any]) -> list[Any]:
    """The texts of the parts of an item."""
    content = item.get("content")
    parts = content if isinstance(content, list) else []
    return [part.get("text") for part in parts if isinstance(part, dict)]


def gist(response: Any, items: list[dict[str, Any]]) -> dict[str, Any]:
    """What makes a response this one, and the contents of its items."""
    return {
        "id": response.get("id"),
        "status": response.get("status"),
        "previous_response_id": response.get("previous_response_id"),
        "output": [
            {**{n: item[n] for n in TOLD if item.get(n) is not None}, "texts": texts(item)}
            for item in items
        ],
    }


@expectation("RWS-HTTP-010", root="RWS-HTTP-001")
def stored_response_is_handed_out(mark: Mark) -> Iterator[Outcome]:
    """A GET of a stored response gives the response as it ended."""
    call, made = mark.call(), mark.exchange("made")
    if call.status != 200 or call.exchange.terminal is None:
        yield not_as(call, "status 200 and the response")
    else:
        given = gist(call.exchange.response, call.exchange.output_items)
        ended = gist(made.response, made.output_items)
        for name in ended:
            # What a terminal event does not say of its response cannot be another in the fetched.
            is_told = name == "output" or name in made.response
            if is_told and given[name] != ended[name]:
                expected = f"{name} {excerpt(ended[name])}, as in the terminal event"
                yield Finding(call.last, expected, excerpt(given[name]), path=f"/{name}")


def withheld(mark: Mark, what: str) -> Iterator[Outcome]:
    """Yield where a response was handed out that is not there, or nothing is handed out at all."""
    call = mark.call()
    if is_good(call):
        yield Finding(call.last, f"no response {what}", describe_call(call))
    elif (cause := unsettled(call)) is not None:
        yield Undecided(cause, describe_call(call))
    else:
        yield from without_good_control(mark)


def without_good_control(mark: Mark) -> Iterator[Outcome]:
    """Yield where nothing proves anything, because what is stored is not handed out either."""
    control = mark.call("control")
    if not is_good(control):
        why = f"the answer proves nothing; the control: {describe_call(control)}"
        yield Undecided(Cause.BLOCKED, why, by="RWS-HTTP-010")


@expectation("RWS-HTTP-011", offence=("/path",))
def unstored_response_is_not_handed_out(mark: Mark) -> Iterator[Outcome]:
    """A GET of a store:false response gives no response."""
    yield from withheld(mark, "for the id of a store:false response")


@expectation("RWS-HTTP-012", offence=("/path",))
def unknown_response_has_its_status(mark: Mark) -> Iterator[Outcome]:
    """A GET of what is not stored is answered with 404."""
    call = mark.call()
    if call.status != 404:
        yield not_as(call, "status 404")
    else:
        yield from without_good_control(mark)


@expectation("RWS-HTTP-013", root="RWS-HTTP-001")
def stored_response_is_deleted(mark: Mark) -> Iterator[Outcome]:
    """A DELETE of a stored response is answered with 2xx."""
    call = mark.call()
    if not is_good(call):
        yield not_as(call, "a status of 2xx")


@expectation("RWS-HTTP-014", offence=("/history",))
def deleted_response_is_not_handed_out(mark: Mark) -> Iterator[Outcome]:
    """A GET of a deleted response gives no response."""
    yield from withheld(mark, "after it was deleted")


@expectation("RWS-HTTP-015", offence=("/connection",))
def deleted_response_is_not_found(mark: Mark) -> Iterator[Outcome]:
    """A deleted response is not found on a new connection."""
    outcomes = list(refused(mark.exchange(), codes=(NOT_FOUND,), what="for a deleted response"))
    yield from outcomes or without_control(mark, by="RWS-STORE-003")
