"""``rws run``: records and judges a target."""

from __future__ import annotations

import argparse
import shlex
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

from responses_ws_conformance.cli.embedded import embedded_target
from responses_ws_conformance.cli.options import (
    OUTPUT,
    Commands,
    add_reporting,
    add_target,
    baseline_of,
    profile_of,
)
from responses_ws_conformance.cli.outcome import finish
from responses_ws_conformance.cli.reproducing import write_folders
from responses_ws_conformance.errors import CannotStart
from responses_ws_conformance.option_values import positive, version
from responses_ws_conformance.profile import DIALECTS, Profile
from responses_ws_conformance.reports import FORMATS
from responses_ws_conformance.reports.baseline import Baseline
from responses_ws_conformance.reports.report import ExitCode, Report
from responses_ws_conformance.reports.writing import find_room
from responses_ws_conformance.runner import INTERRUPTED, Plan, Run, make_room, plan
from responses_ws_conformance.scenarios import Scenario
from responses_ws_conformance.transcript import Transcript
from responses_ws_conformance.transcript.masking import Masker


def add(commands: Commands) -> None:
    """The parser."""
    run = commands.add("run", run_command, about="record and judge a target")
    run.add_argument("url", nargs="?", help="wss://host/v1/responses (none: the reference server)")
    add_target(run)
    run.add_argument("--dialect", choices=DIALECTS)
    run.add_argument(
        "--spec-version", type=version, metavar="X.Y", help="judge what that version demands"
    )
    run.add_argument("--only", action="append", default=[], metavar="ID", help="judge only this")
    run.add_argument("--smoke", action="store_true", help="one turn, continuation and tool call")
    run.add_argument("--plan", action="store_true", help="only show what would be recorded")
    run.add_argument("--max-turns", type=positive, metavar="N", help="send no more creates")
    run.add_argument("--jobs", type=positive, metavar="N", help="scenarios side by side")
    run.add_argument("--output", type=Path, default=OUTPUT, metavar="DIR", help="for transcripts")
    run.add_argument(
        "--reproduce", type=Path, metavar="DIR", help="write a folder for each violation"
    )
    add_reporting(run)


def run_command(options: argparse.Namespace) -> int:
    """``rws run``."""
    if options.url is None and options.profile is None:
        if options.model is not None or options.api_key_env is not None:
            raise CannotStart("--model and --api-key-env are about a server: give its URL")
        target: Any = embedded_target()
    else:
        target = nullcontext(
            profile_of(
                options,
                options.url,
                dialect=options.dialect,
                jobs=options.jobs,
                spec_version=options.spec_version,
            )
        )
    baseline = baseline_of(options)
    with target as profile:
        dialect, jobs = options.dialect or profile.dialect, options.jobs or profile.jobs
        pinned = options.spec_version or profile.spec_version
        profile = replace(profile, dialect=dialect, jobs=jobs, spec_version=pinned)
        limits = {"only": options.only, "smoke": options.smoke, "max_turns": options.max_turns}
        todo = plan(profile, **limits)
        return _show(profile, todo) if options.plan else _run(profile, todo, options, baseline)


def _show(profile: Profile, todo: Plan) -> int:
    for line in todo.lines():
        print(line)
    print(f"\n{_cost(profile, todo)}")
    print("nothing was sent")
    return ExitCode.OK


def _cost(profile: Profile, todo: Plan) -> str:
    dropped = f", {len(todo.dropped)} more dropped by --max-turns" if todo.dropped else ""
    number = len(todo.scenarios)
    return f"{profile.target}: {number} scenarios, {todo.turns} turns and retries{dropped}"


def _run(profile: Profile, todo: Plan, options: argparse.Namespace, baseline: Baseline) -> int:
    folder = options.output / "transcripts"
    make_room(folder)
    if options.reproduce is not None:
        options.reproduce.mkdir(parents=True, exist_ok=True)
    for file in (options.report, *(getattr(options, name) for name in FORMATS)):
        if file is not None:
            find_room(file)
    total = len(todo.scenarios)
    recorded: list[Scenario] = []

    def progress(scenario: Scenario, transcript: Transcript) -> None:
        recorded.append(scenario)
        print(f"  [{len(recorded):>2}/{total}] {scenario.name}", flush=True)

    run = Run(profile, todo, folder, on_recorded=progress)
    print(_cost(profile, todo), flush=True)
    interrupted = False
    try:
        run.record_all()
    except KeyboardInterrupt:
        interrupted = True
        run.stopped = run.stopped or INTERRUPTED
    mask, command = Masker(profile.secrets), _command(options)
    report = Report.of_run(
        run,
        run.judgements(),
        command=mask(shlex.join([*command, *_limits(options)])),
        again=mask(f"{shlex.join(command)} --only {{id}}"),
    )
    transcripts = [e.transcript for e in run.evidence]
    code = finish(report, transcripts, options, baseline)
    print(f"\n{report.turns} turns in {report.duration:.1f} s, transcripts in {folder}")
    if options.reproduce is not None and run.stopped is None:
        target = profile if options.max_turns is None else None  # to ask again costs turns
        write_folders(report.judgements, options.reproduce, target=target)
    return ExitCode.INTERRUPTED if interrupted else code


def _command(options: argparse.Namespace) -> list[str]:
    """The command line of this run, but for what it was limited to."""
    words = ["rws", "run"]
    if options.url is not None:
        words.append(options.url)
    for name in ("profile", "model", "api_key_env", "dialect", "spec_version", "extension"):
        value = getattr(options, name)
        if value is not None:
            words += [f"--{name.replace('_', '-')}", str(value)]
    return words


def _limits(options: argparse.Namespace) -> list[str]:
    words = [word for name in options.only for word in ("--only", name)]
    if options.smoke:
        words.append("--smoke")
    if options.max_turns is not None:
        words += ["--max-turns", str(options.max_turns)]
    return words
