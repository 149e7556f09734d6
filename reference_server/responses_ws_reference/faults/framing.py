"""Faults of messages: text, binary, fragments, pings and what is not JSON."""

from __future__ import annotations

import json

from websockets.frames import Frame, Opcode

from responses_ws_reference.effects import Event
from responses_ws_reference.faults.registry import (
    TERMINAL,
    on_frame_received,
    on_frame_sent,
    on_raw,
    rewrite_events,
)
from responses_ws_reference.hooks import Incoming, Link, Reply, Sendings


@rewrite_events("RWS-FRAME-001", on="response.output_text.delta")
def deltas_are_binary(event: Event, link: Link) -> Sendings:
    """Text deltas travel in binary messages."""
    return json.dumps(event).encode()


@rewrite_events("RWS-FRAME-004", on=TERMINAL)
def done_marker(event: Event, link: Link) -> Sendings:
    """A [DONE] marker follows the terminal event, as in an SSE stream."""
    return [event, "[DONE]"]


@on_raw("RWS-FRAME-008")
def malformed_json_is_ignored(message: str | bytes, link: Link) -> Incoming | Reply:
    """Text that is not JSON gets no answer."""
    if isinstance(message, bytes):
        return message
    try:
        json.loads(message)
    except (ValueError, RecursionError):
        return Reply()
    return message


@on_frame_sent("RWS-FRAME-007")
def pongs_are_lost(frame: Frame, link: Link) -> Frame | None:
    """Pings get no answer."""
    return None if frame.opcode is Opcode.PONG else frame


@on_frame_received("RWS-FRAME-006")
def fragments_are_refused(frame: Frame, link: Link) -> Frame | None:
    """The first fragment of a split message is thrown away, which the next one does not survive."""
    return None if frame.opcode is Opcode.TEXT and not frame.fin else frame
