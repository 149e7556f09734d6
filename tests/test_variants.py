"""The suite against servers that conform in other ways: no false red, and the verdict says why."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import kill_matrix
import pytest
import variant_runs
from responses_ws_conformance.catalogue import Level, catalogue
from responses_ws_conformance.runner import Run, plan
from responses_ws_conformance.verdict import Verdict
from responses_ws_reference.server import running_server
from responses_ws_reference.variants import VARIANTS, Variant
from variant_runs import VariantRun

RunOf = Callable[[str], VariantRun]

# What waits for real seconds is run in virtual time instead: tests/test_slow_targets.py.
QUICK = [name for name in VARIANTS if name not in ("slow", "silent-with-pings")]


@pytest.fixture(scope="session")
def run_of(request: pytest.FixtureRequest) -> Iterator[RunOf]:
    """The run against a variant. All that the selected tests ask for run side by side."""
    names = {
        item.callspec.params["name"]
        for item in request.session.items
        if isinstance(item, pytest.Function) and "run_of" in item.fixturenames
    }
    with variant_runs.workers() as pool:
        running = {name: variant_runs.submit(pool, name) for name in QUICK if name in names}
        yield lambda name: running[name].result()
        pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("name", QUICK)
def test_variant_conforms(name: str, run_of: RunOf) -> None:
    """In every dialect that it is legal in a variant is told nothing but what it declares."""
    run = run_of(name)
    assert run.stopped is None
    assert {
        dialect: problems
        for dialect, verdicts in run.verdicts.items()
        if (problems := [*variant_runs.unexpected(name, verdicts)])
    } == {}


@pytest.mark.parametrize("name", [v.name for v in VARIANTS.values() if v.leaves_open])
def test_what_is_left_open_says_why(name: str, run_of: RunOf) -> None:
    """Most is judged in spite of the mood or the load, and each gap is explained."""
    for verdicts in run_of(name).verdicts.values():
        gaps = [j for j in verdicts.values() if j.verdict is Verdict.UNTESTABLE]
        assert all(gap.cause and gap.why for gap in gaps)
        assert 2 * len(gaps) < sum(j.verdict is Verdict.PASS for j in verdicts.values())


@pytest.mark.parametrize("variant", VARIANTS.values(), ids=lambda v: v.name)
def test_only_recommendations_are_not_followed(variant: Variant) -> None:
    """What a variant declares to leave undone is a SHOULD: it conforms, with a warning."""
    levels = [catalogue().requirements[name].level for name in variant.warns]
    assert all(level in (Level.SHOULD, Level.SHOULD_NOT) for level in levels)


@pytest.mark.parametrize(
    ("name", "requirement"),
    [
        ("queued-first", "RWS-EVENT-003"),
        ("vendor-events", "RWS-EVENT-018"),
        ("failed-for-the-model", "RWS-EVENT-009"),
        ("refuse-second-create", "RWS-TURN-003"),
        ("refuse-second-create-early", "RWS-TURN-003"),
        ("refuse-second-create-late", "RWS-TURN-003"),
        ("short-queue", "RWS-TURN-004"),
        ("interleaved-calls", "RWS-TOOL-007"),
        ("interleaved-calls", "RWS-CUSTOM-010"),
        ("reasoning", "RWS-REASON-003"),
        ("reasoning-text", "RWS-REASON-001"),
    ],
)
def test_what_only_some_servers_do_is_judged_there(
    name: str, requirement: str, run_of: RunOf
) -> None:
    """A condition that is the server's choice arises where a variant chooses so."""
    for verdicts in run_of(name).verdicts.values():
        if verdicts[requirement].verdict is not Verdict.SKIP:
            assert verdicts[requirement].verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("name", "requirement"),
    [
        ("one-call-at-a-time", "RWS-TOOL-007"),
        ("no-deltas", "RWS-ITEM-005"),
        ("no-deltas", "RWS-ITEM-008"),
        ("no-deltas", "RWS-ITEM-020"),
        ("no-setup-events", "RWS-ITEM-018"),
        ("no-shell", "RWS-CUSTOM-013"),
        ("no-shell", "RWS-CUSTOM-014"),
        ("whole-custom-calls", "RWS-CUSTOM-003"),
        ("unthinking", "RWS-REASON-006"),
        ("agents-never-wait", "RWS-INJECT-001"),
        ("agents-never-wait", "RWS-INJECT-002"),
        ("agents-never-wait", "RWS-INJECT-005"),
    ],
)
def test_what_a_server_never_does_is_no_pass(name: str, requirement: str, run_of: RunOf) -> None:
    for verdicts in run_of(name).verdicts.values():
        assert verdicts[requirement].verdict is Verdict.UNSEEN


@pytest.mark.parametrize("name", ["two-messages", "refusal-parts", "reasoning", "empty-output"])
def test_what_a_variant_has_told_is_what_it_hands_out(name: str, tmp_path: Path) -> None:
    """Its two sides are one server too."""
    with running_server(kill_matrix.server_config(variant=name, http=True)) as server:
        features = kill_matrix.ALL_LAYERS - set(VARIANTS[name].lacks)
        profile = kill_matrix.profile_of(server.url, features=features)
        run = Run(profile, plan(profile, only=("RWS-HTTP-010",)), tmp_path)
        run.record_all()
    assert [j.verdict for j in run.judgements()] == [Verdict.PASS]
