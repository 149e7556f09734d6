"""The command ``rws``: run, list, explain, judge."""

from __future__ import annotations

import argparse
import io
import json
import os
import runpy
import shlex
import sys
import traceback
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

from responses_ws_schemas import explain

from responses_ws_conformance import __version__
from responses_ws_conformance.baseline import (
    NO_BASELINE,
    Baseline,
    known_from_report,
    load_baseline,
    pruned,
    write_baseline,
)
from responses_ws_conformance.embedded import embedded_target
from responses_ws_conformance.errors import CannotStart, ConformanceError, TranscriptError
from responses_ws_conformance.listing import entry, explanation, row
from responses_ws_conformance.masking import Masker
from responses_ws_conformance.profile import Profile, load_profile
from responses_ws_conformance.report import ExitCode, Report
from responses_ws_conformance.reports import FORMATS
from responses_ws_conformance.requirements import catalogue
from responses_ws_conformance.runner import INTERRUPTED, Run, judge_transcripts, make_room, plan
from responses_ws_conformance.scenarios import Scenario
from responses_ws_conformance.terminal import details, safe, summary, warnings
from responses_ws_conformance.transcript import ESCAPING, Transcript, load

OUTPUT = Path("rws-report")
COMPLAINT = 1000  # characters


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code."""
    options = parser().parse_args(argv)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal that knows no arrows gets escapes
            stream.reconfigure(errors="backslashreplace")
    try:
        if options.extension is not None:
            _extend(options.extension)
        return int(options.command(options))
    except (CannotStart, TranscriptError) as problem:
        _complain(str(problem))
        return ExitCode.INFRASTRUCTURE
    except ConformanceError as problem:
        _complain(f"the suite broke: {problem}")
        return ExitCode.SUITE_BROKE
    except BrokenPipeError:  # the reader of our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.INTERRUPTED
    except OSError as problem:
        _complain(f"{problem.filename or 'output'}: {problem.strerror}")
        return ExitCode.INFRASTRUCTURE
    except KeyboardInterrupt:
        _complain("interrupted")
        return ExitCode.INTERRUPTED
    except Exception as problem:  # an exit code of 1 would be a verdict
        traceback.print_exc()
        _complain(f"the suite broke, please report it: {problem}")
        return ExitCode.SUITE_BROKE


def _complain(problem: str) -> None:
    """Say in one line what is wrong; it can hold what a target or a file says."""
    print(f"rws: {safe(problem, limit=COMPLAINT)}", file=sys.stderr)


def parser() -> argparse.ArgumentParser:
    """The options of every subcommand."""
    top = argparse.ArgumentParser(
        prog="rws", description="Checks servers of the Responses API over WebSocket."
    )
    top.add_argument("--version", action="version", version=f"rws {__version__}")
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    run = commands.add_parser("run", help="record and judge a target")
    run.set_defaults(command=run_command)
    run.add_argument("url", nargs="?", help="wss://host/v1/responses (none: the reference server)")
    run.add_argument("--profile", type=Path, metavar="FILE", help="profile file (YAML)")
    run.add_argument("--model", metavar="NAME", help="the model that every create names")
    run.add_argument("--api-key-env", metavar="VARIABLE", help="variable with the API key")
    run.add_argument("--dialect", choices=("open-responses", "openai"))
    run.add_argument("--only", action="append", default=[], metavar="ID", help="judge only this")
    run.add_argument("--smoke", action="store_true", help="one turn, continuation and tool call")
    run.add_argument("--output", type=Path, default=OUTPUT, metavar="DIR", help="for transcripts")
    _reporting(run)

    listing = commands.add_parser("list", help="show every requirement")
    listing.set_defaults(command=list_command)
    listing.add_argument("--json", action="store_true", help="as JSON")

    explaining = commands.add_parser("explain", help="show one requirement in full")
    explaining.set_defaults(command=explain_command)
    explaining.add_argument("id", metavar="ID")

    judge = commands.add_parser("judge", help="judge saved transcripts, without a network")
    judge.set_defaults(command=judge_command)
    judge.add_argument("files", nargs="+", type=Path, metavar="FILE")
    judge.add_argument("--role", choices=("server", "client"), default="server")
    judge.add_argument(
        "--dialect", choices=("open-responses", "openai"), help="instead of the recorded one"
    )
    _reporting(judge)

    saved = commands.add_parser("report", help="make other forms of a saved report (JSON)")
    saved.set_defaults(command=report_command)
    saved.add_argument("report", type=Path, metavar="REPORT")
    _formats(saved)

    baseline = commands.add_parser("baseline", help="make or clean up a list of known failures")
    actions = baseline.add_subparsers(required=True, metavar="ACTION")
    write = actions.add_parser("write", help="make one from a report (JSON)")
    write.set_defaults(command=baseline_write_command)
    write.add_argument("report", type=Path, metavar="REPORT")
    write.add_argument("--output", type=Path, metavar="FILE", help="default: standard output")
    prune = actions.add_parser("prune", help="drop the entries that pass in a report (JSON)")
    prune.set_defaults(command=baseline_prune_command)
    prune.add_argument("baseline", type=Path, metavar="FILE")
    prune.add_argument("report", type=Path, metavar="REPORT")
    for command in (run, listing, explaining, judge, saved, write, prune):
        command.add_argument(
            "--extension", type=Path, metavar="FILE", help="Python file with checks of your own"
        )
    return top


def _reporting(command: argparse.ArgumentParser) -> None:
    command.add_argument("--report", type=Path, metavar="FILE", help="write the report as JSON")
    _formats(command)
    command.add_argument("--baseline", type=Path, metavar="FILE", help="known failures (YAML)")
    command.add_argument("--strict", action="store_true", help="a broken SHOULD fails the run")
    command.add_argument(
        "--allow-untestable", action="store_true", help="exit 0 though not all could be judged"
    )


def _formats(command: argparse.ArgumentParser) -> None:
    for name in FORMATS:
        command.add_argument(f"--{name}", type=Path, metavar="FILE", help=f"write it as {name}")


def _extend(path: Path) -> None:
    """Run a vendor's file, which registers requirements, scenarios and checks."""
    if not path.is_file():
        raise CannotStart(f"no such extension file: {path}")
    runpy.run_path(str(path))


