"""What the guides show works: the blocks that a reader saves in a file are used as they are."""

from __future__ import annotations

import re
from pathlib import Path

from responses_ws_conformance.reports.report import ExitCode

from tests.commands import rws
from tests.conftest import ROOT

GUIDES = ROOT / "spec" / "guides"


def block(guide: str, language: str) -> str:
    """The one block of a language in a guide."""
    text = (GUIDES / f"{guide}.md").read_text("utf-8")
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    return str(found)


def test_a_recording_of_a_client_is_judged(tmp_path: Path) -> None:
    (tmp_path / "conversation.jsonl").write_text(block("test-a-client", "text"), "utf-8")
    done = rws(tmp_path, "judge", "--role", "client", "conversation.jsonl")
    assert done.returncode == ExitCode.OK, done.stdout + done.stderr
    counts = next(line for line in done.stdout.splitlines() if line.startswith("all "))
    assert int(counts.split()[1]) >= 1


def test_requirements_of_a_vendor_are_judged(tmp_path: Path) -> None:
    (tmp_path / "acme.py").write_text(block("run-the-suite", "python"), "utf-8")
    done = rws(tmp_path, "run", "--extension", "acme.py", "--only", "ACME-TIER-001")
    assert done.returncode == ExitCode.OK, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1].startswith("1 turns")
