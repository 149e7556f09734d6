"""Replays: what was violated is violated again, or fixed, or something else has come up."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import kill_matrix
import pytest
from responses_ws_conformance.profile import Profile
from responses_ws_conformance.reports.report import ExitCode
from responses_ws_conformance.reproduction.outcomes import Outcome, compare
from responses_ws_conformance.reproduction.replays import replay
from responses_ws_conformance.reproduction.steps import conversation
from responses_ws_conformance.transcript import (
    Header,
    Opened,
    Received,
    Requested,
    Sent,
    Transcript,
)
from responses_ws_conformance.transcript.files import load, save

from tests.peers import hostile
from tests.reproduction import PROFILE, record, rws, target
from tests.stubs import dead_port

FAULT, BROKEN = "failure-evicts-nothing", "RWS-CHAIN-012"
# It breaks what the recorded conversation shows too, but is not asked for.
OTHER_FAULT, OTHER_BROKEN = "previous-id-is-not-echoed", "RWS-CHAIN-020"
# The notes of a scenario that did not come to its end.
STUCK = ("blocked", "broken")


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The recording of a server that evicts nothing."""
    folder = tmp_path_factory.mktemp("recorded")
    with target(FAULT) as profile:
        recorded = record(profile, folder, BROKEN)["chaining/eviction"]
    assert recorded.path is not None
    return recorded.path


@pytest.mark.parametrize(
    ("fault", "outcome", "code", "names"),
    [
        (FAULT, Outcome.FAILED, ExitCode.VIOLATION, BROKEN),
        (None, Outcome.FIXED, ExitCode.OK, BROKEN),
        (OTHER_FAULT, Outcome.OTHER, ExitCode.OTHER, OTHER_BROKEN),
    ],
)
def test_command_says_what_became_of_a_violation(
    file: Path, tmp_path: Path, fault: str | None, outcome: Outcome, code: ExitCode, names: str
) -> None:
    (tmp_path / "p.yaml").write_text(PROFILE)
    with target(fault) as profile:
        where = ["--to", profile.url, "--profile", "p.yaml"]
        done = rws(tmp_path, "replay", str(file), *where, "--output", "new/now.jsonl")
    assert done.returncode == code, done.stdout + done.stderr
    assert done.stdout.startswith(outcome.value)
    assert names in done.stdout
    assert load(tmp_path / "new" / "now.jsonl").header.target == profile.url


def test_target_that_is_gone_is_infrastructure(file: Path, tmp_path: Path) -> None:
    done = rws(tmp_path, "replay", str(file), "--to", dead_port())
    assert done.returncode == ExitCode.INFRASTRUCTURE
    assert done.stderr.rstrip().endswith("connection refused")


@pytest.mark.parametrize("act", [hostile.endless_stream, hostile.endless_message])
def test_target_that_floods_ends_the_replay(
    act: hostile.Hostility, file: Path, tmp_path: Path
) -> None:
    (tmp_path / "p.yaml").write_text(PROFILE)
    with hostile.hostile(act) as url:
        done = rws(tmp_path, "replay", str(file), "--to", url, "--profile", "p.yaml")
    assert done.returncode == ExitCode.OTHER, done.stderr
    assert "the target sent more than 12 MiB" in done.stdout


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Transcript]:
    """The recordings of every scenario against the reference server, each to its end."""
    with target() as profile:
        recordings = record(profile, tmp_path_factory.mktemp("everything"))
    ends = [note for t in recordings.values() for n in STUCK for note in t.notes(n)]
    assert ends == []
    return recordings


def test_right_conversations_can_be_held_again(everything: dict[str, Transcript]) -> None:
    """Lanes, levers, keys of tenants, fragments, pings, closes: nothing of it gets in the way."""
    with target() as profile, ThreadPoolExecutor(kill_matrix.JOBS) as pool:

        def held_again(recorded: Transcript) -> tuple[Outcome, tuple[str, ...], tuple[str, ...]]:
            repeated = replay(recorded, profile)
            result = compare(recorded, repeated.transcript, departed=repeated.departed)
            return result.outcome, repeated.left_out, result.why

        outcomes = dict(zip(everything, pool.map(held_again, everything.values()), strict=True))
    strange = {name: row for name, row in outcomes.items() if row[:2] != (Outcome.FIXED, ())}
    assert strange == {}


