"""Histories: what stands behind a continuation, as far as its transcript shows it.

The id in ``previous_response_id`` stands for the input and the output of that response and for all
that it continued itself. A transcript can begin in the middle, or hold one side only; then the
history is not whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from weakref import WeakKeyDictionary

from responses_ws_conformance.reading.commands import target_of
from responses_ws_conformance.reading.exchanges import PREVIOUS, Exchange

# Members of a create, and types of items, that bring in what the transcript does not show.
SOURCES: Final = ("conversation", "prompt")
OPAQUE_ITEMS: Final = ("item_reference", "compaction")
INJECTED: Final = "response.inject.created"
OUTPUT_SUFFIX: Final = "_output"
ID: Final = "id"
CALL: Final = "call"
OUTPUT: Final = "output"

Item = Mapping[str, Any]
Key = tuple[str, str]


@dataclass(slots=True, eq=False)
class Thread:
    """The items of responses of which each continues the one before it.

    ``places`` has the types of the items with a key, and where the first of each type is. ``base``
    is the history that the first response continues; None where it begins a chain.
    """

    base: History | None = None
    items: list[Item] = field(default_factory=list)
    places: dict[Key, dict[str, int]] = field(default_factory=dict)

    def add(self, item: Item) -> None:
        """Take the next item."""
        for key in keys_of(item):
            self.places.setdefault(key, {}).setdefault(str(item.get("type")), len(self.items))
        self.items.append(item)


@dataclass(frozen=True, slots=True)
class History:
    """The first items of a thread, and what is behind it; ``is_whole`` where none is missing.

    Histories of one thread share its items: a chain of many responses holds each item once.
    """

    thread: Thread
    length: int = 0
    is_whole: bool = True

    @classmethod
    def of(cls, items: Iterable[Item] = (), *, is_whole: bool = True) -> History:
        """The history that begins with these items."""
        return cls(Thread()).then(items, is_whole=is_whole)

    @property
    def items(self) -> list[Item]:
        """All items, the oldest first."""
        parts = [part.thread.items[: part.length] for part in self._parts()]
        return [item for items in reversed(parts) for item in items]

    def kinds(self, key: Key) -> list[str]:
        """The types of the items with a key."""
        found: dict[str, None] = {}
        for part in self._parts():
            places = part.thread.places.get(key, {})
            found |= {kind: None for kind, place in places.items() if place < part.length}
        return list(found)

    def then(self, items: Iterable[Item], *, is_whole: bool) -> History:
        """This history and more; a thread goes on in one way, and what forks begins its own."""
        is_newest = self.length == len(self.thread.items)
        thread = self.thread if is_newest else Thread(self)
        for item in items:
            thread.add(item)
        return History(thread, len(thread.items), self.is_whole and is_whole)

    def _parts(self) -> Iterator[History]:
        part: History | None = self
        while part is not None:
            yield part
            part = part.thread.base


@dataclass(frozen=True, slots=True)
class Responses:
    """What each message continues, what is behind it, and what responses took while they ran."""

    parents: Mapping[Exchange, Exchange]
    histories: Mapping[Exchange, History]
    injected: Mapping[str, list[Item]]

    @classmethod
    def of(cls, exchanges: Iterable[Exchange]) -> Responses:
        """The responses of a reading, found once."""
        found = _FOUND.get(exchanges)
        if found is None:
            found = _FOUND[exchanges] = _find_responses(list(exchanges))
        return found

    def continued_by(self, create: Exchange) -> Exchange | None:
        """The response that a create continues, None where the transcript does not have it."""
        return self.parents.get(create)

    def behind(self, create: Exchange) -> History:
        """The history that a create continues; its own input is no part of it."""
        return self.histories[create]


_FOUND: Final[WeakKeyDictionary[Iterable[Exchange], Responses]] = WeakKeyDictionary()


def _find_responses(exchanges: Sequence[Exchange]) -> Responses:
    """An id stands for the latest response that had it when it was named."""
    injected: dict[str, list[Item]] = {}
    for exchange in exchanges:
        target = target_of(exchange)
        if target and exchange.answer is not None and exchange.answer.type == INJECTED:
            injected.setdefault(target, []).extend(input_items(exchange))
    begun: dict[str, Exchange] = {}
    through: dict[str, History] = {}
    parents: dict[Exchange, Exchange] = {}
    histories: dict[Exchange, History] = {}
    for exchange in exchanges:
        previous, name = continues(exchange), exchange.response_id
        if previous is not None and previous in begun:
            parents[exchange], history = begun[previous], through[previous]
        else:
            history = History.of(is_whole=previous is None)
        histories[exchange] = history
        if name is not None:
            made = [*exchange.output_items, *injected.get(name, ())]
            is_shown = exchange.terminal is not None and not any(map(is_opaque, made))
            begun[name] = exchange
            through[name] = history.then(
                [*input_items(exchange), *made], is_whole=is_shown and not brings_more(exchange)
            )
    return Responses(parents, histories, injected)


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


def brings_more(create: Exchange) -> bool:
    """True where a create brings in what the transcript does not show."""
    is_named = any(create.request.get(name) for name in SOURCES)
    return is_named or any(map(is_opaque, input_items(create)))


def is_opaque(item: Item) -> bool:
    """True for an item that stands for others."""
    return item.get("type") in OPAQUE_ITEMS


def calls(items: Iterable[Item]) -> set[str]:
    """The call ids of the calls among items."""
    return {name for item in items for role, name in keys_of(item) if role == CALL}


def outputs(items: Iterable[Item]) -> set[str]:
    """The call ids of the outputs among items."""
    return {name for item in items for role, name in keys_of(item) if role == OUTPUT}


def keys_of(item: Item) -> Iterator[Key]:
    """What tells an item from others: its id, and the call that it is or answers."""
    if isinstance(item.get("id"), str):
        yield ID, item["id"]
    name, kind = item.get("call_id"), item.get("type")
    if isinstance(name, str) and isinstance(kind, str):
        yield OUTPUT if kind.endswith(OUTPUT_SUFFIX) else CALL, name
