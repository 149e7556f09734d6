"""Asking for a planted word in a way that a moody model cannot turn into a false red."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from responses_ws_conformance.checks.answers import RECALLS_THAT_PROVE, contains
from responses_ws_conformance.driver import Driver
from responses_ws_conformance.reading.exchanges import Exchange


def recollect(
    driver: Driver,
    requirement: str,
    word: str,
    *,
    recall: Callable[[], Exchange],
    control: Callable[[], Exchange],
    controls: Sequence[Exchange] = (),
) -> Exchange:
    """Ask through the chain; after a miss ask the same with the whole history in one create.

    Marks everything that was asked for the requirement; the last exchange that asked through the
    chain. Costs one turn where the word comes back, at most six, less by each of the
    ``controls`` that have been asked already. A recall that ends in anything but a completed
    response is the last.
    """
    recalls: list[Exchange] = []
    asked = list(controls)
    for _ in range(RECALLS_THAT_PROVE):
        recalls.append(recall())
        if contains(recalls[-1], word) or recalls[-1].outcome != "completed":
            break
        if len(asked) < RECALLS_THAT_PROVE:
            asked.append(control())
    driver.mark(requirement, {"word": word}, recalls=recalls, controls=asked)
    return recalls[-1]
