"""Steering and warm-up as the official OpenAI SDK does them, against the reference server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from responses_ws_reference.config import ServerConfig
from responses_ws_reference.server import running_server

from tests.conftest import KEY

SCRIPT = "steering.py"


@pytest.fixture(scope="module", params=["sync", "async"])
def seen(request: pytest.FixtureRequest, ask_sdk: Callable[..., dict[str, Any]]) -> dict[str, Any]:
    # Slow enough for a steer to be there before the end.
    config = ServerConfig(api_keys=(KEY,), model="rws-reference", pace=0.005)
    with running_server(config) as server:
        return ask_sdk(SCRIPT, server.url, request.param)


def test_a_steered_response_is_followed_by_its_successor(seen: dict[str, Any]) -> None:
    """The loop of the owner's own guide: create, steer, and read on to the second end."""
    long = seen["long"]
    ends = [kind for kind in long["types"] if kind in ("response.created", "response.incomplete")]
    assert ends == ["response.created", "response.incomplete", "response.created"]
    assert long["types"][-2:] == ["response.completed", "response.steer.failed"]
    assert long["reasons"] == ["steered", None]
    assert long["parents"] == [None, long["ids"][0]]
    assert long["texts"][1] == "papaya"
    assert long["instructions"][0] == long["instructions"][1]


def test_answers_to_steers_are_read_by_the_sdk(seen: dict[str, Any]) -> None:
    accepted, failed = seen["long"]["steers"]
    assert accepted["steer"]["previous_response_id"] == seen["long"]["ids"][0]
    assert failed["steer"] == {
        "previous_response_id": seen["long"]["ids"][0],
        "input": "too late",
    }
    assert failed["error"]["code"] == "response_already_completed"


def test_what_waits_for_a_call_is_taken_along(seen: dict[str, Any]) -> None:
    """The stubs of the announcement, filled in, are the input of the create."""
    call = seen["call"]
    kinds = [event["type"] for event in call["steers"]]
    assert kinds == [f"response.steer.{kind}" for kind in ("accepted", "pending", "failed")]
    (stub,) = call["steers"][1]["required_input"]
    assert stub.keys() == {"type", "call_id", "name"}
    assert call["reasons"] == [None, None]
    assert call["parents"] == [None, call["ids"][0]]
    assert call["texts"][1] == "The tool returned: done"
    assert call["instructions"][1] == "The code word is guava."


def test_a_warm_up_of_a_session_is_continued_and_steered(seen: dict[str, Any]) -> None:
    """All on one lane, whose name the steer does not have."""
    assert seen["session"] == {"warm": ["completed", "", 0], "lanes": ["warm"], "text": "mango"}
