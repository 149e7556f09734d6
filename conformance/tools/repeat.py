"""Runs the suite again and again and compares: does a verdict ever change?

    python conformance/tools/repeat.py [N] [--each M] [--variant NAME…]

N runs (default 100) against the reference server and M (default 3) against each of its conforming
variants, each run against a new server. Verdicts are compared id by id, in every dialect. Prints
each verdict that changed; the exit code is 1 then.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence

import variant_runs
from responses_ws_reference.variants import VARIANTS
from variant_runs import VariantRun


def changes(runs: Iterable[VariantRun]) -> Iterator[str]:
    """Each requirement about which the runs against one server disagree, and how often."""
    said: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for run in runs:
        for dialect, verdicts in run.verdicts.items():
            for requirement, told in verdicts.items():
                said[requirement, dialect][told.verdict.value] += 1
    for (requirement, dialect), counts in said.items():
        if len(counts) > 1:
            shares = ", ".join(f"{name} {count} times" for name, count in counts.most_common())
            yield f"{requirement} ({dialect}): {shares}"


def main(argv: Sequence[str] | None = None) -> int:
    """Print a row for each server, and what changed; 0 where nothing did."""
    parser = argparse.ArgumentParser(description="Run the suite many times and compare.")
    parser.add_argument("times", nargs="?", type=int, default=100, metavar="N")
    parser.add_argument("--each", type=int, default=3, metavar="M", help="runs of each variant")
    parser.add_argument(
        "--variant", action="append", choices=VARIANTS, metavar="NAME", help="default: all"
    )
    options = parser.parse_args(argv)
    names = options.variant or list(VARIANTS)
    todo = {None: options.times, **dict.fromkeys(names, options.each)}
    started = time.monotonic()
    unsteady = 0
    with variant_runs.workers() as pool:
        running = {
            name: [variant_runs.submit(pool, name) for _ in range(times)]
            for name, times in todo.items()
        }
        for name, futures in running.items():
            runs = [future.result() for future in futures]
            changed = [*changes(runs)]
            unsteady += len(changed)
            verdict = f"{len(changed)} verdicts changed" if changed else "no verdict changed"
            print(f"{name or 'reference server':<28} {len(runs):>4} runs  {verdict}", flush=True)
            for line in changed:
                print(f"  {line}", flush=True)
    runs_in_all = sum(todo.values())
    print(f"{runs_in_all} runs in {time.monotonic() - started:.0f} s, {unsteady} verdicts changed")
    return 1 if unsteady else 0


if __name__ == "__main__":
    sys.exit(main())
