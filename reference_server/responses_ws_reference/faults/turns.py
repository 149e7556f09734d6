"""Faults of several creates at once, and of connections that end in the middle."""

from __future__ import annotations

from responses_ws_reference.effects import Event
from responses_ws_reference.faults.registry import TERMINAL, on_incoming, rewrite_events
from responses_ws_reference.hooks import Incoming, Link, Reply, Sendings


@on_incoming("RWS-TURN-002", on="response.create")
def second_create_is_dropped(event: Event, link: Link) -> Incoming | Reply:
    """A create that arrives while a response runs vanishes."""
    return Reply() if link.session.is_busy else event


@rewrite_events("RWS-TURN-001", on=("response.created", "error", *TERMINAL))
def responses_overlap(event: Event, link: Link) -> Sendings:
    """The next queued response begins before the one before it has ended."""
    if event["type"] in TERMINAL and link.session.queued:
        link.memory["held"] = event
        return []
    held = link.memory.pop("held", None)
    return [event, held] if held else event


@rewrite_events("RWS-TURN-003", variant="refuse-second-create")
def refusal_kills_the_first(event: Event, link: Link) -> Sendings:
    """After a second create was refused the running response says nothing any more."""
    if event["type"] == "response.created":
        link.memory.pop("silenced", None)
    if event["type"] == "error":
        link.memory["silenced"] = link.session.is_busy
        return event
    return [] if link.memory.get("silenced") else event
