"""Histories: what stands behind a continuation, as far as its transcript shows it.

The id in ``previous_response_id`` stands for the input and the output of that response and for all
that it continued itself. A transcript can begin in the middle, or hold one side only; then the
history is not whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from responses_ws_conformance.commands import target_of
from responses_ws_conformance.exchanges import Exchange

PREVIOUS: Final = "previous_response_id"
# Members of a create, and types of items, that bring in what the transcript does not show.
SOURCES: Final = ("conversation", "prompt")
OPAQUE_ITEMS: Final = ("item_reference", "compaction")
INJECTED: Final = "response.inject.created"
OUTPUT_SUFFIX: Final = "_output"

Item = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class History:
    """The items behind a create, the oldest first; ``is_whole`` where none is missing."""

    items: tuple[Item, ...]
    is_whole: bool


@dataclass(frozen=True, slots=True)
class Responses:
    """The responses of a transcript, found by their id."""

    by_id: Mapping[str, Exchange]
    injected: Mapping[str, list[Item]]

    @classmethod
    def of(cls, exchanges: Iterable[Exchange]) -> Responses:
        """The responses that these exchanges have, and what they have taken while they ran."""
        by_id: dict[str, Exchange] = {}
        injected: dict[str, list[Item]] = {}
        for exchange in exchanges:
            if exchange.response_id is not None:
                by_id[exchange.response_id] = exchange
            target = target_of(exchange)
            if target and exchange.answer is not None and exchange.answer.type == INJECTED:
                injected.setdefault(target, []).extend(input_items(exchange))
        return cls(by_id, injected)

    def continued_by(self, create: Exchange) -> Exchange | None:
        """The response that a create continues, None where the transcript does not have it."""
        return self.by_id.get(continues(create) or "")

    def behind(self, create: Exchange) -> History:
        """The history that a create continues; its own input is no part of it."""
        items: list[Item] = []
        seen: set[str] = set()
        is_whole = not any(create.request.get(name) for name in SOURCES)
        while (previous := continues(create)) is not None:
            parent = self.by_id.get(previous)
            if parent is None or previous in seen:
                return History(tuple(items), False)
            seen.add(previous)
            items[:0] = [
                *input_items(parent),
                *parent.output_items,
                *self.injected.get(previous, ()),
            ]
            is_whole = is_whole and parent.terminal is not None
            is_whole = is_whole and not any(parent.request.get(name) for name in SOURCES)
            create = parent
        return History(tuple(items), is_whole)


def continues(create: Exchange) -> str | None:
    """The id that a create continues from, None where it starts a new chain.

    A successor continues the response that was steered.
    """
    if create.parent is not None:
        return create.parent.response_id
    value = create.request.get(PREVIOUS)
    return value if isinstance(value, str) and value else None


def input_items(create: Exchange) -> list[Item]:
    """The input of a create as items; a string is one user message."""
    given = create.request.get("input")
    if isinstance(given, str):
        return [{"type": "message", "role": "user", "content": given}]
    return [item for item in given if isinstance(item, dict)] if isinstance(given, list) else []


def calls(items: Iterable[Item]) -> set[str]:
    """The call ids of the calls among items."""
    return {name for name, is_output in _call_ids(items) if not is_output}


def outputs(items: Iterable[Item]) -> set[str]:
    """The call ids of the outputs among items."""
    return {name for name, is_output in _call_ids(items) if is_output}


def _call_ids(items: Iterable[Item]) -> Iterator[tuple[str, bool]]:
    for item in items:
        name, kind = item.get("call_id"), item.get("type")
        if isinstance(name, str) and isinstance(kind, str):
            yield name, kind.endswith(OUTPUT_SUFFIX)
