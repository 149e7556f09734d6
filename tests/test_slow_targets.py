"""Servers that are right and slow, in virtual time: whole runs with the limits of every profile."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from responses_ws_conformance.catalogue import catalogue
from responses_ws_conformance.checks import Cause
from responses_ws_conformance.profile import Lever, Profile
from responses_ws_conformance.runner import Run, plan
from responses_ws_conformance.verdict import Judgement, Verdict
from responses_ws_reference.seams.hooks import Hooks
from responses_ws_reference.variants import VARIANTS
from responses_ws_reference.variants.loads import busy_handshakes, overloaded, thinking

from tests.virtual_network import VirtualServer

KEY = "sk-virtual-0123456789"
MODEL = "virtual-model"
PROFILE = Profile(
    url="ws://virtual/v1/responses",
    model=MODEL,
    dialect="open-responses",
    levers={"lifetime": Lever(within=120.0, headers={"RWS-Lifetime": "60"})},
    api_key=KEY,
    secrets={"api_key": KEY},
)
ONE_SLOT = VARIANTS["one-slot"].hooks
RED = (Verdict.FAIL, Verdict.WARN, Verdict.ERROR)


@dataclass(frozen=True)
class Ran:
    """A whole run and how long it would have taken."""

    run: Run
    judgements: list[Judgement]
    seconds: float

    def of(self, *verdicts: Verdict) -> dict[str, str]:
        """The requirements with one of these verdicts, and why."""
        return {j.requirement.id: j.why for j in self.judgements if j.verdict in verdicts}


def ran(folder: Path, *hooks: Hooks, pace: float, profile: Profile = PROFILE) -> Ran:
    """The whole suite against a server with these hooks."""
    server = VirtualServer(*hooks, pace=pace, key=KEY, model=MODEL)
    run = Run(profile, plan(profile), folder, network=server.network())
    run.record_all()
    return Ran(run, run.judgements(), server.time.now)


# A turn of a few words has about ten events.
CONFORM = {
    "as fast as can be": ((), 0.0),
    "turns of 40 seconds": ((), 4.0),
    "15 seconds of thought": ((thinking(15.0),), 2.5),
    "35 seconds of thought with pings": ((thinking(35.0, ping_every=15.0),), 0.5),
    "one slot": ((ONE_SLOT,), 0.5),
    "one slot, 10 seconds of thought": ((ONE_SLOT, thinking(10.0)), 1.0),
}


@pytest.mark.parametrize("name", CONFORM)
def test_right_but_slow_server_conforms(name: str, tmp_path: Path) -> None:
    hooks, pace = CONFORM[name]
    result = ran(tmp_path, *hooks, pace=pace)
    assert result.run.stopped is None
    assert result.of(*RED) == {}
    assert result.of(Verdict.UNTESTABLE) == {}


def test_slow_turns_are_slow(tmp_path: Path) -> None:
    """Virtual seconds pass as real ones would: a run of 40-second turns takes most of an hour."""
    assert ran(tmp_path, pace=4.0).seconds > 40 * 60


def test_slow_refusals_leave_open_what_waits_behind_them(tmp_path: Path) -> None:
    """A server that thinks for long about what it refuses is told that time was the matter."""
    slow = thinking(35.0, ping_every=15.0, about_all=True)
    result = ran(tmp_path, slow, pace=0.5)
    assert result.of(*RED) == {}
    gaps = [j for j in result.judgements if j.verdict is Verdict.UNTESTABLE]
    assert {j.cause for j in gaps} == {Cause.TIME}


def test_dead_slow_first_event_stops_the_run_and_says_why(tmp_path: Path) -> None:
    """Nothing comes within the limit: no red mark, and the message names the limit to raise."""
    result = ran(tmp_path, thinking(90.0), pace=0.0)
    assert result.of(*RED) == {}
    assert result.run.stopped is not None
    assert "20 s to the first event" in result.run.stopped
    assert "timing in the profile" in result.run.stopped


def test_a_raised_limit_lets_a_dead_slow_server_conform(tmp_path: Path) -> None:
    timing = replace(PROFILE.timing, first_event=120.0)
    result = ran(tmp_path, thinking(90.0), pace=0.0, profile=replace(PROFILE, timing=timing))
    assert result.of(*RED) == result.of(Verdict.UNTESTABLE) == {}


@pytest.mark.parametrize("every", [3, 5, 8])
@pytest.mark.parametrize("load", [busy_handshakes, overloaded], ids=lambda load: load.__name__)
def test_busy_server_is_asked_again(load: object, every: int, tmp_path: Path) -> None:
    """429 and 503 now and then are no violation; what stays unjudged says that it was the load."""
    result = ran(tmp_path, load(every), pace=0.01)  # type: ignore[operator]
    assert result.run.stopped is None
    assert result.of(*RED) == {}
    gaps = [j for j in result.judgements if j.verdict is Verdict.UNTESTABLE]
    assert {j.cause for j in gaps} <= {Cause.TRANSIENT}
    assert len(gaps) < len(catalogue().of_role("server")) / 4


@pytest.mark.parametrize("mood", [v.name for v in VARIANTS.values() if "mood" in v.leaves_open])
def test_moody_model_behind_a_slow_server(mood: str, tmp_path: Path) -> None:
    result = ran(tmp_path, VARIANTS[mood].hooks, thinking(10.0), pace=1.0)
    assert result.of(*RED) == {}
    gaps = [j for j in result.judgements if j.verdict is Verdict.UNTESTABLE]
    assert all(j.cause in (Cause.MOOD, Cause.BLOCKED) and j.why for j in gaps)
