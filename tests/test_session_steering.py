"""Steering of the reference session by example: where a response stops, and what follows it."""

from __future__ import annotations

from typing import Any

import pytest
from responses_ws_reference.messages.refusals import refuse
from responses_ws_reference.responses.engine import (
    Breakdown,
    Completion,
    Message,
    Prompt,
    ScriptedEngine,
)
from responses_ws_reference.session.policies import MAX_STEERS

from tests.test_session import ASK, CLOCK, Peer, response, text


class Broken:
    """A model that breaks down while it speaks, or takes no more than some prompts."""

    def __init__(self, after: int = 0) -> None:
        self.left = after

    def complete(self, prompt: Prompt) -> Completion:
        if self.left:
            self.left -= 1
            return ScriptedEngine().complete(prompt)
        if prompt.create.previous_response_id is not None:
            raise refuse("too_much", "Not now.")
        breakdown = Breakdown("server_error", "server_error", "It broke.")
        return Completion((Message(("one", " two")),), breakdown=breakdown)


COUNT = "Count from 1 to 20."


def steer(peer: Peer, target: str, given: Any = ASK, **members: Any) -> list[dict[str, Any]]:
    return peer.put(
        {"type": "response.steer", "previous_response_id": target, "input": given, **members}
    )


def begin(peer: Peer, steps: int = 5, **fields: Any) -> str:
    """A response that has begun to speak; its id."""
    create = {"type": "response.create", "input": COUNT, "store": False, **fields}
    (created,) = peer.put(create)
    for _ in range(steps):
        peer.step()
    return str(created["response"]["id"])


def rest(peer: Peer) -> list[dict[str, Any]]:
    events = []
    while peer.session.is_busy:
        events += peer.step()
    return events


def kinds(events: list[dict[str, Any]]) -> list[str]:
    """The types of events that are about more than one item."""
    return [e["type"] for e in events if "output_index" not in e]


def failure(events: list[dict[str, Any]]) -> str:
    (event,) = events
    assert event["type"] == "response.steer.failed"
    assert "id" not in event["steer"]
    return str(event["error"]["code"])


def test_a_steered_response_stops_behind_its_item_and_has_a_successor() -> None:
    peer = Peer()
    target = begin(peer, instructions="The code word is heron.", stream_id="a", temperature=0.5)
    (accepted,) = steer(peer, target)
    assert accepted["type"] == "response.steer.accepted"
    assert accepted["stream_id"] == "a"
    assert accepted["steer"]["previous_response_id"] == target
    events = rest(peer)
    assert kinds(events) == [
        "response.incomplete",
        "response.created",
        "response.in_progress",
        "response.completed",
    ]
    ends = [
        e["response"] for e in events if e["type"] in ("response.incomplete", kinds(events)[-1])
    ]
    assert ends[0]["incomplete_details"] == {"reason": "steered"}
    assert ends[0]["output"][0]["status"] == "completed"
    assert ends[1]["previous_response_id"] == target
    assert ends[1]["output"][0]["content"][0]["text"] == "heron"
    assert all(ends[0][name] == ends[1][name] for name in ("instructions", "temperature"))
    assert {event["stream_id"] for event in events} == {"a"}


def test_a_response_that_has_said_all_is_completed_and_has_a_successor() -> None:
    peer = Peer()
    (created,) = peer.put({"type": "response.create", "input": "hi"})
    while peer.step()[-1]["type"] != "response.output_item.done":
        pass
    steer(peer, created["response"]["id"], "Reply with exactly: more")
    events = rest(peer)
    assert kinds(events)[:2] == ["response.completed", "response.created"]
    assert text(events) == "more"


def test_several_steers_have_one_successor_in_their_order() -> None:
    peer = Peer()
    target = begin(peer)
    steer(peer, target, "The code word is heron.")
    steer(peer, target, "No, the code word is stork.")
    steer(peer, target)
    events = rest(peer)
    assert kinds(events).count("response.created") == 1
    assert response(events)["output"][0]["content"][0]["text"] == "stork"


def test_a_successor_comes_before_the_creates_that_wait() -> None:
    peer = Peer()
    target = begin(peer)
    peer.put({"type": "response.create", "input": "Reply with exactly: last", "store": False})
    steer(peer, target, "Reply with exactly: next")
    created = [e["response"] for e in rest(peer) if e["type"] == "response.completed"]
    assert [r["output"][0]["content"][0]["text"] for r in created] == ["next", "last"]


