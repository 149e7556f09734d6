"""Responses over HTTP, beside the WebSocket on one port: whole, streamed, kept and forgotten."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import responses_ws_schemas as schemas
from responses_ws_reference.config import ServerConfig
from responses_ws_reference.seams.hooked import hang
from responses_ws_reference.seams.hooks import Hooks, Tally
from responses_ws_reference.seams.seams import Seams
from responses_ws_reference.serving.http_api import answer_of
from responses_ws_reference.serving.reference import Reference

from tests.http_client import KEY, OTHER_KEY, Client, serving
from tests.turns import DEADLINE

SCRIPT = "both_transports.py"
PLANT = "Remember: the code word is dugong. Reply with: ok"
RECALL = "What is the code word? Reply with the code word only."


def said(response: dict[str, Any]) -> str:
    """The text of a response's last message."""
    text: str = response["output"][-1]["content"][0]["text"]
    return text


def without_identity(value: Any) -> Any:
    """The same value without what differs from one response to the next."""
    if isinstance(value, dict):
        known = {name: member for name, member in value.items() if not name.endswith(("id", "_at"))}
        return {name: without_identity(member) for name, member in known.items()}
    return [without_identity(each) for each in value] if isinstance(value, list) else value


def test_whole_response(client: Client) -> None:
    answer = client.post(input="Reply with exactly: one two", metadata={"a": "b"})
    assert (answer.status, answer.kind) == (200, "application/json")
    assert answer.json["object"] == "response"
    assert answer.json["status"] == "completed"
    assert answer.json["metadata"] == {"a": "b"}
    assert said(answer.json) == "one two"


@pytest.mark.parametrize("dialect", [None, "open-responses", "openai"])
def test_stream_is_that_of_the_websocket(dialect: str | None) -> None:
    """The same events in the same order, each named in its message, and a mark at the end."""
    with serving(dialect=dialect) as client:
        streamed = client.post(input="Count from 1 to 3.", stream=True)
        expected = client.over_websocket(input="Count from 1 to 3.")
    assert (streamed.status, streamed.kind) == (200, "text/event-stream")
    assert streamed.messages[-1] == ("", "[DONE]")
    assert [name for name, _ in streamed.messages[:-1]] == [e["type"] for e in streamed.events]
    assert without_identity(streamed.events) == without_identity(expected)


def test_chain_goes_from_one_transport_to_the_other(client: Client) -> None:
    first = client.post(input=PLANT).json
    over_websocket = client.over_websocket(input=RECALL, previous_response_id=first["id"])
    second = over_websocket[-1]["response"]
    third = client.post(input=RECALL, previous_response_id=second["id"]).json
    assert said(second) == said(third) == "dugong"


@pytest.mark.parametrize("is_streamed", [False, True])
def test_response_without_storage_is_gone_with_its_request(
    client: Client, is_streamed: bool
) -> None:
    answer = client.post(input=PLANT, store=False, stream=is_streamed)
    response = answer.events[-1]["response"] if is_streamed else answer.json
    again = client.post(input=RECALL, previous_response_id=response["id"])
    assert again.status == 400
    assert again.json["error"]["code"] == "previous_response_not_found"
    assert client.request("GET", f"/{response['id']}").status == 404


@pytest.mark.parametrize(
    ("dialect", "kind", "codes"),
    [
        ("open-responses", "invalid_request", ["decimal_above_max_value", "not_found"]),
        ("openai", "invalid_request_error", [None, None]),
    ],
)
def test_dialect_is_spoken_over_http(dialect: str, kind: str, codes: list[str | None]) -> None:
    """What is retrieved is what was streamed, and errors have the names of their owner."""
    with serving(dialect=dialect) as client:
        streamed = client.over_websocket()[-1]["response"]
        assert client.request("GET", f"/{streamed['id']}").json == streamed
        answers = (client.post(temperature=3), client.request("GET", "/resp_1"))
    errors = [answer.json["error"] for answer in answers]
    assert [error["type"] for error in errors] == [kind, kind]
    assert [error["code"] for error in errors] == codes


def test_stored_response_is_seen_until_it_is_deleted(client: Client) -> None:
    """As it ended, by whichever transport it was made; and not by another tenant."""
    for response in (client.post().json, client.over_websocket()[-1]["response"]):
        path = f"/{response['id']}"
        other = Client(client.url, OTHER_KEY)
        assert client.request("GET", path).json == response
        assert other.request("GET", path).status == other.request("DELETE", path).status == 404
        gone = {"id": response["id"], "object": "response", "deleted": True}
        assert client.request("DELETE", path).json == gone
        assert client.request("GET", path).status == client.request("DELETE", path).status == 404
        missed = client.post(previous_response_id=response["id"])
        assert missed.json["error"]["code"] == "previous_response_not_found"


