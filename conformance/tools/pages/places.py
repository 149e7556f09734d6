"""Where things stand: in the repository, on the site, and on the page of the repository."""

from __future__ import annotations

import posixpath
from pathlib import Path
from typing import Final

from responses_ws_schemas import BASE_URL

ROOT: Final = Path(__file__).resolve().parents[3]
SOURCE: Final = "https://github.com/responses-ws-conformance/rws/blob/main/"
# Frames would fill the index of the search with the words that are in all of them.
UNSEARCHED: Final = "{ data-search-exclude }"


def requirement_page(identifier: str) -> str:
    """The source path of a requirement's page."""
    return f"requirements/{identifier}.md"


def link(text: str, target: str, *, page: str) -> str:
    """A Markdown link from one page to another; both paths are those of the sources."""
    path, hash_sign, anchor = target.partition("#")
    relative = posixpath.relpath(path, posixpath.dirname(page) or ".")
    return f"[{text}]({relative}{hash_sign}{anchor})"


def cited(text: str, url: str | None, *, page: str) -> str:
    """A source with its address; one of our own pages is linked as such."""
    if url is None:
        return text
    if url.startswith(BASE_URL):
        return link(text, url.removeprefix(BASE_URL).rstrip("/") + ".md", page=page)
    return f"[{text}]({url})"


def source(path: str) -> str:
    """A Markdown link to a file of the repository."""
    return f"[`{path}`]({SOURCE}{path})"
