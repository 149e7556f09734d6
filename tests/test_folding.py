"""What one violation explains stands under it: as blocked, never as green, and never twice red."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import kill_matrix
import pytest
from responses_ws_conformance.catalogue import catalogue
from responses_ws_conformance.checks import Cause, Finding, load_checks
from responses_ws_conformance.runner import Run, judge_transcripts, plan
from responses_ws_conformance.transcript import Header, Transcript
from responses_ws_conformance.verdict import Judgement, Located, Verdict, fold
from responses_ws_conformance.verdict.likeness import MORE
from responses_ws_reference.server import running_server

from tests.cases import Builder, load_cases

REQUIREMENTS = catalogue().requirements
# What is red where a layer is claimed that is not there. Tools that are passed over are not shown
# either.
MISSING = {
    "storage": {"RWS-STORE-001"},
    "warmup": {"RWS-WARM-002"},
    "lanes": {"RWS-LANE-004"},
    "steering": {"RWS-STEER-001"},
    "interrupt": {"RWS-INTR-001"},
    "inject": {"RWS-INJECT-007"},
    "custom-tools": {"RWS-CREATE-003", "RWS-CUSTOM-001"},
    "compaction": {"RWS-COMPACT-002", "RWS-COMPACT-008"},
}


def judgement(
    name: str, verdict: Verdict, *, cause: Cause | None = None, by: str | None = None
) -> Judgement:
    return Judgement(REQUIREMENTS[name], verdict, why="it was refused", cause=cause, by=by)


def test_a_violation_goes_under_the_violated_root() -> None:
    calls = judgement("RWS-TOOL-004", Verdict.FAIL)
    folded = fold(calls, judgement("RWS-CHAIN-002", Verdict.FAIL))
    assert (folded.verdict, folded.cause) == (Verdict.UNTESTABLE, Cause.BLOCKED)
    assert (folded.by, folded.why) == ("RWS-CHAIN-002", "it was refused")


def test_what_is_folded_says_what_was_seen() -> None:
    found = Finding(0, "an error event", f"response.completed{MORE}")
    located = Located(found, Transcript(Header("x", "y")))
    calls = Judgement(REQUIREMENTS["RWS-TOOL-004"], Verdict.FAIL, (located,))
    folded = fold(calls, judgement("RWS-CHAIN-002", Verdict.FAIL))
    assert folded.why == "seen response.completed"


def test_a_dependent_of_a_dependent_goes_under_the_same_root() -> None:
    under = judgement("RWS-TOOL-004", Verdict.UNTESTABLE, cause=Cause.BLOCKED, by="RWS-CHAIN-002")
    told = judgement("RWS-TOOL-005", Verdict.UNTESTABLE, cause=Cause.BLOCKED, by="RWS-TOOL-004")
    assert fold(told, under).by == "RWS-CHAIN-002"


@pytest.mark.parametrize("verdict", [Verdict.PASS, Verdict.SKIP, Verdict.UNSEEN, Verdict.WARN])
def test_a_root_that_is_not_violated_explains_nothing(verdict: Verdict) -> None:
    calls = judgement("RWS-TOOL-004", Verdict.FAIL)
    assert fold(calls, judgement("RWS-CHAIN-002", verdict)) is calls


def test_what_a_moody_root_blocks_stays_blocked_by_it() -> None:
    """The reader finds the mood at the root."""
    blocked = judgement(
        "RWS-CHAIN-017", Verdict.UNTESTABLE, cause=Cause.BLOCKED, by="RWS-CHAIN-003"
    )
    moody = judgement("RWS-CHAIN-003", Verdict.UNTESTABLE, cause=Cause.MOOD)
    assert fold(blocked, moody) is blocked


def test_what_holds_blocks_nothing() -> None:
    """A reader who is sent to a green requirement finds nothing there."""
    told = judgement("RWS-LANE-005", Verdict.UNTESTABLE, cause=Cause.BLOCKED, by="RWS-LANE-004")
    folded = fold(told, judgement("RWS-LANE-004", Verdict.PASS))
    assert (folded.verdict, folded.by, folded.why) == (Verdict.UNTESTABLE, None, "it was refused")


@pytest.mark.parametrize(("conn", "verdict"), [("c1", Verdict.UNTESTABLE), ("c2", Verdict.FAIL)])
def test_what_was_created_twice_explains_what_is_torn_on_its_own_connection(
    conn: str, verdict: Verdict
) -> None:
    """Whoever knows of the one, in a baseline say, still hears of responses that end twice."""
    begun = {"type": "response.created", "response": {"id": "resp_2", "status": "in_progress"}}
    ended = {"type": "response.completed", "response": {"id": "resp_3", "status": "completed"}}
    steps = [
        {"turn": {"id": "resp_1"}},
        {"received": begun},
        {"turn": {"id": "resp_3"}, "conn": conn},
        {"received": ended, "conn": conn},
    ]
    judged = judge_transcripts([Builder("RWS-EVENT-005", {}).build(steps)])
    told = {j.requirement.id: j for j in judged}
    assert told["RWS-EVENT-023"].verdict is Verdict.FAIL
    assert told["RWS-EVENT-005"].verdict is verdict


def test_what_explains_some_findings_explains_no_others() -> None:
    """A chain that lost a word of a tool only is no reason for what was lost without a tool."""
    violating = {c.requirement: c.steps for c in load_cases() if c.conforms is False}
    output = {"type": "function_call_output", "call_id": "call_1", "output": "quxquxqux"}
    told = deepcopy(violating["RWS-TOOL-005"])
    for step in told:
        if step.get("conn"):
            step["turn"]["request"] = {"input": [output]}
    told.append({"mark": {**told[-1]["mark"], "requirement": "RWS-CHAIN-003"}})
    claims = {"features": ["storage"]}
    lost = Builder("RWS-STORE-002", claims).build(violating["RWS-STORE-002"])
    judged = judge_transcripts([Builder("RWS-TOOL-005", claims).build(told), lost])
    verdicts = {j.requirement.id: (j.verdict, j.by) for j in judged}
    assert verdicts["RWS-TOOL-005"] == (Verdict.FAIL, None)
    assert verdicts["RWS-CHAIN-003"] == (Verdict.UNTESTABLE, "RWS-TOOL-005")
    assert verdicts["RWS-STORE-002"] == (Verdict.FAIL, None)


def test_roots_are_demands_and_end_somewhere() -> None:
    checks = load_checks()
    for check in checks.values():
        seen = [check.requirement]
        while (root := checks[seen[-1]].root) is not None:
            assert root not in seen
            assert REQUIREMENTS[root].level.is_fatal
            seen.append(root)


def test_one_requirement_alone_finds_its_root(tmp_path: Path) -> None:
    """A front that judges one requirement at a time records what could explain a violation."""
    with running_server(kill_matrix.server_config(fault="nothing-is-kept")) as server:
        profile = kill_matrix.profile_of(server.url, dialect="open-responses")
        run = Run(profile, plan(profile), tmp_path)
        told = run.judge(REQUIREMENTS["RWS-TOOL-003"])
    assert (told.verdict, told.by) == (Verdict.UNTESTABLE, "RWS-CHAIN-002")
    assert len(run.recordings) < len(run.plan.scenarios)


def test_what_goes_down_with_a_connection_stands_under_what_ended_it(tmp_path: Path) -> None:
    """A create that was lost with its connection says nothing of what it was sent for."""
    fault = "not-found-closes-the-connection"
    with running_server(kill_matrix.server_config(fault=fault)) as server:
        profile = kill_matrix.profile_of(server.url, dialect="open-responses")
        run = Run(profile, plan(profile), tmp_path)
        lost, root = (run.judge(REQUIREMENTS[n]) for n in ("RWS-STORE-001", "RWS-ERROR-009"))
    assert root.verdict is Verdict.FAIL
    assert (lost.verdict, lost.by) == (Verdict.UNTESTABLE, "RWS-ERROR-009")


@pytest.mark.parametrize("layer", MISSING)
def test_a_claimed_layer_that_is_missing_is_no_flood(layer: str, tmp_path: Path) -> None:
    """It is red, and what hangs on it stands under that."""
    config = replace(kill_matrix.server_config(), without=frozenset({layer}))
    with running_server(config) as server:
        profile = kill_matrix.profile_of(server.url, dialect="openai", features={layer})
        whole = plan(profile)
        of_layer = tuple(s for s in whole.scenarios if layer in s.features)
        run = Run(profile, replace(whole, scenarios=of_layer), tmp_path)
        run.record_all()
    red = {j.requirement.id for j in run.judgements() if j.verdict in kill_matrix.RED}
    assert red == MISSING[layer]


def test_silence_about_one_layer_is_no_dead_target(tmp_path: Path) -> None:
    """A server that passes over creates of one kind is judged, for it answers all others."""
    fault = "generate-false-meets-silence"
    with running_server(kill_matrix.server_config(fault=fault)) as server:
        profile = kill_matrix.profile_of(server.url, features={"warmup"})
        timing = replace(profile.timing, first_event=0.4, idle=0.4)
        todo = plan(profile)
        quick = tuple(s for s in todo.scenarios if s.area in ("creation", "warmup"))
        run = Run(replace(profile, timing=timing), replace(todo, scenarios=quick), tmp_path)
        run.record_all()
    assert run.stopped is None
    verdicts = {j.requirement.id: j.verdict for j in run.judgements()}
    assert verdicts["RWS-WARM-013"] is Verdict.FAIL
    assert verdicts["RWS-WARM-001"] is Verdict.UNTESTABLE