def run_command(options: argparse.Namespace) -> int:
    """``rws run``."""
    if options.url is None and options.profile is None:
        if options.model is not None or options.api_key_env is not None:
            raise CannotStart("--model and --api-key-env are about a server: give its URL")
        target: Any = embedded_target()
    else:
        target = nullcontext(
            load_profile(
                options.profile,
                url=options.url,
                model=options.model,
                api_key_env=options.api_key_env,
                dialect=options.dialect,
            )
        )
    with target as profile:
        return _run(replace(profile, dialect=options.dialect or profile.dialect), options)


def _run(profile: Profile, options: argparse.Namespace) -> int:
    todo = plan(profile, only=options.only, smoke=options.smoke)
    baseline = _baseline(options)
    folder = options.output / "transcripts"
    make_room(folder)
    for file in (options.report, *(getattr(options, name) for name in FORMATS)):
        if file is not None:
            _find_room(file)
    total = len(todo.scenarios)
    recorded: list[Scenario] = []

    def progress(scenario: Scenario, transcript: Transcript) -> None:
        recorded.append(scenario)
        print(f"  [{len(recorded):>2}/{total}] {scenario.name}", flush=True)

    run = Run(profile, todo, folder, on_recorded=progress)
    print(f"{profile.target}: {total} scenarios, {todo.turns} turns at most", flush=True)
    interrupted = False
    try:
        run.record_all()
    except KeyboardInterrupt:
        interrupted = True
        run.stopped = run.stopped or INTERRUPTED
    report = Report.of_run(run, run.judgements(), again=Masker(profile.secrets)(_again(options)))
    transcripts = [e.transcript for tries in run.recordings.values() for e in tries]
    code = _finish(report, transcripts, options, baseline)
    print(f"\n{report.turns} turns in {report.duration:.1f} s, transcripts in {folder}")
    return ExitCode.INTERRUPTED if interrupted else code


def _find_room(file: Path) -> None:
    """Make the folder of a report before the run, which is long; raises CannotStart."""
    file.parent.mkdir(parents=True, exist_ok=True)
    if file.is_dir() or not os.access(file if file.exists() else file.parent, os.W_OK):
        raise CannotStart(f"{file}: no file can be written there")


