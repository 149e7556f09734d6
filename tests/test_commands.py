"""Commands beside running responses: whose their answers are, and that the server tells them apart.

The cases are written in the words of ``tests.attribution``.
"""

from __future__ import annotations

from typing import Any

import pytest
from responses_ws_reference.messages.effects import Event
from responses_ws_reference.messages.refusals import refuse
from responses_ws_reference.session.commands import Desk
from responses_ws_reference.session.session import COMMANDS

from tests.attribution import Case, Line, attribute, error, got, got_on, say, send, send_on
from tests.test_session import Peer, code


def steer(name: str, target: str, text: str = "go on") -> Line:
    return say(name, {"type": "response.steer", "previous_response_id": target, "input": text})


def interrupt(name: str, target: str) -> Line:
    event = {"type": "response.interrupt", "response_id": target, "mode": "discard_partial_items"}
    return say(name, event)


def inject(name: str, target: str, *items: Any) -> Line:
    return say(name, {"type": "response.inject", "response_id": target, "input": list(items)})


def steered(whose: str, kind: str, target: str, **steer: Any) -> Line:
    return got(whose, f"steer.{kind}", steer={"previous_response_id": target, **steer}, seq=1)


def about(whose: str, kind: str, target: str) -> Line:
    return got(whose, kind, response_id=target)


