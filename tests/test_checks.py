"""Every check accepts its conforming transcripts and rejects its violating ones."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from responses_ws_conformance.catalogue import catalogue
from responses_ws_conformance.checks import Evidence, Finding, Undecided, load_checks
from responses_ws_conformance.transcript import Received
from responses_ws_conformance.transcript.files import save

from tests.cases import Builder, Case, case_files, load_cases

CASES = list(load_cases())
CHECKS = load_checks()
# What a value of JSON looks like where Python has written it.
OF_PYTHON = re.compile(r"\b(None|True|False)\b|[{\[]'|<object ")


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c.requirement}: {c.description}")
def test_case(case: Case) -> None:
    evidence = Evidence.of(case.transcript())
    check = CHECKS[case.requirement]
    assert check.when(evidence), "the case does not exercise its requirement"
    outcomes = list(check.judge(evidence))
    findings = [o for o in outcomes if isinstance(o, Finding)]
    if case.conforms is True:
        assert outcomes == []
    elif case.conforms is False:
        assert findings
        assert all(0 <= f.at < len(evidence.transcript.entries) for f in findings)
        assert all(f.expected and f.actual for f in findings)
        assert not any(OF_PYTHON.search(f"{f.expected} {f.actual}") for f in findings)
    else:
        assert not findings
        assert [o.cause.value for o in outcomes if isinstance(o, Undecided)] == [case.conforms]


@pytest.mark.parametrize("requirement", sorted(CHECKS))
def test_check_is_proven_both_ways(requirement: str) -> None:
    said = {case.conforms for case in CASES if case.requirement == requirement}
    assert {True, False} <= said, f"{requirement} needs a conforming and a violating case"


def test_checks_and_requirements_match() -> None:
    requirements = catalogue().requirements
    assert set(CHECKS) <= set(requirements), "a check names no requirement"
    server = {r.id for r in requirements.values() if r.role == "server" and not r.not_judged}
    assert server <= set(CHECKS), "a server requirement has no check and no reason for that"


@pytest.mark.parametrize("path", case_files(), ids=lambda p: p.stem)
def test_case_file_is_well_kept(path) -> None:
    document = yaml.safe_load(path.read_text("utf-8"))
    assert {"requirement", "cases"} <= set(document) <= {"requirement", "also", "cases"}
    assert document["requirement"] == path.stem
    descriptions = [case["description"] for case in document["cases"]]
    assert len(set(descriptions)) == len(descriptions), "two cases have one description"
    for case in document["cases"]:
        assert set(case) <= {"description", "conforms", "claims", "transcript"}
        assert case["conforms"] in (True, False, "mood", "time", "transient", "blocked")
        assert len(case["description"]) < 80
        assert "should" not in case["description"].lower()


def test_order_of_findings_is_no_chance(tmp_path: Path) -> None:
    """Sets have an order that changes with the process; what is told of them has not."""
    connections = [f"c{number}" for number in range(2, 8)]
    alike = {"id": "resp_1", "text": "hi"}
    steps: list[dict[str, Any]] = [
        *({"sent_ping": "YQ==", "conn": name} for name in connections),
        *({"turn": {"id": f"resp_{name}"}, "conn": name} for name in connections),
        {"posted": alike, "as": "http"},
        {"turn": alike, "as": "socket"},
        {"mark": {"roles": {"http": "http", "socket": "socket"}}},
    ]
    claims = {"features": ["http"], "dialect": "open-responses"}
    transcript = Builder("RWS-HTTP-006", claims).build(steps)
    for place, entry in enumerate(transcript.entries):
        if isinstance(entry, Received) and entry.conn == "c1":
            transcript.entries[place] = replace(entry, text=json.dumps({**entry.payload, "x": 1}))
    path = tmp_path / "t.jsonl"
    with path.open("w") as stream:
        save(transcript, stream)
    reports = [_judged(path, tmp_path / f"{seed}.json", seed) for seed in ("1", "2", "3")]
    rows = {row["id"]: row for row in json.loads(reports[0])["requirements"]}
    assert len(rows["RWS-FRAME-007"]["findings"]) == len(connections)
    assert len(rows["RWS-HTTP-006"]["findings"]) > 3
    assert set(reports) == {reports[0]}


def _judged(path: Path, report: Path, seed: str) -> str:
    command = [sys.executable, "-m", "responses_ws_conformance.cli", "judge", str(path)]
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    subprocess.run(
        [*command, "--report", str(report)], env=environment, capture_output=True, check=False
    )
    return report.read_text("utf-8")


def test_a_compaction_item_that_is_empty_is_pointed_at() -> None:
    found = [
        f
        for case in CASES
        if case.requirement == "RWS-COMPACT-003" and case.conforms is False
        for f in CHECKS[case.requirement].judge(Evidence.of(case.transcript()))
    ]
    assert all(isinstance(f, Finding) for f in found)
    assert any(f.path == "/response/output/0" for f in found if isinstance(f, Finding))


def test_a_number_that_is_not_there_is_no_text() -> None:
    bare = next(c for c in CASES if c.requirement == "RWS-EVENT-011" and c.conforms is False)
    (found, *_) = CHECKS["RWS-EVENT-011"].judge(Evidence.of(bare.transcript()))
    assert isinstance(found, Finding)
    assert found.actual.startswith("no sequence_number on ")
