"""Faults of the end of a connection's life, and of its limits."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from websockets.frames import Close, CloseCode, Frame, Opcode

from responses_ws_reference.faults.registry import (
    Fault,
    on_frame_received,
    on_frame_sent,
    register,
    rewrite_close,
    rewrite_events,
)
from responses_ws_reference.messages.effects import CloseConnection, Event
from responses_ws_reference.messages.handshake import HandshakeAnswer, HandshakeRequest
from responses_ws_reference.seams.hooks import Hooks, Incoming, Link, Reply, Sendings

LIMIT: Final = "websocket_connection_limit_reached"
SMALL: Final = 2**16


def _is_limit(event: Event) -> bool:
    return event["type"] == "error" and bool(event["error"]["code"] == LIMIT)


@rewrite_events("RWS-LIMIT-001", on="error")
def limit_is_not_announced(event: Event, link: Link) -> Sendings:
    """At the end of its lifetime the connection closes without a word."""
    return [] if _is_limit(event) else event


@rewrite_events("RWS-LIMIT-001", on="error")
def limit_has_another_code(event: Event, link: Link) -> Sendings:
    """The limit is announced with a code of the vendor's own."""
    if _is_limit(event):
        event["error"]["code"] = "session_expired"
    return event


@rewrite_events("RWS-LIMIT-001", on="error")
def limit_code_is_a_type(event: Event, link: Link) -> Sendings:
    """The code of the limit stands in error.type, and error.code is missing, as in LocalAI."""
    if _is_limit(event):
        event["error"]["type"] = event["error"].pop("code")
    return event


@rewrite_events("RWS-LIMIT-002", on="error")
def limit_is_a_timeout(event: Event, link: Link) -> Sendings:
    """The limit is announced with status 408."""
    return {**event, "status": 408} if _is_limit(event) else event


@rewrite_events("RWS-LIMIT-002", on="error")
def limit_names_a_lane(event: Event, link: Link) -> Sendings:
    """The limit is announced on a lane that nobody opened."""
    return {**event, "stream_id": "default"} if _is_limit(event) else event


@rewrite_close("RWS-LIMIT-003")
def stays_open_after_the_limit(close: CloseConnection, link: Link) -> Sendings:
    """The limit is announced and the connection left open."""
    return []


def _note_the_limit(sending: Event | CloseConnection, link: Link) -> Sendings:
    if not isinstance(sending, CloseConnection) and _is_limit(sending):
        link.shared["is_worn_out"] = True
    return sending


def _refuse_once(
    request: HandshakeRequest, answer: HandshakeAnswer, shared: dict[str, Any]
) -> HandshakeAnswer:
    return replace(answer, status=403) if shared.pop("is_worn_out", False) else answer


register(
    Fault(
        "limit-outlives-its-connection",
        ("RWS-LIMIT-004",),
        "After a connection reached its limit, the next handshake is refused.",
        Hooks(outgoing=_note_the_limit, handshake=_refuse_once),
    )
)


def _announce_again(message: Incoming, link: Link) -> Incoming | Reply:
    if not link.shared.pop("is_worn_out", False):
        return message
    error = {
        "type": "invalid_request_error",
        "code": LIMIT,
        "message": "The lifetime of this key's connections is used up.",
        "param": None,
    }
    return Reply(({"type": "error", "status": 400, "error": error}, CloseConnection(1000)))


register(
    Fault(
        "limit-belongs-to-the-key",
        ("RWS-LIMIT-004",),
        "After a connection reached its limit, the next one has reached it from the start.",
        Hooks(outgoing=_note_the_limit, incoming=_announce_again),
    )
)


@on_frame_received("RWS-LIMIT-005")
def large_messages_are_lost(frame: Frame, link: Link) -> Frame | None:
    """A message of more than 64 KiB is never read."""
    return None if len(frame.data) > SMALL else frame


def _note_the_size(frame: Frame, link: Link) -> Frame | None:
    link.memory["size"] = len(frame.data)
    return frame


def _close_on_large(message: Incoming, link: Link) -> Incoming | Reply:
    is_large = link.memory["size"] > SMALL
    return Reply((CloseConnection(1009, "message too big"),)) if is_large else message


register(
    Fault(
        "large-messages-close",
        ("RWS-LIMIT-005",),
        "A message of more than 64 KiB ends the connection with code 1009.",
        Hooks(frame_received=_note_the_size, incoming=_close_on_large),
    )
)


def _is_too_big(frame: Frame) -> bool:
    is_close = frame.opcode is Opcode.CLOSE
    return is_close and Close.parse(bytes(frame.data)).code == CloseCode.MESSAGE_TOO_BIG


@on_frame_sent("RWS-LIMIT-008")
def too_large_is_a_farewell(frame: Frame, link: Link) -> Frame | None:
    """A message that is too large ends the connection with code 1000, as if all were well."""
    normal = Close(CloseCode.NORMAL_CLOSURE, "").serialize()
    return replace(frame, data=normal) if _is_too_big(frame) else frame


@on_frame_sent("RWS-LIMIT-008")
def too_large_is_a_lost_connection(frame: Frame, link: Link) -> Frame | None:
    """A message that is too large ends the connection without a close frame."""
    return None if _is_too_big(frame) else frame
