"""Likeness: findings say the same where only ids, numbers and places differ."""

from __future__ import annotations

import re
from typing import Final

# What stands behind the last finding of a flood.
MORE: Final = "; and more that are not listed"
# Ids, runs of hexadecimal digits, and numbers. A status or a code is no number: it says what is so.
VARYING: Final = re.compile(
    r"\b(?:resp|msg)_\w+"
    r"|\b[a-z]+_(?=[A-Za-z_-]*\d)[\w-]{6,}"
    r"|\b(?=[a-f-]*\d)[0-9a-f]{8}[0-9a-f-]*\b"
    r"|(?<![\w.])(?<!status )(?<!code )(?<!HTTP )\d+(?:\.\d+)?"
)


def likeness(expected: str, actual: str, path: str | None) -> tuple[str, str, str]:
    """What findings have in common that say the same of different frames."""
    whole, _ = parted(actual)
    masked = (VARYING.sub("#", text) for text in (expected, whole, path or ""))
    return next(masked), next(masked), next(masked)


def parted(actual: str) -> tuple[str, bool]:
    """What was seen, and True where more was seen than is listed."""
    return actual.removesuffix(MORE), actual.endswith(MORE)
