"""Lint, types and import contracts hold."""

from __future__ import annotations

import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parent.parent
COMMANDS = {
    "lint": ["ruff", "check", "."],
    "format": ["ruff", "format", "--check", "."],
    "types": ["mypy"],
    "import contracts": ["lint-imports", "--no-cache"],
}
PACKAGES = ("responses_ws_conformance", "responses_ws_reference", "responses_ws_schemas")


@pytest.mark.parametrize("name", COMMANDS)
def test_code(name: str) -> None:
    command = COMMANDS[name]
    program = Path(sys.executable).with_name(command[0])
    done = subprocess.run(
        [program, *command[1:]], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_imports_go_in_a_circle() -> None:
    """Nor from a module back to its package, which contracts about layers do not look at."""
    graph = grimp.build_graph(*PACKAGES, cache_dir=None)
    imports = {name: graph.find_modules_directly_imported_by(name) for name in graph.modules}
    try:
        order = list(TopologicalSorter(imports).static_order())
    except CycleError as problem:
        pytest.fail(" -> ".join(problem.args[1]))
    assert order.index("responses_ws_conformance.driver.wire") < order.index(
        "responses_ws_conformance.driver"
    )
