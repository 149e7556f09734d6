"""Four servers, as the command sees them: forgetful, without a cache, dead, and only slow."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from responses_ws_conformance.catalogue import catalogue
from responses_ws_conformance.reports.report import ExitCode
from responses_ws_reference.faults import FAULTS

from tests.stubs import dead_port

MODEL = "four-servers-model"
# Far more than the command needs: a run that hangs is stopped, a slow machine is not.
PATIENCE = 120
SECONDS = 20


@dataclass(frozen=True)
class Done:
    """A finished run: its exit code, what it printed, and what it reported."""

    code: int
    out: str
    err: str
    rows: dict[str, dict[str, Any]]

    def ids(self, verdict: str) -> set[str]:
        """The requirements with a verdict."""
        return {name for name, row in self.rows.items() if row["verdict"] == verdict}


@contextmanager
def rws_server(*arguments: str) -> Iterator[str]:
    """The URL of a reference server in a process of its own."""
    command = [sys.executable, "-m", "responses_ws_reference", "--model", MODEL, *arguments]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip().removeprefix("listening on ")
        process.terminate()


def rws_run(folder: Path, url: str, *arguments: str, within: float = PATIENCE) -> Done:
    """``rws run`` against a URL, from an empty folder."""
    command = [sys.executable, "-m", "responses_ws_conformance.cli", "run", url]
    command += ["--model", MODEL, "--dialect", "open-responses", "--report", "report.json"]
    done = subprocess.run(
        [*command, *arguments],
        cwd=folder,
        env=os.environ,
        capture_output=True,
        text=True,
        timeout=within,
        check=False,
    )
    report = json.loads((folder / "report.json").read_text("utf-8"))
    rows = {row["id"]: row for row in report["requirements"]}
    return Done(done.returncode, done.stdout, done.stderr, rows)


def test_ids_without_their_context_are_a_violation_with_its_clause(tmp_path: Path) -> None:
    """The server knows every id, but the model never sees what came before."""
    with rws_server("--fault", "context-is-lost") as url:
        done = rws_run(tmp_path, url)
    assert done.code == ExitCode.VIOLATION
    owed = (catalogue().requirements[name] for name in FAULTS["context-is-lost"].breaks)
    assert done.ids("fail") == {r.id for r in owed if not r.features}
    clause = catalogue().requirements["RWS-CHAIN-003"]
    assert f"FAIL  {clause.id}\n  {clause.text}\n  {clause.url}\n" in done.out
    assert done.rows["RWS-CHAIN-002"]["verdict"] == "pass"


def test_a_server_without_a_cache_has_one_violation(tmp_path: Path) -> None:
    """What depends on continuation is folded under it, and not green."""
    with rws_server("--fault", "nothing-is-kept") as url:
        done = rws_run(tmp_path, url)
    assert done.code == ExitCode.VIOLATION
    assert done.ids("fail") == {"RWS-CHAIN-002"}
    folded = {name for name, row in done.rows.items() if row["blocked_by"] == "RWS-CHAIN-002"}
    assert folded == done.ids("untestable")
    assert folded >= {
        *("RWS-CHAIN-001", "RWS-CHAIN-003", "RWS-CHAIN-009", "RWS-CHAIN-010", "RWS-CHAIN-012"),
        *("RWS-CREATE-007", "RWS-TOOL-003", "RWS-TOOL-004", "RWS-TOOL-005", "RWS-TOOL-006"),
    }
    assert f"not judged because of this: {len(folded)} " in done.out
    assert "Owed but not judged" not in done.out


def test_a_dead_port_is_infrastructure_within_seconds(tmp_path: Path) -> None:
    url = dead_port()
    done = rws_run(tmp_path, url, within=SECONDS)
    assert done.code == ExitCode.INFRASTRUCTURE
    assert done.err == f"rws: {url}: connection refused\n"
    assert not done.ids("fail")
    assert not done.ids("pass")


@pytest.mark.parametrize("variant", ["slow", "silent-with-pings", "one-slot"])
def test_a_right_but_slow_server_conforms(variant: str, tmp_path: Path) -> None:
    """A few scenarios in real time; tests/test_slow_targets.py has whole runs of slower servers."""
    with rws_server("--variant", variant) as url:
        done = rws_run(tmp_path, url, "--smoke")
    assert done.code == ExitCode.OK, done.out
    assert not done.ids("fail") | done.ids("untestable")
    assert len(done.ids("pass")) > 5
