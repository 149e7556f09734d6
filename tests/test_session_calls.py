"""Calls of all kinds are paired with their outputs, and reasoning goes out and comes back."""

from __future__ import annotations

from typing import Any

import pytest

from tests.legal_order import Walk
from tests.test_session import Peer, code, response

NOTE = {"type": "custom", "name": "note"}
CLOCK = {"type": "function", "name": "clock", "parameters": {"type": "object"}}
SHELL = {"type": "shell"}
PRINTED = [{"stdout": "Linux", "stderr": "", "outcome": {"type": "exit", "exit_code": 0}}]
KINDS: dict[str, tuple[dict[str, Any], Any]] = {
    "function_call": (CLOCK, "12:00"),
    "custom_tool_call": (NOTE, "saved"),
    "shell_call": (SHELL, PRINTED),
    "apply_patch_call": ({"type": "apply_patch"}, None),
}


def called(peer: Peer, kind: str, **fields: Any) -> tuple[str, dict[str, Any]]:
    """A response that calls the tool of a kind, and the call."""
    tool, _ = KINDS[kind]
    done = response(peer.create(tools=[tool], tool_choice="required", **fields))
    (call,) = done["output"]
    assert call["type"] == kind
    return done["id"], call


def answer(kind: str, call_id: str) -> dict[str, Any]:
    status = {"status": "completed"} if kind == "apply_patch_call" else {}
    return {"type": f"{kind}_output", "call_id": call_id, "output": KINDS[kind][1], **status}


@pytest.mark.parametrize("kind", KINDS)
def test_a_call_is_answered_by_its_own_kind_of_output(kind: str) -> None:
    peer = Peer()
    previous, call = called(peer, kind)
    output = answer(kind, call["call_id"])
    events = peer.create(previous_response_id=previous, input=[output])
    assert response(events)["status"] == "completed"


@pytest.mark.parametrize("other", KINDS)
@pytest.mark.parametrize("kind", KINDS)
def test_an_output_of_another_kind_answers_nothing(kind: str, other: str) -> None:
    peer = Peer()
    previous, call = called(peer, kind)
    output = answer(other, call["call_id"])
    events = peer.create(previous_response_id=previous, input=[output])
    assert code(events) == (None if kind == other else "tool_call_not_found")


@pytest.mark.parametrize("kind", KINDS)
def test_a_call_without_output_is_refused(kind: str) -> None:
    peer = Peer()
    previous, _ = called(peer, kind)
    assert code(peer.create(previous_response_id=previous)) == "tool_output_not_found"


@pytest.mark.parametrize("fields", [{}, {"reasoning": {"summary": "auto"}}], ids=["plain", "aloud"])
@pytest.mark.parametrize("kind", KINDS)
def test_the_stream_is_legal(kind: str, fields: dict[str, Any]) -> None:
    walk = Walk()
    tool, _ = KINDS[kind]
    assert walk.take_all(Peer().create(tools=[tool], tool_choice="required", **fields)) == []
    assert walk.is_final


def thoughtful(peer: Peer, **fields: Any) -> list[dict[str, Any]]:
    """The items of a response that has sealed reasoning."""
    asked = {"reasoning": {"effort": "low"}, "include": ["reasoning.encrypted_content"]}
    items: list[dict[str, Any]] = response(peer.create(**asked, **fields))["output"]
    return items


def test_reasoning_comes_first_and_is_counted() -> None:
    done = response(Peer().create(reasoning={"summary": "concise"}))
    first, second = done["output"]
    assert (first["type"], second["type"]) == ("reasoning", "message")
    assert [part["type"] for part in first["summary"]] == ["summary_text"]
    assert "encrypted_content" not in first
    usage = done["usage"]
    assert 0 < usage["output_tokens_details"]["reasoning_tokens"] < usage["output_tokens"]
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]


def test_sealed_reasoning_is_taken_by_any_connection() -> None:
    items = thoughtful(Peer())
    again = Peer().create(input=[*items, {"role": "user", "content": "hi"}])
    assert response(again)["status"] == "completed"


@pytest.mark.parametrize("content", ["", "gAAAAA", "!", "x" * 500], ids=repr)
def test_what_nobody_sealed_is_refused(content: str) -> None:
    items = thoughtful(Peer())
    items[0]["encrypted_content"] = content
    assert code(Peer().create(input=items)) == "invalid_encrypted_content"


def test_a_seal_does_not_bear_a_change() -> None:
    items = thoughtful(Peer())
    content = items[0]["encrypted_content"]
    items[0]["encrypted_content"] = content[:-4] + ("AAAA" if content[-4:] != "AAAA" else "BBBB")
    assert code(Peer().create(input=items)) == "invalid_encrypted_content"