CASES = [
    Case(
        "an answer comes between the events of the response, which goes on",
        (
            send("A"),
            got("A", "created", "r1", seq=0),
            steer("S", "r1"),
            got("A", "in_progress", "r1", seq=1),
            steered("S answer", "accepted", "r1", id="s1"),
            got("A", "completed", "r1", seq=3),
        ),
        "A completed, S answered",
    ),
    Case(
        "an error is an answer too, and the response goes on",
        (
            send("A"),
            got("A", "created", "r1", seq=0),
            steer("S", "r1"),
            error("S error", status=400, code="unsupported_client_event"),
            got("A", "completed", "r1", seq=1),
        ),
        "A completed, S error",
    ),
    Case(
        "an error is for the first of several commands, an acceptance for one that has no answer",
        (
            send("A"),
            got("A", "created", "r1", seq=0),
            steer("S", "r1", "one"),
            steer("T", "r1", "two"),
            steer("U", "r1", "three"),
            error("S error", status=400, code="invalid_value"),
            steered("T answer", "failed", "r1", input="two"),
            steered("U answer", "accepted", "r1", id="s1"),
            got("A", "completed", "r1", seq=2),
        ),
        "A completed, S error, T answered, U answered",
    ),
    Case(
        "an error that names the lane of the response is for its command",
        (
            send_on("a", "A"),
            got_on("a", "A", "created", "r1", seq=0),
            interrupt("I", "r1"),
            error("I error", lane="a", status=400, code="unsupported_client_event"),
            got_on("a", "A", "completed", "r1", seq=1),
        ),
        "A completed, I error",
    ),
    Case(
        "an answer goes by the response that it names",
        (
            send_on("a", "A"),
            send_on("b", "B"),
            got_on("a", "A", "created", "r1", seq=0),
            got_on("b", "B", "created", "r2", seq=0),
            steer("S", "r1"),
            steer("T", "r2"),
            steered("T answer", "accepted", "r2", id="s2"),
            steered("S answer", "accepted", "r1", id="s1"),
            got_on("b", "B", "completed", "r2", seq=2),
            got_on("a", "A", "completed", "r1", seq=2),
        ),
        "A completed, B completed, S answered, T answered",
    ),
    Case(
        "of two for one response the first is answered first, unless the input says otherwise",
        (
            send("A"),
            got("A", "created", "r1", seq=0),
            steer("S", "r1", "one"),
            steer("T", "r1", "two"),
            steer("U", "r1", "three"),
            steered("U answer", "failed", "r1", input="three"),
            steered("S answer", "accepted", "r1", id="s1"),
            steered("T answer", "accepted", "r1", id="s2"),
            got("A", "completed", "r1", seq=4),
        ),
        "A completed, S answered, T answered, U answered",
    ),
    Case(
        "what comes later goes by the id of the acceptance",
        (
            send("A"),
            got("A", "created", "r1", seq=0),
            steer("S", "r1", "one"),
            steer("T", "r1", "two"),
            steered("S answer", "accepted", "r1", id="s1"),
            steered("T answer", "accepted", "r1", id="s2"),
            got("A", "completed", "r1", seq=3),
            steered("T sequel", "pending", "r1", id="s2"),
            steered("T sequel", "failed", "r1", id="s2", input="two"),
            steered("S sequel", "pending", "r1", id="s1"),
        ),
        "A completed, S answered, T answered",
    ),
    Case(
        "a response that nobody asked for is the successor of the one that was steered",
        (
            send("A"),
            got("A", "created", "r1", seq=0),
            steer("S", "r1"),
            steered("S answer", "accepted", "r1", id="s1"),
            got("A", "incomplete", "r1", seq=2),
            got("A'", "created", "r2", previous_response_id="r1", seq=0),
            got("A'", "output_item.added", item="i", seq=1),
            got("A'", "completed", "r2", seq=2),
        ),
        "A incomplete, S answered, A' completed",
    ),
    Case(
        "a successor that does not say what it continues",
        (
            send("A"),
            got("A", "created", "r1", seq=0),
            steer("S", "r1"),
            steered("S answer", "accepted", "r1", id="s1"),
            got("A", "completed", "r1", seq=2),
            got("A'", "created", "r2", seq=0),
            got("A'", "completed", "r2", seq=1),
            got("stray", "created", "r3", seq=0),
        ),
        "A completed, S answered, A' completed",
    ),
    Case(
        "a successor gets ahead of a create that waits",
        (
            send("A"),
            send("B"),
            got("A", "created", "r1", seq=0),
            steer("S", "r1"),
            steered("S answer", "accepted", "r1", id="s1"),
            got("A", "incomplete", "r1", seq=2),
            got("A'", "created", "r2", previous_response_id="r1", seq=0),
            got("A'", "completed", "r2", seq=1),
            got("B", "created", "r3", seq=0),
            got("B", "completed", "r3", seq=1),
        ),
        "A incomplete, B completed, S answered, A' completed",
        guessed="A B",
    ),
    Case(
        "a create that answers the calls of a steered response has the response",
        (
            send_on("a", "A"),
            got_on("a", "A", "created", "r1", seq=0),
            steer("S", "r1"),
            steered("S answer", "accepted", "r1", id="s1"),
            got_on("a", "A", "completed", "r1", seq=2),
            steered("S sequel", "pending", "r1", id="s1"),
            send_on("a", "B", previous_response_id="r1"),
            got_on("a", "B", "created", "r2", previous_response_id="r1", seq=0),
            got_on("a", "B", "completed", "r2", seq=1),
            got_on("a", "A'", "created", "r3", previous_response_id="r1", seq=0),
        ),
        "A completed, S answered, B completed, A' open",
    ),
    Case(
        "a steer that was refused, or failed later, has no successor",
        (
            send("A"),
            got("A", "created", "r1", seq=0),
            steer("S", "r1", "one"),
            steer("T", "r1", "two"),
            steered("S answer", "failed", "r1", input="one"),
            steered("T answer", "accepted", "r1", id="s1"),
            got("A", "failed", "r1", seq=3),
            steered("T sequel", "failed", "r1", id="s1", input="two"),
            got("stray", "created", "r2", seq=0),
        ),
        "A failed, S answered, T answered",
    ),
    Case(
        "each kind of command has its own answers",
        (
            send("A"),
            got("A", "created", "r1", seq=0),
            inject("J", "r1"),
            interrupt("I", "r1"),
            about("I answer", "interrupt.accepted", "r1"),
            about("J answer", "inject.created", "r1"),
            got("A", "incomplete", "r1", seq=2),
        ),
        "A incomplete, J answered, I answered",
    ),
    Case(
        "an answer that nobody asked for belongs to the connection",
        (
            send("A"),
            got("A", "created", "r1", seq=0),
            steered("other", "accepted", "r1", id="s1"),
            got("A", "completed", "r1", seq=2),
        ),
        "A completed",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.description)
def test_answers(case: Case) -> None:
    attribute(case)


@pytest.mark.parametrize("kind", ["response.cancel", "response.create.now"])
def test_what_is_no_command_is_refused_and_changes_nothing(kind: str) -> None:
    peer = Peer()
    assert code(peer.send({"type": kind, "response_id": "r1"})) == "unsupported_client_event"
    assert peer.create()[-1]["type"] == "response.completed"


def test_a_command_is_dispatched_by_its_type(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its handler answers at once, beside a response that runs and without a lane of its own."""
    monkeypatch.setitem(COMMANDS, "response.wave", wave)
    peer = Peer()
    events = peer.put({"type": "response.create", "input": "hi", "stream_id": "a"})
    name = events[0]["response"]["id"]
    assert peer.put({"type": "response.wave", "response_id": name}) == [{"waved_at": "a"}]
    assert code(peer.put({"type": "response.wave", "response_id": "r"})) == "nobody_there"


def wave(event: Event, desk: Desk) -> list[Event]:
    """Name the lane of a response."""
    lane = desk.lanes.running(event["response_id"])
    if lane is None:
        raise refuse("nobody_there", "No such response runs.")
    return [{"waved_at": lane.name}]
