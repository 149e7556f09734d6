"""``rws replay``: a recorded conversation once more, and what has become of its violations."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from responses_ws_conformance.cli.options import Commands, add_target, profile_of
from responses_ws_conformance.driver import Unreachable
from responses_ws_conformance.errors import CannotStart
from responses_ws_conformance.escaping import safe
from responses_ws_conformance.reports.report import ExitCode
from responses_ws_conformance.reproduction.outcomes import Outcome, Result, compare
from responses_ws_conformance.reproduction.replays import replay
from responses_ws_conformance.transcript.files import load

CODES: Final = {
    Outcome.FIXED: ExitCode.OK,
    Outcome.FAILED: ExitCode.VIOLATION,
    Outcome.OTHER: ExitCode.OTHER,
}
LIMIT: Final = 400  # characters


def add(commands: Commands) -> None:
    """The parser."""
    command = commands.add(
        "replay",
        replay_command,
        about="hold a recorded conversation again: is what it violates fixed?",
    )
    command.add_argument("file", type=Path, metavar="FILE", help="a transcript")
    command.add_argument("--to", metavar="URL", help="the target, if no profile names it")
    add_target(command)
    command.add_argument("--output", type=Path, metavar="FILE", help="keep the new transcript")


def replay_command(options: argparse.Namespace) -> int:
    """``rws replay``."""
    if options.to is None and options.profile is None:
        raise CannotStart("no target: name it with --to URL, or in a --profile FILE")
    recorded = load(options.file)
    profile = profile_of(options, options.to)
    if options.output is not None:
        options.output.parent.mkdir(parents=True, exist_ok=True)
    try:
        repeated = replay(recorded, profile, path=options.output)
    except Unreachable as problem:
        raise CannotStart(str(problem)) from None
    result = compare(recorded, repeated.transcript, departed=repeated.departed)
    for line in told(result):
        print(line)
    for what in repeated.left_out:
        print(safe(f"not repeated: {what}"))
    return CODES[result.outcome]


def told(result: Result) -> Iterator[str]:
    """The outcome, why, and the violations of now."""
    yield result.outcome.value
    for sentence in result.why:
        yield f"  {safe(sentence, limit=LIMIT)}"
    for judgement in result.red:
        yield ""
        yield f"{judgement.verdict.value.upper()}  {judgement.requirement.id}"
        yield f"  {judgement.requirement.text}"
        finding = judgement.findings[0].finding
        where = f" at {finding.path}" if finding.path else ""
        yield f"  expected: {safe(finding.expected, limit=LIMIT)}"
        yield f"  seen:     {safe(finding.actual + where, limit=LIMIT)}"
        yield f"  in:       entry {finding.at}"
