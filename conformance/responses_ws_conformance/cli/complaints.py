"""What goes wrong is said in one line."""

from __future__ import annotations

import sys
from typing import Final

from responses_ws_conformance.escaping import safe

COMPLAINT: Final = 1000  # characters


def complain(problem: str) -> None:
    """Say in one line what is wrong; it can hold what a target or a file says."""
    print(f"rws: {safe(problem, limit=COMPLAINT)}", file=sys.stderr)
