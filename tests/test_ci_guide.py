"""The way from nothing to a green job, walked with the commands of its page and nothing else."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from responses_ws_conformance.reports.digests import catalogue_digest, suite_digest
from responses_ws_reference.config import ServerConfig
from responses_ws_reference.server import running_server

from tests.conftest import ROOT

PAGE = (ROOT / "spec" / "guides" / "ci.md").read_text("utf-8")
COMMANDS = re.findall(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
JOBS = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
KEY = "sk-guide-0123456789"
LIMIT = 300  # seconds: half of what the page promises
FAILING = "RWS-CHAIN-012"


@dataclass(frozen=True)
class Walk:
    """What came of walking it."""

    folder: Path
    code: int
    out: str
    seconds: float


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Walk:
    """All commands of the page in one shell, from an empty folder, against a faulty server.

    Only the three lines that the reader has to fill in are filled in; pip finds the package in a
    folder, as if it were published.
    """
    folder, wheels = tmp_path_factory.mktemp("guide"), tmp_path_factory.mktemp("wheels")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(wheels)]
    subprocess.run([*build, str(ROOT)], check=True, capture_output=True)
    env = {name: os.environ[name] for name in os.environ if name != "PYTHONPATH"}
    config = ServerConfig(fault="failure-evicts-nothing", api_keys=(KEY,))
    with running_server(config) as server:
        own = {"RWS_URL": server.url, "RWS_MODEL": config.model, "RWS_API_KEY": KEY}
        script = "".join(_filled_in(block, own) for block in COMMANDS)
        started = time.monotonic()
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=folder,
            env={**env, "PIP_FIND_LINKS": str(wheels)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
    return Walk(folder, done.returncode, done.stdout, time.monotonic() - started)


def _filled_in(block: str, own: dict[str, str]) -> str:
    exports = re.findall(r"^export (\w+)=.*$", block, re.MULTILINE)
    if not exports:
        return block
    assert exports == [*own]
    return "".join(f"export {name}={value}\n" for name, value in own.items())


def test_it_ends_green_and_in_time(walk: Walk) -> None:
    assert walk.code == 0, walk.out
    assert walk.seconds < LIMIT


def test_the_first_run_is_red_and_its_failures_get_into_the_baseline(walk: Walk) -> None:
    assert "exit code 1" in walk.out
    baseline = yaml.safe_load((walk.folder / "known-failures.yaml").read_text("utf-8"))
    known = {entry["id"] for entry in baseline["known_failures"]}
    assert FAILING in known
    report = json.loads((walk.folder / "report.json").read_text("utf-8"))
    assert known == {row["id"] for row in report["requirements"] if row["verdict"] == "fail"}


def test_every_file_that_it_promises_is_there(walk: Walk) -> None:
    promised = set(re.findall(r"--(?:output|report|html|statement) (\S+)", "".join(COMMANDS)))
    assert promised == {
        "rws.yaml",
        "report.json",
        "report.html",
        "known-failures.yaml",
        "statement.yaml",
        "badge.svg",
    }
    assert {name for name in promised if not (walk.folder / name).is_file()} == set()
    assert " failing</title>" in (walk.folder / "badge.svg").read_text("utf-8")


def test_the_installed_suite_is_the_one_that_is_here(walk: Walk) -> None:
    """What is installed from a wheel has the digest of a checkout."""
    statement = yaml.safe_load((walk.folder / "statement.yaml").read_text("utf-8"))
    assert statement["suite"]["digest"] == suite_digest()
    assert statement["catalogue"]["digest"] == catalogue_digest()


def test_no_file_holds_the_key(walk: Walk) -> None:
    for path in walk.folder.rglob("*"):
        if path.is_file() and ".venv" not in path.parts:
            assert KEY not in path.read_text("utf-8", errors="replace"), path
    assert KEY not in walk.out


def test_the_plan_sends_nothing_before_the_run(walk: Walk) -> None:
    assert walk.out.count("nothing was sent") == 1


def test_jobs_of_the_page_are_the_action_and_the_example() -> None:
    workflow, gitlab = map(yaml.safe_load, JOBS)
    (job,) = workflow["jobs"].values()
    (step,) = (s for s in job["steps"] if "rws/action" in s["uses"])
    action = yaml.safe_load((ROOT / "action" / "action.yml").read_text("utf-8"))
    assert set(step["with"]) <= set(action["inputs"])
    assert gitlab == yaml.safe_load((ROOT / "action" / "gitlab-ci.yml").read_text("utf-8"))
    version = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text("utf-8"), re.M)
    assert version is not None
    assert step["uses"].endswith(f"@v{version[1]}")


def test_workflow_of_the_page_is_what_its_owner_reads(tmp_path: Path) -> None:
    file = tmp_path / "workflow.yml"
    file.write_text(JOBS[0], "utf-8")
    program = Path(sys.executable).with_name("check-jsonschema")
    command = [program, "--builtin-schema", "vendor.github-workflows", file]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
