"""Faults of reasoning: how it is shown, and what becomes of it when it is sent back."""

from __future__ import annotations

from typing import Any, Final

from responses_ws_reference.faults.registry import TERMINAL, on_incoming, rewrite_events
from responses_ws_reference.messages.effects import Event
from responses_ws_reference.messages.refusals import Refusal
from responses_ws_reference.seams.hooks import Incoming, Link, Reply, Sendings
from responses_ws_reference.seams.numbering import renumbered

SUMMARY: Final = "response.reasoning_summary_"
RAW: Final = "response.reasoning_text."


def _reasoning_in(event: Event) -> list[dict[str, Any]]:
    """The reasoning items that an event of the server shows."""
    shown = [event["item"]] if "item" in event else event.get("response", {}).get("output", [])
    return [item for item in shown if item["type"] == "reasoning"]


def _sent_back(event: Event) -> list[dict[str, Any]]:
    """The reasoning items that a create brings along."""
    items = event.get("input")
    items = items if isinstance(items, list) else []
    return [i for i in items if isinstance(i, dict) and i.get("type") == "reasoning"]


# How it is shown


@rewrite_events("RWS-REASON-001", variant="reasoning-text")
def reasoning_has_the_names_of_the_other_owner(event: Event, link: Link) -> Sendings:
    """Raw reasoning is streamed as response.reasoning.delta and .done."""
    return {**event, "type": event["type"].replace(RAW, "response.reasoning.")}


@rewrite_events("RWS-REASON-002")
def summaries_begin_unannounced(event: Event, link: Link) -> Sendings:
    """The text of a summary begins without its part."""
    return renumbered([] if event["type"] == f"{SUMMARY}part.added" else [event], link)


@rewrite_events("RWS-REASON-003", variant="reasoning")
def raw_reasoning_ends_without_its_part(event: Event, link: Link) -> Sendings:
    """The part of a raw reasoning text is never done."""
    is_end = event["type"] == "response.content_part.done"
    is_raw = is_end and event["part"]["type"] == "reasoning_text"
    return renumbered([] if is_raw else [event], link)


@rewrite_events("RWS-REASON-004", "RWS-REASON-005", on=f"{SUMMARY}text.delta")
def summary_deltas_are_trimmed(event: Event, link: Link) -> Sendings:
    """The spaces between the words of a summary get lost on the way."""
    return {**event, "delta": event["delta"].strip()}


@rewrite_events("RWS-REASON-006")
def summaries_are_not_kept(event: Event, link: Link) -> Sendings:
    """A summary is streamed, and the finished item has none."""
    for item in _reasoning_in(event):
        item["summary"] = []
    return event


@rewrite_events("RWS-REASON-006")
def summary_parts_count_from_one(event: Event, link: Link) -> Sendings:
    """The first part of a summary has the summary_index 1."""
    return {**event, "summary_index": 1} if "summary_index" in event else event


@rewrite_events("RWS-REASON-011", on=TERMINAL)
def reasoning_is_counted_apart(event: Event, link: Link) -> Sendings:
    """The tokens of reasoning do not count as output."""
    usage = event["response"]["usage"]
    thought = usage["output_tokens_details"]["reasoning_tokens"]
    usage["output_tokens"] -= thought
    usage["total_tokens"] -= thought
    return event


# What becomes of it


@rewrite_events("RWS-REASON-007", "RWS-REASON-008")
def encrypted_content_gets_lost(event: Event, link: Link) -> Sendings:
    """A gateway streams reasoning and drops the member that it does not know."""
    for item in _reasoning_in(event):
        item.pop("encrypted_content", None)
    return event


@on_incoming("RWS-REASON-009", on="response.create")
def reasoning_is_looked_up_by_its_id(event: Event, link: Link) -> Incoming | Reply:
    """Reasoning that comes back is looked for in a store that never had it."""
    found = [item["id"] for item in _sent_back(event) if isinstance(item.get("id"), str)]
    if not found:
        return event
    message = f"Item with id '{found[0]}' not found."
    return Reply((Refusal("item_not_found", message, "input", status=404).event(),))


@on_incoming("RWS-REASON-010", on="response.create")
def encrypted_content_is_never_read(event: Event, link: Link) -> Incoming | Reply:
    """Whatever stands in encrypted_content is passed over."""
    for item in _sent_back(event):
        item.pop("encrypted_content", None)
    return event
