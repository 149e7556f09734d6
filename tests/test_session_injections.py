"""Injection in the reference session: what waits, what is taken, what goes on, what comes back."""

from __future__ import annotations

from typing import Any

import pytest

from tests.test_session import ASK, Peer, code, response, text

Events = list[dict[str, Any]]
AGENTS = {"enabled": True}


def function(name: str) -> dict[str, Any]:
    return {"type": "function", "name": name, "parameters": {"type": "object"}}


def begin(peer: Peer, *names: str, **fields: Any) -> tuple[str, list[str]]:
    """A response that has come to its calls: its id, and theirs."""
    events = peer.send(
        {
            "type": "response.create",
            "input": "Call every tool once.",
            "tools": [function(name) for name in names or ("clock",)],
            "tool_choice": "required",
            "multi_agent": AGENTS,
            "store": False,
            **fields,
        }
    )
    done = [e["item"] for e in events if e["type"] == "response.output_item.done"]
    return events[0]["response"]["id"], [item["call_id"] for item in done]


def output(call: str, value: str = "noon") -> dict[str, Any]:
    return {"type": "function_call_output", "call_id": call, "output": value}


def inject(name: Any, *items: Any) -> dict[str, Any]:
    return {"type": "response.inject", "response_id": name, "input": list(items)}


def kinds(events: Events) -> list[str]:
    return [event["type"] for event in events]


def test_a_response_waits_and_goes_on_with_the_output() -> None:
    peer = Peer()
    name, (call,) = begin(peer)
    assert peer.step() == []
    assert not peer.session.is_busy
    events = peer.send(inject(name, output(call)))
    assert (events[0]["type"], events[0]["response_id"]) == ("response.inject.created", name)
    assert kinds(events)[-1] == "response.completed"
    assert text(events) == "The tool returned: noon"
    assert [item["type"] for item in response(events)["output"]] == ["function_call", "message"]
    numbers = [event["sequence_number"] for event in events]
    assert numbers == list(range(numbers[0], numbers[0] + len(events)))
    deltas = sum(kind == "response.output_text.delta" for kind in kinds(events))
    assert response(events)["usage"]["output_tokens"] > deltas


def test_all_calls_have_to_be_answered() -> None:
    peer = Peer()
    name, (first, second) = begin(peer, "clock", "weather")
    assert kinds(peer.send(inject(name, output(second, "rain")))) == ["response.inject.created"]
    assert text(peer.send(inject(name, output(first)))) == "The tool returned: rain, noon"


def test_an_output_can_come_before_the_last_call() -> None:
    peer = Peer()
    create = {"type": "response.create", "input": "Call every tool once.", "multi_agent": AGENTS}
    events = peer.put({**create, "tools": [function("clock"), function("weather")]})
    while kinds(events)[-1] != "response.output_item.done":
        events += peer.step()
    name, call = events[0]["response"]["id"], events[-1]["item"]["call_id"]
    assert kinds(peer.put(inject(name, output(call)))) == ["response.inject.created"]
    while peer.session.is_busy:
        events += peer.step()
    last = peer.send(inject(name, output(events[-1]["item"]["call_id"], "rain")))
    assert text(last) == "The tool returned: noon, rain"


def test_what_was_injected_is_part_of_the_conversation() -> None:
    peer = Peer()
    name, (call,) = begin(peer)
    peer.send(inject(name, output(call, "The code word is heron.")))
    assert text(peer.create(previous_response_id=name, input=ASK)) == "heron"


def test_tokens_count_for_the_whole_response() -> None:
    peer = Peer()
    name, (call,) = begin(peer, max_output_tokens=16)
    events = peer.send(inject(name, output(call, "word " * 40)))
    assert kinds(events)[-1] == "response.incomplete"
    assert response(events)["usage"]["output_tokens"] == 16


