"""A target that takes whatever comes is told so before anything green."""

from __future__ import annotations

from pathlib import Path

import kill_matrix
import pytest
from responses_ws_conformance.reports.report import Report
from responses_ws_conformance.reports.terminal import warnings
from responses_ws_conformance.runner import PROBE, Run, plan
from responses_ws_conformance.transcript.files import load
from responses_ws_reference.server import running_server

from tests.stubs import always_an_error, stub

SCENARIO = "probes/inventions"


def report_on(url: str, folder: Path) -> Report:
    """The report on a target after the first two scenarios of a full run."""
    profile = kill_matrix.profile_of(url)
    run = Run(profile, plan(profile), folder)
    for scenario in run.plan.scenarios[:2]:
        run.record(scenario)
    assert [*run.recordings] == [PROBE, SCENARIO]
    return Report.of_run(run, run.judgements(), again="")


def test_honest_server_is_not_fooled(tmp_path: Path) -> None:
    with running_server(kill_matrix.server_config()) as server:
        report = report_on(server.url, tmp_path)
    rows = report.as_json()["probes"]
    assert [row["what"] for row in rows] == ["response id", "model", "event type"]
    assert not any(row["fooled"] for row in rows)
    assert all(row["seen"].startswith("an error event: status 400") for row in rows)
    assert [*warnings(report)] == []


def test_gullible_server_is_told_so(tmp_path: Path) -> None:
    with running_server(kill_matrix.server_config(fault="nothing-is-unknown")) as server:
        report = report_on(server.url, tmp_path)
    fooled = {row["what"]: row["fooled"] for row in report.as_json()["probes"]}
    assert fooled == {"response id": True, "model": False, "event type": True}
    assert [*warnings(report)] == [
        "this target accepted an invented response id: read its greens with care",
        "note: this target served an invented model",
        "this target accepted an invented event type: read its greens with care",
    ]
    transcripts = [load(path) for path in sorted(tmp_path.glob("*.jsonl"))]
    judged = Report.of_transcripts(transcripts)
    assert judged.probes == report.probes


def test_server_that_refuses_everything_gets_no_green_for_it(tmp_path: Path) -> None:
    with stub(always_an_error) as url:
        report = report_on(url, tmp_path)
    verdicts = {j.requirement.id: j.verdict.value for j in report.judgements}
    assert verdicts["RWS-CREATE-001"] == "fail"
    assert {verdicts[f"RWS-CHAIN-{n}"] for n in ("005", "006", "007")} == {"untestable"}


@pytest.mark.parametrize("front", ["rws", "pytest"])
def test_both_fronts_say_it(
    front: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from responses_ws_conformance.cli import main

    monkeypatch.chdir(tmp_path)
    with running_server(kill_matrix.server_config(fault="nothing-is-unknown")) as server:
        monkeypatch.setenv("RWS_KEY", kill_matrix.KEY)
        if front == "rws":
            main(["run", server.url, "--api-key-env", "RWS_KEY", "--only", "RWS-CHAIN-005"])
            shown = capsys.readouterr().out
            assert shown.index("an invented event type") < shown.index("pass")
        else:
            shown = run_pytest(server.url, tmp_path)
            assert "an invented event type" in shown


def run_pytest(url: str, folder: Path) -> str:
    """What the pytest front prints."""
    import subprocess
    import sys

    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--pyargs"]
    command += ["responses_ws_conformance.suite", "-k", "RWS-CHAIN-005"]
    command += [f"--rws-target={url}", "--rws-api-key-env=RWS_KEY"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return done.stdout


def test_cut_files_have_fewer_probes(tmp_path: Path) -> None:
    with running_server(kill_matrix.server_config()) as server:
        report_on(server.url, tmp_path)
    (path,) = tmp_path.glob("probes--*.jsonl")
    transcript = load(path)
    for fewer in ([e for e in transcript.entries if e.kind != "sent"], transcript.entries[:8]):
        transcript.entries = fewer
        assert len(Report.of_transcripts([transcript]).probes) < 3
