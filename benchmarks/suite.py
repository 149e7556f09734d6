"""Time and memory of the suite against the reference server.

    python benchmarks/suite.py [--repeat N]

Prints one row a measurement: the median of N runs (default 5) and the largest peak memory. The
server is the embedded one; everything stays on loopback.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RWS = [sys.executable, "-m", "responses_ws_conformance.cli"]
SERVER = [sys.executable, "-m", "responses_ws_reference", "--port", "0"]


def run(arguments: list[str]) -> tuple[float, float]:
    """Wall time in seconds and peak memory in MB of the suite's own process."""
    with tempfile.TemporaryDirectory() as folder:
        started = time.monotonic()
        process = subprocess.Popen([*RWS, *arguments], cwd=folder, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.monotonic() - started
    if process.returncode != 0:
        raise SystemExit(f"rws {' '.join(arguments)}: exit code {process.returncode}")
    return seconds, usage.ru_maxrss / 1024


def idle_server() -> float:
    """Resident memory in MB of the reference server with nobody connected."""
    with subprocess.Popen(SERVER, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        status = Path(f"/proc/{process.pid}/status").read_text("utf-8")
        process.terminate()
    (line,) = (line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--repeat", type=int, default=5)
    repeat = options.parse_args().repeat
    cores = len(os.sched_getaffinity(0))
    print(f"Python {platform.python_version()}, {platform.machine()}, {cores} cores")
    print(f"{'':24}{'median s':>10}{'peak MB':>10}")
    for name, arguments in (("full run", ["run"]), ("smoke run", ["run", "--smoke"])):
        rows = [run(arguments) for _ in range(repeat)]
        seconds = statistics.median(row[0] for row in rows)
        print(f"{name:24}{seconds:>10.2f}{max(row[1] for row in rows):>10.0f}")
    print(f"{'idle reference server':24}{'':>10}{idle_server():>10.0f}")
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"{'largest process of all':24}{'':>10}{children:>10.0f}")


if __name__ == "__main__":
    main()
