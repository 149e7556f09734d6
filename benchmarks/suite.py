"""Time and memory of the suite against the reference server."""

from __future__ import annotations

import statistics

from processes import listening, run_rws
from rows import Row, Rows

REPEAT = 5


def rows() -> Rows:
    """Medians of five runs, and the largest memory of them."""
    for name, arguments in (("full run", ["run"]), ("smoke run", ["run", "--smoke"])):
        runs = [run_rws(arguments) for _ in range(REPEAT)]
        yield Row(f"{name}, median of {REPEAT}", statistics.median(r[0] for r in runs), "s", 2)
        yield Row(f"{name}, peak memory", max(r[1] for r in runs), "MB")
    with listening() as server:
        yield Row("reference server, nobody connected", server.resident, "MB")
