"""Times, as the files of the suite spell them: ISO 8601, a day at least."""

from __future__ import annotations

from datetime import datetime


def seconds(text: str) -> float:
    """The seconds from 1970 to a time; raises ValueError where the text is none."""
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError, OSError):
        raise ValueError(f"not a time: {text!r}") from None
