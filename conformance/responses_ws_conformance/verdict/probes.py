"""Probes: what a target made of things that were invented a moment before.

A target that takes everything passes whatever is about being answered. The scenario
``probes/inventions`` asks for what cannot exist, and the report says what came of it before it
shows anything green.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from responses_ws_conformance.checks import Evidence
from responses_ws_conformance.checks.answers import describe
from responses_ws_conformance.reading.exchanges import Exchange

MODEL: Final = "model"
EXPECTED: Final[Mapping[str, str]] = {
    "response id": "an error event",
    "event type": "an error event",
    MODEL: "an error event, or a response all the same",
}


@dataclass(frozen=True, slots=True)
class Probe:
    """What was invented, what is owed for it and what came; ``is_accepted`` where it was taken."""

    what: str
    expected: str
    seen: str
    is_accepted: bool

    @property
    def is_fooled(self) -> bool:
        """True where greens are worth less; any server is free to serve a model of any name."""
        return self.is_accepted and self.what != MODEL


def probes(recordings: Iterable[Evidence]) -> tuple[Probe, ...]:
    """What came of each invention, in the latest recording that has it."""
    latest: dict[str, Probe] = {}
    for evidence in recordings:
        for note in evidence.transcript.notes("probe"):
            what = str(note.facts.get("what"))
            names = note.roles.get("subject", ())
            exchange = next((x for x in evidence.exchanges if x.name in names), None)
            if what not in EXPECTED or exchange is None:
                continue  # somebody cut the file
            started = _starts_a_response(evidence, exchange)
            seen = "a response" if started else describe(exchange)
            latest[what] = Probe(what, EXPECTED[what], seen, started)
    return tuple(latest.values())


def _starts_a_response(evidence: Evidence, exchange: Exchange) -> bool:
    """True where a response came, whether or not the message was a create."""
    if exchange.is_create:
        return exchange.outcome in ("completed", "incomplete")
    view = evidence.reading.connection(exchange.conn)
    later = [x.sent.n for x in view.exchanges if x.sent.n > exchange.sent.n]
    end = min(later, default=len(evidence.transcript.entries))
    return any(e.type == "response.created" and exchange.sent.n < e.n < end for e in view.strays)
