"""Every message of the spec's example conversations is legal, or says why it is not."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from responses_ws_conformance.profile import LAYERS
from responses_ws_conformance.profile.loading import load_profile
from responses_ws_conformance.runner import judge_transcripts
from responses_ws_conformance.transcript import Transcript
from responses_ws_conformance.verdict import Verdict
from responses_ws_schemas import dialect_schema, names, validator_for

from tests.cases import Builder

SPEC = Path(__file__).parent.parent / "spec"
CONVERSATIONS = sorted((SPEC / "examples").glob("*.jsonl"))
MESSAGES = sorted((SPEC / "examples").glob("*.json"))
DIALECTS = ("open-responses", "openai")
BROKEN = (Verdict.FAIL, Verdict.WARN, Verdict.ERROR)
KEYS = [{"comment"}, {"server"}, {"client"}, {"client", "wrong"}]


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def client_problems(message: Any) -> list[str]:
    if isinstance(message, str):
        return [] if _is_json(message) else ["not JSON"]
    name = f"client_events/{message.get('type', 'response.create')}"
    if name not in names():
        return ["a type that nobody publishes"]
    errors = validator_for(name).iter_errors(message)
    return [error.message for error in errors]


def server_problems(event: dict[str, Any]) -> Iterator[str]:
    name = f"server_events/{event['type']}"
    overlays = [dialect_schema(dialect, name) for dialect in DIALECTS]
    for schema in [name, *filter(None, overlays)]:
        for error in validator_for(schema).iter_errors(event):
            yield f"{schema} at {error.json_path}: {error.message}"


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def transcript(path: Path, dialect: str) -> Transcript:
    """The conversation as the suite would have recorded it."""
    steps: list[dict[str, Any]] = [{"opened": {}}]
    for line in lines(path):
        conn = f"c{line.get('connection', 1)}"
        if conn == "c2" and {"opened": {}, "conn": conn} not in steps:
            steps += [{"closed": {"side": "server", "code": 1000}}, {"opened": {}, "conn": conn}]
        if "server" in line:
            steps.append({"received": line["server"], "conn": conn})
        elif isinstance(line.get("client"), str):
            steps.append({"sent_text": line["client"], "conn": conn})
        elif "client" in line:
            steps.append({"sent": line["client"], "conn": conn})
    return Builder("", {"dialect": dialect, "features": list(LAYERS)}).build(steps)


@pytest.mark.parametrize("path", CONVERSATIONS, ids=lambda path: path.stem)
def test_messages_are_valid(path: Path) -> None:
    for number, line in enumerate(lines(path), start=1):
        assert line.keys() - {"connection"} in KEYS, f"line {number}"
        if "server" in line:
            assert list(server_problems(line["server"])) == [], f"line {number}"
        elif "client" in line:
            assert bool(client_problems(line["client"])) == ("wrong" in line), f"line {number}"


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("path", CONVERSATIONS, ids=lambda path: path.stem)
def test_the_suite_finds_no_fault(path: Path, dialect: str) -> None:
    judgements = judge_transcripts([transcript(path, dialect)])
    broken = [j for j in judgements if j.verdict in BROKEN]
    assert [(j.requirement.id, j.verdict, j.findings) for j in broken] == []
    assert len([j for j in judgements if j.verdict is Verdict.PASS]) > 20


@pytest.mark.parametrize("path", MESSAGES, ids=lambda path: path.stem)
def test_single_messages_are_valid(path: Path) -> None:
    message = json.loads(path.read_text("utf-8"))
    is_create = message["type"] == "response.create"
    assert (client_problems(message) if is_create else list(server_problems(message))) == []


PROFILES = sorted((SPEC / "examples").glob("profile*.yaml"))


@pytest.mark.parametrize("path", PROFILES, ids=lambda path: path.stem)
def test_profiles_are_valid(path: Path) -> None:
    variables = ("MY_KEY", "MY_ROUTE", "LITELLM_KEY", "RWS_KEY", "RWS_SECOND_KEY")
    assert load_profile(path, env=dict.fromkeys(variables, "sk-0123456789")).url


def test_the_handshake_is_accepted_rightly() -> None:
    text = (SPEC / "examples" / "handshake-accepted.http").read_text("utf-8")
    headers = dict(re.findall(r"^([\w-]+): (.*)$", text, re.MULTILINE))
    salted = headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
    accept = base64.b64encode(hashlib.sha1(salted.encode()).digest()).decode()
    assert headers["Sec-WebSocket-Accept"] == accept


def test_every_example_is_shown_and_there_is_no_other_json() -> None:
    pages = "\n".join(page.read_text("utf-8") for page in SPEC.rglob("*.md"))
    shown = set(re.findall(r'--8<-- "examples/(.+)"', pages))
    assert shown == {path.name for path in (SPEC / "examples").iterdir()}
    assert re.findall(r"```json\n(?!--8<--)", pages) == []


# What a client does wrong in an example that is about just that.
ON_PURPOSE = {
    "errors": {"RWS-CLIENT-001", "RWS-CLIENT-003"},
    "eviction": {"RWS-CLIENT-011"},
    "lifetime": {"RWS-CLIENT-014"},
}


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("path", CONVERSATIONS, ids=lambda path: path.stem)
def test_the_clients_are_at_fault_on_purpose_only(path: Path, dialect: str) -> None:
    judgements = judge_transcripts([transcript(path, dialect)], role="client")
    broken = {j.requirement.id for j in judgements if j.verdict in BROKEN}
    assert broken == ON_PURPOSE.get(path.stem, set())