@pytest.mark.parametrize(
    "items",
    [
        [],
        [output("call_unknown")],
        [{"type": "message", "role": "user", "content": "hi"}],
        [{"type": "custom_tool_call_output", "call_id": "CALL", "output": "noon"}],
        [output("CALL"), output("CALL")],
        [output("CALL"), output("call_unknown")],
    ],
)
def test_all_is_taken_or_nothing(items: list[dict[str, Any]]) -> None:
    peer = Peer()
    name, (call,) = begin(peer)
    items = [i | {"call_id": call} if i.get("call_id") == "CALL" else i for i in items]
    (event,) = peer.send(inject(name, *items))
    assert (event["type"], event["response_id"]) == ("response.inject.failed", name)
    assert event["input"] == items
    assert text(peer.send(inject(name, output(call)))) == "The tool returned: noon"


def test_an_answered_call_takes_no_second_output() -> None:
    peer = Peer()
    name, (first, _) = begin(peer, "clock", "weather")
    peer.send(inject(name, output(first)))
    assert kinds(peer.send(inject(name, output(first)))) == ["response.inject.failed"]


def test_a_plain_response_takes_nothing_and_waits_for_nothing() -> None:
    peer = Peer()
    create = {"type": "response.create", "input": "hi", "tools": [function("clock")]}
    events = peer.put({**create, "tool_choice": "required", "multi_agent": {"enabled": False}})
    name = events[0]["response"]["id"]
    assert kinds(peer.put(inject(name, output("call_unknown")))) == ["response.inject.failed"]
    while peer.session.is_busy:
        events += peer.step()
    assert kinds(events)[-1] == "response.completed"
    call = response(events)["output"][0]["call_id"]
    (late,) = peer.send(inject(name, output(call)))
    assert (late["type"], late["error"]["code"], late["input"]) == (
        "response.inject.failed",
        "response_already_completed",
        [output(call)],
    )
    again = peer.create(previous_response_id=name, input=late["input"])
    assert text(again) == "The tool returned: noon"


def test_an_unknown_response_is_not_found() -> None:
    (event,) = Peer().send(inject("resp_unknown", output("call_1")))
    assert event["error"]["code"] == "response_not_found"


@pytest.mark.parametrize(
    "message",
    [
        inject(None, output("call_1")),
        {**inject("resp_1"), "input": "noon"},
        {"type": "response.inject", "response_id": "resp_1"},
        inject("resp_1", {"type": "function_call_output", "call_id": "call_1"}),
    ],
)
def test_what_is_no_inject_is_an_error(message: dict[str, Any]) -> None:
    (event,) = Peer().send(message)
    assert (event["type"], event["status"]) == ("error", 400)


def test_a_lane_that_waits_holds_up_no_other() -> None:
    peer = Peer()
    name, (call,) = begin(peer, stream_id="a")
    assert kinds(peer.create(stream_id="b"))[-1] == "response.completed"
    assert peer.create(stream_id="a") == []
    events = peer.send(inject(name, output(call)))
    assert {event["stream_id"] for event in events} == {"a"}
    assert kinds(events).count("response.completed") == 2


def test_a_response_that_waits_can_be_interrupted_but_not_steered() -> None:
    peer = Peer()
    name, (call,) = begin(peer)
    steer = {"type": "response.steer", "previous_response_id": name, "input": "shorter"}
    (refused,) = peer.send(steer)
    assert refused["error"]["code"] == "steering_not_supported"
    interrupt = {"type": "response.interrupt", "response_id": name}
    events = peer.send({**interrupt, "mode": "discard_partial_items"})
    assert kinds(events) == ["response.interrupt.accepted", "response.incomplete"]
    (late,) = peer.send(inject(name, output(call)))
    assert late["error"]["code"] == "response_already_completed"


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"multi_agent": {"enabled": "yes"}}, "invalid_type"),
        ({"multi_agent": {"max_concurrent_subagents": 3}}, "missing_required_parameter"),
        ({"multi_agent": {"enabled": True, "max_concurrent_subagents": 0}}, None),
        ({"multi_agent": AGENTS, "max_tool_calls": 3}, "unsupported_parameter"),
        ({"multi_agent": AGENTS, "reasoning": {"summary": "auto"}}, "unsupported_parameter"),
    ],
)
def test_agents_have_rules(fields: dict[str, Any], reason: str | None) -> None:
    events = Peer().create(**fields)
    assert code(events) == (reason or code(events))
    assert kinds(events) == ["error"]
