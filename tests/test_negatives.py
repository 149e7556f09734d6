"""Each refusal that the suite demands is paired with the repaired conversation, which succeeds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import kill_matrix
import pytest
import yaml
from responses_ws_conformance.catalogue import catalogue
from responses_ws_conformance.checks import Check, Evidence, load_checks
from responses_ws_conformance.runner import Run, plan
from responses_ws_reference.server import running_server

from tests.cases import Builder, Case, load_cases
from tests.negatives import case_problems, differences, mark_problems

NEGATIVES = {name: check for name, check in load_checks().items() if check.offence}
CASES = list(load_cases())
FIXTURES = yaml.safe_load((Path(__file__).parent / "unpaired.yaml").read_text("utf-8"))
# A sentence with words like these demands a refusal.
DEMANDS = re.compile(
    r"(MUST|SHOULD) refuse|answer `previous_response_not_found`"
    r"|(MUST|SHOULD) answer a .* with `response\.\w+\.failed`"
)
# Each is the control of the other: one answer to every inject breaks one of the two, which the
# faults unknown-response-has-ended and ended-response-is-forgotten hold.
TOLD_APART = {"RWS-INJECT-003", "RWS-INJECT-004"}


def record(dialect: str | None, folder: Path) -> list[Evidence]:
    """Recordings of all scenarios that exercise negative requirements."""
    with running_server(kill_matrix.server_config(http=True)) as server:
        profile = kill_matrix.profile_of(
            server.url, dialect=dialect, features=kill_matrix.ALL_LAYERS
        )
        run = Run(profile, plan(profile, only=[*NEGATIVES]), folder)
        run.record_all()
    return [evidence for attempts in run.recordings.values() for evidence in attempts]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Evidence]]:
    """Recordings against the reference server, in each dialect."""
    with ThreadPoolExecutor(2) as pool:
        running = [
            pool.submit(record, dialect, tmp_path_factory.mktemp("negatives"))
            for dialect in ("open-responses", "openai")
        ]
        yield [evidence for each in running for evidence in each.result()]


@pytest.mark.parametrize("requirement", NEGATIVES)
def test_recorded_refusal_has_a_control(requirement: str, recorded: list[Evidence]) -> None:
    marks = [mark for evidence in recorded for mark in evidence.marks(requirement)]
    assert marks, "no scenario marks it"
    problems = {p for mark in marks for p in mark_problems(NEGATIVES[requirement], mark)}
    assert problems == set()


@pytest.mark.parametrize("requirement", NEGATIVES)
def test_refusing_everything_is_not_green(requirement: str) -> None:
    cases = [case for case in CASES if case.requirement == requirement]
    assert list(case_problems(NEGATIVES[requirement], cases)) == []


def test_each_demand_for_a_refusal_is_marked() -> None:
    """The sentence gives a negative requirement away, so that nobody can forget to say it."""
    demanding = {
        r.id for r in catalogue().of_role("server") if DEMANDS.search(r.text) and not r.not_judged
    }
    assert demanding - set(NEGATIVES) == TOLD_APART


@pytest.mark.parametrize("fixture", FIXTURES["marks"], ids=lambda f: f["why"])
def test_unpaired_mark_is_rejected(fixture: dict[str, Any]) -> None:
    evidence = Evidence.of(Builder("RWS-TEST-001", {}).build(fixture["transcript"]))
    (mark,) = evidence.marks("RWS-TEST-001")
    assert [*mark_problems(negative(fixture["offence"]), mark)] == fixture["problems"]


@pytest.mark.parametrize("fixture", FIXTURES["cases"], ids=lambda f: f["why"])
def test_unpaired_cases_are_rejected(fixture: dict[str, Any]) -> None:
    cases = [
        Case("RWS-TEST-001", c["description"], c["conforms"], c["transcript"], {}, Path())
        for c in fixture["cases"]
    ]
    assert [*case_problems(negative(["/message"]), cases)] == fixture["problems"]


def negative(offence: list[str]) -> Check:
    """A check of nothing with an offence."""
    return Check(
        "RWS-TEST-001",
        "tests.negative",
        "",
        lambda evidence: iter(()),
        lambda evidence: True,
        "expectation",
        tuple(offence),
    )


@pytest.mark.parametrize(
    ("one", "other", "pointers"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1}, {"a": True}, ["/a"]),
        ({"a": 1}, {"b": 1}, ["/a", "/b"]),
        ({"a": [1, {"b": 2}]}, {"a": [1, {"b": 3}]}, ["/a/1/b"]),
        ({"a": [1]}, {"a": [1, 2]}, ["/a"]),
        ("text", {"a": 1}, [""]),
    ],
)
def test_differences(one: Any, other: Any, pointers: list[str]) -> None:
    assert list(differences(one, other)) == pointers
