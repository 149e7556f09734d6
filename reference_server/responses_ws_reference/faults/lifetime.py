"""Faults of the end of a connection's life, and of its limits."""

from __future__ import annotations

from responses_ws_reference.effects import CloseConnection, Event
from responses_ws_reference.faults.registry import rewrite_close, rewrite_events
from responses_ws_reference.hooks import Link, Sendings

LIMIT = "websocket_connection_limit_reached"


@rewrite_events("RWS-LIMIT-001", on="error")
def limit_is_not_announced(event: Event, link: Link) -> Sendings:
    """At the end of its lifetime the connection closes without a word."""
    return [] if event["error"]["code"] == LIMIT else event


@rewrite_close("RWS-LIMIT-003")
def stays_open_after_the_limit(close: CloseConnection, link: Link) -> Sendings:
    """The limit is announced and the connection left open."""
    return []
