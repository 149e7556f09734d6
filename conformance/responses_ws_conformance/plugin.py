"""The pytest front: options, fixtures and verdicts as test outcomes.

Loaded in every pytest run of an environment, so the top level imports nothing but pytest and
the standard library, and without ``--rws-target`` or ``--rws-profile`` nothing happens.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from responses_ws_conformance.profile import Profile
    from responses_ws_conformance.runner import Run
    from responses_ws_conformance.verdict import Judgement

AGAIN = "pytest --pyargs responses_ws_conformance.suite -k {id} (with the same --rws options)"


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of ``rws run``, with a prefix."""
    group = parser.getgroup("rws", "Responses WebSocket conformance")
    group.addoption("--rws-target", metavar="URL", help="wss://host/v1/responses (or RWS_TARGET)")
    group.addoption("--rws-profile", metavar="FILE", help="profile file (YAML)")
    group.addoption("--rws-model", metavar="NAME", help="the model that every create names")
    group.addoption("--rws-api-key-env", metavar="VARIABLE", help="variable with the API key")
    group.addoption("--rws-dialect", choices=("open-responses", "openai"))
    group.addoption("--rws-output", metavar="DIR", default="rws-report", help="for transcripts")
    group.addoption("--rws-report", metavar="FILE", help="write the report as JSON")
    group.addoption("--rws-strict", action="store_true", help="a broken SHOULD fails its test")


@pytest.fixture(scope="session")
def rws_target(pytestconfig: pytest.Config) -> Profile:
    """The target; a vendor's conftest overrides this to start its own server."""
    from responses_ws_conformance.errors import ConformanceError
    from responses_ws_conformance.profile import load_profile

    option = pytestconfig.getoption
    profile = option("--rws-profile")
    try:
        return load_profile(
            Path(profile) if profile else None,
            url=option("--rws-target") or os.environ.get("RWS_TARGET"),
            model=option("--rws-model"),
            api_key_env=option("--rws-api-key-env"),
            dialect=option("--rws-dialect"),
        )
    except ConformanceError as problem:
        pytest.exit(f"rws: {problem}", returncode=4)


@pytest.fixture(scope="session")
def rws_run(rws_target: Profile, pytestconfig: pytest.Config) -> Iterator[Run]:
    """The run: records scenarios lazily and judges requirements."""
    from responses_ws_conformance.report import Report
    from responses_ws_conformance.runner import Run, plan

    folder = Path(pytestconfig.getoption("--rws-output")) / "transcripts"
    for old in folder.glob("*.jsonl"):
        old.unlink()
    run = Run(rws_target, plan(rws_target), folder)
    yield run
    report = pytestconfig.getoption("--rws-report")
    if report:
        Report.of_run(run, run.judgements(), again=AGAIN).write(Path(report))


def settle(judgement: Judgement, run: Run, config: pytest.Config, record: Any) -> None:
    """Turn a verdict into the outcome of the running test."""
    from responses_ws_conformance.report import Report
    from responses_ws_conformance.terminal import violation
    from responses_ws_conformance.verdict import Verdict

    requirement = judgement.requirement
    record("level", requirement.level.value)
    record("url", requirement.url)
    record("verdict", judgement.verdict.value)
    is_fatal = judgement.verdict is Verdict.FAIL or (
        judgement.verdict is Verdict.WARN and config.getoption("--rws-strict")
    )
    if is_fatal:
        lines = violation(Report.of_run(run, [judgement], again=AGAIN), judgement)
        pytest.fail("\n".join(lines), pytrace=False)
    if judgement.verdict is Verdict.ERROR:
        raise RuntimeError(f"the suite broke: {judgement.why}")
    if judgement.verdict not in (Verdict.PASS, Verdict.WARN):
        cause = f"{judgement.cause.value}: " if judgement.cause else ""
        by = f" (by {judgement.by})" if judgement.by else ""
        pytest.skip(f"{judgement.verdict.value}: {cause}{judgement.why}{by}")