CALL = {"tools": [CLOCK], "tool_choice": "required"}


def test_what_is_steered_waits_for_the_outputs_of_calls() -> None:
    peer = Peer()
    target = begin(peer, steps=2, **CALL)
    ids = [steer(peer, target, f"The code word is {word}.")[0]["steer"]["id"] for word in "xy"]
    events = rest(peer)
    assert kinds(events) == ["response.completed", *["response.steer.pending"] * 2]
    assert [event["steer"]["id"] for event in events[-2:]] == ids
    (call,) = events[-3]["response"]["output"]
    stub = {"type": "function_call_output", "call_id": call["call_id"], "name": "clock"}
    assert events[-1]["required_input"] == [stub]
    assert [event["sequence_number"] for event in events[-2:]] == [
        events[-3]["sequence_number"] + n for n in (1, 2)
    ]
    ask = {"type": "message", "role": "user", "content": ASK}
    answer = peer.create(
        input=[{**stub, "output": "noon"}, ask], previous_response_id=target, store=False
    )
    assert text(answer) == "y"
    assert kinds(answer).count("response.created") == 1


def test_outputs_that_are_there_already_need_no_notice() -> None:
    peer = Peer()
    (created,) = peer.put({"type": "response.create", "input": "hi", "store": False, **CALL})
    target = created["response"]["id"]
    done: dict[str, Any] = {}
    while done.get("type") != "response.output_item.done":
        (done,) = peer.step()
    steer(peer, target, "The code word is heron.")
    output = {"type": "function_call_output", "call_id": done["item"]["call_id"], "output": "noon"}
    ask = {"type": "message", "role": "user", "content": ASK}
    create = {"type": "response.create", "previous_response_id": target, "store": False}
    peer.put({**create, "input": [output, ask]})
    events = rest(peer)
    assert "response.steer.pending" not in kinds(events)
    assert text(events) == "heron"


def test_the_input_for_a_response_that_fails_comes_back() -> None:
    peer = Peer(engine=Broken())
    target = begin(peer, steps=2)
    (accepted,) = steer(peer, target, "go on")
    events = rest(peer)
    assert kinds(events) == ["response.failed", "response.steer.failed"]
    assert events[-1]["steer"] == {**accepted["steer"], "input": "go on"}
    assert events[-1]["error"]["code"] == "successor_creation_failed"


def test_input_comes_back_where_the_successor_cannot_begin() -> None:
    peer = Peer(engine=Broken(after=1))
    target = begin(peer)
    (accepted,) = steer(peer, target, "go on")
    events = rest(peer)
    assert kinds(events) == ["response.incomplete", "response.steer.failed"]
    assert events[-1]["steer"] == {**accepted["steer"], "input": "go on"}


@pytest.mark.parametrize(
    "given",
    [
        [],
        None,
        [{"type": "function_call_output", "call_id": "c", "output": "o"}],
        [{"type": "message", "role": "developer", "content": "x"}],
        [{"type": "message", "role": "user", "content": [{"type": "output_text", "text": "x"}]}],
        [{"type": "message", "role": "user", "content": "x", "id": "msg_1"}],
    ],
    ids=str,
)
def test_input_that_is_no_message_of_the_user_comes_back(given: Any) -> None:
    peer = Peer()
    (event,) = steer(peer, begin(peer), given)
    assert failure([event]) == "invalid_input"
    assert event["steer"]["input"] == given
    assert kinds(rest(peer)) == ["response.completed"]


def test_what_cannot_be_steered_says_why() -> None:
    peer = Peer()
    target = begin(peer)
    assert failure(steer(peer, "resp_unknown")) == "response_not_found"
    assert failure(steer(peer, target, stream_id="a")) == "invalid_input"
    rest(peer)
    assert failure(steer(peer, target)) == "response_already_completed"
    compacting = begin(peer, context_management=[{"type": "compaction", "compact_threshold": 1000}])
    assert failure(steer(peer, compacting)) == "steering_not_supported"


def test_too_much_is_too_much() -> None:
    peer = Peer()
    target = begin(peer)
    for _ in range(MAX_STEERS):
        assert steer(peer, target, "more")[0]["type"] == "response.steer.accepted"
    assert failure(steer(peer, target)) == "too_many_pending_steers"


def test_what_waits_ends_with_the_connection() -> None:
    peer = Peer()
    target = begin(peer)
    steer(peer, target)
    peer.session.close()
    assert not peer.session.is_busy
    assert peer.step() == []
