"""Lanes over real sockets: raw frames, and the lane sessions of the official OpenAI SDK.

And what the suite takes for the sign that a fork needs its parent no more.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from responses_ws_conformance.checks import Evidence
from responses_ws_conformance.scenarios.lanes_memory import has_progress
from responses_ws_reference.config import ServerConfig
from responses_ws_reference.server import running_server
from websockets.frames import Frame, Opcode
from websockets.sync.client import ClientConnection, connect

from tests.cases import Builder
from tests.turns import DEADLINE

SCRIPT = "lanes.py"
TIMES = 100


def send(client: ClientConnection, **texts: str) -> None:
    """A create on each lane, all in one segment, so that no scheduler comes between them."""
    creates = [
        {"type": "response.create", "stream_id": lane, "store": False, "input": text}
        for lane, text in texts.items()
    ]
    frames = [Frame(Opcode.TEXT, json.dumps(create).encode()) for create in creates]
    client.socket.sendall(b"".join(frame.serialize(mask=True) for frame in frames))


def receive(client: ClientConnection) -> tuple[str, str]:
    """The type of the next event, and its lane."""
    event = json.loads(client.recv(timeout=DEADLINE))
    return event["type"], event["stream_id"]


def test_the_short_response_ends_first_each_time() -> None:
    """It was asked for later than the long one, which runs already, and it does not wait."""
    with running_server(ServerConfig()) as running, connect(running.url) as client:
        for _ in range(TIMES):
            send(client, long="Count from 1 to 40.", short="Reply with exactly: done")
            frames = [receive(client)]
            while ("response.completed", "long") not in frames:
                frames.append(receive(client))
            begun = [lane for kind, lane in frames if kind == "response.created"]
            ended = [lane for kind, lane in frames if kind == "response.completed"]
            assert (begun, ended) == (["long", "short"], ["short", "long"])


@pytest.fixture(scope="module", params=["sync", "async"])
def seen(
    request: pytest.FixtureRequest, ask_sdk: Callable[..., dict[str, Any]], reference_server: str
) -> dict[str, Any]:
    return ask_sdk(SCRIPT, reference_server, request.param)


def test_each_lane_of_the_sdk_has_its_own_chain(seen: dict[str, Any]) -> None:
    """Two named lanes and the default one, their creates sent before any answer was read."""
    words = {"planner": "word-of-planner", "research": "word-of-research", "": "word-of-nobody"}
    assert seen["recalled"] == words


def test_a_fork_of_the_sdk_runs_beside_its_source(seen: dict[str, Any]) -> None:
    """The guide's own barrier: the fork is in progress before the source goes on."""
    assert seen["barrier"] == [["response.created", "critic"], ["response.in_progress", "critic"]]
    assert seen["fork"] == "word-of-planner"
    assert seen["long"].endswith("29 30")
    assert len(set(seen["parents"])) == 1


def test_an_error_reaches_its_lane_of_the_sdk(seen: dict[str, Any]) -> None:
    assert seen["error"] == ["previous_response_not_found", "critic"]


@pytest.mark.parametrize(
    ("last", "is_free"),
    [("created", False), ("queued", False), ("in_progress", True), ("output_item.added", True)],
)
def test_a_fork_that_is_queued_still_needs_its_parent(last: str, *, is_free: bool) -> None:
    """A server is free to look the parent up when the fork begins to run."""
    kinds = dict.fromkeys(("created", "queued", last)) if last != "created" else ("created",)
    events = [
        {"type": f"response.{kind}", "stream_id": "b", "response": {"id": "resp_2"}}
        for kind in kinds
    ]
    create = {"type": "response.create", "stream_id": "b", "previous_response_id": "resp_1"}
    steps = [{"sent": create, "as": "fork"}, *({"received": event} for event in events)]
    (fork,) = Evidence.of(Builder("RWS-LANE-024", {}).build(steps)).exchanges
    assert has_progress(fork) is is_free
