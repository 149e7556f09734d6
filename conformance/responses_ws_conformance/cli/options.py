"""Options that several commands share, and the files that they name."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from responses_ws_schemas import explain

from responses_ws_conformance.errors import CannotStart
from responses_ws_conformance.profile import Profile
from responses_ws_conformance.profile.loading import load_profile
from responses_ws_conformance.reports import FORMATS
from responses_ws_conformance.reports.baseline import NO_BASELINE, Baseline, load_baseline
from responses_ws_conformance.transcript.times import seconds

OUTPUT: Final = Path("rws-report")
WRITES_REPORTS: Final = "rws run --report FILE writes one"


@dataclass(frozen=True, slots=True)
class Commands:
    """The subcommands of a parser; every one of them takes ``--extension``."""

    parsers: argparse._SubParsersAction[argparse.ArgumentParser]

    def add(
        self, name: str, command: Callable[[argparse.Namespace], int], *, about: str
    ) -> argparse.ArgumentParser:
        """One subcommand, which is run by ``command``."""
        added = self.parsers.add_parser(name, help=about, description=_sentence(about))
        added.set_defaults(command=command, parser=added)
        added.add_argument(
            "--extension", type=Path, metavar="FILE", help="Python file with checks of your own"
        )
        return added

    def group(self, name: str, *, about: str) -> Commands:
        """Subcommands of a subcommand."""
        group = self.parsers.add_parser(name, help=about, description=_sentence(about))
        return Commands(group.add_subparsers(required=True, metavar="ACTION"))


def _sentence(about: str) -> str:
    return f"{about[0].upper()}{about[1:]}{'' if about.endswith('?') else '.'}"


def add_reporting(command: argparse.ArgumentParser) -> None:
    """What is written about verdicts, and which of them are fatal."""
    command.add_argument("--report", type=Path, metavar="FILE", help="write the report as JSON")
    add_formats(command)
    command.add_argument("--baseline", type=Path, metavar="FILE", help="known failures (YAML)")
    command.add_argument("--strict", action="store_true", help="a broken SHOULD fails the run")
    command.add_argument(
        "--allow-untestable", action="store_true", help="exit 0 though not all could be judged"
    )


def add_formats(command: argparse.ArgumentParser) -> None:
    """The other forms of a report."""
    for name in FORMATS:
        command.add_argument(f"--{name}", type=Path, metavar="FILE", help=f"write it as {name}")


def add_target(command: argparse.ArgumentParser) -> None:
    """How to talk to a target, apart from its URL."""
    command.add_argument("--profile", type=Path, metavar="FILE", help="profile file (YAML)")
    command.add_argument("--model", metavar="NAME", help="the model that every create names")
    command.add_argument("--api-key-env", metavar="VARIABLE", help="variable with the API key")


def profile_of(options: argparse.Namespace, url: str | None, **others: Any) -> Profile:
    """The profile of a target that ``add_target`` has asked about."""
    return load_profile(
        options.profile,
        url=url,
        model=options.model,
        api_key_env=options.api_key_env,
        **others,
    )


def baseline_of(options: argparse.Namespace) -> Baseline:
    """The known failures that a command line names."""
    return load_baseline(options.baseline) if options.baseline is not None else NO_BASELINE


def saved_report(path: Path) -> dict[str, Any]:
    """The JSON of a report; raises CannotStart where the file is none."""
    try:
        report: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except OSError as problem:
        raise CannotStart(f"{path}: {problem.strerror}") from None
    except (ValueError, RecursionError) as problem:
        raise CannotStart(f"{path}: not a report: {problem} ({WRITES_REPORTS})") from None
    for pointer, message in explain("files/report", report)[:1]:
        where = f"{pointer or '/'}: {message}"
        raise CannotStart(f"{path}: not a report: {where} ({WRITES_REPORTS})")
    try:
        if report["started_at"]:
            seconds(report["started_at"])
    except ValueError as problem:
        raise CannotStart(f"{path}: {problem}") from None
    return report
