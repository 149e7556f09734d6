"""Levers in runs: trouble by all means, no red mark where one is broken, and no secret kept."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import kill_matrix
import pytest
from responses_ws_conformance.driver import Blocked, Driver
from responses_ws_conformance.driver.recording import Recording
from responses_ws_conformance.profile import HttpCall, Lever, Profile
from responses_ws_conformance.profile.loading import load_profile
from responses_ws_conformance.runner import Run, plan
from responses_ws_conformance.scenarios import load_scenarios
from responses_ws_conformance.transcript import Header
from responses_ws_conformance.transcript.masking import Masker
from responses_ws_conformance.verdict import Judgement, Verdict
from responses_ws_reference.config import ServerConfig
from responses_ws_reference.server import running_server

from tests.levers import SECRET, control, script, written

PROVOKED = {
    **{name: f"levers/{name}" for name in ("failure", "refusal-5xx", "overload", "restart")},
    "lifetime": "lifetime/limit",
}
EXERCISED = {
    name: tuple(load_scenarios()[scenario].exercises) for name, scenario in PROVOKED.items()
}
CANARIES = {name: f"canary-{name}-0123456789" for name in ("KEY", "A", "B", "C", "SPACED name")}


def with_canaries(folder: Path, url: str, call: str) -> Profile:
    """A profile with secrets of the same names in all places that can have any."""
    headers = {place: {"X-Api-Key": {"env": place}} for place in "ABC"}
    lever = {
        "within": 2,
        "url": f"{url}?api_key=canary-in-a-lever",
        "headers": {**headers["B"], "RWS-Lifetime": "0.2"},
        "http": {"url": f"{call}?api_key=canary-in-a-call", "headers": headers["C"]},
    }
    raw = {
        "url": f"{url}?api_key=canary-in-the-url&api_key=canary-twice-in-it",
        "api_key_env": "KEY",
        "headers": headers["A"],
        "query": {"api_key": {"env": "SPACED name"}},
        "levers": {"lifetime": lever},
    }
    (folder / "profile.yaml").write_text(json.dumps(raw))
    return load_profile(folder / "profile.yaml", env=CANARIES)


def test_secrets_of_one_name_are_told_apart(tmp_path: Path) -> None:
    secrets = with_canaries(tmp_path, "ws://h/v1/responses", "http://h/").secrets
    assert secrets["header X-Api-Key"] == CANARIES["A"]
    assert secrets["header X-Api-Key of levers/lifetime"] == CANARIES["B"]
    assert secrets["header X-Api-Key of levers/lifetime/http"] == CANARIES["C"]
    in_urls = {"in-the-url", "twice-in-it", "in-a-lever", "in-a-call"}
    assert {*secrets.values()} == {*CANARIES.values()} | {f"canary-{name}" for name in in_urls}


def test_value_of_a_key_and_of_another_secret_is_told_as_the_key(tmp_path: Path) -> None:
    """In a message it is the key; as a header it is what shows that another secret is sent."""
    path = written(tmp_path, "restart", {"command": ["r"], "headers": {"X-A": {"env": "A"}}})
    mask = Masker(load_profile(path, env={"A": SECRET}, api_key_env="A").secrets)
    assert mask(f"no such key: {SECRET}") == "no such key: [secret: api_key]"
    masked = (("X-A", "[secret: header X-A of levers/restart]"),)
    assert mask.headers((("X-A", SECRET),)) == masked


def test_no_secret_of_a_lever_reaches_a_file(tmp_path: Path) -> None:
    folder = tmp_path / "transcripts"
    folder.mkdir()
    with (
        running_server(ServerConfig(api_keys=(CANARIES["KEY"],))) as server,
        control(500, f"no such key: {CANARIES['C']}") as (call, asked),
    ):
        profile = with_canaries(tmp_path, server.url, call)
        run = Run(profile, plan(profile, only=("RWS-LIMIT-001", "RWS-CHAIN-001")), folder)
        run.record_all()
    assert asked[0]["X-Api-Key"] == CANARIES["C"]
    texts = [path.read_text("utf-8") for path in folder.iterdir()]
    assert any("[secret: header X-Api-Key of levers/lifetime]" in text for text in texts)
    assert all("canary" not in text for text in texts)


def provoked(profile: Profile, name: str, folder: Path) -> tuple[Run, list[Judgement]]:
    """The scenario of one lever, recorded and judged."""
    run = Run(profile, plan(profile, only=EXERCISED[name]), folder)
    (scenario,) = (s for s in run.plan.scenarios if s.name == PROVOKED[name])
    run = Run(profile, replace(run.plan, scenarios=(scenario,)), folder)
    run.record_all()
    return run, [j for j in run.judgements() if j.requirement.id in EXERCISED[name]]


def by_get(url: str, name: str) -> Lever:
    path = url.replace("ws:", "http:").replace("/v1/responses", f"/rws/levers/{name}")
    return Lever(5, http=HttpCall(path, "GET", {"Authorization": f"Bearer {kill_matrix.KEY}"}))


def by_command(url: str, name: str) -> Lever:
    call = by_get(url, name).http
    assert call is not None
    text = (
        "import sys, urllib.request as u; "
        "u.urlopen(u.Request(sys.argv[1], headers={'Authorization': sys.argv[2]}))"
    )
    return Lever(15, command=(*script(text), call.url, call.headers["Authorization"]))


@pytest.mark.parametrize("means", [by_get, by_command])
@pytest.mark.parametrize("name", PROVOKED)
def test_trouble_is_provoked_by_all_means(
    name: str, means: Callable[[str, str], Lever], tmp_path: Path
) -> None:
    """What a header does, a call and a command do too; each is noted before its effect."""
    with running_server(kill_matrix.server_config()) as server:
        profile = kill_matrix.profile_of(server.url, dialect="open-responses")
        profile = replace(profile, levers={name: means(server.url, name)})
        run, judgements = provoked(profile, name, tmp_path)
    # Whether a failure is announced by an error is the server's choice, so that may be unseen.
    is_free = {j.requirement.id: j.requirement.condition == "server" for j in judgements}
    verdicts = {j.requirement.id: j.verdict for j in judgements}
    assert verdicts.keys() == {*EXERCISED[name]}
    assert {n for n, v in verdicts.items() if v is Verdict.UNSEEN and not is_free[n]} == set()
    assert set(verdicts.values()) <= {Verdict.PASS, Verdict.UNSEEN}
    assert Verdict.PASS in verdicts.values()
    ((evidence,),) = run.recordings.values()
    (note,) = evidence.transcript.notes("lever")
    assert note.facts["lever"] == name
    assert kill_matrix.KEY not in evidence.transcript.path.read_text()  # type: ignore[union-attr]


BROKEN = {
    "a dead end": Lever(1, command=("/no/such/program",)),
    "a command that fails": Lever(10, command=script("import sys; sys.exit('not today')")),
    "a lever that does nothing": Lever(0.5, headers={"X-Please": "break"}),
}


@pytest.mark.parametrize("broken", BROKEN)
@pytest.mark.parametrize("name", PROVOKED)
def test_broken_lever_is_never_a_red_mark(name: str, broken: str, tmp_path: Path) -> None:
    with running_server(kill_matrix.server_config()) as server:
        profile = kill_matrix.profile_of(server.url, dialect="open-responses")
        profile = replace(profile, levers={name: BROKEN[broken]})
        run, judgements = provoked(profile, name, tmp_path)
    assert {j.verdict for j in judgements} == {Verdict.UNTESTABLE}
    assert all(j.why.startswith(f"the lever {name} ") for j in judgements), judgements
    assert run.stopped is None
    assert len(run.recordings[PROVOKED[name]]) == 1, "a broken lever is not tried again"


def test_lifetime_is_pulled_too(tmp_path: Path) -> None:
    with running_server(kill_matrix.server_config()) as server:
        profile = kill_matrix.profile_of(server.url)
        lever = Lever(
            2,
            headers={"RWS-Lifetime": "0.2"},
            command=script("open('pulled', 'w')"),
            folder=tmp_path,
        )
        run = Run(
            profile := replace(profile, levers={"lifetime": lever}),
            plan(profile, only=("RWS-LIMIT-001",)),
            tmp_path,
        )
        run.record_all()
    assert (tmp_path / "pulled").exists()
    (judgement,) = run.judgements()
    assert judgement.verdict is Verdict.PASS


def test_output_of_a_command_is_masked(tmp_path: Path) -> None:
    """A key that a command prints where it fails does not get into the transcript."""
    text = f"import sys; sys.exit('refused for {SECRET}')"
    with running_server(kill_matrix.server_config()) as server:
        profile = kill_matrix.profile_of(server.url)
        lever = Lever(10, command=script(text))
        profile = replace(
            profile, levers={"failure": lever}, secrets={**profile.secrets, "token": SECRET}
        )
        _, (judgement, *_) = provoked(profile, "failure", tmp_path)
    assert judgement.why.endswith("refused for [secret: token]")
    assert all(SECRET not in path.read_text() for path in tmp_path.iterdir())


def test_connection_lives_on_while_a_lever_is_pulled(tmp_path: Path) -> None:
    """Frames that arrive meanwhile are recorded when they arrive."""
    with running_server(kill_matrix.server_config()) as server:
        profile = kill_matrix.profile_of(server.url)
        lever = Lever(10, command=script("import threading; threading.Event().wait(1)"))
        profile = replace(profile, levers={"failure": lever})
        recording = Recording(Header(scenario="test"), masker=Masker(profile.secrets))
        with recording, Driver(profile, recording) as driver:
            connection = driver.connect()
            running = connection.submit("Reply with exactly: ready", store=False)
            driver.pull("failure", connection)
            (note,) = recording.transcript.notes("lever")
            assert running.outcome == "completed"
            assert running.terminal is not None
            assert running.terminal.t - note.t < 0.9


def test_failed_lever_blocks_its_scenario() -> None:
    with running_server(kill_matrix.server_config()) as server:
        profile = kill_matrix.profile_of(server.url)
        profile = replace(profile, levers={"failure": BROKEN["a dead end"]})
        recording = Recording(Header(scenario="test"), masker=Masker({}))
        with (
            recording,
            Driver(profile, recording) as driver,
            pytest.raises(Blocked, match="the lever failure of the profile failed: /no/such"),
        ):
            driver.pull("failure", driver.connect())
