"""Processes that benchmarks start and measure."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

RWS = (sys.executable, "-m", "responses_ws_conformance.cli")
SERVER = (sys.executable, "-m", "responses_ws_reference", "--port", "0")


@dataclass(frozen=True, slots=True)
class Listening:
    """A server in a process of its own."""

    url: str
    pid: int

    @property
    def resident(self) -> float:
        """Its resident memory in MB."""
        status = Path(f"/proc/{self.pid}/status").read_text("utf-8")
        (line,) = (line for line in status.splitlines() if line.startswith("VmRSS"))
        return int(line.split()[1]) / 1024


@contextlib.contextmanager
def listening(command: Sequence[str] = SERVER) -> Iterator[Listening]:
    """A server that has said where it listens, until the context ends."""
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().rpartition(" ")[2].strip()
        try:
            yield Listening(url, process.pid)
        finally:
            process.terminate()


def run_rws(
    arguments: Sequence[str | Path], *, allowed: Sequence[int] = (0,)
) -> tuple[float, float]:
    """Wall time in seconds and peak memory in MB of one command of the suite."""
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        process = subprocess.Popen([*RWS, *arguments], cwd=folder, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - started
    if process.returncode not in allowed:
        raise SystemExit(f"rws {arguments[0]}: exit code {process.returncode}")
    return seconds, usage.ru_maxrss / 1024
