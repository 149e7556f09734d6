"""The pytest front: options, fixtures and verdicts as test outcomes.

Loaded in every pytest run of an environment, so the top level imports nothing that loads more than
pytest and the standard library, and without ``--rws-target`` or ``--rws-profile`` nothing happens.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from responses_ws_conformance.option_values import positive, version

if TYPE_CHECKING:
    from responses_ws_conformance.profile import Profile
    from responses_ws_conformance.reports.baseline import Baseline
    from responses_ws_conformance.runner import Run
    from responses_ws_conformance.runner.planning import Plan
    from responses_ws_conformance.scenarios import Scenario
    from responses_ws_conformance.verdict import Judgement

WARNINGS = pytest.StashKey[list[str]]()
AGAIN = "pytest --pyargs responses_ws_conformance.suite -k {id} (with the same --rws options)"


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of ``rws run``, with a prefix."""
    group = parser.getgroup("rws", "Responses WebSocket conformance")
    group.addoption("--rws-target", metavar="URL", help="wss://host/v1/responses (or RWS_TARGET)")
    group.addoption("--rws-profile", metavar="FILE", help="profile file (YAML)")
    group.addoption("--rws-model", metavar="NAME", help="the model that every create names")
    group.addoption("--rws-api-key-env", metavar="VARIABLE", help="variable with the API key")
    group.addoption("--rws-dialect", choices=("open-responses", "openai"))
    group.addoption(
        "--rws-spec-version", type=version, metavar="X.Y", help="judge what that version demands"
    )
    group.addoption("--rws-plan", action="store_true", help="only show what would be recorded")
    group.addoption("--rws-max-turns", type=positive, metavar="N", help="send no more creates")
    group.addoption("--rws-jobs", type=positive, metavar="N", help="scenarios side by side")
    group.addoption("--rws-output", metavar="DIR", default="rws-report", help="for transcripts")
    group.addoption("--rws-report", metavar="FILE", help="write the report as JSON")
    group.addoption("--rws-baseline", metavar="FILE", help="known failures (YAML)")
    group.addoption("--rws-strict", action="store_true", help="a broken SHOULD fails its test")


@pytest.fixture(scope="session")
def rws_target(pytestconfig: pytest.Config) -> Profile:
    """The target; a vendor's conftest overrides this to start its own server."""
    return _profile(pytestconfig)


def _profile(config: pytest.Config) -> Profile:
    from responses_ws_conformance.errors import ConformanceError
    from responses_ws_conformance.profile.loading import load_profile

    option = config.getoption
    profile = option("--rws-profile")
    try:
        return load_profile(
            Path(profile) if profile else None,
            url=option("--rws-target") or os.environ.get("RWS_TARGET"),
            model=option("--rws-model"),
            api_key_env=option("--rws-api-key-env"),
            dialect=option("--rws-dialect"),
            spec_version=option("--rws-spec-version"),
            jobs=option("--rws-jobs"),
        )
    except ConformanceError as problem:
        pytest.exit(f"rws: {problem}", returncode=4)


def _plan(profile: Profile, config: pytest.Config) -> Plan:
    from responses_ws_conformance.errors import ConformanceError
    from responses_ws_conformance.runner.planning import plan

    try:
        return plan(profile, max_turns=config.getoption("--rws-max-turns"))
    except ConformanceError as problem:
        pytest.exit(f"rws: {problem}", returncode=4)


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    """With ``--rws-plan`` nothing runs, and nothing is sent."""
    config = session.config
    if not config.getoption("--rws-plan"):
        return None
    todo = _plan(_profile(config), config)
    todo = replace(todo, scenarios=tuple(_needed(todo, session.items)))
    terminal: Any = config.pluginmanager.get_plugin("terminalreporter")
    for line in (*todo.lines(), f"{todo.turns} turns and retries; nothing was sent"):
        terminal.write_line(line)
    return True


def _needed(todo: Plan, items: Sequence[pytest.Item]) -> Iterator[Scenario]:
    """The scenarios of a plan that tests ask for, themselves or to judge a requirement."""
    calls = [item.callspec for item in items if hasattr(item, "callspec")]
    asked = {str(value) for call in calls for value in call.params.values()}
    return (s for s in todo.scenarios if asked.intersection((s.name, *s.exercises)))


@pytest.fixture(scope="session")
def rws_run(
    rws_target: Profile, pytestconfig: pytest.Config, request: pytest.FixtureRequest
) -> Iterator[Run]:
    """The run: records scenarios lazily, or first of all side by side; judges requirements."""
    from responses_ws_conformance.errors import CannotStart
    from responses_ws_conformance.reports.report import Report
    from responses_ws_conformance.reports.terminal import unclaimed, warnings
    from responses_ws_conformance.reports.writing import find_room
    from responses_ws_conformance.runner import Run, make_room

    folder = Path(pytestconfig.getoption("--rws-output")) / "transcripts"
    todo = _plan(rws_target, pytestconfig)
    file = pytestconfig.getoption("--rws-report")
    try:
        make_room(folder)
        if file:
            find_room(Path(file))
    except CannotStart as problem:
        pytest.exit(f"rws: {problem}", returncode=4)
    except OSError as problem:
        pytest.exit(f"rws: {problem.filename}: {problem.strerror}", returncode=4)
    run = Run(rws_target, todo, folder)
    if rws_target.jobs > 1:
        run.record_all(_needed(todo, request.session.items))
    yield run
    report = Report.of_run(run, run.judgements(), again=AGAIN)
    report = replace(report, strict=pytestconfig.getoption("--rws-strict"))
    pytestconfig.stash[WARNINGS] = [*warnings(report), *unclaimed(report)]
    if file:
        report.write(Path(file))


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """What a reader has to know of the target stands above the counts."""
    for line in config.stash.get(WARNINGS, ()):
        terminalreporter.write_line(f"rws: {line}", yellow=True)


@pytest.fixture(scope="session")
def rws_baseline(pytestconfig: pytest.Config) -> Baseline:
    """The known failures of the target."""
    from responses_ws_conformance.errors import ConformanceError
    from responses_ws_conformance.reports.baseline import NO_BASELINE, load_baseline

    path = pytestconfig.getoption("--rws-baseline")
    try:
        return load_baseline(Path(path)) if path else NO_BASELINE
    except ConformanceError as problem:
        pytest.exit(f"rws: {problem}", returncode=4)


def settle(judgement: Judgement, run: Run, baseline: Baseline, config: pytest.Config) -> None:
    """Turn a verdict into the outcome of the running test."""
    from responses_ws_conformance.reports.baseline import is_failure
    from responses_ws_conformance.reports.report import Report
    from responses_ws_conformance.reports.terminal import violation
    from responses_ws_conformance.verdict import Verdict

    strict = config.getoption("--rws-strict")
    found = baseline.discrepancies([judgement], strict=strict)
    sentences = [d.sentence for d in found if d.id == judgement.requirement.id]
    if sentences or is_failure(judgement, strict=strict):
        lines = violation(Report.of_run(run, [judgement], again=AGAIN), judgement)
        text = "\n".join(lines if judgement.findings else [])
        if not sentences:
            pytest.xfail(f"in the baseline\n{text}")
        told = sentences if baseline.entries else []
        pytest.fail("\n".join([*told, text]), pytrace=False)
    if judgement.verdict not in (Verdict.PASS, Verdict.WARN):
        cause = f"{judgement.cause.value}: " if judgement.cause else ""
        by = f" (by {judgement.by})" if judgement.by else ""
        pytest.skip(f"{judgement.verdict.value}: {cause}{judgement.why}{by}")
