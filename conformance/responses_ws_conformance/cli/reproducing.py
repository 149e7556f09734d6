"""``rws reproduce``: a folder for each violation of a saved run, to be seen again without it."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from responses_ws_conformance.catalogue import catalogue
from responses_ws_conformance.checks import Evidence
from responses_ws_conformance.cli.embedded import MODEL, embedded_target
from responses_ws_conformance.cli.options import (
    OUTPUT,
    Commands,
    add_target,
    profile_of,
    saved_report,
)
from responses_ws_conformance.errors import CannotStart
from responses_ws_conformance.profile import Profile, Timing
from responses_ws_conformance.reports.report import ExitCode
from responses_ws_conformance.reproduction.confirming import reproduce
from responses_ws_conformance.reproduction.folders import write
from responses_ws_conformance.transcript import Opened, Requested, Transcript
from responses_ws_conformance.transcript.files import load
from responses_ws_conformance.verdict import VIOLATED, Judgement
from responses_ws_conformance.verdict.judging import judge_recordings

LONGEST: Final = 300.0  # seconds after which a target is asked no more
# A response of the reference server lasts, so that what is sent while one runs comes in time.
PACE: Final = 0.001  # seconds
# It answers at once or not at all.
LOOPBACK: Final = Timing(connect=5.0, first_event=3.0, idle=3.0, total=10.0, quiet=0.3, close=2.0)


def add(commands: Commands) -> None:
    """The parser."""
    command = commands.add(
        "reproduce",
        reproduce_command,
        about="write a folder for each violation: shortest transcript, script, requirement",
    )
    command.add_argument("report", type=Path, metavar="REPORT", help="a report (JSON)")
    command.add_argument("--only", action="append", default=[], metavar="ID")
    command.add_argument("--transcripts", type=Path, metavar="DIR", help="default: where it says")
    command.add_argument("--to", metavar="URL", help="ask this target whether it shows it again")
    add_target(command)
    folder = OUTPUT / "reproduce"
    command.add_argument("--output", type=Path, default=folder, metavar="DIR", help="for folders")


def reproduce_command(options: argparse.Namespace) -> int:
    """``rws reproduce``."""
    rows = [row for row in saved_report(options.report)["requirements"] if row["findings"]]
    missing = set(options.only) - {row["id"] for row in rows}
    if missing:
        raise CannotStart(f"{options.report}: no violation of {min(missing)}")
    wanted = [row for row in rows if not options.only or row["id"] in options.only]
    target = options.to is not None or options.profile is not None
    profile = profile_of(options, options.to) if target else None
    judgements = _judged_again(wanted, options.transcripts)
    options.output.mkdir(parents=True, exist_ok=True)
    write_folders(judgements, options.output, target=profile)
    return ExitCode.OK


def write_folders(judgements: Sequence[Judgement], parent: Path, *, target: Profile | None) -> None:
    """Write the folder of each violation, and say where it is.

    A target that does not answer makes each question long, so after a while it is asked no more.
    """
    violations = [j for j in judgements if j.verdict in VIOLATED]
    if not violations:
        print("no violation to reproduce")
        return
    started = time.monotonic()
    for (http, auth), same in groupby(sorted(violations, key=_needs), _needs):
        rows = list(same)
        model = rows[0].findings[0].transcript.header.model
        # Of what is too large a server on an ASGI stack is rid before its client has read why.
        with embedded_target(model or MODEL, pace=PACE, http=http, auth=auth) as reference:
            right = replace(reference, timing=LOOPBACK)
            for judgement in rows:
                asked = target if time.monotonic() - started < LONGEST else None
                found = reproduce(judgement, reference=right, target=asked)
                print(f"{write(found, parent)}: {found.confirmation.value}")


def _needs(judgement: Judgement) -> tuple[bool, bool]:
    """Whether what was recorded goes over HTTP too, and whether it has a key to show."""
    transcripts = [found.transcript for found in judgement.findings]
    entries = [entry for each in transcripts for entry in each.entries]
    has_key = any(isinstance(e, Opened) and e.request_header("Authorization") for e in entries)
    is_claimed = any("auth" in each.header.features for each in transcripts)
    return any(isinstance(e, Requested) for e in entries), has_key or is_claimed


def _judged_again(rows: Sequence[dict[str, Any]], folder: Path | None) -> list[Judgement]:
    """The judgements of a report, made again from the transcripts that it names."""
    known, loaded = catalogue().requirements, dict[str, Transcript]()
    judgements: list[Judgement] = []
    for row in rows:
        names = dict.fromkeys(f["transcript"] for f in row["findings"] if f["transcript"])
        for name in names:
            path = Path(name) if folder is None else folder / Path(name).name
            if not path.is_file():
                raise CannotStart(f"{path}: not there; --transcripts says where transcripts are")
            loaded.setdefault(name, load(path))
        if not names or row["id"] not in known:
            raise CannotStart(f"{row['id']}: its transcript was not kept, or nobody knows it")
        if known[row["id"]].role == "client":
            raise CannotStart(f"{row['id']} is about clients: no target can show it again")
        evidence = [Evidence.of(loaded[name]) for name in names]
        judged = judge_recordings(evidence, [known[row["id"]]])
        if not any(judgement.verdict in VIOLATED for judgement in judged):
            raise CannotStart(
                f"{row['id']}: its transcripts do not show it: they are another run's "
                "(--transcripts says where transcripts are), or another suite made the report"
            )
        judgements += judged
    return judgements
