"""Texts that are streamed in pieces: their deltas joined, and the events that call them whole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from responses_ws_conformance.reading.exchanges import Exchange
from responses_ws_conformance.reading.items import (
    ARGUMENTS,
    INPUT,
    PART_KINDS,
    Item,
    Kind,
    Part,
    first_of,
    items_of,
    text_of,
)
from responses_ws_conformance.transcript import Received


@dataclass(frozen=True, slots=True)
class Whole:
    """A text that an event calls whole; None where the event leaves it out."""

    event: Received
    text: str | None


def text_parts(exchange: Exchange) -> Iterator[tuple[Item, Part]]:
    """Every content part with events of a text or refusal, and its item."""
    for item in items_of(exchange):
        for part in item.parts.values():
            if part.text_events:
                yield item, part


def streamed_texts(exchange: Exchange) -> Iterator[tuple[str, Whole]]:
    """The joined deltas of every text or refusal, and what its done event says."""
    for _, part in text_parts(exchange):
        for kind in PART_KINDS.values():
            yield from streamed(part.events, kind)


def streamed_arguments(exchange: Exchange) -> Iterator[tuple[str, Whole]]:
    """The joined deltas of every call's arguments, and what their done event says."""
    for item in items_of(exchange):
        yield from streamed(item.events, ARGUMENTS)


def streamed_inputs(exchange: Exchange) -> Iterator[tuple[str, Whole]]:
    """The joined deltas of every custom call's input, and what their done event says."""
    for item in items_of(exchange):
        yield from streamed(item.events, INPUT)


def final_texts(exchange: Exchange) -> Iterator[list[Whole]]:
    """For each part, the events that call its text whole, where there are several."""
    for item in items_of(exchange):
        for part in item.parts.values():
            wholes = list(_wholes(item, part))
            if len(wholes) > 1:
                yield wholes


def final_arguments(exchange: Exchange) -> Iterator[list[Whole]]:
    """For each call, the done event of its arguments and its done item."""
    yield from _told_twice(exchange, ARGUMENTS)


def final_inputs(exchange: Exchange) -> Iterator[list[Whole]]:
    """For each custom call, the done event of its input and its done item."""
    yield from _told_twice(exchange, INPUT)


def _told_twice(exchange: Exchange, kind: Kind) -> Iterator[list[Whole]]:
    for item in items_of(exchange):
        done = whole_of(item.events, kind)
        if done is not None and item.done is not None and item.final:
            text = item.final.get(kind.member)
            yield [done, Whole(item.done, text if isinstance(text, str) else None)]


def _wholes(item: Item, part: Part) -> Iterator[Whole]:
    kind = part.kind
    if kind is None:
        return
    done = whole_of(part.events, kind)
    if done is not None:
        yield done
    if part.done is not None:
        yield Whole(part.done, text_of(part.done.payload.get("part"), kind))
    content = item.final.get("content")
    if item.done is not None and isinstance(content, list):
        value = content[part.index] if 0 <= part.index < len(content) else None
        yield Whole(item.done, text_of(value, kind))


def streamed(events: list[Received], kind: Kind) -> Iterator[tuple[str, Whole]]:
    """The joined deltas of one text, and what its done event says."""
    deltas = [e.payload.get("delta") for e in events if e.type == kind.delta]
    texts = [delta for delta in deltas if isinstance(delta, str)]
    done = whole_of(events, kind)
    if deltas and len(texts) == len(deltas) and done is not None:
        yield "".join(texts), done


def ended_streams(exchange: Exchange) -> Iterator[tuple[Kind, list[Received]]]:
    """The events of every text, refusal and arguments with a delta and a done event."""
    for item in items_of(exchange):
        streams = [
            (kind, part.events) for part in item.parts.values() for kind in PART_KINDS.values()
        ]
        for kind, events in (*streams, (ARGUMENTS, item.events)):
            own = [e for e in events if e.type in (kind.delta, kind.done)]
            if {e.type for e in own} == {kind.delta, kind.done}:
                yield kind, own


def unfinished(item: Item, kind: Kind) -> str | None:
    """Why the streamed text of an item that was done is not told whole between its last delta and
    the end of the item; None where it is.
    """
    assert item.done is not None
    deltas = [e for e in item.events if e.type == kind.delta and e.n < item.done.n]
    told = [e for e in item.events if e.type == kind.done and e.n < item.done.n]
    if not told:
        return f"{item.done.type} without it"
    return f"{kind.delta} after it" if deltas and told[-1].n < deltas[-1].n else None


def whole_of(events: list[Received], kind: Kind) -> Whole | None:
    """What the done event of a text says."""
    event = first_of(events, kind.done)
    text = event.payload.get(kind.member) if event is not None else None
    return Whole(event, text) if event is not None and isinstance(text, str) else None
