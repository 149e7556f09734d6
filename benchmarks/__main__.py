"""Measures the suite and the reference server on this machine; everything stays on loopback.

    python benchmarks [NAME…] [--write]

Prints a plain table. ``--write`` keeps it as the page of the site.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import sys
from datetime import UTC, datetime
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

from rows import Row

GROUPS = ("suite", "server", "chain", "connections", "judging")
PAGE = Path(__file__).parents[1] / "spec" / "reference" / "benchmarks.md"


def main() -> None:
    """Run the groups that are asked for."""
    parser = argparse.ArgumentParser(prog="python benchmarks", description=__doc__)
    parser.add_argument("groups", nargs="*", metavar="NAME", help=f"of {', '.join(GROUPS)}")
    parser.add_argument("--write", action="store_true", help=f"keep the table in {PAGE.name}")
    options = parser.parse_args()
    unknown = [name for name in options.groups if name not in GROUPS]
    if unknown or (options.write and options.groups):
        parser.error(f"no group is named {unknown[0]}" if unknown else "--write needs all groups")
    print(machine())
    tables: dict[str, list[Row]] = {}
    for name in options.groups or GROUPS:
        module = import_module(name)
        about = (module.__doc__ or "").strip()
        print(f"\n{about}")
        tables[about] = []
        for row in module.rows():
            tables[about].append(row)
            print(f"  {row}", flush=True)
    if options.write:
        PAGE.write_text(page(tables), "utf-8")


def machine() -> str:
    """What the numbers were measured on."""
    cores = len(os.sched_getaffinity(0))
    today = datetime.now(UTC).date().isoformat()
    return (
        f"{today}, version {version('responses-ws-conformance')}, "
        f"Python {platform.python_version()}, websockets {version('websockets')}, "
        f"{platform.system()} {platform.machine()}, {cores} cores of {processor()}"
    )


def processor() -> str:
    """The name that its maker gave it, where the system tells."""
    models = re.findall(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text("utf-8"), re.M)
    return models[0] if models else "an unnamed processor"


def page(tables: dict[str, list[Row]]) -> str:
    """The page of the site."""
    lines = [
        "# Benchmarks",
        "",
        "Written by `python benchmarks --write`, which anybody can run. Measured on:",
        f"{machine()}. Server and client share the machine.",
    ]
    for about, rows in tables.items():
        lines += ["", f"## {about.rstrip('.')}", "", "| What | Measured |", "|---|---:|"]
        lines += [row.cells() for row in rows]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
