"""Hooks of mkdocs: pages that are made while the site is built, so that none can be stale.

``mkdocs.yml`` names this file under ``hooks``. What is generated is held in memory; mkdocs checks
the links in it like those in any other page.
"""

from __future__ import annotations

import re
from typing import Any, Final

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.pages import Page
from pages.asyncapi import asyncapi_file
from pages.implementations import PAGE as IMPLEMENTATIONS
from pages.implementations import statements_text
from pages.lifecycle import PATH as LIFECYCLE
from pages.lifecycle import lifecycle_page
from pages.requirements import requirement_pages
from pages.schemas import INDEX, schema_pages, served_schemas
from responses_ws_conformance.reports.logs import resource

LOGS: Final = ("logs.css", "logs.js")
IN_NAV: Final = (INDEX, LIFECYCLE)

CHAPTER: Final = re.compile(r"\d\d-[a-z-]+\.md")
HEADING: Final = re.compile(r"(#+) (.*)")
SENTENCE: Final = re.compile(r"\[(RWS-[A-Z]+-\d{3})\]\(\.\./\d\d-[a-z-]+\.md#rws-[a-z]+-\d{3}\)")
OWN_PAGE: Final = r"[\1](../requirements/\1.md)"
FIRST_KEY: Final = "- Role:"


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Add the generated pages."""
    generated = {
        **requirement_pages(),
        **schema_pages(),
        **served_schemas(),
        **asyncapi_file(),
        **lifecycle_page(),
        **{f"assets/{name}": resource(name) for name in LOGS},
    }
    for path, text in generated.items():
        place = InclusionLevel.UNDEFINED if path in IN_NAV else InclusionLevel.NOT_IN_NAV
        files.append(File.generated(config, path, content=text, inclusion=place))
    return files


def on_page_markdown(markdown: str, *, page: Page, **_: Any) -> str:
    """Add to what is written by hand what follows from code and data."""
    path = page.file.src_uri
    if CHAPTER.fullmatch(path):
        return _chapter(markdown)
    if path == IMPLEMENTATIONS:
        markdown += statements_text()
    # In the repository the tables lead to the chapters, because these pages are not there.
    return SENTENCE.sub(OWN_PAGE, markdown) if path.startswith("reference/") else markdown


def _chapter(markdown: str) -> str:
    """Requirements in a chapter lead to their pages, and stand right below their section."""
    lines: list[str] = []
    level, identifier = 1, ""
    for line in markdown.splitlines():
        heading = HEADING.fullmatch(line)
        if heading is not None and heading[2].startswith("RWS-"):
            identifier = heading[2]
            line = f"{'#' * (level + 1)} {identifier}"
        elif heading is not None:
            level = len(heading[1])
        elif identifier and line.startswith(FIRST_KEY):
            lines.append(
                f"- Check, scenarios, faults, examples: [{identifier}]"
                f"(requirements/{identifier}.md)"
            )
            identifier = ""
        lines.append(line)
    return "\n".join(lines)