def test_server_ids_are_those_of_now_and_invented_ones_stay(
    everything: dict[str, Transcript],
) -> None:
    recorded = everything["chaining/undisturbed"]
    with target() as profile:
        repeated = replay(recorded, profile).transcript
    told, invented = 0, 0
    for then, now in zip(_creates(recorded), _creates(repeated), strict=True):
        before, after = then.get("previous_response_id"), now.get("previous_response_id")
        assert (before is None) == (after is None)
        heard = {
            e.payload["response"]["id"] for e in repeated.received() if "response" in e.payload
        }
        told += after in heard
        invented += before is not None and before == after
    assert (told > 3, invented) == (True, 1)


def test_conversation_of_two_tenants_needs_both_keys(everything: dict[str, Transcript]) -> None:
    with target() as profile:
        alone = replace(profile, second_api_key=None)
        departed = replay(everything["storage/another-tenant"], alone).departed
    assert departed is not None
    assert "second API key" in departed


def test_lever_that_the_profile_lacks_is_named(everything: dict[str, Transcript]) -> None:
    recorded = everything["levers/restart"]
    pulls = any(step.entry.kind == "note" for step in conversation(recorded).steps)
    with target() as profile:
        departed = replay(recorded, replace(profile, levers={})).departed
    assert pulls
    assert departed is None or "lever" in departed


def test_http_is_repeated_with_the_ids_of_now(tmp_path: Path) -> None:
    """A stored response of the WebSocket is asked for and deleted over HTTP, by its new id."""
    with target(http=True) as profile:
        names = ("http/deleted", "http/moved", "http/same-create")
        recorded = record(profile, tmp_path, "RWS-HTTP-014", "RWS-HTTP-008", "RWS-HTTP-003")
        for name in names:
            repeated = replay(recorded[name], profile)
            result = compare(recorded[name], repeated.transcript, departed=repeated.departed)
            assert (result.outcome, repeated.left_out) == (Outcome.FIXED, ()), (name, result.why)
            paths = [_paths(each) for each in (recorded[name], repeated.transcript)]
            assert len(paths[0]) == len(paths[1])
            told_anew = name == "http/deleted"  # every path of it ends with an id
            assert not told_anew or not set(paths[0]) & set(paths[1])
        alone = replay(recorded["http/deleted"], replace(profile, http_url=None))
    assert alone.departed == "the recording asks over HTTP: a profile has to name http_url"


def _paths(transcript: Transcript) -> list[str]:
    return [e.target for e in transcript.entries if isinstance(e, Requested)]


def test_id_that_nothing_plays_the_part_of_ends_the_replay(tmp_path: Path) -> None:
    """A server that refuses the first create leaves nothing to continue."""
    entries = [
        Opened(0, 0.0, "c1", "/v1/responses", status=101),
        _sent(1, {"type": "response.create", "input": "hi", "background": True}),
        _received(2, {"type": "response.created", "response": {"id": "resp_of_then"}}),
        _received(3, {"type": "response.completed", "response": {"id": "resp_of_then"}}),
        _sent(4, {"type": "response.create", "previous_response_id": "resp_of_then"}),
    ]
    path = tmp_path / "captured.jsonl"
    with path.open("w") as stream:
        save(Transcript(Header("captured", source="captured"), list(entries)), stream)
    with target() as profile:
        keyed = replace(profile, headers={"Authorization": f"Bearer {profile.api_key}"})
        repeated = replay(load(path), keyed)
    assert repeated.departed == "message 4 names 'resp_of_then', and nothing plays its part now"


def test_model_of_the_recording_gives_way_to_the_profile(
    everything: dict[str, Transcript],
) -> None:
    recorded = everything["probes/inventions"]
    with target() as profile:
        other: Profile = replace(profile, model="gpt-other")
        repeated = replay(recorded, other).transcript
    then = [message.get("model") for message in _creates(recorded)]
    now = [message.get("model") for message in _creates(repeated)]
    known = {recorded.header.model: "gpt-other"}
    assert now[0] == "gpt-other"
    assert now == [known.get(name, name) for name in then][: len(now)]


def _creates(transcript: Transcript) -> list[dict[str, str]]:
    sent = [e for e in transcript.entries if isinstance(e, Sent) and e.type == "response.create"]
    return [e.payload for e in sent]


def _sent(n: int, event: dict[str, object]) -> Sent:
    return Sent(n, n / 100, "c1", "text", json.dumps(event))


def _received(n: int, event: dict[str, object]) -> Received:
    return Received(n, n / 100, "c1", "text", json.dumps(event))
