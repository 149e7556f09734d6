"""What is kept of a finished response, and where: with its connection, or for its API key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from responses_ws_reference.messages.context import Context
from responses_ws_reference.messages.creates import Create

# Enough for any test run; the oldest responses go first.
MAX_STORED: Final = 256


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A finished response, and what a continuation from it needs."""

    id: str
    status: str
    create: Create
    context: Context
    response: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_stored(self) -> bool:
        """True where the response outlives its connection."""
        return self.create.is_stored


# What a create without a previous response continues from.
NOTHING: Final = Snapshot("", "completed", Create({}, ()), Context())


class Shelf(Mapping[str, Snapshot]):
    """The stored responses of one API key."""

    def __init__(self) -> None:
        self._snapshots: dict[str, Snapshot] = {}

    def add(self, snapshot: Snapshot) -> None:
        """Keep a response; beyond the limit the oldest is dropped."""
        self._snapshots[snapshot.id] = snapshot
        if len(self._snapshots) > MAX_STORED:
            del self._snapshots[next(iter(self._snapshots))]

    def remove(self, response_id: str) -> Snapshot | None:
        """Forget a response; it is given back where it was there."""
        return self._snapshots.pop(response_id, None)

    def __getitem__(self, response_id: str) -> Snapshot:
        return self._snapshots[response_id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._snapshots)

    def __len__(self) -> int:
        return len(self._snapshots)


class Store:
    """The stored responses of all API keys; no key sees another's."""

    def __init__(self) -> None:
        self._shelves: dict[str, Shelf] = {}

    def shelf(self, api_key: str) -> Shelf:
        """The shelf of one key."""
        return self._shelves.setdefault(api_key, Shelf())
