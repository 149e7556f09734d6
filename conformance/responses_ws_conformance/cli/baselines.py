"""``rws baseline``: makes and cleans up a list of known failures."""

from __future__ import annotations

import argparse
from pathlib import Path

from responses_ws_conformance.cli.options import Commands, saved_report
from responses_ws_conformance.cli.outcome import write_or_show
from responses_ws_conformance.reports.baseline import (
    known_from_report,
    load_baseline,
    pruned,
    write_baseline,
)
from responses_ws_conformance.reports.report import ExitCode


def add(commands: Commands) -> None:
    """The parsers of its actions."""
    actions = commands.group("baseline", about="make or clean up a list of known failures")
    write = actions.add("write", baseline_write_command, about="make one from a report (JSON)")
    write.add_argument("report", type=Path, metavar="REPORT")
    write.add_argument("--output", type=Path, metavar="FILE", help="default: standard output")
    prune = actions.add(
        "prune", baseline_prune_command, about="drop the entries that pass in a report (JSON)"
    )
    prune.add_argument("baseline", type=Path, metavar="FILE")
    prune.add_argument("report", type=Path, metavar="REPORT")


def baseline_write_command(options: argparse.Namespace) -> int:
    """``rws baseline write``."""
    text = write_baseline(known_from_report(saved_report(options.report)))
    write_or_show(options.output, text)
    return ExitCode.OK


def baseline_prune_command(options: argparse.Namespace) -> int:
    """``rws baseline prune``."""
    before = load_baseline(options.baseline)
    after = pruned(before, saved_report(options.report))
    options.baseline.write_text(write_baseline(after), "utf-8")
    print(f"{len(before.entries) - len(after)} dropped, {len(after)} left")
    return ExitCode.OK
