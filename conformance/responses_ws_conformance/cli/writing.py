"""Files that a command line names to be written."""

from __future__ import annotations

from pathlib import Path

from responses_ws_conformance.transcript_files import ESCAPING


def write(path: Path, text: str) -> None:
    """Write a file, and make the folder that it is to stand in."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8", errors=ESCAPING)


def write_or_show(path: Path | None, text: str) -> None:
    """Write a file; where none is named the text goes to standard output."""
    if path is None:
        print(text, end="")
    else:
        write(path, text)
