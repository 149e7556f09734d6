"""Every statement has its place, and every requirement has a statement."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from responses_ws_conformance.catalogue import PREFIX, catalogue

ROOT = Path(__file__).parent.parent
TOOL = ROOT / "conformance" / "tools" / "build_traceability.py"
NUMBERS = [
    *range(1, 228),
    *range(250, 258),
    *range(260, 269),
    *range(270, 276),
    *range(280, 288),
    290,
    *range(300, 306),
]
KEYS = {"says", "source", "requirements", "excluded", "open", "note"}


def load_tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("build_traceability", TOOL)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["build_traceability"] = module
    spec.loader.exec_module(module)
    return module


tool = load_tool()
DATA = tool.load_data()
STATEMENTS: dict[str, Any] = dict(tool.statements(DATA))
KNOWN = {name for name in catalogue().requirements if name.startswith(PREFIX)}

every_statement = pytest.mark.parametrize("name", STATEMENTS)


def test_no_statement_is_missing() -> None:
    assert list(tool.statements(DATA)) == list(STATEMENTS.items()), "a number comes twice"
    assert sorted(STATEMENTS) == [f"S-{number:03}" for number in NUMBERS]


@every_statement
def test_statement_has_one_fate(name: str) -> None:
    statement = STATEMENTS[name]
    assert set(statement) <= KEYS
    assert len([fate for fate in tool.FATES if fate in statement]) == 1
    assert "note" not in statement or "requirements" in statement
    assert statement["says"].endswith(".")
    text = " ".join(str(statement.get(key, "")) for key in KEYS)
    assert set(re.findall(r"RWS-[A-Z]+-\d{3}", text)) <= KNOWN


@every_statement
def test_requirements_of_a_statement_exist(name: str) -> None:
    requirements = STATEMENTS[name].get("requirements")
    assert requirements is None or (requirements and set(requirements) <= KNOWN)


def test_sentences_are_all_different() -> None:
    assert len({s["says"] for s in STATEMENTS.values()}) == len(STATEMENTS)


def test_sources_are_public_and_used() -> None:
    used = [key for statement in STATEMENTS.values() for key in statement["source"]]
    assert set(used) == set(DATA["sources"])
    assert all(statement["source"] for statement in STATEMENTS.values())
    for source in DATA["sources"].values():
        assert re.fullmatch(r"https://[\w.-]+\.[a-z]+/\S+", source["url"])
        assert source["title"]


def test_every_requirement_is_carried() -> None:
    carried = {name for s in STATEMENTS.values() for name in s.get("requirements", ())}
    assert sorted(KNOWN - carried) == [], "name them in spec/reference/traceability.yaml"


def test_the_page_is_fresh() -> None:
    done = subprocess.run(
        [sys.executable, TOOL, "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


LEDGER = (ROOT / "spec" / "contradictions.md").read_text("utf-8")
ENTRIES = dict(part.split("\n", 1) for part in LEDGER.split("\n### ")[1:])


@pytest.mark.parametrize("title", ENTRIES)
def test_entry_of_the_ledger_is_whole(title: str) -> None:
    """It says whom we follow, and links the requirements that depend on it."""
    entry = ENTRIES[title]
    assert entry.count("\n- We follow: ") == 1
    linked = re.findall(r"\[(RWS-[A-Z]+-\d{3})\]\((\S+)\.md#(\S+)\)", entry.partition("- Ids: ")[2])
    assert linked
    for name, chapter, anchor in linked:
        requirement = catalogue().requirements[name]
        assert (requirement.chapter, requirement.anchor) == (chapter, anchor)
