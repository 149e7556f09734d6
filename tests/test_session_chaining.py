"""Continuation in the reference session: what is recalled, kept, evicted and refused."""

from __future__ import annotations

from typing import Any

import pytest
from responses_ws_reference.session.store import Store

from tests.test_session import ASK, CLOCK, REMEMBER, Peer, code, response, text


@pytest.mark.parametrize("store", [True, False])
def test_a_chain_recalls(store: bool) -> None:
    """Three turns send only what is new; the last one needs the first."""
    peer = Peer()
    first = response(peer.create(input=REMEMBER, store=store))
    second = response(peer.create(previous_response_id=first["id"], store=store))
    third = peer.create(input=ASK, previous_response_id=second["id"], store=store)
    assert text(third) == "heron"
    assert response(third)["previous_response_id"] == second["id"]
    assert response(third)["usage"]["input_tokens_details"]["cached_tokens"] > 0


def test_a_chain_does_not_leak_into_the_next() -> None:
    """Without a previous response there is no context."""
    peer = Peer()
    peer.create(input=REMEMBER)
    assert text(peer.create(input=ASK)) == "unknown"


def test_instructions_and_tools_are_not_inherited() -> None:
    """A continuation has only its own."""
    peer = Peer()
    first = response(peer.create(instructions="The code word is fox.", tools=[CLOCK]))
    second = peer.create(input=ASK, previous_response_id=first["id"])
    assert text(second) == "unknown"
    assert response(second)["instructions"] is None
    assert response(second)["tools"] == []


def test_stored_responses_are_known_elsewhere() -> None:
    """Another connection of the same key resumes store:true and knows nothing of store:false."""
    store = Store()
    stored = response(Peer(store=store).create(input=REMEMBER))
    private = response(Peer(store=store).create(store=False))
    other = Peer(store=store)
    assert text(other.create(input=ASK, previous_response_id=stored["id"])) == "heron"
    assert code(other.create(previous_response_id=private["id"])) == "previous_response_not_found"


def test_another_key_knows_nothing() -> None:
    """The store has a shelf for each API key."""
    store = Store()
    stored = response(Peer(store=store).create())
    assert stored["id"] in store.shelf("")
    assert stored["id"] not in store.shelf("another key")


def test_only_the_newest_private_response_is_kept() -> None:
    """An older store:false response of the connection is gone."""
    peer = Peer()
    first = response(peer.create(store=False))
    peer.create(store=False)
    assert code(peer.create(previous_response_id=first["id"])) == "previous_response_not_found"


BAD_CONTINUATIONS: dict[str, dict[str, Any]] = {
    "an orphan output": {
        "input": [{"type": "function_call_output", "call_id": "nobody's", "output": ""}]
    },
    "a bad field": {"max_output_tokens": 1},
    "an unknown model": {"model": "gpt-0"},
}


@pytest.mark.parametrize("name", BAD_CONTINUATIONS)
def test_a_failed_continuation_evicts_what_it_referenced(name: str) -> None:
    """The id works before and not after, where nothing is stored."""
    peer = Peer()
    known = response(peer.create(store=False))["id"]
    assert code(peer.create(previous_response_id=known, store=False, **BAD_CONTINUATIONS[name]))
    again = peer.create(previous_response_id=known, store=False)
    assert code(again) == "previous_response_not_found"


@pytest.mark.parametrize("name", BAD_CONTINUATIONS)
def test_a_stored_response_survives_a_failed_continuation(name: str) -> None:
    """Eviction is from the connection's cache; the store still has the response."""
    peer = Peer()
    known = response(peer.create())["id"]
    assert code(peer.create(previous_response_id=known, **BAD_CONTINUATIONS[name]))
    assert code(peer.create(previous_response_id=known)) is None


@pytest.mark.parametrize("fields", [{"max_output_tokens": 1}, {"previous_response_id": "resp_0"}])
def test_other_failures_evict_nothing(fields: dict[str, Any]) -> None:
    """A failed create that names no id, or another one, leaves the cache alone."""
    peer = Peer()
    known = response(peer.create(store=False))["id"]
    assert code(peer.create(**fields))
    assert code(peer.create(previous_response_id=known, store=False)) is None


def call_turn(peer: Peer) -> tuple[str, list[str]]:
    """The id of a response that called two tools, and the ids of its calls."""
    tools = [CLOCK, {**CLOCK, "name": "scale"}]
    done = response(peer.create(input="Call every tool once.", tools=tools, store=False))
    return done["id"], [item["call_id"] for item in done["output"]]


def output(call_id: str) -> dict[str, Any]:
    return {"type": "function_call_output", "call_id": call_id, "output": f"out of {call_id}"}


def test_all_outputs_resume_a_turn() -> None:
    """Parallel calls are answered in one create."""
    peer = Peer()
    previous, calls = call_turn(peer)
    events = peer.create(previous_response_id=previous, input=[output(each) for each in calls])
    assert text(events) == f"The tool returned: out of {calls[0]}, out of {calls[1]}"


def test_a_call_left_unanswered_is_refused() -> None:
    """Each call of the previous response needs its output."""
    peer = Peer()
    previous, calls = call_turn(peer)
    events = peer.create(previous_response_id=previous, input=[output(calls[0])])
    assert code(events) == "tool_output_not_found"
    assert calls[1] in events[0]["error"]["message"]


def test_a_call_sent_again_is_the_same_call() -> None:
    """Clients that repeat the call beside its output are understood."""
    peer = Peer()
    done = response(peer.create(tools=[CLOCK], tool_choice="required"))
    (made,) = done["output"]
    events = peer.create(previous_response_id=done["id"], input=[made, output(made["call_id"])])
    assert text(events) == f"The tool returned: out of {made['call_id']}"
