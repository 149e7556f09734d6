"""Attribution: each message of the server is given to the exchange that it belongs to.

A case is a transcript in which every line of the server says whose it is: ``A`` for an event of
the response to A, ``A late`` for one after its end or refusal, ``A error`` for its error, ``A
answer`` for the answer to a command, ``A sequel`` for what comes about it later, ``A'`` for an
event of the successor of A,
``other`` for what belongs to the connection and ``stray`` for a response that nobody asked for.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest
from responses_ws_conformance.attribution import Reading
from responses_ws_conformance.exchanges import Exchange
from responses_ws_conformance.openings import ECHOES
from responses_ws_conformance.transcript import Closed, Entry, Expired, Received, Sent


@dataclass(frozen=True)
class Line:
    """One line: what we sent under a name, a wait that ran out, or what came and whose it is."""

    kind: str
    whose: str
    value: Any = None


@dataclass(frozen=True)
class Case:
    """A transcript, how its exchanges ended, and which of them stay in doubt."""

    description: str
    lines: tuple[Line, ...]
    outcomes: str
    ambiguous: str = ""
    guessed: str = ""


def send(name: str, **fields: Any) -> Line:
    return Line("sent", name, {"type": "response.create", "model": "m", "input": "hi", **fields})


def say(name: str, value: Any) -> Line:
    return Line("sent", name, value)


def got(whose: str, kind: str, response: str | None = None, **fields: Any) -> Line:
    event: dict[str, Any] = {"type": f"response.{kind}"}
    members = {k: fields.pop(k) for k in ECHOES if k in fields}
    if response is not None:
        event["response"] = {"id": response, **members}
    if "item" in fields and kind.startswith("output_item"):
        fields["item"] = {"id": fields["item"]}
    elif "item" in fields:
        fields["item_id"] = fields.pop("item")
    if "seq" in fields:
        fields["sequence_number"] = fields.pop("seq")
    return Line("received", whose, {**event, **fields})


def error(
    whose: str,
    *,
    seq: int | None = None,
    status: int | None = None,
    lane: str | None = None,
    **members: Any,
) -> Line:
    event: dict[str, Any] = {"type": "error", "error": {"message": "no", **members}}
    event |= {"stream_id": lane} if lane is not None else {}
    event |= {"sequence_number": seq} if seq is not None else {}
    event |= {"status": status} if status is not None else {}
    return Line("received", whose, event)


def ran_out(name: str, clock: str = "first-event") -> Line:
    return Line("expired", name, clock)


def send_on(lane: str, name: str, **fields: Any) -> Line:
    return send(name, stream_id=lane, **fields)


def got_on(lane: str, whose: str, kind: str, response: str | None = None, **fields: Any) -> Line:
    return got(whose, kind, response, stream_id=lane, **fields)


NOT_FOUND = "previous_response_not_found"

LANES = [
    Case(
        "two lanes interleave, and the numbers and items of both are alike",
        (
            send_on("a", "A"),
            send_on("b", "B"),
            got_on("a", "A", "created", "r1", seq=0),
            got_on("b", "B", "created", "r2", seq=0),
            got_on("a", "A", "output_item.added", item="i", seq=1),
            got_on("b", "B", "output_item.added", item="i", seq=1),
            got_on("b", "B", "output_text.delta", item="i", seq=2),
            got_on("a", "A", "output_text.delta", item="i", seq=2),
            got_on("b", "B", "completed", "r2", seq=3),
            got_on("a", "A", "completed", "r1", seq=3),
        ),
        "A completed, B completed",
    ),
    Case(
        "the default lane beside named ones",
        (
            send("D"),
            send_on("a", "A"),
            got_on("a", "A", "created", "r1", seq=0),
            got("D", "created", "r2", seq=0),
            got("D", "output_item.added", item="i2", seq=1),
            got_on("a", "A", "output_item.added", item="i1", seq=1),
            got("D", "completed", "r2", seq=2),
            got_on("a", "A", "completed", "r1", seq=2),
        ),
        "D completed, A completed",
    ),
    Case(
        "a gap in the numbers of the default lane is not filled by another lane",
        (
            send("D"),
            send_on("a", "A"),
            got("D", "created", "r1", seq=0),
            got_on("a", "A", "created", "r2", seq=0),
            got_on("a", "A", "output_item.added", item="i1", seq=1),
            got("D", "output_item.added", item="i2", seq=2),
            got("D", "completed", "r1", seq=3),
            got_on("a", "A", "completed", "r2", seq=2),
        ),
        "D completed, A completed",
    ),
    Case(
        "two creates of one lane, and another lane between them",
        (
            send_on("a", "A"),
            send_on("a", "B"),
            send_on("b", "C"),
            got_on("a", "A", "created", "r1"),
            got_on("b", "C", "created", "r3"),
            got_on("b", "C", "completed", "r3"),
            got_on("a", "A", "completed", "r1"),
            got_on("a", "B", "created", "r2"),
            got_on("a", "B", "completed", "r2"),
        ),
        "A completed, B completed, C completed",
        guessed="A B",
    ),
    Case(
        "an error that names its lane, while another lane waits and a third runs",
        (
            send_on("a", "A"),
            send_on("b", "B"),
            send_on("c", "C"),
            got_on("a", "A", "created", "r1"),
            error("C error", lane="c", status=400),
            got_on("b", "B", "created", "r2"),
            got_on("a", "A", "completed", "r1"),
            got_on("b", "B", "completed", "r2"),
        ),
        "A completed, B completed, C error",
    ),
    Case(
        "an error without its lane is not for the lane that goes on",
        (
            send_on("a", "A"),
            got_on("a", "A", "created", "r1"),
            send_on("b", "B"),
            error("B error", status=400),
            got_on("a", "A", "completed", "r1"),
        ),
        "A completed, B error",
    ),
    Case(
        "an error without a lane is for the default lane where that waits too",
        (
            send_on("a", "A"),
            send("D"),
            error("D error", status=400),
            got_on("a", "A", "created", "r1"),
            got_on("a", "A", "completed", "r1"),
        ),
        "A completed, D error",
    ),
    Case(
        "an error with the name of a lane that waits for nothing",
        (
            send_on("a", "A"),
            got_on("a", "A", "created", "r1"),
            send_on("b", "B"),
            error("B error", lane="z", status=400),
            got_on("a", "A", "completed", "r1"),
        ),
        "A completed, B error",
    ),
    Case(
        "a name that is refused, while two lanes wait",
        (
            send("D"),
            send_on("a", "A"),
            send("X", stream_id=7),
            error("X error", code="invalid_stream_id", param="stream_id", status=400),
            got("D", "created", "r1"),
            got_on("a", "A", "created", "r2"),
            got("D", "completed", "r1"),
            got_on("a", "A", "completed", "r2"),
        ),
        "D completed, A completed, X error",
    ),
    Case(
        "a server that names no lane at all, one create at a time",
        (
            send("D"),
            got("D", "created", "r0", seq=0),
            got("D", "completed", "r0", seq=1),
            send_on("a", "A"),
            got("A", "created", "r1", seq=0),
            got("A", "output_item.added", item="i1", seq=1),
            got("A", "output_text.delta", item="i1", seq=2),
            got("A", "completed", "r1", seq=3),
            send_on("b", "B"),
            error("B error", status=400),
        ),
        "D completed, A completed, B error",
    ),
    Case(
        "a server that names no lane at all, beside the default lane",
        (
            send("D"),
            got("D", "created", "r1", seq=0),
            got("D", "output_item.added", item="i1", seq=1),
            send_on("a", "A"),
            got("A", "created", "r2", seq=0),
            got("D", "output_text.delta", item="i1", seq=2),
            got("A", "output_item.added", item="i2", seq=1),
            got("A", "output_text.delta", item="i2", seq=2),
            got("A", "completed", "r2", seq=3),
            got("D", "completed", "r1", seq=3),
        ),
        "D completed, A completed",
    ),
    Case(
        "a lane is named only where a response begins and ends",
        (
            send_on("a", "A"),
            got_on("a", "A", "created", "r1", seq=0),
            got("A", "output_item.added", item="i1", seq=1),
            got("A", "output_text.delta", item="i1", seq=2),
            got_on("a", "A", "completed", "r1", seq=3),
        ),
        "A completed",
    ),
    Case(
        "what names a response that is over on a lane, while a create waits on another",
        (
            send_on("a", "A"),
            got_on("a", "A", "created", "r1", seq=0),
            got_on("a", "A", "completed", "r1", seq=1),
            send("D"),
            got("A late", "in_progress", "r1", seq=2),
            got("D", "created", "r2", seq=0),
            got("D", "completed", "r2", seq=1),
        ),
        "A completed, D completed",
    ),
    Case(
        "a lane with the name of another",
        (
            send_on("a", "A"),
            send_on("b", "B"),
            got_on("a", "A", "created", "r1", seq=0),
            got_on("b", "B", "created", "r2", seq=0),
            got_on("a", "B", "completed", "r2", seq=1),
            got_on("a", "A", "completed", "r1", seq=1),
        ),
        "A completed, B completed",
    ),
    Case(
        "a name for the response to a create without one",
        (
            send("D"),
            got_on("main", "D", "created", "r1", seq=0),
            got_on("main", "D", "output_item.added", item="i1", seq=1),
            got_on("main", "D", "completed", "r1", seq=2),
        ),
        "D completed",
    ),
    Case(
        "an event of a lane after its end, while another lane runs",
        (
            send_on("a", "A"),
            got_on("a", "A", "created", "r1", seq=0),
            got_on("a", "A", "output_item.added", item="i1", seq=1),
            got_on("a", "A", "completed", "r1", seq=2),
            send_on("b", "B"),
            got_on("b", "B", "created", "r2", seq=0),
            got_on("a", "A late", "output_text.delta", item="i1", seq=3),
            got_on("b", "B", "completed", "r2", seq=1),
        ),
        "A completed, B completed",
    ),
]

CASES = [
    Case(
        "two creates are queued",
        (
            send("A"),
            send("B"),
            got("A", "created", "r1"),
            got("A", "output_item.added", item="i1"),
            got("A", "completed", "r1"),
            got("B", "created", "r2"),
            got("B", "output_item.added", item="i2"),
            got("B", "completed", "r2"),
        ),
        "A completed, B completed",
        guessed="A B",
    ),
    Case(
        "a response is recognised by its metadata",
        (
            send("A", metadata={"n": "a"}),
            send("B", metadata={"n": "b"}),
            got("B", "created", "r2", metadata={"n": "b"}),
            got("B", "completed", "r2"),
            got("A", "created", "r1", metadata={"n": "a"}),
            got("A", "completed", "r1"),
        ),
        "A completed, B completed",
    ),
    Case(
        "a response is recognised by the id it continues",
        (
            send("A"),
            send("B", previous_response_id="r0"),
            got("B", "created", "r2", previous_response_id="r0"),
            got("B", "completed", "r2"),
            got("A", "created", "r1", previous_response_id=None),
            got("A", "completed", "r1"),
        ),
        "A completed, B completed",
    ),
    Case(
        "a response is recognised by the names of its tools",
        (
            send("A", tools=[{"type": "function", "name": "a"}]),
            send("B", tools=[{"type": "function", "name": "b"}]),
            got("B", "created", "r2", tools=[{"type": "function", "name": "b", "strict": None}]),
            got("B", "completed", "r2"),
            got("A", "created", "r1", tools=[{"type": "function", "name": "a", "strict": None}]),
            got("A", "completed", "r1"),
        ),
        "A completed, B completed",
    ),
    Case(
        "metadata that no waiting create has says nothing",
        (
            send("A", metadata={"n": "a"}),
            send("B", metadata={"n": "b"}),
            got("A", "created", "r1", metadata={"n": "z"}),
            got("A", "completed", "r1"),
        ),
        "A completed, B open",
        guessed="A B",
    ),
    Case(
        "the second is refused while the first runs",
        (
            send("A"),
            send("B"),
            got("A", "created", "r1"),
            error("B error"),
            got("A", "output_item.added", item="i1"),
            got("A", "completed", "r1"),
        ),
        "A completed, B error",
        guessed="A B",
    ),
    Case(
        "the second is refused before the first begins",
        (
            send("A"),
            send("B"),
            error("B error"),
            got("A", "created", "r1"),
            got("A", "completed", "r1"),
        ),
        "A completed, B error",
        guessed="A B",
    ),
    Case(
        "the first is refused, and the second says whose it is",
        (
            send("A", metadata={"n": "a"}),
            send("B", metadata={"n": "b"}),
            error("A error"),
            got("B", "created", "r2", metadata={"n": "b"}),
            got("B", "completed", "r2"),
        ),
        "A error, B completed",
    ),
    Case(
        "the second is refused after the first has ended",
        (
            send("A"),
            send("B"),
            got("A", "created", "r1"),
            got("A", "completed", "r1"),
            error("B error"),
        ),
        "A completed, B error",
        guessed="A B",
    ),
    Case(
        "two of three are refused",
        (
            send("A"),
            send("B"),
            send("C"),
            got("A", "created", "r1"),
            error("B error"),
            error("C error"),
            got("A", "completed", "r1"),
        ),
        "A completed, B error, C error",
        guessed="A B C",
    ),
    Case(
        "an error that a create seems to have moves on to make room for its own",
        (
            send("A"),
            got("A", "created", "r1"),
            send("B", previous_response_id="no"),
            send("C", previous_response_id="r1"),
            say("D", "{bad"),
            error("D error"),
            got("A", "completed", "r1"),
            error("B error", code=NOT_FOUND),
            got("C", "created", "r3", previous_response_id="r1"),
            got("C", "completed", "r3"),
        ),
        "A completed, B error, C completed, D error",
    ),
    Case(
        "an error names the id that only one create continues",
        (
            send("A"),
            send("B", previous_response_id="no"),
            send("C"),
            error("B error", code=NOT_FOUND),
            got("A", "created", "r1"),
            got("A", "completed", "r1"),
            got("C", "created", "r3"),
            got("C", "completed", "r3"),
        ),
        "A completed, B error, C completed",
        guessed="A C",
    ),
    Case(
        "an error in the stream of the first, by its number",
        (
            send("A"),
            send("B"),
            got("A", "created", "r1", seq=0),
            error("A error", seq=1),
            got("B", "created", "r2", seq=0),
            got("B", "completed", "r2", seq=1),
        ),
        "A error, B completed",
        guessed="A B",
    ),
    Case(
        "an error in the stream of the first, followed by its failure",
        (
            send("A"),
            send("B"),
            got("A", "created", "r1"),
            error("A error"),
            got("A", "failed", "r1"),
            got("B", "created", "r2"),
            got("B", "completed", "r2"),
        ),
        "A failed, B completed",
        guessed="A B",
    ),
    Case(
        "a refusal, by its form, and the first fails",
        (
            send("A"),
            send("B"),
            got("A", "created", "r1"),
            error("B error", status=409),
            got("A", "failed", "r1"),
        ),
        "A failed, B error",
        ambiguous="B",
        guessed="A B",
    ),
    Case(
        "an error in the stream of the first, and the second begins",
        (
            send("A"),
            send("B"),
            got("A", "created", "r1"),
            error("A error"),
            got("B", "created", "r2"),
            got("B", "completed", "r2"),
        ),
        "A error, B completed",
        guessed="A B",
    ),
    Case(
        "an error and silence after it stay in doubt",
        (
            send("A"),
            send("B"),
            got("A", "created", "r1"),
            error("B error"),
        ),
        "A open, B error",
        ambiguous="A B",
        guessed="A B",
    ),
    Case(
        "a number that every message has does not end the first",
        (
            send("A"),
            send("B"),
            got("A", "created", "r1", seq=3),
            error("B error", seq=4),
            got("A", "output_item.added", item="i1", seq=5),
            got("A", "completed", "r1", seq=6),
        ),
        "A completed, B error",
        guessed="A B",
    ),
    Case(
        "a refused create is answered all the same",
        (
            send("A"),
            error("A error"),
            got("A late", "created", "r1"),
            got("A late", "completed", "r1"),
            send("B"),
            got("B", "created", "r2"),
            got("B", "completed", "r2"),
        ),
        "A error, B completed",
    ),
    Case(
        "the stream of a refused create is taken for the next",
        (
            send("A"),
            error("A error"),
            send("B"),
            got("B", "created", "r1"),
            got("B", "completed", "r1"),
            got("A late", "created", "r2"),
            got("A late", "completed", "r2"),
        ),
        "A error, B completed",
    ),
    Case(
        "the stream of a refused create, recognised while the next waits",
        (
            send("A", metadata={"n": "a"}),
            error("A error"),
            send("B", metadata={"n": "b"}),
            got("A late", "created", "r1", metadata={"n": "a"}),
            got("A late", "completed", "r1"),
            got("B", "created", "r2", metadata={"n": "b"}),
            got("B", "completed", "r2"),
        ),
        "A error, B completed",
    ),
    Case(
        "the stream of a refused create goes on beside the next",
        (
            send("A"),
            error("A error"),
            got("A late", "created", "r1", seq=0),
            send("B"),
            got("A late", "output_item.added", item="i1", seq=1),
            got("A late", "output_text.delta", item="i1", seq=2),
            got("A late", "completed", "r1", seq=3),
            got("B", "created", "r2", seq=0),
            got("B", "output_item.added", item="i2", seq=1),
            got("B", "completed", "r2", seq=2),
        ),
        "A error, B completed",
    ),
    Case(
        "a refused create fails as well",
        (
            send("A"),
            error("A error"),
            got("A late", "failed", "r1"),
            send("B"),
            got("B", "created", "r2"),
            got("B", "completed", "r2"),
        ),
        "A error, B completed",
    ),
    Case(
        "a dropped create is passed over",
        (
            send("A"),
            send("B"),
            got("A", "created", "r1"),
            got("A", "completed", "r1"),
            ran_out("B"),
            send("C"),
            got("C", "created", "r3"),
            got("C", "completed", "r3"),
        ),
        "A completed, B expired, C completed",
        guessed="A B C",
    ),
    Case(
        "a slow create is answered after its wait ran out",
        (
            send("A"),
            ran_out("A"),
            got("A", "created", "r1"),
            got("A", "completed", "r1"),
        ),
        "A completed",
    ),
    Case(
        "two responses are mixed, told apart by items and numbers",
        (
            send("A"),
            send("B"),
            got("A", "created", "r1", seq=0),
            got("A", "in_progress", "r1", seq=1),
            got("B", "created", "r2", seq=0),
            got("A", "output_item.added", item="i1", seq=2),
            got("B", "in_progress", "r2", seq=1),
            got("A", "output_text.delta", item="i1", seq=3),
            got("B", "output_item.added", item="i2", seq=2),
            got("A", "completed", "r1", seq=4),
            got("B", "output_text.delta", item="i2", seq=3),
            got("B", "completed", "r2", seq=4),
        ),
        "A completed, B completed",
        guessed="A B",
    ),
    Case(
        "a response without an end does not take the events of the next",
        (
            send("A"),
            got("A", "created", "r1", seq=0),
            got("A", "output_item.added", item="i1", seq=1),
            send("B"),
            got("B", "created", "r2", seq=0),
            got("B", "output_item.added", item="i2", seq=1),
            got("B", "completed", "r2", seq=2),
        ),
        "A open, B completed",
    ),
    Case(
        "a late event of the first comes while the second runs",
        (
            send("A"),
            send("B"),
            got("A", "created", "r1", seq=0),
            got("A", "output_item.added", item="i1", seq=1),
            got("A", "completed", "r1", seq=2),
            got("B", "created", "r2", seq=0),
            got("A late", "output_text.delta", item="i1", seq=3),
            got("A", "completed", "r1", seq=4),
            got("B", "completed", "r2", seq=1),
        ),
        "A completed, B completed",
        guessed="A B",
    ),
    Case(
        "item ids that come again belong to the response whose numbers go on",
        (
            send("A"),
            got("A", "created", "r1", seq=0),
            got("A", "output_text.delta", item="i1", seq=1),
            got("A", "completed", "r1", seq=2),
            send("B"),
            got("B", "created", "r2", seq=0),
            got("B", "output_text.delta", item="i1", seq=1),
            got("B", "completed", "r2", seq=2),
        ),
        "A completed, B completed",
    ),
    Case(
        "one id for every response",
        (
            send("A"),
            got("A", "created", "r1"),
            got("A", "completed", "r1"),
            send("B"),
            got("B", "created", "r1"),
            got("B", "completed", "r1"),
        ),
        "A completed, B completed",
    ),
    Case(
        "response.created said twice opens nothing else",
        (
            send("A"),
            send("B"),
            got("A", "created", "r1"),
            got("A", "created", "r1"),
            got("A", "completed", "r1"),
        ),
        "A completed, B open",
        guessed="A B",
    ),
    Case(
        "a late error for a message that is no create",
        (
            say("X", {"type": "x.unknown"}),
            ran_out("X", "quiet"),
            send("A"),
            error("X error"),
            got("A", "created", "r1"),
            got("A", "completed", "r1"),
        ),
        "X error, A completed",
    ),
    Case(
        "silence for a message that is no create, then a refusal",
        (
            say("X", {"type": "x.unknown"}),
            ran_out("X", "quiet"),
            send("A"),
            error("A error"),
            ran_out("A"),
        ),
        "X open, A error",
        ambiguous="X A",
    ),
    Case(
        "a message that got silence is passed over once a response began",
        (
            say("X", {"type": "x.unknown"}),
            ran_out("X", "quiet"),
            send("A"),
            got("A", "created", "r1"),
            got("A", "completed", "r1"),
            send("B"),
            error("B error"),
            send("C"),
            got("C", "created", "r3"),
            got("C", "completed", "r3"),
        ),
        "X open, A completed, B error, C completed",
    ),
    Case(
        "vendor events, untyped messages and an error nobody waits for",
        (
            Line("received", "other", {"type": "acme:hello"}),
            Line("received", "other", {"headers": {}}),
            error("other"),
            send("A"),
            got("A", "created", "r1"),
            Line("received", "other", {"type": "acme:hello"}),
            got("A", "completed", "r1"),
            got("A late", "created", "r1"),
        ),
        "A completed",
    ),
    Case(
        "a response before anything was sent",
        (got("stray", "created", "r1"), got("stray", "completed", "r1")),
        "",
    ),
    Case(
        "the lifetime ends a response that runs on",
        (
            send("A"),
            got("A", "created", "r1"),
            Line(
                "received",
                "limit",
                {"type": "error", "error": {"code": "websocket_connection_limit_reached"}},
            ),
            got("A", "output_item.added", item="i1"),
            got("A", "completed", "r1"),
        ),
        "A completed",
    ),
    Case(
        "the connection is closed on both",
        (
            send("A"),
            send("B"),
            got("A", "created", "r1"),
            Line("closed", "", 1011),
        ),
        "A closed, B closed",
        guessed="A B",
    ),
]


def entries_of(case: Case) -> tuple[list[Entry], dict[str, str]]:
    """The entries of a case, and the names of its exchanges by the names in the case."""
    entries: list[Entry] = []
    names: dict[str, str] = {}
    for n, line in enumerate(case.lines):
        at: dict[str, Any] = {"n": n, "t": n / 10, "conn": "c1"}
        text = json.dumps(line.value)
        if line.kind == "sent":
            names[line.whose] = f"e{n}"
            entries.append(Sent(**at, opcode="text", text=text))
        elif line.kind == "received":
            entries.append(Received(**at, opcode="text", text=text))
        elif line.kind == "expired":
            name = names[line.whose]
            entries.append(Expired(**at, clock=line.value, limit=1.0, exchange=name))
        else:
            entries.append(Closed(**at, side="server", code=line.value))
    return entries, names


def owner(reading: Reading, exchanges: dict[str, Exchange], entry: Entry) -> str:
    """Whose an entry is, in the words of the cases."""
    view = reading.connection("c1")
    found = [name for name, x in exchanges.items() if entry in x.events]
    found += [f"{name} late" for name, x in exchanges.items() if entry in x.late]
    found += [f"{name} error" for name, x in exchanges.items() if entry is x.error]
    found += [f"{name} answer" for name, x in exchanges.items() if entry is x.answer]
    found += [f"{name} sequel" for name, x in exchanges.items() if entry in x.sequels]
    found += ["other"] * (entry in view.others) + ["stray"] * (entry in view.strays)
    found += ["limit"] * (entry is view.limit)
    return " and ".join(found)


@pytest.mark.parametrize("case", [*CASES, *LANES], ids=lambda case: case.description)
def test_attribution(case: Case) -> None:
    attribute(case)


def attribute(case: Case) -> None:
    """Every line of a case is given to whom it says."""
    entries, names = entries_of(case)
    reading = Reading(entries)
    exchanges = {name: reading.exchanges[key] for name, key in names.items()}
    exchanges |= {f"{n}'": x for n, p in exchanges.items() for x in reading if x.parent is p}
    received = [n for n, line in enumerate(case.lines) if line.kind == "received"]
    seen = [owner(reading, exchanges, entries[n]) for n in received]
    assert seen == [case.lines[n].whose for n in received]
    assert ", ".join(f"{name} {x.outcome}" for name, x in exchanges.items()) == case.outcomes
    assert [n for n, x in exchanges.items() if x.is_ambiguous] == case.ambiguous.split()
    assert [n for n, x in exchanges.items() if x.is_guessed] == case.guessed.split()


def test_what_supersedes_a_response_is_remembered() -> None:
    """The response that began while another ran shows in the one that ran."""
    case = next(c for c in CASES if c.description.startswith("a response without an end"))
    entries, names = entries_of(case)
    reading = Reading(entries)
    first, second = (reading.exchanges[names[name]] for name in "AB")
    assert first.superseded_by is second.created


def test_another_lane_supersedes_nothing() -> None:
    for case in LANES:
        entries, _ = entries_of(case)
        assert not any(exchange.superseded_by for exchange in Reading(entries))


@pytest.mark.parametrize(("side", "outcome"), [("client", "expired"), ("server", "closed")])
def test_our_own_close_does_not_end_what_has_expired(side: Any, outcome: str) -> None:
    sent = Sent(n=0, t=0.0, conn="c1", opcode="text", text='{"type": "response.create"}')
    expired = Expired(n=1, t=1.0, conn="c1", clock="first-event", limit=1.0, exchange="e0")
    closed = Closed(n=2, t=1.1, conn="c1", side=side, code=1000)
    (exchange,) = Reading([sent, expired, closed])
    assert exchange.outcome == outcome


def test_an_error_code_that_is_no_string_is_taken() -> None:
    event = json.dumps({"type": "error", "error": {"code": {"a": []}, "message": "m"}})
    create = json.dumps({"type": "response.create"})
    reading = Reading([Sent(0, 0.0, "c1", "text", create), Received(1, 0.0, "c1", "text", event)])
    assert reading.exchanges["e0"].outcome == "error"
