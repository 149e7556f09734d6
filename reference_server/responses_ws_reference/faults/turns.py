"""Faults of several creates at once, and of connections that end in the middle."""

from __future__ import annotations

from typing import Any

from websockets.frames import Frame, Opcode

from responses_ws_reference.faults.registry import (
    TERMINAL,
    Fault,
    on_incoming,
    register,
    replace_policy,
    rewrite_events,
)
from responses_ws_reference.messages.effects import CloseConnection, Event
from responses_ws_reference.messages.handshake import HandshakeAnswer, HandshakeRequest, refusal
from responses_ws_reference.seams.hooks import Hooks, Incoming, Link, Reply, Sendings


@rewrite_events("RWS-TURN-001", "RWS-LANE-010", on=("response.created", "error", *TERMINAL))
def responses_overlap(event: Event, link: Link) -> Sendings:
    """The next queued response begins before the one before it has ended."""
    if event["type"] in TERMINAL and link.session.queued:
        link.memory["held"] = event
        return []
    held = link.memory.pop("held", None)
    return [event, held] if held else event


@on_incoming("RWS-TURN-002", on="response.create")
def second_create_is_dropped(event: Event, link: Link) -> Incoming | Reply:
    """A create that arrives while a response runs vanishes."""
    return Reply() if link.session.is_busy else event


@on_incoming("RWS-TURN-002", "RWS-LANE-010", "RWS-LANE-013", "RWS-LANE-019", on="response.create")
def second_create_closes_the_connection(event: Event, link: Link) -> Incoming | Reply:
    """A create that arrives while a response runs costs the connection."""
    return Reply((CloseConnection(1008, "busy"),)) if link.session.is_busy else event


@rewrite_events("RWS-TURN-003", variant="refuse-second-create")
def refusal_fails_the_first(event: Event, link: Link) -> Sendings:
    """After a second create was refused the running response fails at once."""
    link = link.on_lane(event)
    match event["type"]:
        case "response.created":
            link.memory["response"] = event["response"]
            link.memory["state"] = "running"
            return event
        case "error":
            if link.session.is_busy and link.memory.get("state") == "running":
                link.memory["state"] = "refused"
            return event
    if link.memory["state"] != "refused":
        return [] if link.memory["state"] == "failed" else event
    link.memory["state"] = "failed"
    error = {"code": "superseded", "message": "Another create came."}
    response = {**link.memory["response"], "status": "failed", "error": error}
    told = {n: v for n, v in event.items() if n in ("sequence_number", "stream_id")}
    return {"type": "response.failed", **told, "response": response}


@rewrite_events("RWS-TURN-003", "RWS-EVENT-005", variant="refuse-second-create")
def refusal_silences_the_first(event: Event, link: Link) -> Sendings:
    """After a second create was refused the running response says nothing any more."""
    if event["type"] == "response.created":
        link.memory.pop("silenced", None)
    if event["type"] == "error":
        link.memory["silenced"] = link.session.is_busy
        return event
    return [] if link.memory.get("silenced") else event


@replace_policy("take", "RWS-TURN-004", "RWS-LANE-010")
def last_queued_runs_first(queued: int) -> int:
    """Of several queued creates the one that came last is run first."""
    return queued - 1


@rewrite_events("RWS-TURN-005")
def failure_empties_the_queue(event: Event, link: Link) -> Sendings:
    """Creates that wait behind one that fails are forgotten."""
    if event["type"] == "error":
        link.memory["forgotten"] = link.session.queued
        return event
    forgotten = link.memory.get("forgotten", 0)
    if event["type"] in TERMINAL and forgotten:
        link.memory["forgotten"] = forgotten - 1
    return [] if forgotten else event


@rewrite_events("RWS-TURN-005", "RWS-LANE-010", "RWS-LANE-011", on="error")
def failure_closes_the_connection(event: Event, link: Link) -> Sendings:
    """A create that fails takes the connection with it while others wait behind."""
    return [event, CloseConnection(1000, "failed")] if link.session.queued else event


@rewrite_events("RWS-TURN-007", on=TERMINAL)
def connection_breaks_after_a_response(event: Event, link: Link) -> Sendings:
    """What cleans up after a response breaks, each time, and takes the connection with it."""
    return [event, CloseConnection(1011, "internal error")]


def _watch_for_close(frame: Frame, link: Link) -> Frame:
    if frame.opcode is Opcode.CLOSE and link.session.is_busy:
        link.shared["is_locked"] = True
    return frame


def _answer_while_locked(
    request: HandshakeRequest, answer: HandshakeAnswer, shared: dict[str, Any]
) -> HandshakeAnswer:
    return refusal(429) if shared.pop("is_locked", False) else answer


register(
    Fault(
        "abandoned-response-locks-the-account",
        ("RWS-TURN-006",),
        "After a close in mid-response the next connection is one too many.",
        Hooks(frame_received=_watch_for_close, handshake=_answer_while_locked),
    )
)
