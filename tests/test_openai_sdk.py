"""The official OpenAI SDK, unmodified, drives the reference server; so does the suite beside it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

SCRIPT = "conversation.py"
MESSAGE_TURN = [
    "response.created",
    "response.in_progress",
    "response.output_item.added",
    "response.content_part.added",
    "response.output_text.delta",
    "response.output_text.done",
    "response.content_part.done",
    "response.output_item.done",
    "response.completed",
]


@pytest.fixture(scope="module", params=["sync", "async"])
def seen(
    request: pytest.FixtureRequest, ask_sdk: Callable[..., dict[str, Any]], reference_server: str
) -> dict[str, Any]:
    return {"flavour": request.param, **ask_sdk(SCRIPT, reference_server, request.param)}


def test_streamed_turn(seen: dict[str, Any]) -> None:
    assert list(dict.fromkeys(seen["types"][0])) == MESSAGE_TURN
    assert seen["texts"][0] == "ok"
    assert all(total > 0 for total in seen["usage"])


def test_continuation_knows_the_code_word(seen: dict[str, Any]) -> None:
    assert seen["texts"][1] == "papaya"
    assert len(set(seen["ids"])) == 4


def test_forced_call_is_answered_and_resumed(seen: dict[str, Any]) -> None:
    assert isinstance(seen["arguments"]["city"], str)
    assert "half past nine" in seen["texts"][3]


def test_second_connection_does_not_know_the_id(seen: dict[str, Any]) -> None:
    assert seen["error"]["class"].startswith("openai.")
    assert seen["error"]["code"] == "previous_response_not_found"
    assert seen["error"]["status"] == 400


def test_error_event_is_raised_as_the_sdks_own_error(seen: dict[str, Any]) -> None:
    if seen["flavour"] == "sync":
        assert seen["raised"] == ["OpenAIError", "ResponsesWebSocketError"]


def test_suite_runs_beside_the_sdk(sdk_python: Path, tmp_path: Path) -> None:
    version = subprocess.run(
        [sdk_python, "-c", "import websockets; print(websockets.__version__)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert version.stdout.startswith("15.")
    done = subprocess.run(
        [sdk_python, "-m", "responses_ws_conformance.cli", "run"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
