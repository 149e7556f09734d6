"""Checks on ``response.create``."""

from __future__ import annotations

from collections.abc import Iterator

from responses_ws_conformance.checks import Mark, Outcome, expectation
from responses_ws_conformance.checks.answers import answered


@expectation("RWS-CREATE-001")
@expectation("RWS-CREATE-002")
def create_is_answered(mark: Mark) -> Iterator[Outcome]:
    """A healthy create ends with a completed response."""
    yield from answered(mark.exchange())