def _again(options: argparse.Namespace) -> str:
    """The command line of this run, limited to one requirement."""
    words = ["rws", "run"]
    if options.url is not None:
        words.append(options.url)
    for name in ("profile", "model", "api_key_env", "dialect", "extension"):
        value = getattr(options, name)
        if value is not None:
            words += [f"--{name.replace('_', '-')}", str(value)]
    return f"{shlex.join(words)} --only {{id}}"


def _finish(
    report: Report,
    transcripts: Sequence[Transcript],
    options: argparse.Namespace,
    baseline: Baseline,
) -> int:
    """Show and write a report; the exit code."""
    report = replace(report, baseline=baseline)
    if options.report is not None:
        report.write(options.report)
    _write_formats(report.as_json(), transcripts, options)
    if report.has_judged or report.stopped is None:
        for line in (*warnings(report), *details(report), "", *summary(report)):
            print(line)
    if report.stopped is not None:
        _complain(report.stopped)
    if report.selected is not None:
        left_out = len(catalogue().of_role("server")) - len(report.judgements)
        print(f"\nnot selected: {left_out} requirements")
    if options.baseline is not None:
        for discrepancy in report.discrepancies(strict=options.strict):
            print(f"baseline: {discrepancy.sentence}")
    return report.exit_code(strict=options.strict, allow_untestable=options.allow_untestable)


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


def judge_command(options: argparse.Namespace) -> int:
    """``rws judge``: what servers or clients did in saved transcripts."""
    transcripts = [load(path) for path in options.files]
    if options.dialect is not None:
        for transcript in transcripts:
            transcript.header = replace(transcript.header, dialect=options.dialect)
    report = Report.of_transcripts(transcripts, judge_transcripts(transcripts, role=options.role))
    if options.role == "client":
        again = shlex.join(["rws", "judge", "--role", "client", *map(str, options.files)])
        report = replace(report, selected=None, again=again)
    return _finish(report, transcripts, options, _baseline(options))


def report_command(options: argparse.Namespace) -> int:
    """``rws report``: a saved report in other forms, with the transcripts that it names."""
    report = _saved_report(options.report)
    names = {f["transcript"] for row in report["requirements"] for f in row["findings"]}
    folders = {Path(name).parent for name in names if name} | {OUTPUT / "transcripts"}
    paths = sorted(path for folder in folders for path in folder.glob("*.jsonl"))
    _write_formats(report, [load(path) for path in paths], options)
    return ExitCode.OK


def _write_formats(
    report: dict[str, Any], transcripts: Sequence[Transcript], options: argparse.Namespace
) -> None:
    for name, render in FORMATS.items():
        path: Path | None = getattr(options, name)
        if path is not None:
            path.write_text(render(report, transcripts), "utf-8", errors=ESCAPING)


def baseline_write_command(options: argparse.Namespace) -> int:
    """``rws baseline write``."""
    text = write_baseline(known_from_report(_saved_report(options.report)))
    if options.output is None:
        print(text, end="")
    else:
        options.output.write_text(text, "utf-8")
    return ExitCode.OK


def baseline_prune_command(options: argparse.Namespace) -> int:
    """``rws baseline prune``."""
    before = load_baseline(options.baseline)
    after = pruned(before, _saved_report(options.report))
    options.baseline.write_text(write_baseline(after), "utf-8")
    print(f"{len(before.entries) - len(after)} dropped, {len(after)} left")
    return ExitCode.OK


def _baseline(options: argparse.Namespace) -> Baseline:
    return load_baseline(options.baseline) if options.baseline is not None else NO_BASELINE


def _saved_report(path: Path) -> dict[str, Any]:
    """The JSON of a report; raises CannotStart where the file is none."""
    try:
        report: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as problem:
        raise CannotStart(f"{path}: {problem}") from None
    problems = explain("files/report", report)
    if problems:
        raise CannotStart(f"{path}: not a report: {problems[0][0] or '/'}: {problems[0][1]}")
    return report


if __name__ == "__main__":
    sys.exit(main())
