"""The suite against the reference server, in every dialect: nothing red, and all is judged."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import kill_matrix
import pytest
from responses_ws_conformance.checks import load_checks
from responses_ws_conformance.profile import Timing
from responses_ws_conformance.requirements import catalogue
from responses_ws_conformance.runner import Run, judge_recordings, judge_transcripts, plan
from responses_ws_conformance.scenarios import SCENARIOS, Scenario, load_scenarios
from responses_ws_conformance.transcript import load
from responses_ws_conformance.verdict import Judgement, Verdict, not_applicable
from responses_ws_reference.server import running_server

load_scenarios()

DIALECTS = (None, "open-responses", "openai")
HONEST = kill_matrix.DEFAULT_DIALECT
SLOW = ((0.03, 0.02), (0.02, 0.1))  # seconds from event to event, and those that we wait
TURN_LIMIT = 100


@dataclass(frozen=True)
class Recorded:
    """A whole run: what was judged, where the transcripts are, what each scenario cost."""

    run: Run
    judgements: list[Judgement]
    turns: dict[str, int]

    def verdicts(self) -> dict[str, str]:
        """The verdict about each requirement."""
        return {j.requirement.id: j.verdict.value for j in self.judgements}


def record(dialect: str | None, folder: Path) -> Recorded:
    """Run the whole suite against the reference server."""
    turns: dict[str, int] = {}
    with running_server(kill_matrix.server_config()) as server:
        profile = kill_matrix.profile_of(server.url, dialect=dialect)
        run = Run(profile, plan(profile), folder)
        for scenario in run.plan.scenarios:
            before = run.turns
            run.record(scenario)
            turns[scenario.name] = run.turns - before
    return Recorded(run, run.judgements(), turns)


@pytest.fixture(scope="session")
def recorded(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[[str | None], Recorded]]:
    """The run in a dialect; runs are mostly waits, so they overlap."""
    running: dict[str | None, Future[Recorded]] = {}
    with ThreadPoolExecutor(kill_matrix.JOBS) as pool:

        def run(dialect: str | None) -> Recorded:
            for each in (dialect, *DIALECTS):
                if each not in running:
                    folder = tmp_path_factory.mktemp("run")
                    running[each] = pool.submit(record, each, folder)
            return running[dialect].result()

        yield run
        pool.shutdown(cancel_futures=True)


@pytest.fixture(scope="session")
def honest(recorded: Callable[[str | None], Recorded]) -> Recorded:
    """The run against the reference server itself."""
    return recorded(HONEST)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_reference_server_is_green(
    dialect: str | None, recorded: Callable[[str | None], Recorded]
) -> None:
    """The reference server breaks no requirement, and each that is owed can be judged."""
    green = (Verdict.PASS, Verdict.SKIP, Verdict.UNSEEN)
    others = [j for j in recorded(dialect).judgements if j.verdict not in green]
    assert [
        (j.requirement.id, j.verdict.value, j.why, [f.finding.actual for f in j.findings])
        for j in others
    ] == []


@pytest.mark.parametrize(("pace", "limit"), SLOW, ids=lambda seconds: f"{seconds}")
def test_slow_server_is_never_red(pace: float, limit: float, tmp_path: Path) -> None:
    """Whatever a server does after our waits have run out, the clock is no reason for a red."""
    timing = Timing(first_event=limit, idle=limit, total=3 * limit, quiet=limit / 2, close=1.0)
    config = replace(kill_matrix.server_config(), pace=pace)
    with running_server(config) as server:
        profile = kill_matrix.profile_of(server.url, dialect=kill_matrix.DEFAULT_DIALECT)
        profile = replace(profile, timing=timing)
        whole = plan(profile)

        def record_one(scenario: Scenario) -> Run:
            run = Run(profile, replace(whole, scenarios=(scenario,)), tmp_path)
            run.record_all()
            return run

        with ThreadPoolExecutor(kill_matrix.JOBS) as pool:
            runs = [*pool.map(record_one, whole.scenarios)]
    evidence = [e for run in runs for tries in run.recordings.values() for e in tries]
    judgements = judge_recordings(evidence, whole.requirements)
    red = [j for j in judgements if j.verdict in kill_matrix.RED]
    assert [(j.requirement.id, [f.finding.actual for f in j.findings]) for j in red] == []
    assert any(j.verdict is Verdict.UNTESTABLE for j in judgements), "no wait ran out"


def test_much_is_judged(honest: Recorded) -> None:
    verdicts = [*honest.verdicts().values()]
    assert verdicts.count("pass") >= 60
    unseen = {j.requirement for j in honest.judgements if j.verdict is Verdict.UNSEEN}
    assert all(requirement.condition == "server" for requirement in unseen)


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=lambda s: s.name)
def test_scenario_exercises_what_it_declares(scenario: Scenario, honest: Recorded) -> None:
    """What a scenario declares is really judged on its recording, and it costs what it says."""
    if scenario.name not in honest.turns:
        pytest.skip("the reference server does not claim what the scenario needs")
    assert honest.turns[scenario.name] <= scenario.turns
    requirements = catalogue().requirements
    (evidence,) = honest.run.recordings[scenario.name]
    for name in scenario.exercises:
        requirement = requirements[name]
        is_owed = not_applicable(requirement, evidence.transcript.header) is None
        if is_owed and requirement.condition != "server":
            check = load_checks()[name]
            assert check.when(evidence), f"{name} is declared, but not exercised"
            assert list(check.judge(evidence)) == [], name


def test_every_requirement_is_exercised() -> None:
    """Each requirement on servers that is judged has a scenario that provokes it."""
    exercised = {name for scenario in SCENARIOS.values() for name in scenario.exercises}
    judged = {r.id for r in catalogue().of_role("server") if not r.not_judged}
    assert judged - exercised == set()
    assert exercised - judged == set()


def test_a_run_is_affordable() -> None:
    assert sum(scenario.turns for scenario in SCENARIOS.values()) <= TURN_LIMIT


@pytest.mark.parametrize("dialect", DIALECTS)
def test_saved_transcripts_give_the_same_verdicts(
    dialect: str | None, recorded: Callable[[str | None], Recorded]
) -> None:
    run = recorded(dialect)
    transcripts = [load(path) for path in sorted(run.run.folder.glob("*.jsonl"))]
    judgements = judge_transcripts(transcripts)
    assert {j.requirement.id: j.verdict.value for j in judgements} == run.verdicts()
