"""The second shell: the suite is green on it, and it has the faults of transport that ASGI can."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import kill_matrix
import pytest
from kill_matrix import Result
from responses_ws_conformance.runner import Run, plan
from responses_ws_conformance.verdict import Verdict
from responses_ws_reference.faults import FAULTS, ONLY_ON_WEBSOCKETS, Fault
from responses_ws_reference.server import running_server

GUIDE = Path(__file__).parent.parent / "spec/guides/reference-server.md"

# The areas of the requirements that a shell has to do with.
TRANSPORT = ("RWS-CONN-", "RWS-FRAME-", "RWS-LIMIT-")


def is_of_transport(fault: Fault) -> bool:
    return any(name.startswith(TRANSPORT) for name in fault.breaks)


TRANSPORT_FAULTS = [
    name
    for name, fault in FAULTS.items()
    if is_of_transport(fault) and name not in ONLY_ON_WEBSOCKETS
]


def test_suite_is_green(tmp_path: Path) -> None:
    """All layers claimed, nothing is red, and all that is owed was judged."""
    with running_server(kill_matrix.server_config(http=True)) as server:
        profile = kill_matrix.profile_of(
            server.url, dialect=kill_matrix.DEFAULT_DIALECT, features=kill_matrix.ALL_LAYERS
        )
        profile = replace(profile, timing=kill_matrix.PATIENT)
        run = Run(profile, plan(profile), tmp_path)
        run.record_all()
    verdicts = {j.requirement.id: j.verdict for j in run.judgements()}
    green = (Verdict.PASS, Verdict.SKIP, Verdict.UNSEEN)
    assert {name: verdict for name, verdict in verdicts.items() if verdict not in green} == {}
    assert list(verdicts.values()).count(Verdict.PASS) > 100


@pytest.fixture(scope="module")
def result_of(request: pytest.FixtureRequest) -> Iterator[Callable[[str], Result]]:
    """The result of a fault on this shell. All that are asked for run side by side."""
    names = [
        item.callspec.params["name"]
        for item in request.session.items
        if isinstance(item, pytest.Function)
        and item.originalname == "test_fault_of_transport_is_killed"
    ]
    with ThreadPoolExecutor(kill_matrix.JOBS) as pool:
        running = {
            name: pool.submit(kill_matrix.run_fault, FAULTS[name], http=True) for name in names
        }
        yield lambda name: running[name].result()
        pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("name", TRANSPORT_FAULTS)
def test_fault_of_transport_is_killed(name: str, result_of: Callable[[str], Result]) -> None:
    result = result_of(name)
    assert result.fired, "the fault changed nothing on this shell"
    assert sorted(result.red) == sorted(result.breaks), result.outcome


def test_the_table_names_the_faults_that_need_frames() -> None:
    """ASGI shows no frames, so these faults cannot be; and the stack accepts by itself."""
    framed = {name for name, f in FAULTS.items() if f.hooks.frame_received or f.hooks.frame_sent}
    assert set(ONLY_ON_WEBSOCKETS) == framed | {"accept-value-is-fixed"}


def test_the_guide_has_the_same_table() -> None:
    rows = re.findall(r"^\| (`.*) \| (.*) \|$", GUIDE.read_text("utf-8"), re.MULTILINE)
    listed = {name: why for names, why in rows for name in re.findall(r"`([^`]+)`", names)}
    assert {n: listed.get(n) for n in ONLY_ON_WEBSOCKETS} == dict(ONLY_ON_WEBSOCKETS)
