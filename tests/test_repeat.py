"""The command that repeats runs: the suite says the same each time, and a change is noticed."""

from __future__ import annotations

import pytest
import repeat
from responses_ws_conformance.verdict import Verdict
from variant_runs import Told, VariantRun


def run_that_said(verdict: Verdict) -> VariantRun:
    told = Told("RWS-CHAIN-003", verdict, "", None, None)
    return VariantRun(None, 1, None, {"openai": {told.requirement: told}})


def test_verdicts_do_not_change(capsys: pytest.CaptureFixture[str]) -> None:
    """A few of the runs that the command makes when it is left alone."""
    assert (
        repeat.main(["3", "--each", "1", "--variant", "one-slot", "--variant", "overloaded"]) == 0
    )
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[-3:] for line in lines[:3]] == [["no", "verdict", "changed"]] * 3
    assert lines[-1].startswith("5 runs in ")


def test_a_change_is_noticed() -> None:
    said = [Verdict.PASS, Verdict.FAIL, Verdict.PASS]
    assert [*repeat.changes(map(run_that_said, said))] == [
        "RWS-CHAIN-003 (openai): pass 2 times, fail 1 times"
    ]


def test_agreement_is_no_change() -> None:
    assert [*repeat.changes(map(run_that_said, [Verdict.WARN] * 3))] == []


def test_a_change_fails_the_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(repeat, "changes", lambda runs: iter(["RWS-X-001 (openai): both"]))
    assert repeat.main(["1", "--each", "0", "--variant", "terse"]) == 1
    assert "  RWS-X-001 (openai): both" in capsys.readouterr().out
