"""The pytest front: a vendor's conftest, its agreement with ``rws run``, and the wheel."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from responses_ws_schemas import explain

from tests.conftest import KEY, ROOT
from tests.stubs import dead_port

SUITE = ["--pyargs", "responses_ws_conformance.suite"]


def run_pytest(
    folder: Path, *arguments: str, python: str = sys.executable, **env: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", *SUITE, *arguments],
        cwd=folder,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


def outcomes(junit: Path) -> dict[str, str]:
    """Requirement id to verdict, from the properties in a JUnit file."""
    found: dict[str, str] = {}
    for case in ElementTree.parse(junit).iter("testcase"):
        name = case.get("name", "")
        for entry in case.iter("property"):
            if entry.get("name") == "verdict":
                found[name.partition("[")[2].rstrip("]")] = entry.get("value", "")
    return found


def test_both_fronts_agree(tmp_path: Path, reference_server: str) -> None:
    done = run_pytest(
        tmp_path,
        f"--rws-target={reference_server}",
        "--rws-api-key-env=RWS_KEY",
        "--rws-model=rws-reference",
        "--rws-dialect=open-responses",
        "--rws-report=report.json",
        "--junitxml=junit.xml",
        RWS_KEY=KEY,
    )
    assert done.returncode == 0, done.stdout
    report = json.loads((tmp_path / "report.json").read_text("utf-8"))
    assert explain("files/report", report) == []
    command = [sys.executable, "-m", "responses_ws_conformance.cli", "run", reference_server]
    command += ["--api-key-env", "RWS_KEY", "--model", "rws-reference"]
    command += ["--dialect", "open-responses", "--report", "cli.json"]
    subprocess.run(
        command, cwd=tmp_path, env={**os.environ, "RWS_KEY": KEY}, capture_output=True, check=True
    )
    cli = json.loads((tmp_path / "cli.json").read_text("utf-8"))

    def verdicts(document: dict[str, Any]) -> dict[str, str]:
        return {row["id"]: row["verdict"] for row in document["requirements"]}

    assert verdicts(report) == verdicts(cli) == outcomes(tmp_path / "junit.xml")
    assert report["unclaimed"] == cli["unclaimed"]
    assert "rws: seen and not judged: warmup (" in done.stdout


def test_vendor_starts_a_server_and_adds_a_requirement(tmp_path: Path) -> None:
    example = Path(__file__).parent / "vendor_example" / "acme_conftest.py"
    shutil.copy(example, tmp_path / "conftest.py")
    done = run_pytest(tmp_path, "-k", "ACME", "--rws-report=report.json")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "FAIL  ACME-TIER-002" in done.stdout
    assert "service_tier 'platinum'" in done.stdout
    assert "https://acme.example/docs/tiers#acme-tier-002" in done.stdout
    report = json.loads((tmp_path / "report.json").read_text("utf-8"))
    rows = {row["id"]: row["verdict"] for row in report["requirements"]}
    assert (rows["ACME-TIER-001"], rows["ACME-TIER-002"]) == ("pass", "fail")
    assert report["scenarios"] == ["acme/tier"]


BROKEN = """
from responses_ws_conformance.vendor import invariant, requirement, scenario

requirement("ACME-OOPS-001", level="MUST", text="It MUST answer.", url="https://acme.example/")

@invariant("ACME-OOPS-001", when=lambda evidence: True)
def breaks(evidence):
    raise ValueError("on purpose")

@scenario("acme/oops", exercises=("ACME-OOPS-001",), turns=1)
def one_turn(driver):
    driver.connect().turn("hi", store=False)
