"""The suite can fail: each fault turns red what it declares, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import kill_matrix
import pytest
from kill_matrix import Result
from responses_ws_conformance.catalogue import catalogue
from responses_ws_reference.faults import FAULTS

ResultOf = Callable[[str], Result]


@pytest.fixture(scope="session")
def result_of(request: pytest.FixtureRequest) -> Iterator[ResultOf]:
    """The result of a fault. All that the selected tests ask for run side by side."""
    names = [
        item.callspec.params["name"]
        for item in request.session.items
        if isinstance(item, pytest.Function) and item.originalname == "test_fault_is_killed"
    ]
    with ThreadPoolExecutor(kill_matrix.JOBS) as pool:
        running = {name: pool.submit(kill_matrix.run_fault, FAULTS[name]) for name in names}
        yield lambda name: running[name].result()
        pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("name", FAULTS)
def test_fault_is_killed(name: str, result_of: ResultOf) -> None:
    result = result_of(name)
    assert result.fired, "the fault changed nothing: no scenario gave it the occasion"
    assert sorted(result.red) == sorted(result.breaks), result.outcome


def test_every_demand_on_servers_has_a_fault() -> None:
    """A requirement that nothing can break in our hands is not known to be judged."""
    declared = {name for fault in FAULTS.values() for name in fault.breaks}
    demands = {
        requirement.id
        for requirement in catalogue().of_role("server")
        if requirement.level.is_fatal and not requirement.not_judged
    }
    assert demands - declared == set()


def test_published_matrix_is_fresh() -> None:
    """``kill_matrix.py --write`` has been run since a fault was last added or changed."""
    published = json.loads(kill_matrix.MATRIX.read_text("utf-8"))
    assert published == {
        name: {"summary": f.summary, "breaks": sorted(f.breaks), "outcome": "killed"}
        for name, f in FAULTS.items()
    }
    assert kill_matrix.PAGE.read_text("utf-8") == kill_matrix.matrix_page(published)


@pytest.mark.parametrize(
    ("red", "fired", "outcome"),
    [
        ({"A": "fail", "B": "warn"}, 1, "killed"),
        ({"A": "fail", "B": "warn", "C": "fail"}, 1, "collateral"),
        ({"A": "fail"}, 1, "partial"),
        ({"A": "fail", "C": "fail"}, 1, "partial"),
        ({"C": "fail"}, 1, "killed elsewhere"),
        ({}, 1, "survived"),
        ({}, 0, "never fired"),
        ({"A": "fail", "B": "warn"}, 0, "never fired"),
        ({"A": "fail", "B": "error"}, 1, "suite broke"),
    ],
)
def test_outcomes(red: dict[str, str], fired: int, outcome: str) -> None:
    assert Result("fault", ("A", "B"), red, fired, 0.0).outcome == outcome


def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command prints a row for each fault and writes the matrix as JSON."""
    file = tmp_path / "matrix.json"
    assert kill_matrix.main(["errors-say-nothing", "--json", str(file)]) == 0
    assert capsys.readouterr().out.startswith("killed           errors-say-nothing ")
    row = json.loads(file.read_text("utf-8"))["errors-say-nothing"]
    assert (row["outcome"], row["breaks"]) == ("killed", ["RWS-ERROR-005"])


def test_command_knows_its_faults(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        kill_matrix.main(["no-such-fault"])
    assert "no fault is named no-such-fault" in capsys.readouterr().err
