"""The docs site builds without a warning, and every requirement has its address on it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from responses_ws_conformance.requirements import catalogue
from responses_ws_schemas import BASE_URL

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as it is published."""
    folder = tmp_path_factory.mktemp("site")
    program = Path(sys.executable).with_name("mkdocs")
    done = subprocess.run(
        [program, "build", "--strict", "--quiet", "--site-dir", folder],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_every_requirement_has_its_anchor(site: Path) -> None:
    for requirement in catalogue().requirements.values():
        page, _, anchor = requirement.url.removeprefix(BASE_URL).partition("#")
        html = (site / page / "index.html").read_text("utf-8")
        assert f'<h4 id="{anchor}">' in html, requirement.id


def test_every_record_of_a_decision_is_on_the_site(site: Path) -> None:
    for requirement in catalogue().requirements.values():
        for evidence in requirement.evidence:
            address = evidence.url or ""
            if address.startswith(BASE_URL):
                assert (site / address.removeprefix(BASE_URL) / "index.html").is_file()


def test_examples_are_shown_whole(site: Path) -> None:
    html = (site / "05-continuation" / "index.html").read_text("utf-8")
    assert "--8&lt;--" not in html
    assert len(re.findall("previous_response_not_found", html)) > 5
