"""Shows and writes what was judged, and turns it into an exit code."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from responses_ws_conformance.catalogue import catalogue
from responses_ws_conformance.cli.complaints import complain
from responses_ws_conformance.reports import FORMATS
from responses_ws_conformance.reports.baseline import Baseline
from responses_ws_conformance.reports.report import Report
from responses_ws_conformance.reports.terminal import details, summary, warnings
from responses_ws_conformance.reports.writing import write
from responses_ws_conformance.transcript import Transcript


def finish(
    report: Report,
    transcripts: Sequence[Transcript],
    options: argparse.Namespace,
    baseline: Baseline,
) -> int:
    """Show and write a report; the exit code."""
    report = replace(report, baseline=baseline, strict=options.strict)
    if options.report is not None:
        report.write(options.report)
    write_formats(report.as_json(), transcripts, options)
    if report.has_judged or report.stopped is None:
        for line in (*warnings(report), *details(report), "", *summary(report)):
            print(line)
    if report.stopped is not None:
        complain(report.stopped)
    if report.selected is not None:
        left_out = len(catalogue().of_role("server")) - len(report.judgements)
        print(f"\nnot selected: {left_out} requirements")
    if options.baseline is not None:
        for discrepancy in report.discrepancies():
            print(f"baseline: {discrepancy.sentence}")
    return report.exit_code(allow_untestable=options.allow_untestable)


def write_formats(
    report: dict[str, Any], transcripts: Sequence[Transcript], options: argparse.Namespace
) -> None:
    for name, render in FORMATS.items():
        path: Path | None = getattr(options, name)
        if path is not None:
            write(path, render(report, transcripts))


def write_or_show(path: Path | None, text: str) -> None:
    """Write a file; where none is named the text goes to standard output."""
    if path is None:
        print(text, end="")
    else:
        write(path, text)