"""


def test_suite_that_breaks_is_an_error_and_no_failure(
    tmp_path: Path, reference_server: str
) -> None:
    (tmp_path / "conftest.py").write_text(BROKEN)
    options = [f"--rws-target={reference_server}", "--rws-api-key-env=RWS_KEY", "--rws-strict"]
    files = ["--junitxml=junit.xml", "--rws-report=report.json"]
    done = run_pytest(tmp_path, *options, *files, "-k", "ACME-OOPS", RWS_KEY=KEY)
    assert done.returncode == 1, done.stdout
    suite = ElementTree.parse(tmp_path / "junit.xml").getroot()[0]
    assert (suite.get("tests"), suite.get("errors"), suite.get("failures")) == ("1", "1", "0")
    (error,) = suite.iterfind("testcase/error")
    assert "ValueError: on purpose" in (error.get("message") or "")
    assert outcomes(tmp_path / "junit.xml") == {"ACME-OOPS-001": "error"}
    assert json.loads((tmp_path / "report.json").read_text("utf-8"))["strict"] is True


def test_selection_records_only_what_it_needs(tmp_path: Path, reference_server: str) -> None:
    target = [f"--rws-target={reference_server}", "--rws-api-key-env=RWS_KEY"]
    done = run_pytest(tmp_path, *target, "-k", "RWS-CHAIN-005", RWS_KEY=KEY)
    assert done.returncode == 0, done.stdout
    recorded = {p.name for p in (tmp_path / "rws-report" / "transcripts").iterdir()}
    assert recorded == {"probes--inventions.1.jsonl"}


def test_plan_is_shown_and_nothing_is_sent(tmp_path: Path) -> None:
    done = run_pytest(tmp_path, f"--rws-target={dead_port()}", "--rws-plan", "-k", "RWS-CHAIN-005")
    assert done.returncode == 0, done.stdout
    assert "probes/inventions" in done.stdout
    assert "5 turns and retries; nothing was sent" in done.stdout
    assert "creation/string-input" not in done.stdout


def test_limit_and_jobs_are_those_of_the_command(tmp_path: Path, reference_server: str) -> None:
    shared = ["api-key-env=RWS_KEY", "model=rws-reference", "max-turns=30", "jobs=3"]
    options = [f"--rws-{option}" for option in (*shared, "report=pytest.json")]
    done = run_pytest(
        tmp_path, f"--rws-target={reference_server}", *options, "--junitxml=junit.xml", RWS_KEY=KEY
    )
    assert done.returncode == 0, done.stdout
    command = [sys.executable, "-m", "responses_ws_conformance.cli", "run", reference_server]
    command += [f"--{option}" for option in (*shared, "report=cli.json")]
    env = {**os.environ, "RWS_KEY": KEY}
    subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, check=True)
    ours, theirs = (
        json.loads((tmp_path / name).read_text("utf-8")) for name in ("pytest.json", "cli.json")
    )
    for name in ("selected", "dropped", "scenarios", "summary", "unclaimed"):
        assert ours[name] == theirs[name], name
    # A scenario may try again where the machine was busy, but never beyond the limit.
    assert max(ours["turns"], theirs["turns"]) <= 30
    assert set(outcomes(tmp_path / "junit.xml")) == set(ours["selected"])


def test_unreachable_target_is_exit_4(tmp_path: Path) -> None:
    done = run_pytest(tmp_path, f"--rws-target={dead_port()}")
    assert done.returncode == 4
    assert "connection refused" in done.stdout + done.stderr


@pytest.mark.parametrize("option", ["--rws-report=.", "--rws-output=file", "--rws-max-turns=0"])
def test_what_cannot_be_is_known_before_the_run(
    tmp_path: Path, reference_server: str, option: str
) -> None:
    (tmp_path / "file").touch()
    done = run_pytest(tmp_path, f"--rws-target={reference_server}", option, "-k", "FRAME-012")
    assert done.returncode == 4
    assert "Traceback" not in done.stdout + done.stderr
    assert "passed" not in done.stdout


QUIET = """
import sys

def test_other():
    assert "responses_ws_conformance.plugin" in sys.modules
    assert not {"responses_ws_conformance.runner", "jsonschema", "websockets"} & set(sys.modules)
"""


def test_plugin_is_quiet_in_other_runs(tmp_path: Path) -> None:
    (tmp_path / "test_other.py").write_text(QUIET)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "test_other.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder)]
    subprocess.run([*build, str(ROOT)], check=True, capture_output=True, text=True)
    (built,) = folder.glob("*.whl")
    return built


def test_wheel_runs_from_an_empty_folder(
    wheel: Path, tmp_path: Path, reference_server: str
) -> None:
    venv.create(tmp_path / "env", with_pip=True)
    python = str(tmp_path / "env" / "bin" / "python")
    subprocess.run([python, "-m", "pip", "install", "-q", str(wheel)], check=True)
    empty = tmp_path / "empty"
    empty.mkdir()
    target = [f"--rws-target={reference_server}", "--rws-api-key-env=RWS_KEY"]
    done = run_pytest(empty, *target, python=python, RWS_KEY=KEY)
    assert done.returncode == 0, done.stdout + done.stderr
    ran = subprocess.run(
        [tmp_path / "env" / "bin" / "rws", "run", "--smoke"],
        cwd=empty,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
