"""What the parts of the HTML report have in common: a row of the report, prose, and links."""

from __future__ import annotations

import re
from html import escape
from typing import Any, Final

from responses_ws_conformance.escaping import safe

CODE: Final = re.compile(r"`([^`]+)`")

Row = dict[str, Any]


def prose(text: str) -> str:
    """A sentence of the specification; what stands in ticks is code."""
    return CODE.sub(r"<code>\1</code>", escape(text))


def said(text: str, *, limit: int = 1000) -> str:
    """A text of which somebody else may have written a part."""
    return escape(safe(text, limit=limit))


def local(text: str, anchor: str | None = None) -> str:
    """A link to a place on the page."""
    return f'<a href="#{escape(anchor or text)}">{escape(text)}</a>'
