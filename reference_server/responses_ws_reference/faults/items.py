"""Faults of output items and their parts: identity, lifecycle and final values."""

from __future__ import annotations

from responses_ws_reference.effects import Event
from responses_ws_reference.faults.registry import rewrite_events
from responses_ws_reference.hooks import Link, Sendings


@rewrite_events("RWS-ITEM-007", on="response.content_part.done")
def part_text_ends_early(event: Event, link: Link) -> Sendings:
    """The text of a finished part lacks its last character."""
    event["part"]["text"] = event["part"]["text"][:-1]
    return event


@rewrite_events("RWS-ITEM-011", on="response.output_text.delta")
def deltas_name_another_item(event: Event, link: Link) -> Sendings:
    """The item id in text deltas belongs to no item."""
    event["item_id"] = "msg_of_somebody_else"
    return event
