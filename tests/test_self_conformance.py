"""The suite against the reference server, in every dialect: nothing red, and all is judged."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import kill_matrix
import pytest
from responses_ws_conformance.catalogue import catalogue
from responses_ws_conformance.checks import load_checks
from responses_ws_conformance.profile import Profile, Timing
from responses_ws_conformance.profile.loading import load_profile
from responses_ws_conformance.runner import Run, judge_recordings, judge_transcripts, plan
from responses_ws_conformance.scenarios import Scenario, load_scenarios
from responses_ws_conformance.transcript.files import load
from responses_ws_conformance.verdict import Judgement, Verdict, not_applicable
from responses_ws_reference.server import running_server

load_scenarios()

DIALECTS = (None, "open-responses", "openai")
SLOW = ((0.03, 0.02), (0.02, 0.1))  # seconds from event to event, and those that we wait
TURN_LIMIT = 100


@dataclass(frozen=True)
class Target:
    """The reference server without some of its layers, and the layers that its profile claims.

    It stands on an ASGI stack where HTTP is claimed, and on the websockets library alone otherwise.
    """

    dialect: str | None = kill_matrix.DEFAULT_DIALECT
    without: frozenset[str] = frozenset()
    claims: frozenset[str] = kill_matrix.ALL_LAYERS

    def __str__(self) -> str:
        lacks, claims = (", ".join(sorted(names)) for names in (self.without, self.claims))
        return f"{self.dialect}, without {lacks or 'nothing'}, claims {claims or 'nothing'}"


SPOKEN = [Target(dialect) for dialect in DIALECTS]
HONEST = Target()
LAYERED = [
    *(
        Target(without=kill_matrix.LAYERS & {n}, claims=kill_matrix.ALL_LAYERS - {n})
        for n in sorted(kill_matrix.ALL_LAYERS)
    ),
    Target(without=kill_matrix.LAYERS, claims=frozenset()),
    Target(claims=frozenset()),
]


@dataclass(frozen=True)
class Recorded:
    """A whole run: what was judged, where the transcripts are, what each scenario cost."""

    run: Run
    judgements: list[Judgement]
    turns: dict[str, int]

    def verdicts(self) -> dict[str, str]:
        """The verdict about each requirement."""
        return {j.requirement.id: j.verdict.value for j in self.judgements}


def record(target: Target, folder: Path) -> Recorded:
    """Run the whole suite against the reference server."""
    turns: dict[str, int] = {}
    http = kill_matrix.HTTP in target.claims
    config = replace(kill_matrix.server_config(http=http), without=target.without)
    with running_server(config) as server:
        profile = kill_matrix.profile_of(server.url, dialect=target.dialect, features=target.claims)
        profile = replace(profile, timing=kill_matrix.PATIENT)
        run = Run(profile, plan(profile), folder)
        for scenario in run.plan.scenarios:
            before = run.turns
            run.record(scenario)
            turns[scenario.name] = run.turns - before
    return Recorded(run, run.judgements(), turns)


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Target], Recorded]]:
    """The run against a target; runs are mostly waits, so they overlap."""
    running: dict[Target, Future[Recorded]] = {}
    with ThreadPoolExecutor(kill_matrix.JOBS) as pool:

        def run(target: Target) -> Recorded:
            for each in (target, *SPOKEN, *LAYERED):
                if each not in running:
                    folder = tmp_path_factory.mktemp("run")
                    running[each] = pool.submit(record, each, folder)
            return running[target].result()

        yield run
        pool.shutdown(cancel_futures=True)


@pytest.fixture(scope="session")
def honest(recorded: Callable[[Target], Recorded]) -> Recorded:
    """The run against the reference server itself."""
    return recorded(HONEST)


@pytest.mark.parametrize("target", SPOKEN, ids=lambda target: str(target.dialect))
def test_reference_server_is_green(target: Target, recorded: Callable[[Target], Recorded]) -> None:
    """The reference server breaks no requirement, and each that is owed can be judged."""
    assert_green(recorded(target).judgements)


@pytest.mark.parametrize("target", LAYERED, ids=str)
def test_server_without_layers_is_green(
    target: Target, recorded: Callable[[Target], Recorded]
) -> None:
    """A layer that a server does not have, or does not claim, is skipped and changes nothing."""
    judgements = recorded(target).judgements
    assert_green(judgements)
    judged = {j.requirement.feature for j in judgements if j.verdict is not Verdict.SKIP}
    features = {j.requirement.feature for j in judgements}
    assert judged == features - (kill_matrix.ALL_LAYERS - target.claims)


def test_without_a_second_key_the_tenants_are_skipped(tmp_path: Path) -> None:
    with running_server(kill_matrix.server_config()) as server:
        profile = replace(kill_matrix.profile_of(server.url), second_api_key=None)
        only = ("RWS-STORE-001", "RWS-STORE-011", "RWS-STORE-012")
        run = Run(profile, plan(profile, only=only), tmp_path)
        run.record_all()
    judgements = run.judgements()
    assert [j.verdict.value for j in judgements] == ["pass", "skip", "skip"]
    assert "second_api_key_env" in judgements[-1].why


@pytest.mark.parametrize(("place", "verdict"), [("headers", "untestable"), ("lever", "pass")])
def test_secret_in_each_handshake_may_name_the_tenant(
    place: str, verdict: str, tmp_path: Path
) -> None:
    """A secret that goes to a lever alone is in none of the handshakes that count."""
    secret = {"X-Tenant": {"env": "TENANT"}}
    lever = {"restart": {"within": 5, "http": {"url": "http://127.0.0.1:1/", "headers": secret}}}
    raw = {"headers": secret} if place == "headers" else {"levers": lever}
    with running_server(kill_matrix.server_config()) as server:
        profile = kill_matrix.profile_of(server.url)
        (tmp_path / "profile.yaml").write_text(json.dumps({"url": server.url, **raw}), "utf-8")
        read = load_profile(tmp_path / "profile.yaml", env={"TENANT": "tenant-0123456789"})
        secrets = {**profile.secrets, **read.secrets}
        profile = replace(profile, headers=read.headers, levers=read.levers, secrets=secrets)
        run = Run(profile, plan(profile, only=("RWS-STORE-011",)), tmp_path)
        run.record_all()
    assert [j.verdict.value for j in run.judgements()] == [verdict]


def assert_green(judgements: list[Judgement]) -> None:
    """Nothing is red, and all that is owed was judged."""
    green = (Verdict.PASS, Verdict.SKIP, Verdict.UNSEEN)
    assert [
        (j.requirement.id, j.verdict.value, j.why, [f.finding.actual for f in j.findings])
        for j in judgements
        if j.verdict not in green
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


@pytest.mark.parametrize("scenario", load_scenarios().values(), ids=lambda s: s.name)
def test_scenario_exercises_what_it_declares(
    scenario: Scenario, recorded: Callable[[Target], Recorded]
) -> None:
    """What a scenario declares is really judged on its recording, and it costs what it says."""
    run = recorded(Target(scenario.dialect or HONEST.dialect))
    assert run.turns[scenario.name] <= scenario.turns
    requirements = catalogue().requirements
    (evidence,) = run.run.recordings[scenario.name]
    for name in scenario.exercises:
        requirement = requirements[name]
        is_owed = not_applicable(requirement, evidence.transcript.header) is None
        if is_owed and requirement.condition != "server":
            check = load_checks()[name]
            assert check.when(evidence), f"{name} is declared, but not exercised"
            assert list(check.judge(evidence)) == [], name


def test_every_requirement_is_exercised() -> None:
    """Each requirement on servers that is judged has a scenario that provokes it."""
    exercised = {name for scenario in load_scenarios().values() for name in scenario.exercises}
    judged = {r.id for r in catalogue().of_role("server") if not r.not_judged}
    assert judged - exercised == set()
    assert exercised - judged == set()


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_core_run_is_affordable(dialect: str | None) -> None:
    """Layers and levers cost what they cost; nobody has to claim one."""
    profile = Profile("ws://127.0.0.1:1/", dialect=dialect, api_key=kill_matrix.KEY)
    assert plan(profile).turns <= TURN_LIMIT


@pytest.mark.parametrize("target", SPOKEN, ids=lambda target: str(target.dialect))
def test_saved_transcripts_give_the_same_verdicts(
    target: Target, recorded: Callable[[Target], Recorded]
) -> None:
    run = recorded(target)
    transcripts = [load(path) for path in sorted(run.run.folder.glob("*.jsonl"))]
    judgements = judge_transcripts(transcripts)
    assert {j.requirement.id: j.verdict.value for j in judgements} == run.verdicts()
