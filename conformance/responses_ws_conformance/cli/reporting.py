"""``rws report``: other forms of a saved report."""

from __future__ import annotations

import argparse
from pathlib import Path

from responses_ws_conformance.cli.options import Commands, add_formats, saved_report
from responses_ws_conformance.cli.outcome import write_formats
from responses_ws_conformance.errors import CannotStart
from responses_ws_conformance.report import ExitCode
from responses_ws_conformance.reports import FORMATS
from responses_ws_conformance.transcript_files import load


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
    if all(getattr(options, name) is None for name in FORMATS):
        forms = ", ".join(f"--{name}" for name in FORMATS)
        raise CannotStart(f"nothing to write: name a file with one of {forms}")
    report = saved_report(options.report)
    paths = [Path(name) for name in report["transcripts"]]
    if options.transcripts is not None:
        paths = [options.transcripts / path.name for path in paths]
    missing = [path for path in paths if not path.is_file()]
    if missing and options.statement is not None:
        raise CannotStart(
            f"{missing[0]}: not there, and a statement names every transcript; "
            "--transcripts says where they are"
        )
    write_formats(report, [load(path) for path in paths if path not in missing], options)
    return ExitCode.OK
