"""The faults of the reference server that prove that a check can fail, by requirement.

``faults.json`` lies beside this module; the kill matrix writes it, for the suite never imports the
server.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def _faults() -> dict[str, dict[str, Any]]:
    text = files(__package__).joinpath("faults.json").read_text("utf-8")
    faults: dict[str, dict[str, Any]] = json.loads(text)
    return faults


def faults_of(identifier: str) -> dict[str, dict[str, Any]]:
    """The faults that turn a requirement red, by name."""
    return {name: fault for name, fault in _faults().items() if identifier in fault["breaks"]}
