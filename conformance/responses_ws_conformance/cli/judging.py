"""``rws judge``: verdicts about saved transcripts, without a network."""

from __future__ import annotations

import argparse
import shlex
from dataclasses import replace
from pathlib import Path

from responses_ws_conformance.cli.options import Commands, add_reporting, baseline_of
from responses_ws_conformance.cli.outcome import finish
from responses_ws_conformance.profile import DIALECTS
from responses_ws_conformance.report import Report
from responses_ws_conformance.transcript_files import load


def add(commands: Commands) -> None:
    """The parser."""
    judge = commands.add("judge", judge_command, about="judge saved transcripts, without a network")
    judge.add_argument("files", nargs="+", type=Path, metavar="FILE")
    judge.add_argument("--role", choices=("server", "client"), default="server")
    judge.add_argument("--dialect", choices=DIALECTS, help="instead of the recorded one")
    add_reporting(judge)


def judge_command(options: argparse.Namespace) -> int:
    """``rws judge``: what servers or clients did in saved transcripts."""
    transcripts = [load(path) for path in options.files]
    if options.dialect is not None:
        for transcript in transcripts:
            transcript.header = replace(transcript.header, dialect=options.dialect)
    report = Report.of_transcripts(transcripts, role=options.role)
    if options.role == "client":
        again = shlex.join(["rws", "judge", "--role", "client", *map(str, options.files)])
        report = replace(report, selected=None, again=again)
    return finish(report, transcripts, options, baseline_of(options))
