"""No check breaks, whatever the other side puts into its messages."""

from __future__ import annotations

import json
from dataclasses import replace
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from responses_ws_conformance.checks import Check, Evidence, load_checks
from responses_ws_conformance.payloads import NOT_JSON, parse
from responses_ws_conformance.requirements import catalogue
from responses_ws_conformance.transcript import Answered, Entry, Received, Sent, Transcript

from tests.cases import Case, load_cases

CASES = list(load_cases())
JUNK: list[Any] = [
    None,
    True,
    -1,
    0,
    10**30,
    1.5,
    "",
    "x",
    "resp_1",
    [],
    [[]],
    [{}],
    ["x"],
    {},
    {"a": [1]},
    {"id": [1]},
    [{"type": {}, "call_id": [1], "id": {}}],
]


def checks_of(role: str) -> list[Check]:
    names = {r.id for r in catalogue().of_role(role)}
    return [check for name, check in load_checks().items() if name in names]


def mangled(value: Any, chance: Random) -> Any:
    """A value in which some members are gone and others are something else."""
    if chance.random() < 0.08:
        return chance.choice(JUNK)
    if isinstance(value, dict):
        return {k: mangled(v, chance) for k, v in value.items() if chance.random() > 0.03}
    return [mangled(v, chance) for v in value] if isinstance(value, list) else value


def spoil(case: Case, kind: type[Sent] | type[Received], chance: Random) -> Evidence:
    """The case with the messages of one side mangled, and what it says over HTTP."""
    whole = case.transcript()

    def spoiled(entry: Entry) -> Entry:
        if isinstance(entry, Answered) and kind is Received:
            return replace(entry, body=spoiled_body(entry.body or "", chance))
        if not isinstance(entry, kind) or not isinstance(entry.payload, dict):
            return entry
        return replace(entry, text=json.dumps(mangled(entry.payload, chance)))

    return Evidence.of(Transcript(whole.header, [spoiled(e) for e in whole.entries]))


def spoiled_body(body: str, chance: Random) -> str:
    """A body, or each event of a stream, mangled where it is JSON."""
    lines: list[str] = []
    for line in body.splitlines():
        head = "data: " if line.startswith("data: ") else ""
        value = parse(line.removeprefix(head))
        is_json = value is not NOT_JSON
        lines.append(f"{head}{json.dumps(mangled(value, chance))}" if is_json else line)
    return "\n".join(lines)


def judge_all(checks: list[Check], evidence: Evidence) -> None:
    for check in checks:
        if check.when(evidence):
            assert all(str(outcome) for outcome in check.judge(evidence))


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(CASES), st.integers())
def test_checks_on_servers_take_anything_from_a_server(case: Case, seed: int) -> None:
    judge_all(checks_of("server"), spoil(case, Received, Random(seed)))


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(CASES), st.integers(), st.sampled_from([Sent, Received]))
def test_checks_on_clients_take_anything_from_either_side(
    case: Case, seed: int, kind: type[Sent] | type[Received]
) -> None:
    judge_all(checks_of("client"), spoil(case, kind, Random(seed)))
