"""Two parametrised tests over the library: record each scenario, judge each requirement."""

from __future__ import annotations

import pytest

from responses_ws_conformance.catalogue import catalogue
from responses_ws_conformance.escaping import safe
from responses_ws_conformance.plugin import settle
from responses_ws_conformance.reports.baseline import Baseline
from responses_ws_conformance.runner import Run
from responses_ws_conformance.scenarios import load_scenarios
from responses_ws_conformance.verdict import Judgement, Verdict

REQUIREMENTS = [r.id for r in catalogue().of_role("server")]


@pytest.mark.parametrize("name", load_scenarios())
def test_scenario(name: str, rws_run: Run) -> None:
    """The scenario runs to its end and is recorded."""
    scenario = next((s for s in rws_run.plan.scenarios if s.name == name), None)
    if scenario is None:
        is_dropped = name in (s.name for s in rws_run.plan.dropped)
        pytest.skip("max-turns drops it" if is_dropped else "the profile does not offer its needs")
    rws_run.record(scenario)
    if rws_run.stopped is not None:
        pytest.exit(f"rws: {safe(rws_run.stopped, limit=1000)}", returncode=4)


@pytest.fixture
def judgement(requirement: str, rws_run: Run, request: pytest.FixtureRequest) -> Judgement:
    """The verdict about a requirement; a suite that broke is an error, and no failed test.

    Its properties get into a JUnit file of either family; ``record_property`` warns of one.
    """
    wanted = next((r for r in rws_run.plan.requirements if r.id == requirement), None)
    if wanted is None:
        pytest.skip("not selected: max-turns drops what exercises it, or its version is later")
    judgement = rws_run.judge(wanted)
    facts = {"level": wanted.level.value, "url": wanted.url, "verdict": judgement.verdict.value}
    request.node.user_properties.extend(facts.items())
    if judgement.verdict is Verdict.ERROR:
        pytest.fail(f"the suite broke: {judgement.why}", pytrace=False)
    return judgement


@pytest.mark.parametrize("requirement", REQUIREMENTS)
def test_requirement(
    judgement: Judgement, rws_run: Run, rws_baseline: Baseline, pytestconfig: pytest.Config
) -> None:
    """The recordings satisfy the requirement."""
    settle(judgement, rws_run, rws_baseline, pytestconfig)
