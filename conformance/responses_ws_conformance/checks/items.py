"""Checks on output items and content parts: their order and their identity.

They are invariants: every response of every recording is judged.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from responses_ws_conformance.checks import Cause, Evidence, Finding, Outcome, Undecided, invariant
from responses_ws_conformance.checks.rows import each, occurs, responses
from responses_ws_conformance.reading.exchanges import Exchange, item_id_of
from responses_ws_conformance.reading.items import (
    ARGUMENTS,
    BOUNDS,
    ITEM_ADDED,
    ITEM_DONE,
    PART_ADDED,
    PART_DONE,
    TEXT_DONE,
    TEXT_EVENTS,
    Item,
    items_of,
    plain_parts,
)
from responses_ws_conformance.transcript import Received
from responses_ws_conformance.values import excerpt


def items(exchange: Exchange) -> Iterator[Item]:
    """Every item of a response."""
    yield from items_of(exchange)


@invariant("RWS-ITEM-001", when=occurs(items))
def added_is_first_and_done_is_last(evidence: Evidence) -> Iterator[Outcome]:
    """An item's events lie between its added and its done event."""
    for _, item in each(items, evidence):
        where = f"the item at output_index {item.index}"
        first, *others = item.events
        again = next((e for e in others if e.type == ITEM_ADDED), None)
        if first.type != ITEM_ADDED:
            yield Finding(first.n, f"{ITEM_ADDED} as the first event of {where}", f"{first.type}")
        elif again is not None:
            yield Finding(again.n, f"{ITEM_ADDED} once for {where}", "it came again")
        last = item.events[-1]
        if item.done is not None and last is not item.done:
            yield Finding(
                last.n, f"{ITEM_DONE} as the last event of {where}", f"{last.type} after it"
            )


def completed_items(exchange: Exchange) -> Iterator[tuple[Received, Item]]:
    """Every item of a completed response, with the event that completes it."""
    if exchange.terminal is not None and exchange.outcome == "completed":
        yield from ((exchange.terminal, item) for item in items_of(exchange))


@invariant("RWS-ITEM-002", when=occurs(completed_items))
def added_items_are_done(evidence: Evidence) -> Iterator[Outcome]:
    """No item is left open when its response completes; one that nobody opened shows nothing."""
    added = [row for _, row in each(completed_items, evidence) if row[1].added is not None]
    for terminal, item in added:
        if item.done is None:
            yield Finding(
                terminal.n,
                f"{ITEM_DONE} for the item at output_index {item.index} before {terminal.type}",
                f"{terminal.type} while the item is open",
            )
    if not added:
        yield Undecided(Cause.BLOCKED, "no item was added", by="RWS-ITEM-001")


@invariant("RWS-ITEM-003", when=occurs(items))
def output_index_names_one_item(evidence: Evidence) -> Iterator[Outcome]:
    """Indexes start at 0, and an index belongs to one item."""
    for exchange in responses(evidence):
        found = items_of(exchange)
        least = min(found, key=lambda item: item.index, default=None)
        is_whole = exchange.outcome in ("completed", "incomplete")
        if least is not None and (least.index < 0 or (least.index > 0 and is_whole)):
            at = least.events[0].n
            yield Finding(at, "output_index values that start at 0", f"the least is {least.index}")
        for place, item in enumerate(found):
            if any(item.index == other.index for other in found[:place]):
                yield Finding(
                    item.events[0].n,
                    f"one item at output_index {item.index}",
                    f"another item there, named {excerpt([*item.ids])}",
                )


@invariant("RWS-ITEM-004", when=occurs(plain_parts))
def parts_are_added_and_done(evidence: Evidence) -> Iterator[Outcome]:
    """A part's events lie between its added and its done event, which comes when its text is."""
    for exchange, (item, part) in each(plain_parts, evidence):
        where = f"the part at output_index {item.index}, content_index {part.index}"
        first, last = part.events[0], part.events[-1]
        is_told = any(e.type in TEXT_DONE for e in part.text_events)
        if first.type != PART_ADDED:
            yield Finding(first.n, f"{PART_ADDED} as the first event of {where}", f"{first.type}")
        # What fails or is cut off leaves its parts as they were.
        end = item.done or (exchange.terminal if exchange.outcome == "completed" else None)
        is_cut_off = not is_told and item.final.get("status") == "incomplete"
        if part.done is None and end is not None and not is_cut_off:
            yield Finding(end.n, f"{PART_DONE} for {where}", f"{end.type} without it")
        elif part.done is not None and last.type != PART_DONE:
            yield Finding(last.n, f"{PART_DONE} as the last event of {where}", f"{last.type} after")
        elif part.done is not None and part.text_events and not is_told:
            wanted = f"{PART_DONE} after the .done event of {where}"
            yield Finding(part.done.n, wanted, "it without a .done event")


