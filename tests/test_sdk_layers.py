"""The official OpenAI SDK reads custom tools and reasoning as the reference server sends them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

SCRIPT = "thoughts_and_tools.py"


@pytest.fixture(scope="module")
def seen(ask_sdk: Callable[..., dict[str, Any]], reference_server: str) -> dict[str, Any]:
    return ask_sdk(SCRIPT, reference_server)


def test_a_custom_tool_is_called_with_text(seen: dict[str, Any]) -> None:
    assert "response.custom_tool_call_input.done" in seen["types"]
    assert seen["input"] == seen["streamed"] != ""


def test_the_output_of_a_custom_tool_is_answered(seen: dict[str, Any]) -> None:
    assert "saved" in seen["told"]


def test_reasoning_is_summed_up_and_sealed(seen: dict[str, Any]) -> None:
    assert "response.reasoning_summary_text.done" in seen["types"]
    assert all(seen["summary"])
    assert seen["is_sealed"]
    assert seen["thought"] > 0


def test_reasoning_is_taken_back(seen: dict[str, Any]) -> None:
    assert seen["texts"] == ["ready", "ready"]
