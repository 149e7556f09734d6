"""Asking for a planted word in a way that a moody model cannot turn into a false red."""

from __future__ import annotations

from collections.abc import Callable

from responses_ws_conformance.checks.answers import RECALLS_THAT_PROVE, contains
from responses_ws_conformance.driver import Driver
from responses_ws_conformance.exchanges import Exchange


def recollect(
    driver: Driver,
    requirement: str,
    word: str,
    *,
    recall: Callable[[], Exchange],
    control: Callable[[], Exchange],
) -> Exchange:
    """Ask through the chain; after a miss ask the same with the whole history in one create.

    Marks everything that was asked for the requirement; the last exchange that asked through the
    chain. Costs one turn where the word comes back, at most four.
    """
    recalls: list[Exchange] = []
    controls: list[Exchange] = []
    for _ in range(RECALLS_THAT_PROVE):
        recalls.append(recall())
        if contains(recalls[-1], word):
            break
        controls.append(control())
    driver.mark(requirement, {"word": word}, recalls=recalls, controls=controls)
    return recalls[-1]
