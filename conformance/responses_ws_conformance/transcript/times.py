"""Times, as the files of the suite spell them: ISO 8601, a day at least."""

from __future__ import annotations

from datetime import datetime
from typing import Final

ROUNDING: Final = 1.0  # seconds


def seconds(text: str) -> float:
    """The seconds from 1970 to a time; raises ValueError where the text is none."""
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError, OSError):
        raise ValueError(f"not a time: {text!r}") from None


def is_within(text: str, begun: str, duration: float) -> bool:
    """True where a time lies in a span of seconds, or nobody told one of the two."""
    if not text or not begun:
        return True
    start = seconds(begun)
    return start - ROUNDING <= seconds(text) <= start + duration + ROUNDING
