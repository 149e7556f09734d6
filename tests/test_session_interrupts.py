"""Interrupts in the reference session: what ends, what goes, what stays and what goes on."""

from __future__ import annotations

from typing import Any

import pytest

from tests.test_session import ASK, REMEMBER, Peer, response, text

Events = list[dict[str, Any]]


def interrupt(name: Any, **members: Any) -> dict[str, Any]:
    return {
        "type": "response.interrupt",
        "response_id": name,
        "mode": "discard_partial_items",
        **members,
    }


def begin(peer: Peer, *, steps: int, input: str = "Count from 1 to 60.") -> Events:
    """The first events of a long response."""
    events = peer.put({"type": "response.create", "input": input, "store": False})
    for _ in range(steps):
        events += peer.step()
    return events


def rest(peer: Peer) -> Events:
    """All events until the session is idle."""
    events: Events = []
    while peer.session.is_busy:
        events += peer.step()
    return events


def kinds(events: Events) -> list[str]:
    return [event["type"] for event in events]


def test_the_item_at_hand_is_thrown_away() -> None:
    peer = Peer()
    events = begin(peer, steps=6)
    name = events[0]["response"]["id"]
    tail = [*peer.put(interrupt(name)), *rest(peer)]
    assert kinds(tail) == [
        "response.interrupt.accepted",
        "response.output_item.interrupted",
        "response.incomplete",
    ]
    assert tail[0]["response_id"] == name
    assert tail[1]["item_id"] == events[2]["item"]["id"]
    assert tail[1]["output_index"] == 0
    assert [e["sequence_number"] for e in [*events, *tail]] == list(range(10))
    assert response(tail)["incomplete_details"] == {"reason": "interrupted"}
    assert response(tail)["output"] == []
    assert response(tail)["usage"]["output_tokens"] == kinds(events).count(
        "response.output_text.delta"
    )


@pytest.mark.parametrize("steps", [0, 1])
def test_what_has_not_begun_is_not_interrupted(steps: int) -> None:
    peer = Peer()
    name = begin(peer, steps=steps)[0]["response"]["id"]
    tail = [*peer.put(interrupt(name)), *rest(peer)]
    assert "response.output_item.interrupted" not in kinds(tail)
    assert kinds(tail)[-1] == "response.incomplete"


def test_the_conversation_goes_on() -> None:
    peer = Peer()
    name = begin(peer, steps=4, input=f"{REMEMBER} Count from 1 to 60.")[0]["response"]["id"]
    peer.put(interrupt(name))
    rest(peer)
    assert text(peer.create(previous_response_id=name, input=ASK)) == "heron"


@pytest.mark.parametrize(
    ("name", "reason"),
    [("resp_unknown", "response_not_found"), (None, "invalid_type"), (7, "invalid_type")],
)
def test_what_does_not_run_is_not_interrupted(name: Any, reason: str) -> None:
    (event,) = Peer().send(interrupt(name))
    assert event["type"] == "response.interrupt.failed"
    assert event["error"]["code"] == reason


def test_a_late_interrupt_fails_and_disturbs_nothing() -> None:
    peer = Peer()
    name = response(peer.create(store=False))["id"]
    (event,) = peer.send(interrupt(name))
    assert (event["type"], event["response_id"]) == ("response.interrupt.failed", name)
    assert event["error"]["code"] == "response_already_completed"
    assert kinds(peer.create(previous_response_id=name))[-1] == "response.completed"


@pytest.mark.parametrize("members", [{"mode": "keep"}, {"mode": None}, {"stream_id": "a"}])
def test_what_is_no_interrupt_leaves_the_response_alone(members: dict[str, Any]) -> None:
    peer = Peer()
    name = begin(peer, steps=4)[0]["response"]["id"]
    (event,) = peer.put(interrupt(name, **members))
    assert event["type"] == "response.interrupt.failed"
    assert kinds(rest(peer))[-1] == "response.completed"


def test_each_lane_is_interrupted_by_itself() -> None:
    peer = Peer()
    create = {"type": "response.create", "input": "Count from 1 to 60."}
    name = peer.put({**create, "stream_id": "a"})[0]["response"]["id"]
    peer.put({**create, "stream_id": "b"})
    (accepted,) = peer.put(interrupt(name))
    assert accepted["stream_id"] == "a"
    ends = {e["stream_id"]: e["type"] for e in rest(peer) if "response" in e}
    assert ends == {"a": "response.incomplete", "b": "response.completed"}
