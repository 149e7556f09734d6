"""The official OpenAI SDK injects outputs into a response of the reference server that waits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

SCRIPT = "injection.py"


@pytest.fixture(scope="module")
def seen(ask_sdk: Callable[..., dict[str, Any]], reference_server: str) -> dict[str, Any]:
    return ask_sdk(SCRIPT, reference_server)


def test_both_outputs_are_taken_before_the_end(seen: dict[str, Any]) -> None:
    assert seen["types"].count("response.inject.created") == 2
    assert seen["types"].count("response.completed") == 1
    assert seen["text"] == "The tool returned: made by get_alpha, made by get_beta"


def test_a_late_output_comes_back(seen: dict[str, Any]) -> None:
    late = seen["late"]
    assert (late["response_id"], late["error"]["code"]) == (
        seen["id"],
        "response_already_completed",
    )
    assert [item["output"] for item in late["input"]] == ["late"]
