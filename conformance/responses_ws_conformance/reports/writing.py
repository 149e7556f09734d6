"""Files that a command line names to be written."""

from __future__ import annotations

import os
from pathlib import Path

from responses_ws_conformance.errors import CannotStart
from responses_ws_conformance.transcript.files import ESCAPING


def find_room(file: Path) -> None:
    """Make the folder of a file before what fills it, which is long; raises CannotStart."""
    file.parent.mkdir(parents=True, exist_ok=True)
    if file.is_dir() or not os.access(file if file.exists() else file.parent, os.W_OK):
        raise CannotStart(f"{file}: no file can be written there")


def write(path: Path, text: str) -> None:
    """Write a file, and make the folder that it is to stand in."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8", errors=ESCAPING)
