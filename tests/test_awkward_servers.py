"""Servers with hard manners: the legal ones are green, the others red for their manners only.

They are a second, independent server, so what the suite takes for granted about the reference
server shows up here.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from responses_ws_conformance.profile import Profile, Timing
from responses_ws_conformance.runner import Run, judge_recordings, plan
from responses_ws_conformance.scenarios import Scenario
from responses_ws_conformance.verdict import Judgement

from tests.peers.awkward import KEY, MANNERS, OPEN, OPENAI, Manner, serving

TIMING = Timing(connect=5.0, first_event=3.0, idle=2.0, total=10.0, quiet=0.15, close=1.0)
JOBS = 6


def judge(manner: Manner, folder: Path, dialect: str | None) -> list[Judgement]:
    """The verdicts about a server; scenarios are mostly waits, so they overlap."""
    with serving(manner) as url:
        profile = Profile(
            url=url,
            model="scripted",
            dialect=dialect,
            api_key=KEY,
            secrets={"api_key": KEY},
            timing=TIMING,
            backoff=0.01,
        )
        whole = plan(profile)

        def record(scenario: Scenario) -> Run:
            run = Run(profile, replace(whole, scenarios=(scenario,)), folder)
            run.record_all()
            return run

        with ThreadPoolExecutor(JOBS) as pool:
            runs = [*pool.map(record, whole.scenarios)]
    evidence = [e for run in runs for tries in run.recordings.values() for e in tries]
    return judge_recordings(evidence, whole.requirements)


@pytest.mark.parametrize("dialect", [None, OPEN, OPENAI])
@pytest.mark.parametrize("name", MANNERS)
def test_manners_are_judged_for_what_they_are(
    name: str, dialect: str | None, tmp_path: Path
) -> None:
    manner = MANNERS[name]
    judgements = judge(manner, tmp_path, dialect)
    said = {j.requirement.id: j for j in judgements}
    red = {i: j.verdict.value for i, j in said.items() if j.verdict.value in ("fail", "warn")}
    expected = {**manner.breaks, **manner.breaks_more.get(dialect or "", {})}
    assert red == expected, [
        (i, [f.finding.actual for f in said[i].findings]) for i in red if i not in expected
    ]
    untold = {i: j for i, j in said.items() if j.verdict.value in ("untestable", "error")}
    leaves_open = (*manner.leaves_open, *manner.leaves_more.get(dialect or "", ()))
    assert sorted(untold) == sorted(leaves_open), [(i, j.why) for i, j in untold.items()]
    loose = {i: (j.cause, j.by) for i, j in untold.items() if j.by is None}
    assert loose == {}, "what is not judged hangs on something that is broken"
