"""Escaping: nothing that a target sends can steer a terminal."""

from __future__ import annotations

from typing import Final

LINE_LENGTH: Final = 160


def safe(text: str, *, limit: int = LINE_LENGTH) -> str:
    """One printable line: control characters are escaped, a long text is cut."""
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return shown if len(shown) <= limit else f"{shown[: limit - 1]}…"
