"""The reference session by example: messages and time in, effects out, no socket anywhere."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from typing import Any

import pytest
from responses_ws_reference.messages.effects import CloseConnection, SendMessage, StartTurn
from responses_ws_reference.responses.engine import Engine, ScriptedEngine
from responses_ws_reference.session.policies import CONFORMING, MAX_QUEUED, Policies
from responses_ws_reference.session.session import Service, Session
from responses_ws_reference.session.store import Store

ASK = "What is the code word? Reply with the code word only."
REMEMBER = "Remember: the code word is heron. Reply with: ok"
CLOCK = {"type": "function", "name": "clock", "parameters": {"type": "object"}}


# No two sessions share an id, as no two connections do.
IDS = itertools.count(1)


class Peer:
    """A client and the shell in one: sends creates, advances the session, reads the events."""

    def __init__(
        self,
        *,
        lifetime: float | None = None,
        store: Store | None = None,
        engine: Engine | None = None,
        policies: Policies = CONFORMING,
    ) -> None:
        engine = engine or ScriptedEngine()
        service = Service("m", engine, policies, lambda: f"{next(IDS):032x}")
        self.session = Session(service, (store or Store()).shelf(""), expires_at=lifetime)

    def create(self, **fields: Any) -> list[dict[str, Any]]:
        """All events until the session is idle again."""
        return self.send({"type": "response.create", "input": "hi", **fields})

    def send(self, message: Any) -> list[dict[str, Any]]:
        """The same for any message."""
        events = self.put(message)
        while self.session.is_busy:
            events += self.step()
        return events

    def step(self) -> list[dict[str, Any]]:
        """What the next step of the session sends."""
        return self._events(self.session.advance(now=1_000))

    def put(self, message: Any) -> list[dict[str, Any]]:
        """Send a message and read only what comes at once."""
        data = json.dumps(message) if isinstance(message, dict) else message
        return self._events(self.session.receive(data, now=1_000))

    @staticmethod
    def _events(effects: list[Any]) -> list[dict[str, Any]]:
        return [json.loads(each.data) for each in effects if isinstance(each, SendMessage)]


def text(events: list[dict[str, Any]]) -> str:
    return "".join(each["delta"] for each in events if "delta" in each)


def code(events: list[dict[str, Any]]) -> str | None:
    """The code of the refusal, where the answer is nothing but a refusal."""
    if [each["type"] for each in events] != ["error"]:
        return None
    return str(events[0]["error"]["code"])


def response(events: list[dict[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = events[-1]["response"]
    return found


def test_a_turn_is_a_complete_stream() -> None:
    """Setup and done events frame the deltas, and numbers rise from zero without gaps."""
    events = Peer().create(input="Reply with exactly: red green")
    assert [event["type"] for event in events] == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]
    assert [event["sequence_number"] for event in events] == list(range(10))
    assert response(events)["output"] == [events[-2]["item"]]
    assert response(events)["completed_at"] == 1_000
    assert events[0]["response"]["output"] == []


def test_a_call_streams_its_arguments() -> None:
    """Argument deltas join to the final arguments."""
    tool = {**CLOCK, "parameters": {"properties": {"zone": {"type": "string"}}}}
    events = Peer().create(tools=[tool], tool_choice="required")
    (item,) = response(events)["output"]
    assert text(events) == item["arguments"] == '{"zone": "text"}'
    assert item["status"] == "completed"
    assert item["call_id"] != item["id"]


def test_a_full_budget_ends_incomplete() -> None:
    """The token limit leaves an incomplete item in an incomplete response."""
    done = response(Peer().create(input="Count from 1 to 50.", max_output_tokens=16))
    assert done["status"] == done["output"][0]["status"] == "incomplete"
    assert done["incomplete_details"] == {"reason": "max_output_tokens"}
    assert done["usage"]["output_tokens"] == 16


def test_a_warm_up_generates_nothing_and_is_remembered() -> None:
    """Its response is complete and empty, and what it read is context of the next."""
    peer = Peer()
    warm = peer.create(input=REMEMBER, generate=False, store=False)
    assert [event["type"] for event in warm] == ["response.created", "response.completed"]
    assert response(warm)["output"] == []
    asked = peer.create(input=ASK, previous_response_id=response(warm)["id"], store=False)
    assert text(asked) == "heron"


def test_a_warm_up_may_be_continued_with_nothing_new() -> None:
    """An empty input generates from what was prepared."""
    peer = Peer()
    warm = response(peer.create(input="Reply with exactly: warm", generate=False))
    assert text(peer.create(input=[], previous_response_id=warm["id"])) == "warm"


REFUSED_CREATES: dict[str, tuple[dict[str, Any], str, str | None]] = {
    "unknown model": ({"model": "gpt-0"}, "model_not_found", "model"),
    "model of a wrong type": ({"model": 7}, "invalid_type", "model"),
    "background": ({"background": True}, "unsupported_value", "background"),
    "an empty lane": ({"stream_id": ""}, "invalid_stream_id", "stream_id"),
    "a conversation": ({"conversation": "conv_1"}, "unsupported_parameter", "conversation"),
    "no input": ({"input": None}, "missing_required_parameter", "input"),
    "empty input": ({"input": []}, "missing_required_parameter", "input"),
    "input of a wrong type": ({"input": 5}, "invalid_type", "input"),
    "an item of a wrong type": ({"input": ["a"]}, "invalid_type", "input[0]"),
    "an unknown item": ({"input": [{"type": "poem"}]}, "invalid_value", "input[0].type"),
    "an unknown role": (
        {"input": [{"role": "poet", "content": ""}]},
        "invalid_value",
        "input[0].role",
    ),
    "a message without content": (
        {"input": [{"role": "user"}]},
        "missing_required_parameter",
        "input[0].content",
    ),
    "a part of a wrong type": (
        {"input": [{"role": "user", "content": [{"type": "input_text", "text": 1}]}]},
        "invalid_type",
        "input[0].content[0].text",
    ),
    "too few tokens": ({"max_output_tokens": 15}, "integer_below_min_value", "max_output_tokens"),
    "tokens as a boolean": ({"max_output_tokens": True}, "invalid_type", "max_output_tokens"),
    "too many logprobs": ({"top_logprobs": 21}, "integer_above_max_value", "top_logprobs"),
    "too hot": ({"temperature": 2.5}, "decimal_above_max_value", "temperature"),
    "metadata of a wrong type": ({"metadata": {"a": 1}}, "invalid_type", "metadata.a"),
    "much metadata": (
        {"metadata": {str(n): "" for n in range(17)}},
        "object_above_max_properties",
        "metadata",
    ),
    "a function without a name": (
        {"tools": [{"type": "function"}]},
        "missing_required_parameter",
        "tools[0].name",
    ),
    "a tool without a type": (
        {"tools": [{"name": "f"}]},
        "missing_required_parameter",
        "tools[0].type",
    ),
    "a demand without tools": ({"tool_choice": "required"}, "invalid_value", "tool_choice"),
    "a demand for an unknown tool": (
        {"tools": [CLOCK], "tool_choice": {"type": "function", "name": "bell"}},
        "invalid_value",
        "tool_choice",
    ),
    "an unknown tool choice": ({"tool_choice": "perhaps"}, "invalid_value", "tool_choice"),
    "an unknown truncation": ({"truncation": "some"}, "invalid_value", "truncation"),
    "an unknown format": (
        {"text": {"format": {"type": "xml"}}},
        "invalid_value",
        "text.format.type",
    ),
    "an unknown previous response": (
        {"previous_response_id": "resp_0"},
        "previous_response_not_found",
        "previous_response_id",
    ),
    "an orphan output": (
        {"input": [{"type": "function_call_output", "call_id": "c", "output": ""}]},
        "tool_call_not_found",
        "input",
    ),
}


@pytest.mark.parametrize("name", REFUSED_CREATES)
def test_refused_create(name: str) -> None:
    """A create that breaks a rule gets one error event, which names the place."""
    fields, expected, param = REFUSED_CREATES[name]
    events = Peer().create(**fields)
    assert code(events) == expected
    assert events[0]["status"] == 400
    assert events[0]["error"]["param"] == param
    assert events[0]["error"]["message"]


REFUSED_MESSAGES: dict[str, tuple[str | bytes, str]] = {
    "binary": (b'{"type":"response.create"}', "invalid_message"),
    "malformed": ('{"type":', "invalid_json"),
    "empty": ("", "invalid_json"),
    "an array": ("[]", "invalid_json"),
    "a number": ("1", "invalid_json"),
    "two objects": ("{} {}", "invalid_json"),
    "not a number": ('{"type":"response.create","temperature":NaN}', "invalid_json"),
    "a number out of range": ('{"type":"response.create","temperature":1e999}', "invalid_json"),
    "too many digits": ('{"type":"response.create","a":' + "9" * 5_000 + "}", "invalid_json"),
    "nested beyond the parser": ("[" * 100_000, "invalid_json"),
    "nested beyond reason": ('{"a":' * 70 + "1" + "}" * 70, "invalid_json"),
    "a lone surrogate": ('{"type":"response.create","input":"\\ud800"}', "invalid_json"),
    "a lone surrogate in a name": ('{"type":"response.create","\\ud800":1}', "invalid_json"),
    "no type": ("{}", "missing_required_parameter"),
    "a type of a wrong type": ('{"type":["response.create"]}', "invalid_type"),
    "an unknown type": ('{"type":"response.cancel"}', "unsupported_client_event"),
}


@pytest.mark.parametrize("name", REFUSED_MESSAGES)
def test_refused_message(name: str) -> None:
    """What is no client event gets one error event, and the conversation goes on."""
    message, expected = REFUSED_MESSAGES[name]
    peer = Peer()
    known = response(peer.create(store=False))
    assert code(peer.send(message)) == expected
    assert code(peer.create(previous_response_id=known["id"], store=False)) is None


TOLERATED: dict[str, dict[str, Any]] = {
    "stream": {"stream": True, "stream_options": {"include_obfuscation": False}},
    "private fields": {"client_metadata": {"a": {"b": 1}}, "x": None},
    "nulls": {"previous_response_id": None, "instructions": None, "tools": None, "store": None},
    "tools of other kinds": {
        "tools": [{"type": "namespace", "tools": [CLOCK]}, {"type": "web_search"}],
        "include": ["reasoning.encrypted_content"],
        "prompt_cache_key": "k",
    },
    "a strict that is null": {"tools": [{**CLOCK, "strict": None}]},
    "items of the past": {
        "input": [
            {"type": "reasoning", "id": "rs_1", "summary": []},
            {"type": "vendor:note", "x": 1},
            {"role": "developer", "content": "Be brief."},
        ]
    },
}


@pytest.mark.parametrize("name", TOLERATED)
def test_tolerated_create(name: str) -> None:
    """What real clients send beside the necessary does not disturb a turn."""
    assert response(Peer().create(**TOLERATED[name]))["status"] == "completed"


def test_the_response_shows_its_create() -> None:
    """Settings are echoed; what was not sent has its default."""
    sent = {
        "instructions": "Be brief.",
        "tools": [CLOCK],
        "tool_choice": "none",
        "metadata": {"a": "b"},
        "store": False,
        "temperature": 0.5,
        "text": {"verbosity": "low"},
        "reasoning": {"effort": "low"},
    }
    done = response(Peer().create(**sent))
    assert {name: done[name] for name in ("instructions", "tool_choice", "metadata", "store")} == {
        name: sent[name] for name in ("instructions", "tool_choice", "metadata", "store")
    }
    assert done["tools"] == [{**CLOCK, "description": None, "strict": True}]
    assert done["text"] == {"format": {"type": "text"}, "verbosity": "low"}
    assert done["reasoning"] == {"effort": "low", "summary": None}
    assert (done["temperature"], done["top_p"], done["background"]) == (0.5, 1.0, False)


def test_creates_queue_and_run_in_order() -> None:
    """The second starts after the first has ended; a bad one between them stops nobody."""
    peer = Peer()
    first = peer.put({"type": "response.create", "input": "Reply with exactly: one"})
    assert [event["type"] for event in first] == ["response.created"]
    assert peer.put({"type": "response.create", "input": 5}) == []
    events = peer.send({"type": "response.create", "input": "Reply with exactly: two"})
    types = [event["type"] for event in events]
    marks = ("response.completed", "error", "response.created", "response.completed")
    assert tuple(each for each in types if each in marks) == marks
    assert text(events) == "onetwo"


def test_the_queue_has_an_end() -> None:
    """A create beyond the limit is refused; those that wait are not harmed."""
    peer = Peer()
    peer.put({"type": "response.create", "input": "hi"})
    for _ in range(MAX_QUEUED):
        assert peer.put({"type": "response.create", "input": "hi"}) == []
    assert (
        code(peer.put({"type": "response.create", "input": "hi"})) == "response_already_in_flight"
    )
    events = peer.send('{"type":"x"}')
    ends = [event for event in events if event["type"] == "response.completed"]
    assert len(ends) == MAX_QUEUED + 1


def test_the_shell_is_told_to_advance_once() -> None:
    """A turn starts with its first event and the wish to be advanced."""
    session = Peer().session
    create = json.dumps({"type": "response.create", "input": "hi"})
    sent, start = session.receive(create, now=0)
    assert isinstance(sent, SendMessage)
    assert start == StartTurn()
    assert session.receive(create, now=0) == []


def test_a_refused_create_starts_no_turn() -> None:
    """There is nothing to advance after a refusal."""
    effects = Peer().session.receive("{", now=0)
    assert [type(each) for each in effects] == [SendMessage]


def test_the_server_is_silent_until_spoken_to() -> None:
    """Opening a connection and passing time send nothing."""
    session = Peer(lifetime=60).session
    assert session.open(now=0) == []
    assert session.tick(now=59.9) == []
    assert session.advance(now=59.9) == []


def test_the_lifetime_ends_with_a_word_and_a_close() -> None:
    """A running response is cut, and nothing follows."""
    peer = Peer(lifetime=60)
    peer.put({"type": "response.create", "input": "hi"})
    said, closed = peer.session.tick(now=60)
    assert isinstance(said, SendMessage)
    error = json.loads(said.data)
    assert error["error"]["code"] == "websocket_connection_limit_reached"
    assert error["status"] == 400
    assert "stream_id" not in error
    assert closed == CloseConnection(1000, "lifetime reached")
    assert not peer.session.is_busy
    assert peer.session.advance(now=61) == []
    assert peer.create() == []
    assert peer.session.tick(now=61) == []


def test_the_session_knows_no_world_outside() -> None:
    """Neither sockets nor clocks nor randomness come with it."""
    modules = "asyncio websockets socket logging uuid secrets random"
    loaded = f"[name for name in {modules.split()} if name in sys.modules]"
    script = f"import sys, responses_ws_reference.session.session; print({loaded})"
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
