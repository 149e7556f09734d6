"""The official OpenAI SDK injects outputs into a response of the reference server that waits."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import KEY

SCRIPT = Path(__file__).parent / "sdk" / "injection.py"


@pytest.fixture(scope="module")
def seen(sdk_python: Path, reference_server: str) -> dict[str, Any]:
    base_url = reference_server.replace("ws://", "http://").removesuffix("/responses")
    done = subprocess.run(
        [sdk_python, SCRIPT, base_url],
        env={**os.environ, "OPENAI_API_KEY": KEY},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


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
