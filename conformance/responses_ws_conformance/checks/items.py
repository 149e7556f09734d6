"""Checks on output items and content parts: order, identity, and showings that agree.

They are invariants: every response of every recording is judged.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from responses_ws_conformance.checks import (
    Cause,
    Evidence,
    Finding,
    Outcome,
    Undecided,
    invariant,
)
from responses_ws_conformance.checks.rows import each, excerpt, occurs, responses
from responses_ws_conformance.exchanges import Exchange, item_id_of, response_of
from responses_ws_conformance.items import (
    ARGUMENTS,
    BOUNDS,
    ITEM_ADDED,
    ITEM_DONE,
    PART_ADDED,
    PART_DONE,
    TEXT_DONE,
    TEXT_EVENTS,
    Item,
    done_items,
    items_of,
    plain_parts,
)
from responses_ws_conformance.transcript import Received

# What does not change while an item grows, next to its id.
IDENTITY: Final = ("type", "call_id", "name")


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
                    f"another item there, named {item.ids!r}",
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


def announced_items(exchange: Exchange) -> Iterator[tuple[Received, dict[str, str], Item]]:
    """Every item that was added and done, its done event, and what it was added as."""
    for item in items_of(exchange):
        if item.added is not None and item.done is not None and item.final:
            added = _texts(item.added.payload.get("item"), *IDENTITY)
            # What is not known yet may be empty.
            yield item.done, {name: value for name, value in added.items() if value}, item


@invariant("RWS-ITEM-018", when=occurs(announced_items))
def items_stay_what_they_are(evidence: Evidence) -> Iterator[Outcome]:
    """An item is done with the type, the call_id and the name that it was added with."""
    for _, (done, added, item) in each(announced_items, evidence):
        final = _texts(item.final, *IDENTITY)
        for name, value in added.items():
            if final.get(name) != value:
                wanted = f"the {name} {excerpt(value)}, as in {ITEM_ADDED}"
                yield Finding(
                    done.n,
                    f"{wanted}, at output_index {item.index}",
                    f"{excerpt(final.get(name))} in {ITEM_DONE}",
                    path=f"/item/{name}",
                )


def ended_items(exchange: Exchange) -> Iterator[tuple[Received, str, dict[str, Any]]]:
    """Every item that is said to be over, the event that says so, and where it stands there."""
    for item in done_items(exchange):
        if item.done is not None:
            yield item.done, "/item/status", item.final
    if exchange.terminal is not None and exchange.outcome in ("completed", "incomplete"):
        output = (response_of(exchange.terminal) or {}).get("output")
        for place, shown in enumerate(output if isinstance(output, list) else ()):
            if isinstance(shown, dict):
                yield exchange.terminal, f"/response/output/{place}/status", shown


@invariant("RWS-ITEM-019", when=occurs(ended_items))
def nothing_that_is_over_is_in_progress(evidence: Evidence) -> Iterator[Outcome]:
    """The status of an item is not in_progress once it is done, or its response has ended well."""
    for _, (event, path, item) in each(ended_items, evidence):
        if item.get("status") == "in_progress":
            wanted = f"an item in {event.type} that is completed or incomplete"
            yield Finding(event.n, wanted, "the status 'in_progress'", path=path)


def shown_outputs(exchange: Exchange) -> Iterator[tuple[Received, list[Any], list[Item]]]:
    """The terminal event, its output where that is not empty, and the done items."""
    if exchange.terminal is not None and exchange.outcome in ("completed", "incomplete"):
        output = (response_of(exchange.terminal) or {}).get("output")
        done = done_items(exchange)
        if isinstance(output, list) and output and done:
            yield exchange.terminal, output, done


@invariant("RWS-ITEM-012", when=occurs(shown_outputs))
def terminal_output_is_the_done_items(evidence: Evidence) -> Iterator[Outcome]:
    """The terminal event repeats the items as they were done."""
    for exchange, (terminal, output, done) in each(shown_outputs, evidence):
        # The item that an early end cuts off may stand in the output without a done event.
        surplus = len(output) - len(done)
        if surplus < 0 or (surplus > 0 and exchange.outcome == "completed"):
            wanted = f"an output with the {len(done)} items of {ITEM_DONE}"
            yield Finding(terminal.n, wanted, f"an output with {len(output)}")
            continue
        for place, (shown, item) in enumerate(zip(output, done, strict=False)):
            seen = substance(shown)
            for name, value in substance(item.final).items():
                if name in seen and seen[name] != value:
                    yield Finding(
                        terminal.n,
                        f"{name} {excerpt(value)} at place {place} of the output",
                        f"{name} {excerpt(seen[name])}",
                        path=f"/response/output/{place}",
                    )


def messages(exchange: Exchange) -> Iterator[tuple[Received, dict[str, Any]]]:
    """Every message item in an added, done or terminal event."""
    for event in exchange.events:
        shown = [event.payload.get("item")]
        if event is exchange.terminal:
            output = (response_of(event) or {}).get("output")
            shown = output if isinstance(output, list) else []
        for item in shown:
            if isinstance(item, dict) and item.get("type") == "message":
                yield event, item


@invariant("RWS-ITEM-013", when=occurs(messages))
def messages_are_the_assistants(evidence: Evidence) -> Iterator[Outcome]:
    """A message item has the role assistant and a content array."""
    for _, (event, item) in each(messages, evidence):
        if item.get("role") != "assistant":
            role = excerpt(item.get("role"))
            yield Finding(event.n, "a message with the role 'assistant'", f"the role {role}")
        if not isinstance(item.get("content"), list):
            content = excerpt(item["content"]) if "content" in item else "no content"
            yield Finding(event.n, "a message with a content array", content)


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


def substance(item: Any) -> dict[str, Any]:
    """What has to be the same in two showings of an item, as far as the item says it."""
    found: dict[str, Any] = _texts(item, "type", "id")
    if found.get("type") == "message" and isinstance(item.get("content"), list):
        found["content"] = [_texts(part, "type", "text", "refusal") for part in item["content"]]
    elif found.get("type") == "function_call":
        found |= _texts(item, "call_id", "name", "arguments")
    return found


def _texts(value: Any, *names: str) -> dict[str, str]:
    members = value if isinstance(value, dict) else {}
    return {name: members[name] for name in names if isinstance(members.get(name), str)}
