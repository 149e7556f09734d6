"""The commands of the project as a user runs them, each in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def python(folder: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """A Python program in a folder, with some variables in its environment."""
    done = subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "Traceback" not in done.stderr
    return done


def rws(folder: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """The command ``rws``."""
    return python(folder, "-m", "responses_ws_conformance.cli", *words, **variables)
