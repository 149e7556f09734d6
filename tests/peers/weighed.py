"""Runs a command and writes down its peak memory in KB: `weighed.py FILE COMMAND…`.

A process begins with the peak of the one that starts it, so a large process such as a run of tests
cannot weigh its own children. This one is small.
"""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

done = subprocess.run(sys.argv[2:], check=False)
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
Path(sys.argv[1]).write_text(str(peak), "utf-8")
sys.exit(done.returncode)