FOREIGN: Final = {
    "message": frozenset({ARGUMENTS.delta, ARGUMENTS.done}),
    "function_call": TEXT_EVENTS | {PART_ADDED, PART_DONE},
}


def known_items(exchange: Exchange) -> Iterator[tuple[Item, frozenset[str]]]:
    """Every message and function call, and the events that the other of the two has."""
    for item in items_of(exchange):
        if item.type in FOREIGN:
            yield item, FOREIGN[item.type]


@invariant("RWS-ITEM-015", when=occurs(known_items))
def events_fit_their_item(evidence: Evidence) -> Iterator[Outcome]:
    """Messages grow by parts and calls by arguments."""
    for _, (item, foreign) in each(known_items, evidence):
        wrong = next((e for e in item.events if e.type in foreign), None)
        if wrong is not None:
            where = f"the {item.type} at output_index {item.index}"
            yield Finding(wrong.n, f"events of a {item.type} for {where}", f"{wrong.type}")


@invariant("RWS-ITEM-016", when=occurs(items))
def nothing_begins_or_ends_twice(evidence: Evidence) -> Iterator[Outcome]:
    """An item, a part, a text and arguments are added once and done once."""
    for _, item in each(items, evidence):
        seen: set[tuple[Any, ...]] = set()
        for event in item.events:
            part = event.payload.get("content_index")
            bound = (event.type, part if isinstance(part, int) else None)
            if event.type in BOUNDS and bound in seen:
                where = f"output_index {item.index}"
                yield Finding(event.n, f"{event.type} once at {where}", "it came again")
            seen.add(bound)


def named_events(exchange: Exchange) -> Iterator[tuple[Received, str, Item]]:
    """Every event that names an item known by its added or done event, and where it stands."""
    found = items_of(exchange)
    known = {name for item in found for name in item.ids}
    for item in found:
        for event in item.events:
            name = item_id_of(event)
            if name is not None and (item.ids or name in known):
                yield event, name, item


@invariant("RWS-ITEM-011", when=occurs(named_events))
def item_id_is_the_items_id(evidence: Evidence) -> Iterator[Outcome]:
    """The events at an output_index name the item that stands there."""
    told: set[tuple[str, str]] = set()
    for exchange, (event, name, item) in each(named_events, evidence):
        if name not in item.ids[:1] and (exchange.name, name) not in told:
            told.add((exchange.name, name))
            home = f"the item {item.ids[0]!r}" if item.ids else "no item"
            yield Finding(
                event.n, f"{home} at output_index {item.index}", f"{event.type} for {name!r} there"
            )


def incomplete_items(exchange: Exchange) -> Iterator[Item]:
    """Items that were done with the status incomplete."""
    return (item for item in items_of(exchange) if item.final.get("status") == "incomplete")


@invariant("RWS-ITEM-014", when=occurs(incomplete_items))
def incomplete_item_is_last(evidence: Evidence) -> Iterator[Outcome]:
    """An incomplete item is the last one and its response ends incomplete."""
    for exchange, item in each(incomplete_items, evidence):
        later = next((i for i in items_of(exchange) if i.index > item.index), None)
        if later is not None:
            yield Finding(
                later.events[0].n,
                f"no item after the incomplete one at output_index {item.index}",
                f"an item at output_index {later.index}",
            )
        # A failure in mid-response outranks the item that it cut off.
        if exchange.terminal is not None and exchange.outcome == "completed":
            wanted = "response.incomplete for a response with an incomplete item"
            yield Finding(exchange.terminal.n, wanted, f"{exchange.terminal.type}")
