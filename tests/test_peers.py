"""What is published about other people's servers is explained, fresh, and true of the recordings.

The run against LiteLLM itself needs its 200 MB and is not repeated here: see
``tests/peers/litellm.py``.
"""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from responses_ws_conformance.prompts import CLOCK, call_every_tool, count, follow, recall, told
from responses_ws_schemas import dialect_schema, explain

from tests.peers import page
from tests.peers.upstream import server


def test_page_is_fresh() -> None:
    assert page.PAGE.read_text("utf-8") == page.page(), "run python -m tests.peers.page"


def test_every_violation_is_explained_and_nothing_else() -> None:
    why = page.explanations()
    assert set(why) == set(page.violations(page.outcome()))
    assert {row["whose"] for row in why.values()} == {"theirs"}, "ours is mended, not published"
    assert all(row["why"].endswith(".") for row in why.values())


def test_recorded_frames_tell_nothing_else_than_the_live_run() -> None:
    live = page.violations(page.outcome())
    assert page.recorded() <= set(live)
    assert len(page.recorded()) > 5


def test_nothing_is_left_unjudged_without_a_violation_in_its_way() -> None:
    red = set(page.violations(page.outcome()))
    for result in page.outcome()["runs"].values():
        loose = [r["id"] for r in result["rows"] if r["verdict"] == "untestable"]
        assert all(r["blocked_by"] in red for r in result["rows"] if r["id"] in loose)


@pytest.fixture(scope="module")
def upstream() -> Iterator[str]:
    """The address of the scripted model."""
    with server() as http:
        thread = threading.Thread(target=http.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{http.server_address[1]}/v1/responses"
        http.shutdown()
        thread.join()


def ask(url: str, **create: Any) -> list[dict[str, Any]]:
    """The events that answer a create over HTTP."""
    body = json.dumps({"model": "scripted", "stream": True, **create}).encode()
    with urllib.request.urlopen(urllib.request.Request(url, body), timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    data = [line.removeprefix("data: ") for line in lines if line.startswith("data: ")]
    assert data.pop() == "[DONE]"
    return [json.loads(each) for each in data]


def said(events: list[dict[str, Any]]) -> str:
    return "".join(e["delta"] for e in events if e["type"] == "response.output_text.delta")


@pytest.mark.parametrize(
    ("create", "answer"),
    [
        ({"input": recall(), "instructions": told("aardvark")}, "aardvark"),
        ({"input": recall()}, "unknown"),
        ({"input": follow(), "instructions": count(3)}, "1 2 3"),
        ({"input": count(200), "max_output_tokens": 16}, " ".join(map(str, range(1, 17)))),
    ],
)
def test_scripted_model_serves_the_prompts(
    create: dict[str, Any], answer: str, upstream: str
) -> None:
    events = ask(upstream, **create)
    assert said(events) == answer
    assert [e["sequence_number"] for e in events] == [*range(len(events))]
    for event in events:
        assert explain(f"server_events/{event['type']}", event) == []
        for dialect in ("open-responses", "openai"):
            stricter = dialect_schema(dialect, f"server_events/{event['type']}")
            assert stricter is None or explain(stricter, event) == []


def test_scripted_model_calls_tools(upstream: str) -> None:
    tools = [CLOCK, {**CLOCK, "name": "other"}]
    allowed = {"type": "allowed_tools", "mode": "required", "tools": [{"name": "other"}]}
    for choice, names in (("auto", ["get_time", "other"]), (allowed, ["other"]), ("none", [])):
        create = {"input": call_every_tool(), "tools": tools, "tool_choice": choice}
        output = ask(upstream, **create)[-1]["response"]["output"]
        assert [item["name"] for item in output if item["type"] == "function_call"] == names


def test_scripted_model_keeps_nothing(upstream: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as refusal:
        ask(upstream, input=recall(), previous_response_id="resp_1")
    with refusal.value as answer:
        error = json.loads(answer.read())["error"]
    assert (answer.code, error["code"]) == (400, "previous_response_not_found")
