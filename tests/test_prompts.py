"""The prompts are published as data, for whoever scripts a model that serves them."""

import json
from importlib.resources import files
from typing import Any

from responses_ws_schemas import explain

PROMPTS: dict[str, Any] = json.loads(
    files("responses_ws_conformance").joinpath("prompts.json").read_text("utf-8")
)
# The output of a tool, which the client sends: nobody answers it alone.
NOT_ASKED = {"told"}


def test_prompts_follow_their_schema() -> None:
    assert explain("files/prompts", PROMPTS) == []


def test_every_prompt_has_one_rule_and_every_rule_a_prompt_or_a_situation() -> None:
    asked = [rule["prompt"] for rule in PROMPTS["rules"] if "prompt" in rule]
    assert sorted(asked) == sorted(PROMPTS["prompts"].keys() - NOT_ASKED)
    assert PROMPTS["rules"][-1]["when"] == "anything else"
