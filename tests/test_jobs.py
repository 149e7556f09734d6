"""Scenarios that are recorded side by side are judged as those that are recorded one by one."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import kill_matrix
import pytest
from responses_ws_conformance.reports.report import ExitCode
from responses_ws_conformance.runner import Run, plan
from responses_ws_conformance.scenarios import Scenario, load_scenarios
from responses_ws_conformance.verdict import Judgement, Verdict
from responses_ws_reference.server import running_server
from websockets.sync.server import ServerConnection

from tests.cases import message_stream
from tests.stubs import silent, stub

JOBS = 4


@dataclass
class Company:
    """Which scenarios were under way when each began."""

    under_way: set[str] = field(default_factory=set)
    beside: dict[str, set[str]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def start(self, scenario: Scenario) -> None:
        with self.lock:
            self.beside[scenario.name] = set(self.under_way)
            self.under_way.add(scenario.name)

    def end(self, scenario: Scenario, _: object) -> None:
        with self.lock:
            self.under_way.discard(scenario.name)


def recorded(folder: Path, jobs: int, *, fault: str | None = None) -> tuple[Run, Company]:
    """A whole run against the reference server."""
    company = Company()
    with running_server(kill_matrix.server_config(fault=fault)) as server:
        profile = kill_matrix.profile_of(server.url, dialect="open-responses")
        # Two runs of many threads on a busy machine are slower than what the profile is for.
        timing = replace(profile.timing, first_event=10.0, idle=10.0)
        profile = replace(profile, jobs=jobs, timing=timing)
        run = Run(profile, plan(profile), folder, company.end, company.start)
        run.record_all()
    assert run.stopped is None
    return run, company


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[int, tuple[Run, Company]]:
    """A run of each kind against a server with a fault."""
    fault = "failure-evicts-nothing"
    return {
        jobs: recorded(tmp_path_factory.mktemp("jobs"), jobs, fault=fault) for jobs in (1, JOBS)
    }


def test_verdicts_are_the_same_id_by_id(runs: dict[int, tuple[Run, Company]]) -> None:
    one, many = ({j.requirement.id: said(j) for j in run.judgements()} for run, _ in runs.values())
    assert one == many
    assert {"pass", "fail"} <= {*one.values()}


def said(judgement: Judgement) -> str:
    """The verdict; whether what the server may do or not is done is not the same every time."""
    is_its_choice = judgement.requirement.condition == "server"
    is_kind = judgement.verdict in (Verdict.PASS, Verdict.UNSEEN)
    return "pass or unseen" if is_its_choice and is_kind else judgement.verdict.value


def test_evidence_is_in_the_order_of_the_plan(runs: dict[int, tuple[Run, Company]]) -> None:
    names = [[e.transcript.header.scenario for e in run.evidence] for run, _ in runs.values()]
    assert names[0] == names[1] == [s.name for s in runs[1][0].plan.scenarios]


def test_some_had_company_and_none_too_much(runs: dict[int, tuple[Run, Company]]) -> None:
    numbers = [len(others) for others in runs[JOBS][1].beside.values()]
    assert 0 < max(numbers) < JOBS
    assert max(len(others) for others in runs[1][1].beside.values()) == 0


def test_who_wants_to_be_alone_is(runs: dict[int, tuple[Run, Company]]) -> None:
    beside = runs[JOBS][1].beside
    alone = {s.name for s in load_scenarios().values() if s.is_alone} & beside.keys()
    assert {"levers/restart", "lanes/side-by-side", "turns/queue"} <= alone
    assert {name: beside[name] for name in alone if beside[name]} == {}
    assert not alone.intersection(*beside.values())


def test_silent_target_stops_the_run(tmp_path: Path) -> None:
    with stub(silent) as url:
        profile = kill_matrix.profile_of(url)
        profile = replace(profile, jobs=JOBS, timing=replace(profile.timing, first_event=0.3))
        run = Run(profile, plan(profile), tmp_path)
        run.record_all()
    assert run.stopped is not None
    assert "no answer" in run.stopped
    assert len(run.recordings) < len(run.plan.scenarios) / 2


def test_interruption_ends_all_of_them(tmp_path: Path) -> None:
    """Ctrl-C while several scenarios wait: exit 2 at once, and what was recorded counts."""
    waiting = threading.Semaphore(0)
    is_first = threading.Lock()

    def slow(connection: ServerConnection) -> None:
        create = json.loads(connection.recv())
        if is_first.acquire(blocking=False):
            for event in message_stream("resp_1", "ok", create):
                connection.send(json.dumps(event))
        waiting.release()
        connection.recv()

    with stub(slow) as url:
        command = [sys.executable, "-m", "responses_ws_conformance.cli", "run", url]
        command += ["--jobs", str(JOBS), "--report", "report.json"]
        process = subprocess.Popen(
            command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(1 + JOBS):
            assert waiting.acquire(timeout=15)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=15)
    assert process.returncode == ExitCode.INTERRUPTED, err
    assert err.strip() == "rws: interrupted"
    report: dict[str, Any] = json.loads((tmp_path / "report.json").read_text("utf-8"))
    assert report["summary"]["pass"] > 0
    assert report["summary"]["error"] == 0
