"""``rws report``: other forms of a saved report."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from responses_ws_conformance.cli.complaints import complain
from responses_ws_conformance.cli.options import Commands, add_formats, saved_report
from responses_ws_conformance.cli.outcome import write_formats
from responses_ws_conformance.errors import CannotStart
from responses_ws_conformance.reports import FORMATS
from responses_ws_conformance.reports.report import ExitCode
from responses_ws_conformance.transcript import Transcript
from responses_ws_conformance.transcript.files import load
from responses_ws_conformance.transcript.times import is_within


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
    own = [transcript for path in paths if (transcript := _of_the_run(path, report)) is not None]
    if len(own) < len(paths):
        lost = next(path for path in paths if path not in {each.path for each in own})
        said = f"{lost}: not there, or another run's; --transcripts says where they are"
        if options.statement is not None:
            raise CannotStart(f"{said}, and a statement names every transcript")
        complain(f"{said}; {len(own)} of {len(paths)} are shown")
    write_formats(report, own, options)
    return ExitCode.OK


def _of_the_run(path: Path, report: dict[str, Any]) -> Transcript | None:
    """A transcript; None where it is gone, or a later run has taken its place."""
    if not path.is_file():
        return None
    transcript = load(path)
    begun, duration = report["started_at"], report["duration_s"]
    return transcript if is_within(transcript.header.started_at, begun, duration) else None