def test_compacted_conversation_begins_a_new_chain(client: Client) -> None:
    """What the user said and all else folded: sent back whole it is the conversation again."""
    first = client.post(input=PLANT).json
    for asked in (
        {"previous_response_id": first["id"], "input": "Go on."},
        {"input": [{"role": "user", "content": PLANT}, *first["output"]], "model": None},
    ):
        compacted = client.request("POST", "/compact", asked)
        assert compacted.status == 200
        assert compacted.json.keys() == {"id", "object", "created_at", "output", "usage"}
        assert compacted.json["object"] == "response.compaction"
        assert compacted.json["usage"]["input_tokens"] > 0
        *messages, item = compacted.json["output"]
        assert [message["role"] for message in messages] == ["user"] * len(messages)
        assert messages[0]["content"] == [{"type": "input_text", "text": PLANT}]
        assert schemas.explain("objects/output_items/compaction", item) == []
        question = {"role": "user", "content": RECALL}
        for items in ([*compacted.json["output"], question], [item, question]):
            (*_, last) = client.over_websocket(input=items, store=False)
            assert said(last["response"]) == "dugong"


def test_compaction_is_no_response(client: Client) -> None:
    """Its id can neither be continued from nor retrieved."""
    compacted = client.request("POST", "/compact", {"input": PLANT}).json
    again = client.post(previous_response_id=compacted["id"])
    assert again.json["error"]["code"] == "previous_response_not_found"
    assert client.request("GET", f"/{compacted['id']}").status == 404


def test_server_without_compaction() -> None:
    """The endpoint is not there, and a threshold means nothing."""
    managed = [{"type": "compaction", "compact_threshold": 1000}]
    with serving(without=frozenset({"compaction"})) as client:
        assert client.request("POST", "/compact", {"input": "hi"}).status == 404
        response = client.post(input="word " * 1001, context_management=managed).json
        assert [item["type"] for item in response["output"]] == ["message"]


def test_openai_sdk_goes_from_websocket_to_http(
    client: Client, ask_sdk: Callable[..., dict[str, Any]]
) -> None:
    """The official SDK finds one server behind one base URL, whichever transport it takes."""
    seen = ask_sdk(SCRIPT, client.url, key=KEY)
    assert seen["texts"] == {"websocket": "ok", "http": "gnu", "stream": "gnu", "kept": "gnu"}
    assert seen["types"][0] == "response.created"
    assert seen["types"][-1] == "response.completed"
    assert seen["gone"] == ["NotFoundError", 404]
    assert seen["refused"] == ["BadRequestError", "previous_response_not_found"]


def test_server_without_storage_keeps_nothing() -> None:
    with serving(without=frozenset({"storage"})) as client:
        response = client.post().json
        assert client.request("GET", f"/{response['id']}").status == 404


def test_missing_extra_is_explained(sdk_python: Path) -> None:
    """In an environment without an ASGI stack the command says what to install."""
    done = subprocess.run(
        [sdk_python, "-m", "responses_ws_reference", "--http"],
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    assert done.returncode == 2
    assert "pip install 'responses-ws-conformance[http]'" in done.stderr


@pytest.mark.parametrize(
    ("variant", "begin", "end"),
    [
        ("sse-bare", 'data:{"type":"response.created"', "}\n\n"),
        ("sse-chatty", ": keep-alive\n\nid: 1\r\nretry: 1000\r\nevent: ", "[DONE]\r\n\r\n"),
    ],
)
def test_stream_is_written_otherwise(variant: str, begin: str, end: str) -> None:
    with serving(variant=variant) as client:
        text = client.post(stream=True).text
    assert text.startswith(begin)
    assert text.endswith(end)


@pytest.mark.parametrize(
    ("variant", "output", "is_announced", "compacted"),
    [
        (None, ["compaction", "message"], True, ["message", "compaction"]),
        ("folds-silently", ["compaction", "message"], False, ["message", "compaction"]),
        ("folds-afterwards", ["message", "compaction"], True, ["message", "compaction"]),
        ("compacts-to-one-item", ["compaction", "message"], True, ["compaction"]),
    ],
)
def test_ways_to_fold(
    variant: str | None, output: list[str], is_announced: bool, compacted: list[str]
) -> None:
    managed = [{"type": "compaction", "compact_threshold": 1000}]
    with serving(variant=variant) as client:
        events = client.over_websocket(input="word " * 1001, context_management=managed)
        done = [e for e in events if e["type"] == "response.output_item.done"]
        assert [event["output_index"] for event in done] == [0, 1]
        assert [event["item"]["type"] for event in done] == output
        assert [item["type"] for item in events[-1]["response"]["output"]] == output
        announced = [e for e in events if e["type"] == "response.compaction.compacting"]
        assert bool(announced) == is_announced
        assert [event["sequence_number"] for event in events] == [*range(len(events))]
        answer = client.request("POST", "/compact", {"input": "hi"})
        assert [item["type"] for item in answer.json["output"]] == compacted


def test_hooks_change_answers_and_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each change counts, and what is left alone does not."""
    tally = Tally()
    hooks = Hooks(
        http=lambda request, answer, shared: (
            answer_of({"error": {}}, 418) if request.method == "DELETE" else answer
        ),
        sse=lambda message, request, memory: [] if "[DONE]" in message else [message],
    )

    def hung(config: ServerConfig, seams: Seams) -> Reference:
        return Reference(config, hang(hooks, seams, tally))

    monkeypatch.setattr("responses_ws_reference.server.Reference", hung)
    with serving() as client:
        assert client.request("GET", "/x").status == 404
        assert tally.count == 0
        assert client.request("DELETE", "/x").status == 418
        assert client.post(stream=True).messages[-1][0] == "response.completed"
        assert tally.count == 2
