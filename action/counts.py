"""Prints the counts of a report as the lines that a step writes to ``GITHUB_OUTPUT``."""

import json
import sys
from pathlib import Path

for verdict, number in json.loads(Path(sys.argv[1]).read_text("utf-8"))["summary"].items():
    print(f"{verdict}={number}")
