"""The steps of the action run as they are written, in order, as a runner would run them.

Actions of others cannot be fetched here. Where a step uses one, a stand-in does what its owner says
that it does with these inputs: an interpreter on the path, a folder that is kept.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from responses_ws_conformance.reports.report import ExitCode
from responses_ws_reference.config import ServerConfig
from responses_ws_reference.server import running_server

from tests.conftest import ROOT

ACTION = ROOT / "action"
WORKFLOWS = ROOT / ".github" / "workflows"
KEY = "sk-action-0123456789"
EXPRESSION = re.compile(r"\$\{\{ *([\w.-]+) *\}\}")
# As a runner starts bash.
BASH = ["bash", "--noprofile", "--norc", "-eo", "pipefail"]
FAULT, FAILING = "failure-evicts-nothing", "RWS-CHAIN-012"


@dataclass
class Job:
    """A runner with one action in it; ``context`` is what expressions look things up in.

    Where an earlier job of the runner has installed the suite that step is left out. ``kept`` has
    what was uploaded, by name.
    """

    workspace: Path
    inputs: Mapping[str, str]
    has_suite: bool = False
    context: dict[str, str] = field(default_factory=dict)
    kept: dict[str, set[str]] = field(default_factory=dict)
    path: str = os.environ["PATH"]
    code: int = 0
    log: str = ""

    def run(self) -> Job:
        action = yaml.safe_load((ACTION / "action.yml").read_text("utf-8"))
        for name, about in action["inputs"].items():
            self.context[f"inputs.{name}"] = self.inputs.get(name, about["default"])
        for step in action["runs"]["steps"]:
            is_left_out = self.has_suite and step["name"] == "Install the suite"
            if is_left_out or not self._is_due(step):
                continue
            if "uses" in step:
                self._use(step)
            else:
                self._step(step)
        for name, about in action["outputs"].items():
            self.context[f"outputs.{name}"] = self._fill(about["value"])
        return self

    def output(self, name: str) -> str:
        return self.context[f"outputs.{name}"]

    @property
    def summary(self) -> str:
        return (self.workspace / ".summary").read_text("utf-8")

    def _is_due(self, step: dict[str, Any]) -> bool:
        """What a step's ``if`` says; without ``always()`` nothing is done after a failure."""
        parts = [part.strip() for part in step.get("if", "success()").split("&&")]
        if "always()" not in parts:
            parts.append("success()")
        return all(map(self._holds, parts))

    def _holds(self, part: str) -> bool:
        if part in ("always()", "success()"):
            return part == "always()" or self.code == 0
        name, operator, literal = part.split()
        return (self.context[name] == literal.strip("'")) is (operator == "==")

    def _use(self, step: dict[str, Any]) -> None:
        """What an action of others does."""
        given = {name: self._fill(value) for name, value in step["with"].items()}
        match step["uses"].partition("@")[0]:
            case "actions/setup-python":
                assert given == {"python-version": "3.13"}
                self.path = f"{Path(sys.executable).parent}{os.pathsep}{self.path}"
            case "actions/upload-artifact":
                assert given.pop("if-no-files-found") == "ignore"
                folder = self.workspace / given.pop("path")
                self.kept[given.pop("name")] = {path.name for path in folder.glob("*")}
                assert not given
            case other:
                raise AssertionError(f"nothing stands in for {other}")

    def _step(self, step: dict[str, Any]) -> None:
        assert step["shell"] == "bash"
        assert not EXPRESSION.search(step["run"]), "a value would be taken for a command"
        script, output = self.workspace / ".step.sh", self.workspace / ".output"
        script.write_text(step["run"], "utf-8")
        output.write_text("", "utf-8")
        given = {
            **{name: self._fill(value) for name, value in step.get("env", {}).items()},
            "GITHUB_ACTION_PATH": str(ACTION),
            "GITHUB_OUTPUT": str(output),
            "GITHUB_STEP_SUMMARY": str(self.workspace / ".summary"),
            "GITHUB_WORKSPACE": str(self.workspace),
            "RUNNER_TEMP": str(self.workspace.parent / "runner"),
            "PATH": self.path,
        }
        env = {name: os.environ[name] for name in os.environ if name != "PYTHONPATH"} | given
        done = subprocess.run(
            [*BASH, script],
            cwd=self.workspace,
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        self.log += done.stdout
        self.code = done.returncode
        if "id" in step:
            for line in output.read_text("utf-8").splitlines():
                name, _, value = line.partition("=")
                self.context[f"steps.{step['id']}.outputs.{name}"] = value

    def _fill(self, text: str) -> str:
        return EXPRESSION.sub(lambda found: self.context.get(found[1], ""), text)


def job(folder: Path, name: str, **inputs: str) -> Job:
    workspace = folder / name
    workspace.mkdir()
    (workspace / ".summary").touch()
    given = {k.replace("_", "-"): v for k, v in inputs.items()}
    return Job(workspace, given, has_suite=(folder / "runner" / "rws").exists())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for the jobs of one runner."""
    return tmp_path_factory.mktemp("action")


@pytest.fixture(scope="module")
def red(folder: Path) -> Job:
    """A job against a server with a fault."""
    with running_server(ServerConfig(fault=FAULT, api_keys=(KEY,))) as server:
        return job(folder, "red", url=server.url, api_key=KEY, max_turns="80", jobs="2").run()


def test_job_fails_as_the_suite_did(red: Job) -> None:
    assert red.code == ExitCode.VIOLATION, red.log
    assert red.output("exit-code") == "1"
    assert f"FAIL  {FAILING}" in red.log
    assert KEY not in red.log


def test_outputs_are_the_counts_of_the_report(red: Job) -> None:
    report = json.loads((red.workspace / red.output("report")).read_text("utf-8"))
    assert report["summary"]["fail"] == 1
    assert {v: red.output(v) for v in report["summary"]} == {
        verdict: str(number) for verdict, number in report["summary"].items()
    }


def test_summary_is_that_of_the_report(red: Job) -> None:
    assert red.summary == (red.workspace / "rws-report" / "summary.md").read_text("utf-8")
    assert FAILING in red.summary


def test_folder_that_is_uploaded_has_every_form(red: Job) -> None:
    forms = ["report.html", "report.json", "report.sarif", "report.xml", "statement.yaml"]
    assert red.kept == {"rws-report": {*forms, "summary.md", "transcripts"}}


def test_known_failure_makes_the_next_job_green(red: Job, folder: Path) -> None:
    """The baseline is made from the report of the job before, as the guide says."""
    known = job(folder, "green")
    rws = folder / "runner" / "rws" / "bin" / "rws"
    report = red.workspace / red.output("report")
    write = [rws, "baseline", "write", report, "--output", known.workspace / "known.yaml"]
    subprocess.run(write, check=True)
    profile = {"model": ServerConfig().model, "api_key_env": "RWS_API_KEY"}
    (known.workspace / "rws.yaml").write_text(yaml.safe_dump(profile), "utf-8")
    with running_server(ServerConfig(fault=FAULT, api_keys=(KEY,))) as server:
        known.inputs = {
            **known.inputs,
            "url": server.url,
            "api-key": KEY,
            "profile": "rws.yaml",
            "baseline": "known.yaml",
            "allow-untestable": "true",
            "max-turns": "80",
        }
        known.run()
    assert known.code == ExitCode.OK, known.log
    assert known.output("fail") == "1"


def test_nothing_to_judge_is_said(red: Job, folder: Path) -> None:
    done = job(folder, "empty").run()
    assert done.has_suite
    assert done.code == ExitCode.INFRASTRUCTURE
    assert "::error::give the action a url" in done.log
    assert done.kept == {"rws-report": set()}


def test_own_python_is_taken_and_nothing_is_uploaded_where_nothing_is_to_be(
    red: Job, folder: Path
) -> None:
    done = job(folder, "quiet", python=sys.executable, artifact="").run()
    assert red.path != os.environ["PATH"]
    assert (done.path, done.kept) == (os.environ["PATH"], {})


def test_every_option_of_the_action_is_one_of_the_command(red: Job) -> None:
    action = yaml.safe_load((ACTION / "action.yml").read_text("utf-8"))
    (script,) = (s["run"] for s in action["runs"]["steps"] if s.get("id") == "run")
    used = set(re.findall(r"\(?(--[\w-]+)", script))
    rws = red.workspace.parent / "runner" / "rws" / "bin" / "rws"
    shown = subprocess.run([rws, "run", "--help"], capture_output=True, text=True, check=True)
    assert used <= set(re.findall(r"--[\w-]+", shown.stdout))
    everything = yaml.safe_dump(action["runs"])
    assert {n for n in action["inputs"] if f"inputs.{n}" not in everything} == set()


def test_gitlab_job_runs_as_written(red: Job, tmp_path: Path) -> None:
    """But for its first two lines, which install the suite as the action does."""
    example = yaml.safe_load((ACTION / "gitlab-ci.yml").read_text("utf-8"))["conformance"]
    create, install, run = example["script"]
    assert shlex.split(create)[1:] == ["-m", "venv", ".rws"]
    assert shlex.split(install)[-1] == "responses-ws-conformance"
    (tmp_path / ".rws").symlink_to(red.workspace.parent / "runner" / "rws")
    (tmp_path / "known-failures.yaml").write_text("known_failures: []", "utf-8")
    with running_server(ServerConfig(fault=FAULT)) as server:
        profile = {"url": server.url, "model": ServerConfig().model}
        (tmp_path / "rws.yaml").write_text(yaml.safe_dump(profile), "utf-8")
        done = subprocess.run([*BASH, "-c", run], cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == ExitCode.VIOLATION
    kept = [*example["artifacts"]["paths"], example["artifacts"]["reports"]["junit"]]
    assert [path for path in kept if not (tmp_path / path).exists()] == []


SCHEMAS = {
    **dict.fromkeys(sorted(WORKFLOWS.glob("*.yml")), "vendor.github-workflows"),
    ACTION / "action.yml": "vendor.github-actions",
    ACTION / "gitlab-ci.yml": "vendor.gitlab-ci",
}


@pytest.mark.parametrize("path", SCHEMAS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_file_is_what_its_owner_reads(path: Path) -> None:
    program = Path(sys.executable).with_name("check-jsonschema")
    done = subprocess.run(
        [program, "--builtin-schema", SCHEMAS[path], path],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_workflows_are_there_and_grant_little() -> None:
    assert {path.stem for path in WORKFLOWS.glob("*.yml")} == {"tests", "site", "release"}
    for path in WORKFLOWS.glob("*.yml"):
        workflow = yaml.safe_load(path.read_text("utf-8"))
        assert workflow["permissions"] == {"contents": "read"}, path
        assert all("timeout-minutes" in each for each in workflow["jobs"].values()), path


# What a job may do beyond reading the repository: publish pages, and prove who it is.
GRANTED = {
    ("site", "deploy"): {"pages": "write", "id-token": "write"},
    ("release", "publish"): {"id-token": "write"},
}


def test_only_what_publishes_is_granted_more() -> None:
    for path in WORKFLOWS.glob("*.yml"):
        for name, job in yaml.safe_load(path.read_text("utf-8"))["jobs"].items():
            assert job.get("permissions", {}) == GRANTED.get((path.stem, name), {}), (path, name)


def test_actions_of_others_are_pinned() -> None:
    """To a commit, with its version behind it: a tag can be moved by whoever owns it."""
    for path in [*WORKFLOWS.glob("*.yml"), ACTION / "action.yml"]:
        for used in re.findall(r"uses: +(.+)", path.read_text("utf-8")):
            assert used == "./action" or re.fullmatch(
                r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", used
            ), f"{path.name}: {used}"


def test_container_has_all_that_the_package_is_built_of(tmp_path: Path) -> None:
    """The image cannot be built here; what it installs can."""
    lines = (ACTION / "Containerfile").read_text("utf-8").splitlines()
    for line in (line.split() for line in lines if line.startswith("COPY ")):
        *sources, target = line[1:]
        place = tmp_path / Path(target).relative_to("/suite")
        for source in sources:
            if (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, place)
            else:
                place.mkdir(exist_ok=True)
                shutil.copy(ROOT / source, place)
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir"]
    subprocess.run([*build, tmp_path / "out", tmp_path], check=True, capture_output=True)
    assert len([*(tmp_path / "out").glob("*.whl")]) == 1
