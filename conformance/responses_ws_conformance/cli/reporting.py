"""``rws report``: other forms of a saved report."""

from __future__ import annotations

import argparse
from pathlib import Path

from responses_ws_conformance.cli.options import OUTPUT, Commands, add_formats, saved_report
from responses_ws_conformance.cli.outcome import write_formats
from responses_ws_conformance.report import ExitCode
from responses_ws_conformance.transcript import load


def add(commands: Commands) -> None:
    """The parser."""
    saved = commands.add(
        "report", report_command, about="make other forms of a saved report (JSON)"
    )
    saved.add_argument("report", type=Path, metavar="REPORT")
    saved.add_argument("--transcripts", type=Path, metavar="DIR", help="default: where it says")
    add_formats(saved)


def report_command(options: argparse.Namespace) -> int:
    """``rws report``: a saved report in other forms, with the transcripts that it names."""
    report = saved_report(options.report)
    folders = {options.transcripts}
    if options.transcripts is None:
        names = {f["transcript"] for row in report["requirements"] for f in row["findings"]}
        folders = {Path(name).parent for name in names if name} | {OUTPUT / "transcripts"}
    paths = sorted(path for folder in folders for path in folder.glob("*.jsonl"))
    write_formats(report, [load(path) for path in paths], options)
    return ExitCode.OK
