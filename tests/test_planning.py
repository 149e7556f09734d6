"""What a run costs is known before it, and a limit is one."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import kill_matrix
import pytest
from responses_ws_conformance.catalogue import catalogue
from responses_ws_conformance.checks import Evidence
from responses_ws_conformance.driver.pacing import Pace
from responses_ws_conformance.errors import ProfileError
from responses_ws_conformance.profile import Profile
from responses_ws_conformance.reports.report import ExitCode
from responses_ws_conformance.runner import planning
from responses_ws_conformance.runner.planning import Plan, plan
from responses_ws_conformance.transcript import Header, Sent, Transcript
from responses_ws_conformance.transcript.files import load
from responses_ws_conformance.verdict import judging

from tests.commands import rws
from tests.stubs import dead_port, overloaded, stub

PROFILE = kill_matrix.profile_of("ws://127.0.0.1:1/v1/responses", dialect="open-responses")
WHOLE = plan(PROFILE)
LIMITS = (1, 5, 30, 100, WHOLE.turns - 1)


def exercised(scenarios: Any) -> set[str]:
    return {name for scenario in scenarios for name in scenario.exercises}


@pytest.mark.parametrize("limit", LIMITS)
def test_plan_keeps_its_limit_and_counts_what_it_drops(limit: int) -> None:
    todo = plan(PROFILE, max_turns=limit)
    assert todo.turns <= limit
    assert {*todo.scenarios, *todo.dropped} == {*WHOLE.scenarios}
    lost = exercised(todo.dropped) - exercised(todo.scenarios)
    assert todo.selected is not None
    assert {*todo.selected} == {r.id for r in catalogue().of_role("server")} - lost


@pytest.mark.parametrize("limit", LIMITS)
def test_the_end_of_the_spec_is_dropped_first_and_the_smoke_last(limit: int) -> None:
    todo = plan(PROFILE, max_turns=limit)
    costly = [s for s in WHOLE.scenarios if s.turns]
    order = [s for s in costly if s.smoke] + [s for s in costly if not s.smoke]
    assert [s for s in order if s in todo.dropped] == order[len(order) - len(todo.dropped) :]


def test_enough_is_no_limit() -> None:
    todo = plan(PROFILE, max_turns=WHOLE.turns)
    assert (todo.dropped, todo.selected, todo.scenarios) == ((), None, WHOLE.scenarios)


def test_what_is_selected_by_name_can_be_dropped_too() -> None:
    todo = plan(PROFILE, only=["RWS-TURN-004", "RWS-FRAME-012"], max_turns=2)
    assert [s.name for s in todo.dropped] == ["turns/queue"]
    assert todo.selected == ("RWS-FRAME-012",)


@pytest.mark.parametrize("limit", [None, 30])
def test_plan_says_each_scenario_and_its_cost(limit: int | None) -> None:
    todo: Plan = plan(PROFILE, max_turns=limit)
    rows = [line.split() for line in todo.lines()]
    costs = {words[0]: int(words[1]) for words in rows if "/" in words[0]}
    assert costs == {s.name: s.turns for s in todo.scenarios}
    assert [words[1] for words in rows if words[0] == "-"] == [s.name for s in todo.dropped]


def test_pace_counts_to_its_limit_and_no_further() -> None:
    pace = Pace(limit=2)
    assert [pace.take(now) for now in (1.0, 2.0, 3.0)] == [1.0, 2.0, None]
    assert (pace.sent, pace.left) == (2, 0)


def test_pace_holds_its_interval_over_all_that_share_it() -> None:
    pace = Pace(interval=0.5)
    assert [pace.take(now) for now in (1.0, 1.1, 1.2, 9.0)] == [1.0, 1.5, 2.0, 9.0]


def test_plan_sends_nothing(tmp_path: Path) -> None:
    done = rws(tmp_path, "run", dead_port(), "--plan")
    assert done.returncode == ExitCode.OK, done.stderr
    assert "nothing was sent" in done.stdout
    assert f" {plan(Profile('ws://x/')).turns} turns and retries" in done.stdout


def test_no_more_is_sent_than_allowed_even_to_a_busy_target(tmp_path: Path) -> None:
    """The target is asked again where it is busy, until the limit."""
    with stub(overloaded) as url:
        rws(tmp_path, "run", url, "--max-turns", "2", "--report", "report.json")
    paths = (tmp_path / "rws-report" / "transcripts").iterdir()
    sent = [e for path in paths for e in load(path).entries if isinstance(e, Sent) and e.is_data]
    report = json.loads((tmp_path / "report.json").read_text("utf-8"))
    assert len(sent) == report["turns"] == 2


def test_what_is_dropped_is_not_selected_and_no_pass(tmp_path: Path) -> None:
    done = rws(tmp_path, "run", "--max-turns", "8", "--report", "report.json")
    assert done.returncode == ExitCode.OK, done.stdout + done.stderr
    report = json.loads((tmp_path / "report.json").read_text("utf-8"))
    assert report["turns"] <= 8
    rows = [row["id"] for row in report["requirements"]]
    assert rows == report["selected"]
    assert sum(report["summary"].values()) == len(rows) < len(catalogue().of_role("server"))
    assert "RWS-LANE-009" not in rows
    assert f"not selected: {len(catalogue().of_role('server')) - len(rows)}" in done.stdout


def later(requirements: Any, *names: str) -> Any:
    """A catalogue in which these requirements came with the next version of the spec."""
    return replace(
        requirements,
        spec_version="0.10",
        requirements={
            name: replace(r, since="0.10") if name in names else r
            for name, r in requirements.requirements.items()
        },
    )


def test_a_version_demands_what_it_always_demanded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A scenario that only later requirements need is not recorded for an earlier version."""
    new = ("RWS-FRAME-012", "RWS-TURN-001")
    bigger = later(catalogue(), *new)
    for module in (planning, judging):
        monkeypatch.setattr(module, "catalogue", lambda: bigger)
    pinned, newest = (plan(replace(PROFILE, spec_version=v)) for v in ("0.1", None))
    assert {r.id for r in newest.requirements} - {r.id for r in pinned.requirements} == {*new}
    assert pinned.selected is None
    lost = {*newest.scenarios} - {*pinned.scenarios}
    assert [s.name for s in lost] == ["framing/binary"]
    for version, missing in (("0.1", {*new}), ("0.10", set()), ("", set())):
        saved = Evidence.of(Transcript(Header(scenario="core/turn", spec_version=version)))
        judged = {j.requirement.id for j in judging.judge_saved([saved])}
        assert {r.id for r in newest.requirements} - judged == missing
    with pytest.raises(
        ProfileError, match=r"RWS-TURN-001 is in the specification since 0\.10 only"
    ):
        plan(replace(PROFILE, spec_version="0.1"), only=["RWS-TURN-001"])


def test_version_that_is_not_there_yet_is_said(tmp_path: Path) -> None:
    done = rws(tmp_path, "run", "ws://127.0.0.1:1/v1/responses", "--plan", "--spec-version", "7.0")
    assert done.returncode == ExitCode.INFRASTRUCTURE
    assert "this suite knows no specification 7.0, the newest is 0.1" in done.stderr
    done = rws(tmp_path, "run", "ws://127.0.0.1:1/v1/responses", "--plan", "--spec-version", "0.1")
    assert done.returncode == ExitCode.OK
