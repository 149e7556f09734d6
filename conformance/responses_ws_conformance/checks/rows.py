"""The rows that invariants judge: what a view finds in every response.

Responses whose events ran into each other are left out, because item events carry no response id
(RWS-TURN-001 judges that).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from responses_ws_conformance.checks import Evidence
from responses_ws_conformance.reading.exchanges import Exchange

Row = TypeVar("Row")


def responses(evidence: Evidence) -> list[Exchange]:
    """The responses whose events did not run into those of another."""
    intruders = {x.superseded_by.n for x in evidence.exchanges if x.superseded_by is not None}
    return [
        x
        for x in evidence.responses
        if x.superseded_by is None and (x.created is None or x.created.n not in intruders)
    ]


def each(
    view: Callable[[Exchange], Iterator[Row]], evidence: Evidence
) -> Iterator[tuple[Exchange, Row]]:
    """The rows of a view of every response."""
    for exchange in responses(evidence):
        for row in view(exchange):
            yield exchange, row


def occurs(view: Callable[[Exchange], Iterator[Any]]) -> Callable[[Evidence], bool]:
    """True where a view of some response has a row to judge."""
    return lambda evidence: any(True for _ in each(view, evidence))
