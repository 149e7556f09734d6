"""What the options of both fronts can be; it loads nothing beyond the standard library."""

from __future__ import annotations

import argparse
import re


def positive(text: str) -> int:
    """A number of things of which there is at least one."""
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"a whole number from 1 on is needed, not {text!r}")
    return number


def version(text: str) -> str:
    """A version of the specification, such as 0.1."""
    if not re.fullmatch(r"[0-9]{1,4}\.[0-9]{1,4}", text, re.ASCII):
        raise argparse.ArgumentTypeError(f"a version such as 0.1 is needed, not {text!r}")
    return text
