"""Faults of ``error`` events: their envelope and what comes after them."""

from __future__ import annotations

from responses_ws_reference.effects import CloseConnection, Event
from responses_ws_reference.faults.registry import rewrite_events
from responses_ws_reference.hooks import Link, Sendings


@rewrite_events("RWS-ERROR-001", "RWS-ERROR-002", on="error")
def errors_are_flat(event: Event, link: Link) -> Sendings:
    """Code, message and param stand beside the type of the event, as in an SSE stream."""
    error = event["error"]
    return {"type": "error"} | {name: error[name] for name in ("code", "message", "param")}


@rewrite_events("RWS-ERROR-009", on="error")
def errors_close_the_connection(event: Event, link: Link) -> Sendings:
    """A refused client event costs the connection."""
    if event["error"]["code"] == "websocket_connection_limit_reached":
        return event
    return [event, CloseConnection(1008, "error")]
