"""Items: the events of one response, grouped by output item and by content part.

An item is found by its ``output_index``. Setup events may be missing and items may overlap in
time. Nothing that the target sent is trusted: an event of an unpublished type or whose index is no
integer is left out, and an ``output_index`` that the target gives to two items holds two here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final
from weakref import WeakKeyDictionary

from responses_ws_schemas import event_types

from responses_ws_conformance.reading.exchanges import Exchange, item_id_of, output_of
from responses_ws_conformance.transcript import Received
from responses_ws_conformance.transcript.payloads import integer

ITEM_ADDED: Final = "response.output_item.added"
ITEM_DONE: Final = "response.output_item.done"
PART_ADDED: Final = "response.content_part.added"
PART_DONE: Final = "response.content_part.done"
REASONING: Final = "response.reasoning"


@dataclass(frozen=True, slots=True)
class Kind:
    """How one kind of text is streamed; ``member`` holds the whole of it."""

    delta: str
    done: str
    member: str


ARGUMENTS: Final = Kind(
    "response.function_call_arguments.delta", "response.function_call_arguments.done", "arguments"
)
INPUT: Final = Kind(
    "response.custom_tool_call_input.delta", "response.custom_tool_call_input.done", "input"
)
PART_KINDS: Final = {
    "output_text": Kind("response.output_text.delta", "response.output_text.done", "text"),
    "refusal": Kind("response.refusal.delta", "response.refusal.done", "refusal"),
}
TEXT_DONE: Final = frozenset(kind.done for kind in PART_KINDS.values())
# What begins and what ends an item, a part, a text or arguments.
BOUNDS: Final = frozenset(
    {ITEM_ADDED, ITEM_DONE, PART_ADDED, PART_DONE, ARGUMENTS.done, *TEXT_DONE}
)
TEXT_EVENTS: Final = TEXT_DONE | {kind.delta for kind in PART_KINDS.values()}


@dataclass(slots=True, eq=False)
class Part:
    """One content part of a message: its events in the order in which they came."""

    index: int
    events: list[Received] = field(default_factory=list)

    @property
    def added(self) -> Received | None:
        """The event that begins it."""
        return first_of(self.events, PART_ADDED)

    @property
    def done(self) -> Received | None:
        """The event that ends it."""
        return first_of(self.events, PART_DONE)

    @property
    def text_events(self) -> list[Received]:
        """The deltas and the ``.done`` event of its text or refusal."""
        return [e for e in self.events if e.type in TEXT_EVENTS]

    @property
    def kind(self) -> Kind | None:
        """What is streamed in it, None where no event tells."""
        for event in self.events:
            for kind in PART_KINDS.values():
                is_of_kind = event.type in (kind.delta, kind.done)
                if is_of_kind or text_of(event.payload.get("part"), kind) is not None:
                    return kind
        return None


@dataclass(slots=True, eq=False)
class Item:
    """One output item: its events in the order in which they came, and its content parts.

    ``added`` and ``done`` are the events that begin and end it, None where they are missing.
    ``ids`` are those that the two give it.
    """

    index: int
    events: list[Received] = field(default_factory=list)
    parts: dict[int, Part] = field(default_factory=dict)
    ids: list[str] = field(default_factory=list)
    added: Received | None = None
    done: Received | None = None

    @property
    def type(self) -> str | None:
        """What its added and done events say that it is, None where they disagree or are silent."""
        items = [e.payload.get("item") for e in (self.added, self.done) if e is not None]
        types = [item.get("type") for item in items if isinstance(item, dict)]
        is_told = bool(types) and isinstance(types[0], str) and types[0] == types[-1]
        return types[0] if is_told else None

    @property
    def final(self) -> dict[str, Any]:
        """The item as it was done, empty where it was not."""
        value = self.done.payload.get("item") if self.done is not None else None
        return value if isinstance(value, dict) else {}

    def add(self, event: Received) -> None:
        """Take an event of this item."""
        self.events.append(event)
        if event.type == ITEM_ADDED:
            self.added = self.added or event
        elif event.type == ITEM_DONE:
            self.done = self.done or event
        if event.type in (ITEM_ADDED, ITEM_DONE):
            told = [e for e in (self.added, self.done) if e is not None]
            self.ids = [name for e in told if (name := item_id_of(e)) is not None]
        index = integer(event.payload.get("content_index"))
        if index is not None:
            self.parts.setdefault(index, Part(index)).events.append(event)


# Many checks ask for the items of one response, which can have thousands of events.
_FOUND: Final[WeakKeyDictionary[Exchange, tuple[int, list[Item]]]] = WeakKeyDictionary()


def items_of(exchange: Exchange) -> list[Item]:
    """The items of a response, in the order in which they began."""
    count, items = _FOUND.get(exchange, (-1, []))
    if count != len(exchange.events):
        items = _find_items(exchange)
        _FOUND[exchange] = len(exchange.events), items
    return list(items)


def _find_items(exchange: Exchange) -> list[Item]:
    items: list[Item] = []
    for event in exchange.events:
        index = integer(event.payload.get("output_index"))
        if index is None or event.type not in event_types():
            continue
        item = _owner([item for item in items if item.index == index], event)
        if item is None:
            item = Item(index)
            items.append(item)
        item.add(event)
    return items


def _owner(rivals: list[Item], event: Received) -> Item | None:
    """The item that an event belongs to, among those with its index; None where it begins one."""
    name = item_id_of(event)
    known = next((item for item in rivals if name is not None and name in item.ids), None)
    if known is not None or not rivals:
        return known
    last = rivals[-1]
    is_over = event.type in (ITEM_ADDED, ITEM_DONE) and last.done is not None
    is_another = event.type == ITEM_ADDED and last.added is not None
    return None if is_over or is_another else last


def done_items(exchange: Exchange) -> list[Item]:
    """The items that were done, in the order of their index."""
    return sorted((i for i in items_of(exchange) if i.final), key=lambda item: item.index)


def final_items(exchange: Exchange) -> list[tuple[Received, dict[str, Any]]]:
    """The final items and the event that shows each: the terminal one, else its done event."""
    if exchange.terminal is not None and (output := output_of(exchange.terminal)):
        return [(exchange.terminal, item) for item in output if isinstance(item, dict)]
    return [(item.done, item.final) for item in done_items(exchange) if item.done is not None]


def plain_parts(exchange: Exchange) -> Iterator[tuple[Item, Part]]:
    """Every content part but those of reasoning, and its item."""
    for item in items_of(exchange):
        for part in item.parts.values():
            if not any(str(e.type).startswith(REASONING) for e in part.events):
                yield item, part


def text_of(part: Any, kind: Kind) -> str | None:
    """The text of a content part, None where it is of another kind or holds none."""
    if not isinstance(part, dict):
        return None
    name, text = part.get("type"), part.get(kind.member)
    is_of_kind = isinstance(name, str) and PART_KINDS.get(name) is kind
    return text if is_of_kind and isinstance(text, str) else None


def first_of(events: list[Received], kind: str) -> Received | None:
    """The first event of a type, None where there is none."""
    return next((e for e in events if e.type == kind), None)
