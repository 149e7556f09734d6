"""Faults of a response's events: their order, their end and their numbers."""

from __future__ import annotations

from responses_ws_reference.effects import Event
from responses_ws_reference.faults.registry import TERMINAL, replace_policy, rewrite_events
from responses_ws_reference.hooks import Link, Sendings


@replace_policy("number", "RWS-EVENT-013")
def numbers_have_gaps(count: int) -> int:
    """Sequence numbers go up by two."""
    return 2 * count


@rewrite_events("RWS-EVENT-005", "RWS-EVENT-006", on=TERMINAL)
def ends_twice(event: Event, link: Link) -> Sendings:
    """The terminal event is sent twice, the second time with the next number."""
    return [event, {**event, "sequence_number": event["sequence_number"] + 1}]
