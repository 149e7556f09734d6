"""The spec's Markdown keeps its form, and what is generated from it is fresh."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from markdown_it import MarkdownIt
from responses_ws_conformance.catalogue import catalogue
from responses_ws_schemas import BASE_URL, names

ROOT = Path(__file__).parent.parent
SPEC = ROOT / "spec"
TOOL = ROOT / "conformance" / "tools" / "build_catalogue.py"
CHAPTERS = sorted(SPEC.glob("[0-9]*.md"))
ROWS: list[dict[str, Any]] = json.loads(
    (ROOT / "conformance/responses_ws_conformance/catalogue/requirements.json").read_text("utf-8")
)["requirements"]
FEATURES = {"core", "auth", "storage", "warmup", "lanes", "steering", "custom-tools", "reasoning"}
FEATURES |= {"compaction", "http", "inject", "interrupt"}
DIALECTS = {None, "open-responses", "openai"}
PROFILE = json.loads((ROOT / "schemas/responses_ws_schemas/files/profile.json").read_text("utf-8"))
LEVERS = {None, "second-key", "message-size", *PROFILE["properties"]["levers"]["properties"]}
KEYWORDS = re.compile(r"\b(must|shall|should|may|required|recommended|optional)\b", re.IGNORECASE)

every_requirement = pytest.mark.parametrize("row", ROWS, ids=[row["id"] for row in ROWS])


def load_tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("build_catalogue", TOOL)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["build_catalogue"] = module
    spec.loader.exec_module(module)
    return module


build_catalogue = load_tool()


def test_generated_files_are_fresh() -> None:
    done = subprocess.run(
        [sys.executable, TOOL, "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_ids_are_unique_and_the_suite_reads_them_all() -> None:
    assert list(catalogue().requirements) == [row["id"] for row in ROWS]
    assert len({row["id"] for row in ROWS}) == len(ROWS) >= 60


@every_requirement
def test_requirement_is_well_formed(row: dict[str, Any]) -> None:
    areas = build_catalogue.AREAS[row["chapter"]]
    assert re.fullmatch(rf"RWS-({'|'.join(areas)})-\d{{3}}", row["id"])
    assert row["text"].count(row["level"]) == 1
    assert len(re.findall(r"\b(MUST|SHOULD|MAY|SHALL)\b", row["text"])) == 1
    assert row["text"].endswith(".")
    assert row["role"] == ("client" if "CLIENT" in areas else "server")
    assert row["feature"] in FEATURES
    assert row["also"] in (FEATURES | {None}) - {"core", "auth", row["feature"]}
    assert row["dialect"] in DIALECTS
    assert row["condition"] in (None, "server")
    assert row["lever"] in LEVERS
    assert row["since"] == "0.1"


@every_requirement
def test_evidence_is_public_and_honest(row: dict[str, Any]) -> None:
    assert row["evidence"]
    for evidence in row["evidence"]:
        assert evidence["url"].startswith("https://")
        assert evidence["source"]
        if evidence["kind"] == "observed":
            assert re.search(r"\d{4}-\d{2}-\d{2}$", evidence["source"])
        if evidence["kind"] == "chosen":
            record = evidence["url"].removeprefix(BASE_URL).strip("/")
            assert row["id"] in (SPEC / f"{record}.md").read_text("utf-8")


@every_requirement
def test_schema_exists(row: dict[str, Any]) -> None:
    folder = row["schema"]
    assert folder is None or any(name.startswith(f"{folder}/") for name in names())


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_normative_words_stand_in_the_boxes_only(path: Path) -> None:
    quoted = False
    for token in MarkdownIt("commonmark").parse(path.read_text("utf-8")):
        if token.type in ("blockquote_open", "blockquote_close"):
            quoted = token.type == "blockquote_open"
        if token.type != "inline" or quoted:
            continue
        prose = [child.content for child in token.children or [] if child.type == "text"]
        assert [text for text in prose if KEYWORDS.search(text)] == []


REQUIREMENT = """#### {id}

> The server **{level}** answer {more}.

- Role: server
- Feature: core
- Since: 0.1
- Evidence: {evidence}
{keys}
"""
SOUND = {
    "id": "RWS-CONN-001",
    "level": "MUST",
    "more": "`a|b` #1? yes",
    "evidence": "documented ([A *page*](https://a.example)), "
    "observed ([B](https://b.example), 2026-11-22)",
    "keys": "",
}
BROKEN = {
    "an id of another chapter": ({"id": "RWS-FRAME-001"}, "not an id of this chapter"),
    "no id": ({"id": "On opening"}, "not an id of this chapter"),
    "no keyword of RFC 2119": ({"level": "WILL"}, "one bold keyword"),
    "two keywords": ({"more": "and **MUST NOT** close"}, "one bold keyword"),
    "an unknown key": ({"keys": "- Mood: good"}, "not a key"),
    "the same key twice": ({"keys": "- Role: client"}, "not a key"),
    "unknown evidence": ({"evidence": "rumoured ([A](https://example.com))"}, "evidence is one of"),
    "evidence without an address": ({"evidence": "documented (a page)"}, "the evidence reads"),
    "evidence that does not close": ({"evidence": "typed ([A](https://a.example)"}, "evidence"),
}


def write_spec(folder: Path, requirement: str) -> None:
    for name in build_catalogue.AREAS:
        (folder / f"{name}.md").write_text("# Empty\n", "utf-8")
    (folder / "01-connection.md").write_text(f"# One\n\n## Part\n\n{requirement}", "utf-8")


def test_a_sound_requirement_is_read(tmp_path: Path) -> None:
    write_spec(tmp_path, REQUIREMENT.format(**SOUND))
    (row,) = build_catalogue.read_requirements(tmp_path)
    assert row.text == "The server MUST answer `a|b` #1? yes."
    assert (row.section, row.anchor, row.lever) == ("Part", "rws-conn-001", None)
    assert [(e.kind, e.source, e.url) for e in row.evidence] == [
        ("documented", "A page", "https://a.example"),
        ("observed", "B, 2026-11-22", "https://b.example"),
    ]


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_requirement_is_named_with_its_place(tmp_path: Path, name: str) -> None:
    change, message = BROKEN[name]
    write_spec(tmp_path, REQUIREMENT.format(**{**SOUND, **change}))
    with pytest.raises(build_catalogue.SpecError, match=rf"01-connection\.md:\d+: .*{message}"):
        build_catalogue.read_requirements(tmp_path)


def test_an_id_is_defined_once(tmp_path: Path) -> None:
    write_spec(tmp_path, 2 * REQUIREMENT.format(**SOUND))
    with pytest.raises(build_catalogue.SpecError, match="RWS-CONN-001 is defined twice"):
        build_catalogue.read_requirements(tmp_path)
