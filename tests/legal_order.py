"""Walks the events of one response through the lifecycle tables of the schemas package."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from responses_ws_schemas import lifecycle

TABLES: Final = lifecycle()
# From the outermost machine to the innermost, and what tells its instances apart.
MACHINES: Final = {"response": None, "output_item": "output_index", "content_part": "content_index"}

Place = tuple[int, ...]


def events_of(machine: str) -> frozenset[str]:
    """The event types that are an input of one machine."""
    return frozenset(row["on"] for row in TABLES[machine]["transitions"] if "on" in row)


class IllegalStep(Exception):
    """No row allows an event where it came."""


@dataclass(slots=True)
class Walk:
    """One response on its way; ``states`` has its own under ``()`` and those of what is inside."""

    states: dict[Place, str] = field(default_factory=dict)

    def state(self, place: Place = ()) -> str:
        """Where the response, an item or a part stands."""
        initial: str = self._table(place)["initial"]
        return self.states.get(place, initial)

    @property
    def is_final(self) -> bool:
        """True where the response owes nothing more."""
        return self.state() in TABLES["response"]["final"]

    def take(self, event: Mapping[str, Any]) -> list[str]:
        """Go one step, which can break requirements that not everybody is held to.

        Events that the tables do not know may come at any time. Raises IllegalStep.
        """
        kind = event["type"]
        depth = next((d for d, name in enumerate(MACHINES) if kind in events_of(name)), None)
        if depth is None:
            return []
        place = tuple(event[key] for key in list(MACHINES.values())[1 : depth + 1] if key)
        steps = [(place, self._row(place, on=kind))]
        while place:
            inner, place = list(MACHINES)[len(place)], place[:-1]
            steps.append((place, self._row(place, within=inner)))
        self.states |= {where: row["to"] for where, row in steps}
        return [row["breaks"] for _, row in steps if "breaks" in row]

    def take_all(self, events: Iterable[Mapping[str, Any]]) -> list[str]:
        """Go many steps."""
        return [broken for event in events for broken in self.take(event)]

    def copy(self) -> Walk:
        """A walk that goes on from here by itself."""
        return Walk(dict(self.states))

    def _table(self, place: Place) -> dict[str, Any]:
        table: dict[str, Any] = TABLES[list(MACHINES)[len(place)]]
        return table

    def _row(self, place: Place, **step: str) -> Mapping[str, Any]:
        for row in self._table(place)["transitions"]:
            if row["from"] == self.state(place) and step.items() <= row.items():
                owed = row.get("owed", {}).values()
                inside = [s for p, s in self.states.items() if p[:-1] == place and p != place]
                if all(state in owed for state in inside) or not owed:
                    return row
        (what,) = step.values()
        name = list(MACHINES)[len(place)]
        raise IllegalStep(f"{what} where {name} {place} is {self.state(place)}")
