"""``rws list`` and ``rws explain``: what the catalogue says."""

from __future__ import annotations

import argparse
import json

from responses_ws_conformance.catalogue import catalogue
from responses_ws_conformance.cli.listing import entry, explanation, row
from responses_ws_conformance.cli.options import Commands
from responses_ws_conformance.errors import CannotStart
from responses_ws_conformance.reports.report import ExitCode


def add(commands: Commands) -> None:
    """The parsers of both."""
    listing = commands.add("list", list_command, about="show every requirement")
    listing.add_argument("--json", action="store_true", help="as JSON")
    explaining = commands.add("explain", explain_command, about="show one requirement in full")
    explaining.add_argument("id", metavar="ID")


def list_command(options: argparse.Namespace) -> int:
    """``rws list``."""
    rows = [row(r) for r in catalogue().requirements.values()]
    if options.json:
        print(json.dumps({"spec_version": catalogue().spec_version, "requirements": rows}))
        return ExitCode.OK
    for about in rows:
        for line in entry(about):
            print(line)
    return ExitCode.OK


def explain_command(options: argparse.Namespace) -> int:
    """``rws explain``."""
    requirement = catalogue().requirements.get(options.id)
    if requirement is None:
        raise CannotStart(f"no requirement is named {options.id} (rws list shows them all)")
    for line in explanation(requirement):
        print(line)
    return ExitCode.OK
