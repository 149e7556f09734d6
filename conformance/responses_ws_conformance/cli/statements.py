"""``rws statement``: verifies a statement, and makes a badge of it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from responses_ws_schemas import explain

from responses_ws_conformance.cli.complaints import complain
from responses_ws_conformance.cli.options import OUTPUT, Commands
from responses_ws_conformance.cli.outcome import write_or_show
from responses_ws_conformance.errors import CannotStart
from responses_ws_conformance.escaping import safe
from responses_ws_conformance.reports.badge import badge, said
from responses_ws_conformance.reports.report import ExitCode
from responses_ws_conformance.reports.verification import disagreements, other_suite
from responses_ws_conformance.transcript.files import load
from responses_ws_conformance.transcript.times import seconds
from responses_ws_conformance.yaml_files import read_yaml

TRANSCRIPTS = "transcripts"


def add(commands: Commands) -> None:
    """The parsers of its actions."""
    actions = commands.group("statement", about="verify a statement, or make a badge of it")
    verify = actions.add("verify", verify_command, about="judge again what a statement says")
    verify.add_argument("file", type=Path, metavar="FILE")
    verify.add_argument(
        "--transcripts",
        type=Path,
        metavar="DIR",
        help="default: transcripts beside the file, then those of rws run",
    )
    draw = actions.add("badge", badge_command, about="make a badge (SVG) of a statement")
    draw.add_argument("file", type=Path, metavar="FILE")
    draw.add_argument("--output", type=Path, metavar="FILE", help="default: standard output")


def verify_command(options: argparse.Namespace) -> int:
    """``rws statement verify``: 0 where all is as it says, 1 where not, 4 where nobody can tell."""
    statement = saved_statement(options.file)
    folder = options.transcripts or _beside(options.file)
    transcripts = [load(path) for path in sorted(folder.glob("*.jsonl"))]
    if not transcripts:
        raise CannotStart(f"{folder}: no transcripts; --transcripts says where they are")
    found, others = list(disagreements(statement, transcripts)), list(other_suite(statement))
    for sentence in (*others, *found):
        print(safe(sentence, limit=400))
    if found:
        return ExitCode.VIOLATION
    if others:
        complain("not verified: the suite that made it has to do that")
        return ExitCode.INFRASTRUCTURE
    number = len(statement["requirements"])
    print(f"verified: {number} verdicts from {len(transcripts)} transcripts, {said(statement)[0]}")
    return ExitCode.OK


def badge_command(options: argparse.Namespace) -> int:
    """``rws statement badge``."""
    write_or_show(options.output, badge(saved_statement(options.file)))
    return ExitCode.OK


def saved_statement(path: Path) -> dict[str, Any]:
    """A statement; raises CannotStart where the file is none, or does not add up."""
    statement = read_yaml(path)
    problems = explain("files/statement", statement)
    if problems:
        raise CannotStart(f"{path}: not a statement: {problems[0][0] or '/'}: {problems[0][1]}")
    counted = sum(n for counts in statement["levels"].values() for n in counts.values())
    if counted != len(statement["requirements"]):
        number = len(statement["requirements"])
        raise CannotStart(f"{path}: it has {number} verdicts and counts {counted}")
    begun = statement["when"]["started_at"]
    try:
        if begun:
            seconds(begun)
    except ValueError as problem:
        raise CannotStart(f"{path}: {problem}") from None
    found: dict[str, Any] = statement
    return found


def _beside(file: Path) -> Path:
    folder = file.parent / TRANSCRIPTS
    return folder if folder.is_dir() else OUTPUT / TRANSCRIPTS
