"""What the first pages of the repository say is so."""

from __future__ import annotations

import re

import pytest
from responses_ws_conformance.catalogue import catalogue
from responses_ws_conformance.reports.report import ExitCode
from responses_ws_reference.faults import FAULTS
from responses_ws_reference.variants import VARIANTS

from tests.conftest import ROOT

README, CONTRIBUTING, CHANGELOG = (
    (ROOT / name).read_text("utf-8") for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")
)
GUIDES = ROOT / "spec" / "guides"
COUNTS = {
    "numbered requirements": len(catalogue().requirements),
    "ways": len(FAULTS),
    "variants": len(VARIANTS),
}


@pytest.mark.parametrize("text", [README, CONTRIBUTING, CHANGELOG], ids=["read", "give", "log"])
def test_links_lead_to_files(text: str) -> None:
    links = re.findall(r"\]\(([^)#]+)", re.sub(r"\s+", " ", text))
    assert [link for link in links if "://" not in link and not (ROOT / link).exists()] == []


def test_round_numbers_are_neither_too_large_nor_out_of_date() -> None:
    texts = [README, CHANGELOG, *(path.read_text("utf-8") for path in GUIDES.glob("*.md"))]
    said = re.findall(rf"[Mm]ore than (\d+) ({'|'.join(COUNTS)})", "\n".join(texts))
    assert {what for _, what in said} == set(COUNTS)
    for number, what in said:
        assert int(number) < COUNTS[what] <= 1.5 * int(number), what


def test_every_folder_and_every_guide_is_named() -> None:
    rows = re.findall(r"^\| \[?`([a-z_]+)/`", README, re.MULTILINE)
    assert [name for name in rows if not (ROOT / name).is_dir()] == []
    assert {"spec", "schemas", "conformance", "reference_server", "tests"} <= set(rows)
    linked = set(re.findall(r"\(spec/guides/([a-z-]+)\.md\)", README))
    assert linked == {path.stem for path in GUIDES.glob("*.md")}


@pytest.mark.parametrize("page", ["README.md", "spec/guides/run-the-suite.md"])
def test_table_of_exit_codes_has_them_all(page: str) -> None:
    text = (ROOT / page).read_text("utf-8").partition("## Exit codes")[2].partition("\n## ")[0]
    assert [int(code) for code in re.findall(r"^\| (\d) \|", text, re.MULTILINE)] == [*ExitCode]


@pytest.mark.parametrize("page", ["README.md", "spec/guides/read-a-failure.md"])
def test_example_of_a_failure_has_the_sentence(page: str) -> None:
    text = (ROOT / page).read_text("utf-8")
    identifier, shown = re.findall(r"^FAIL  (\S+)\n(.*?)\n\n", text, re.MULTILINE | re.DOTALL)[0]
    requirement = catalogue().requirements[identifier]
    assert re.sub(r"\s+", " ", shown).strip() == f"{requirement.text} {requirement.url}"
