"""Checks on the showings of an item: added, done and in the output of its response, they agree."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from responses_ws_conformance.checks import Evidence, Finding, Outcome, invariant
from responses_ws_conformance.checks.rows import each, occurs
from responses_ws_conformance.reading.exchanges import Exchange, output_of
from responses_ws_conformance.reading.items import ITEM_ADDED, ITEM_DONE, Item, done_items, items_of
from responses_ws_conformance.transcript import Received
from responses_ws_conformance.values import excerpt

# What does not change while an item grows, next to its id.
IDENTITY: Final = ("type", "call_id", "name")


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
        for place, shown in enumerate(output_of(exchange.terminal)):
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
        output, done = output_of(exchange.terminal), done_items(exchange)
        if output and done:
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
        is_last = event is exchange.terminal
        for item in output_of(event) if is_last else [event.payload.get("item")]:
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
