"""Faults and variants over real sockets: each kind of hook acts, and counts where it acts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from responses_ws_reference.config import ServerConfig
from responses_ws_reference.faults import FAULTS
from responses_ws_reference.faults.registry import (
    on_frame_received,
    on_frame_sent,
    on_handshake,
    on_incoming,
    on_open,
    on_raw,
    replace_policy,
    rewrite_close,
    rewrite_events,
)
from responses_ws_reference.messages.effects import CloseConnection
from responses_ws_reference.seams.hooks import Reply
from responses_ws_reference.server import running_server
from responses_ws_reference.session.store import NOTHING
from responses_ws_reference.variants import VARIANTS
from websockets.frames import Opcode
from websockets.sync.client import ClientConnection, connect

from tests.turns import DEADLINE, close_code, create, turn


def test_every_fault_is_described() -> None:
    """A fault says what it does in a sentence, and which requirements it breaks."""
    for fault in FAULTS.values():
        assert fault.summary.endswith("."), fault.name
        assert fault.breaks, fault.name
        assert all(broken.startswith("RWS-") for broken in fault.breaks), fault.name
        assert fault.variant is None or fault.variant in VARIANTS, fault.name


@pytest.mark.parametrize("name", [v.name for v in VARIANTS.values() if not v.leaves_open])
def test_a_variant_serves(name: str) -> None:
    """Other choices, but a whole chain of turns."""
    with running_server(ServerConfig(variant=name)) as running, connect(running.url) as client:
        first = turn(client, create(input="Remember: the code word is auk. Reply with: ok"))
        ask = "What is the code word? Reply with the code word only."
        previous = first[-1]["response"]["id"]
        events = turn(client, create(input=ask, previous_response_id=previous))
    done = [event["item"] for event in events if event["type"] == "response.output_item.done"]
    messages = [item for item in done if item["type"] == "message"]
    assert "auk" in [part.get("text") for item in messages for part in item["content"]]
    own = [event for event in events if event["type"].startswith("response.")]
    assert own[0]["type"] == "response.created"
    later = events[events.index(own[0]) :]
    numbers = [event["sequence_number"] for event in later if "sequence_number" in event]
    assert numbers == list(range(len(numbers)))


def test_every_variant_is_described() -> None:
    """A variant says what it does in a sentence, and is legal somewhere."""
    for variant in VARIANTS.values():
        assert variant.summary.endswith("."), variant.name
        assert variant.dialects, variant.name


def test_an_overloaded_server_refuses_every_third_create() -> None:
    config = ServerConfig(variant="overloaded")
    with running_server(config) as running, connect(running.url) as client:
        ends = [turn(client, create())[-1] for _ in range(6)]
    assert [end.get("status") for end in ends] == [None, None, 503, None, None, 429]


def test_a_second_create_is_refused_where_the_variant_says_so() -> None:
    """The first response is not harmed."""
    config = ServerConfig(variant="refuse-second-create", pace=0.01)
    with running_server(config) as running, connect(running.url) as client:
        client.send(create())
        client.send(create())
        types = []
        while "response.completed" not in types:
            types.append(json.loads(client.recv(timeout=DEADLINE))["type"])
    assert types.count("error") == types.count("response.created") == 1


# One fault for each decorator, and how a client finds out about it.
HOOKS: dict[str, tuple[Any, Any, Any]] = {
    "on_handshake": (
        on_handshake("RWS-X"),
        lambda request, answer, shared: replace(answer, headers=(*answer.headers, ("X-A", "1"))),
        lambda client: client.response.headers["X-A"] == "1",
    ),
    "on_open": (
        on_open("RWS-X"),
        lambda link: {"type": "rws:hello"},
        lambda client: event_type(client) == "rws:hello",
    ),
    "rewrite_events": (
        rewrite_events("RWS-X", on="response.created"),
        lambda event, link: [json.dumps(event).encode(), "text", event],
        lambda client: [type(each) for each in first_messages(client, 3)] == [bytes, str, str],
    ),
    "rewrite_events, to close": (
        rewrite_events("RWS-X", on="error"),
        lambda event, link: [event, CloseConnection(1008, "no")],
        lambda client: turn(client, "{") and close_code(client) == 1008,
    ),
    "on_incoming, to rewrite": (
        on_incoming("RWS-X", on="response.create"),
        lambda event, link: {**event, "input": "Reply with exactly: something else"},
        lambda client: "something else" in json.dumps(turn(client)[-1]),
    ),
    "on_incoming, to answer": (
        on_incoming("RWS-X", on="response.create"),
        lambda event, link: Reply(({"type": "rws:no"},)),
        lambda client: client.send(create()) or event_type(client) == "rws:no",
    ),
    "on_raw": (
        on_raw("RWS-X"),
        lambda message, link: Reply(),
        lambda client: client.send("{") or turn(client)[0]["type"] == "response.created",
    ),
    "replace_policy": (
        replace_policy("resolve", "RWS-X"),
        lambda wanted, cache, shelf: NOTHING,
        lambda client: turn(client, create(previous_response_id="resp_0"))[1:],
    ),
    "on_frame_sent": (
        on_frame_sent("RWS-X"),
        lambda frame, link: None if frame.opcode is Opcode.PONG else frame,
        lambda client: unanswered_ping(client),
    ),
    "on_frame_received": (
        on_frame_received("RWS-X"),
        lambda frame, link: None if frame.opcode is Opcode.PING else frame,
        lambda client: unanswered_ping(client),
    ),
    "rewrite_close": (
        rewrite_close("RWS-X"),
        lambda close, link: CloseConnection(1012, "later"),
        lambda client: close_code(client) == 1012,
    ),
}


def event_type(client: ClientConnection) -> str:
    return str(json.loads(client.recv(timeout=DEADLINE))["type"])


def first_messages(client: ClientConnection, count: int) -> list[str | bytes]:
    client.send(create())
    return [client.recv(timeout=DEADLINE) for _ in range(count)]


def unanswered_ping(client: ClientConnection) -> bool:
    """True where a whole turn goes by without the pong."""
    pong = client.ping()
    turn(client)
    return not pong.is_set()


@pytest.fixture
def fault(request: pytest.FixtureRequest) -> Iterator[str]:
    """The name of a fault that is registered as long as its test runs."""
    decorate, hook, _ = HOOKS[request.param]
    hook.__name__ = "a_fault_of_the_tests"
    decorate(hook)
    yield "a-fault-of-the-tests"
    del FAULTS["a-fault-of-the-tests"]


@pytest.mark.parametrize("fault", HOOKS, indirect=True)
def test_a_hook_acts_and_is_counted(fault: str, request: pytest.FixtureRequest) -> None:
    """A fault changes what the client sees, and says that it did."""
    probe = HOOKS[request.node.callspec.params["fault"]][2]
    lifetime = 0.2 if probe is HOOKS["rewrite_close"][2] else 60.0
    with running_server(ServerConfig(fault=fault, lifetime=lifetime)) as running:
        with connect(running.url, close_timeout=1) as client:
            assert probe(client)
        assert running.faults_fired > 0


@pytest.mark.parametrize(
    "fault",
    ["replace_policy", "on_raw", "rewrite_events, to close", "rewrite_close"],
    indirect=True,
)
def test_a_hook_that_changes_nothing_does_not_count(fault: str) -> None:
    """Being asked is not acting."""
    with running_server(ServerConfig(fault=fault)) as running, connect(running.url) as client:
        turn(client)
        assert running.faults_fired == 0
