"""The baseline: known failures are expected, every difference is red with its own sentence."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from responses_ws_conformance.catalogue import catalogue
from responses_ws_conformance.checks import Finding
from responses_ws_conformance.errors import ProfileError
from responses_ws_conformance.reports.baseline import Baseline, KnownFailure, load_baseline
from responses_ws_conformance.reports.report import ExitCode
from responses_ws_conformance.transcript import Header, Transcript
from responses_ws_conformance.verdict import Judgement, Located, Verdict
from responses_ws_reference.config import ServerConfig
from responses_ws_reference.server import running_server

from tests.commands import rws

ID = "RWS-CHAIN-012"
KEY = "baseline-test-key"
TODAY = date(2026, 11, 22)


def judgement(verdict: Verdict) -> Judgement:
    findings = ()
    if verdict in (Verdict.FAIL, Verdict.WARN):
        finding = Finding(1, "an error event", "response.completed")
        findings = (Located(finding, Transcript(Header("s"))),)
    return Judgement(catalogue().requirements[ID], verdict, findings)


LISTED = KnownFailure(ID, "known")
CASES = {
    "listed and failing": (Verdict.FAIL, LISTED, None),
    "unlisted and failing": (Verdict.FAIL, None, "not in the baseline"),
    "listed and passing": (Verdict.PASS, LISTED, "stale"),
    "unlisted and passing": (Verdict.PASS, None, None),
    "listed and not judged": (Verdict.UNTESTABLE, LISTED, None),
    "expired": (Verdict.FAIL, KnownFailure(ID, "known", expires=date(2026, 11, 21)), "expired"),
    "last day": (Verdict.FAIL, KnownFailure(ID, "known", expires=TODAY), None),
    "fails as expected": (Verdict.FAIL, KnownFailure(ID, "known", expect="completed"), None),
    "fails in another way": (Verdict.FAIL, KnownFailure(ID, "known", expect="closed"), "another"),
    "a broken SHOULD": (Verdict.WARN, None, None),
}


@pytest.mark.parametrize("name", CASES)
def test_discrepancies(name: str) -> None:
    verdict, entry, word = CASES[name]
    baseline = Baseline((entry,) if entry else ())
    found = [d.sentence for d in baseline.discrepancies([judgement(verdict)], today=TODAY)]
    if word is None:
        assert found == []
    else:
        (sentence,) = found
        assert word in sentence
        assert ID in sentence


def test_strict_counts_a_broken_should() -> None:
    assert Baseline().discrepancies([judgement(Verdict.WARN)], strict=True)


BAD_FILES = {
    "known_failures: [{id: RWS-CHAIN-012}]": "/known_failures/0",
    "known_failures: [{id: RWS-NOPE-001, reason: x}]": "RWS-NOPE-001",
    "known_failures: [{id: RWS-CHAIN-012, reason: x}, {id: RWS-CHAIN-012, reason: y}]": "twice",
    "known_failures: [{id: RWS-CHAIN-012, reason: x, expires: 2026-13-40}]": "not a date",
    "[": "not YAML",
    "[" * 5000: "nested too deep",
    "known_failures: &all [{id: RWS-CHAIN-012, reason: x}, *all]": "it has an alias",
    f"known_failures: {'9' * 5000}": "not YAML",
}


@pytest.mark.parametrize("text", BAD_FILES)
def test_bad_file_names_what_is_wrong(tmp_path: Path, text: str) -> None:
    path = tmp_path / "b.yaml"
    path.write_text(text)
    with pytest.raises(ProfileError, match=BAD_FILES[text]) as raised:
        load_baseline(path)
    assert "b.yaml" in str(raised.value)


def test_the_life_of_a_baseline(tmp_path: Path) -> None:
    """Failing, written down, accepted; then repaired, stale, pruned, green."""
    broken = ServerConfig(api_keys=(KEY,), fault="failure-evicts-nothing")
    with running_server(broken) as server:
        target = ["run", server.url, "--api-key-env", "KEY", "--report", "r.json"]
        assert rws(tmp_path, *target, KEY=KEY).returncode == ExitCode.VIOLATION
        assert rws(tmp_path, "baseline", "write", "r.json", "--output", "b.yaml").returncode == 0
        assert ID in (tmp_path / "b.yaml").read_text("utf-8")
        accepted = rws(tmp_path, *target, "--baseline", "b.yaml", KEY=KEY)
        assert accepted.returncode == ExitCode.OK, accepted.stdout
        assert f"known and waived: {ID}, TODO" in accepted.stdout
    with running_server(ServerConfig(api_keys=(KEY,))) as server:
        target = ["run", server.url, "--api-key-env", "KEY", "--report", "r.json"]
        stale = rws(tmp_path, *target, "--baseline", "b.yaml", KEY=KEY)
        assert stale.returncode == ExitCode.VIOLATION
        assert f"{ID} passes" in stale.stdout
        pruned = rws(tmp_path, "baseline", "prune", "b.yaml", "r.json")
        assert pruned.stdout == "1 dropped, 0 left\n"
        assert rws(tmp_path, *target, "--baseline", "b.yaml", KEY=KEY).returncode == ExitCode.OK
        assert json.loads((tmp_path / "r.json").read_text("utf-8"))["summary"]["fail"] == 0


def test_pytest_front_knows_the_baseline(tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_text(f"known_failures: [{{id: {ID}, reason: known}}]")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-rx"]
    command += ["--pyargs", "responses_ws_conformance.suite", "-k", ID, "--rws-baseline=b.yaml"]

    def run(fault: str | None) -> subprocess.CompletedProcess[str]:
        with running_server(ServerConfig(fault=fault)) as server:
            return subprocess.run(
                [*command, f"--rws-target={server.url}"],
                cwd=tmp_path,
                capture_output=True,
                text=True,
                check=False,
            )

    known = run("failure-evicts-nothing")
    assert known.returncode == 0, known.stdout
    assert "1 xfailed" in known.stdout
    stale = run(None)
    assert stale.returncode == 1
    assert f"{ID} passes" in stale.stdout
