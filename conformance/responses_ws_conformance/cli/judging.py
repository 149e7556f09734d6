"""``rws judge``: verdicts about saved transcripts, without a network."""

from __future__ import annotations

import argparse
import shlex
from dataclasses import replace
from pathlib import Path

from responses_ws_conformance.cli.options import Commands, add_reporting, baseline_of
from responses_ws_conformance.cli.outcome import finish
from responses_ws_conformance.errors import CannotStart
from responses_ws_conformance.profile import DIALECTS
from responses_ws_conformance.reports.report import Report
from responses_ws_conformance.transcript.files import files_in, load


def add(commands: Commands) -> None:
    """The parser."""
    judge = commands.add("judge", judge_command, about="judge saved transcripts, without a network")
    judge.add_argument(
        "files", nargs="+", type=Path, metavar="FILE", help="a transcript, or a folder"
    )
    judge.add_argument("--role", choices=("server", "client"), default="server")
    judge.add_argument("--dialect", choices=DIALECTS, help="instead of the recorded one")
    add_reporting(judge)


def judge_command(options: argparse.Namespace) -> int:
    """``rws judge``: what servers or clients did in saved transcripts."""
    transcripts = [load(file) for path in options.files for file in files_in(path)]
    if not transcripts:
        raise CannotStart(f"{options.files[0]}: no transcripts (*.jsonl) in this folder")
    if options.dialect is not None:
        for transcript in transcripts:
            transcript.header = replace(transcript.header, dialect=options.dialect)
    report = Report.of_transcripts(transcripts, role=options.role)
    if options.role == "client":
        command = shlex.join(_command(options))
        report = replace(report, selected=None, command=command, again=command)
    return finish(report, transcripts, options, baseline_of(options))


def _command(options: argparse.Namespace) -> list[str]:
    """The command line that judges the clients of these files by the same requirements again."""
    words = ["rws", "judge", "--role", "client"]
    for name in ("dialect", "extension"):
        if getattr(options, name) is not None:
            words += [f"--{name}", str(getattr(options, name))]
    return [*words, *map(str, options.files)]
