"""The report on a terminal says each thing once, and names at its end what is broken."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from responses_ws_conformance.catalogue import catalogue
from responses_ws_conformance.checks import Cause, Finding
from responses_ws_conformance.reports.report import Report
from responses_ws_conformance.reports.terminal import details, summary
from responses_ws_conformance.transcript.files import load
from responses_ws_conformance.verdict import Judgement, Located, Verdict
from responses_ws_conformance.verdict.likeness import MORE

CAPTURE = Path(__file__).parent / "captures" / "server-litellm-managed.jsonl"


@pytest.fixture(scope="module")
def report() -> Report:
    """A report with many findings: one server, twelve errors without a status."""
    transcripts = [load(CAPTURE)]
    return Report.of_transcripts(transcripts)


def about(report: Report, requirement: str) -> list[str]:
    """The lines of the report on one requirement."""
    lines = [*details(report)]
    start = next(n for n, line in enumerate(lines) if line.endswith(f"  {requirement}"))
    end = next(n for n in range(start, len(lines)) if lines[n].startswith("  again:"))
    return lines[start : end + 1]


def test_the_same_of_many_frames_is_said_once(report: Report) -> None:
    lines = about(report, "RWS-ERROR-003")
    assert [line for line in lines if "seen:" in line] == ["  seen:     no status"]
    assert "  … and the same 10 more times" in lines


def test_findings_about_one_frame_show_it_once(report: Report) -> None:
    lines = about(report, "RWS-EVENT-015")
    seen = [line for line in lines if "seen:" in line]
    assert len(seen) == len(set(seen)) == 3
    assert lines.count("  in:       the same entry") == 2
    assert sum(line.startswith("  > ") for line in lines) == 1
    assert any("other findings" in line for line in lines)


def test_a_flood_of_ids_is_said_once(report: Report) -> None:
    transcript = load(CAPTURE)
    seen = [f"the id resp_{n:024x}" for n in range(5)]
    seen[-1] += MORE
    flood = tuple(Located(Finding(4, "another id", text), transcript) for text in seen)
    requirement = catalogue().requirements["RWS-EVENT-003"]
    broken = Judgement(requirement, Verdict.FAIL, flood)
    lines = about(replace(report, judgements=(broken,)), "RWS-EVENT-003")
    assert [line for line in lines if "seen:" in line] == [f"  seen:     {seen[0]}"]
    assert "  … and the same 4 more times" in lines
    assert "  … and more that are not listed" in lines


def test_what_is_broken_is_named_at_the_end(report: Report) -> None:
    *_, fails, warns = summary(report)
    assert fails.startswith("fail: ")
    assert "RWS-EVENT-015" in fails
    assert warns.startswith("warn: ")
    assert "RWS-ERROR-003" in warns


def judged(name: str, verdict: Verdict, by: str | None = None) -> Judgement:
    requirement = catalogue().requirements[name]
    if verdict is not Verdict.UNTESTABLE:
        return Judgement(requirement, verdict)
    return Judgement(requirement, verdict, why="cannot go on", cause=Cause.BLOCKED, by=by)


def test_what_is_not_judged_is_folded_under_its_root(report: Report) -> None:
    chain = (
        judged("RWS-CHAIN-001", Verdict.PASS),
        judged("RWS-ERROR-009", Verdict.WARN),
        judged("RWS-CHAIN-012", Verdict.UNTESTABLE, "RWS-ERROR-009"),
        judged("RWS-CHAIN-013", Verdict.UNTESTABLE, "RWS-CHAIN-012"),
        judged("RWS-TOOL-003", Verdict.UNTESTABLE, "RWS-CHAIN-001"),
        judged("RWS-TOOL-006", Verdict.UNTESTABLE, "RWS-TOOL-006"),
    )
    lines = [*details(replace(report, judgements=chain))]
    folded = "  not judged because of this: 2 (RWS-CHAIN-012, RWS-CHAIN-013)"
    assert folded in lines
    assert "Owed but not judged: 2" in lines
