"""``rws diff``: what two targets, or two recordings of one, do differently."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from responses_ws_conformance.cli.options import Commands
from responses_ws_conformance.errors import CannotStart
from responses_ws_conformance.escaping import safe
from responses_ws_conformance.profile import DIALECTS
from responses_ws_conformance.profile.loading import load_profile
from responses_ws_conformance.reports.report import ExitCode
from responses_ws_conformance.reproduction.comparing import Difference, Places, compare
from responses_ws_conformance.runner import Run, plan
from responses_ws_conformance.transcript import Transcript
from responses_ws_conformance.transcript.files import files_in, load

LIMIT: Final = 300  # characters
SCENARIOS_SHOWN: Final = 3
SIDES: Final = ("a", "b")


def add(commands: Commands) -> None:
    """The parser."""
    command = commands.add(
        "diff", diff_command, about="compare two targets, or recordings, scenario by scenario"
    )
    for side in SIDES:
        command.add_argument(side, metavar=side.upper(), help="a transcript, a folder, or a URL")
    for side in SIDES:
        name = f"the URL {side.upper()}"
        command.add_argument(f"--profile-{side}", type=Path, metavar="FILE", help=f"of {name}")
        command.add_argument(f"--model-{side}", metavar="NAME", help=f"of {name}")
        command.add_argument(f"--api-key-env-{side}", metavar="VARIABLE", help=f"of {name}")
    command.add_argument("--dialect", choices=DIALECTS)
    command.add_argument("--only", action="append", default=[], metavar="ID")
    command.add_argument("--smoke", action="store_true", help="record the basic turns only")


def diff_command(options: argparse.Namespace) -> int:
    """``rws diff``: exit code 1 where there is a difference."""
    left, right = (_recordings(getattr(options, side), side, options) for side in SIDES)
    shared = [name for name in left if name in right]
    if not shared:
        raise CannotStart("the two have no scenario in common")
    for side, own, others in (("A", left, right), ("B", right, left)):
        for name in sorted(own.keys() - others.keys()):
            print(safe(f"only in {side}: {name}"))
    found = compare([(left[name], right[name]) for name in shared])
    for line in told(found):
        print(line)
    differences = "1 difference" if len(found) == 1 else f"{len(found)} differences"
    scenarios = "1 scenario" if len(shared) == 1 else f"{len(shared)} scenarios"
    print(f"{differences} in {scenarios}")
    return ExitCode.VIOLATION if found else ExitCode.OK


def told(found: Mapping[Difference, Places]) -> Iterator[str]:
    """The differences, those that touch requirements first."""
    rows = sorted(found.items(), key=lambda row: (not row[1].requirements, -row[1].count))
    for difference, places in rows:
        scenarios = [*places.scenarios][:SCENARIOS_SHOWN]
        more = len(places.scenarios) - len(scenarios)
        yield safe(difference.where, limit=LIMIT)
        yield f"  A: {safe(difference.left, limit=LIMIT)}"
        yield f"  B: {safe(difference.right, limit=LIMIT)}"
        yield safe(f"  in {', '.join(scenarios)}{f' and {more} more' if more else ''}", limit=LIMIT)
        yield f"  touches {', '.join(places.requirements) or 'no requirement'}"
        yield ""


def _recordings(name: str, side: str, options: argparse.Namespace) -> dict[str, Transcript]:
    """The last recording of each scenario, by name."""
    if "://" in name:
        return _recorded(name, side, options)
    transcripts = [load(file) for file in files_in(Path(name))]
    transcripts.sort(key=lambda transcript: transcript.header.attempt)
    return {transcript.header.scenario: transcript for transcript in transcripts}


def _recorded(url: str, side: str, options: argparse.Namespace) -> dict[str, Transcript]:
    profile = load_profile(
        getattr(options, f"profile_{side}"),
        url=url,
        model=getattr(options, f"model_{side}"),
        api_key_env=getattr(options, f"api_key_env_{side}"),
        dialect=options.dialect,
    )
    with tempfile.TemporaryDirectory(prefix="rws-diff-") as folder:
        run = Run(profile, plan(profile, only=options.only, smoke=options.smoke), Path(folder))
        run.record_all()
    if run.stopped is not None:
        raise CannotStart(run.stopped)
    return {name: tries[-1].transcript for name, tries in run.recordings.items()}
