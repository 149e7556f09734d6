"""Faults of messages: text, binary, fragments, pings and what is not JSON."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, Final

from websockets.frames import Frame, Opcode

from responses_ws_reference.faults.registry import (
    TERMINAL,
    Fault,
    on_frame_received,
    on_frame_sent,
    on_incoming,
    on_raw,
    register,
    rewrite_events,
)
from responses_ws_reference.messages.effects import CloseConnection, Event
from responses_ws_reference.messages.refusals import refuse
from responses_ws_reference.seams.hooks import Hooks, Incoming, Link, Reply, Sendings
from responses_ws_reference.session.session import COMMANDS, CREATE

NOT_JSON: Final = object()


def _parsed(message: str | bytes) -> Any:
    """The JSON value of a text message; NOT_JSON for what is none."""
    try:
        return json.loads(message) if isinstance(message, str) else NOT_JSON
    except (ValueError, RecursionError):
        return NOT_JSON


@rewrite_events("RWS-FRAME-001", on=TERMINAL)
def rate_limits_are_binary(event: Event, link: Link) -> Sendings:
    """An event with rate limits follows the response in a binary message."""
    limits = {"type": "rws:rate_limits", "sequence_number": event["sequence_number"] + 1}
    return [event, json.dumps(limits).encode()]


@rewrite_events("RWS-FRAME-002", on=TERMINAL)
def events_are_batched(event: Event, link: Link) -> Sendings:
    """Two events follow the response in one message, a line for each."""
    number = event["sequence_number"]
    batch = [{"type": "rws:limits", "sequence_number": number + i} for i in (1, 2)]
    return [event, "\n".join(map(json.dumps, batch))]


@rewrite_events("RWS-FRAME-002", on=TERMINAL)
def speed_is_not_a_number(event: Event, link: Link) -> Sendings:
    """The terminal event has a vendor's figure that is NaN."""
    event["response"]["tokens_per_second"] = float("nan")
    return event


@rewrite_events("RWS-FRAME-002", "RWS-FRAME-003", on="response.created")
def sse_comes_through(event: Event, link: Link) -> Sendings:
    """A keepalive of the stream over HTTP is passed on as it is."""
    return [event, "event: ping\ndata: {}\n\n"]


@rewrite_events("RWS-FRAME-002", "RWS-FRAME-004", on=TERMINAL)
def done_marker(event: Event, link: Link) -> Sendings:
    """A [DONE] marker follows the terminal event, as in an SSE stream."""
    return [event, "[DONE]"]


@rewrite_events("RWS-FRAME-005", on="response.created")
def headers_come_first(event: Event, link: Link) -> Sendings:
    """A message without a type that holds headers comes before each response."""
    return [{"headers": {"x-request-id": "req_1"}}, event]


@on_frame_received("RWS-FRAME-006")
def fragments_are_refused(frame: Frame, link: Link) -> Frame | None:
    """The first fragment of a split message is thrown away, which the next one does not survive."""
    return None if frame.opcode is Opcode.TEXT and not frame.fin else frame


@on_frame_received("RWS-FRAME-006")
def fragments_are_lost(frame: Frame, link: Link) -> Frame | None:
    """Messages in several fragments are never read."""
    return None if frame.opcode is Opcode.CONT or not frame.fin else frame


@on_frame_received("RWS-FRAME-006")
def fragments_are_messages(frame: Frame, link: Link) -> Frame | None:
    """Each fragment is read like a message of its own."""
    if frame.opcode is Opcode.CONT:
        return replace(frame, opcode=Opcode.TEXT, fin=True)
    return replace(frame, fin=True)


@on_frame_received("RWS-FRAME-006")
def fragments_are_decoded_one_by_one(frame: Frame, link: Link) -> Frame | None:
    """A fragment that ends within a character is taken for text that is broken."""
    if frame.opcode not in (Opcode.TEXT, Opcode.CONT):
        return frame
    try:
        bytes(frame.data).decode()
    except UnicodeDecodeError:
        return replace(frame, data=b"\xff", fin=True)
    return frame


@on_frame_sent("RWS-FRAME-007")
def pongs_are_lost(frame: Frame, link: Link) -> Frame | None:
    """Pings get no answer."""
    return None if frame.opcode is Opcode.PONG else frame


@on_frame_sent("RWS-FRAME-007")
def pongs_are_empty(frame: Frame, link: Link) -> Frame | None:
    """A pong does not repeat the payload of its ping."""
    return replace(frame, data=b"") if frame.opcode is Opcode.PONG else frame


@on_frame_received("RWS-FRAME-007")
def busy_servers_ignore_pings(frame: Frame, link: Link) -> Frame | None:
    """A ping in the middle of a response gets no answer."""
    return None if frame.opcode is Opcode.PING and link.session.is_busy else frame


@on_raw("RWS-FRAME-008")
def malformed_json_is_ignored(message: str | bytes, link: Link) -> Incoming | Reply:
    """Text that is not JSON gets no answer."""
    return Reply() if isinstance(message, str) and _parsed(message) is NOT_JSON else message


@on_raw("RWS-FRAME-008")
def malformed_json_breaks_the_server(message: str | bytes, link: Link) -> Incoming | Reply:
    """Text that is not JSON ends the connection with code 1011."""
    if isinstance(message, str) and _parsed(message) is NOT_JSON:
        return Reply((CloseConnection(1011, "internal error"),))
    return message


@on_incoming("RWS-FRAME-009")
def missing_type_is_ignored(event: Event, link: Link) -> Incoming | Reply:
    """An object without a type gets no answer."""
    return event if "type" in event else Reply()


@on_incoming("RWS-FRAME-009", "RWS-FRAME-011")
def type_is_not_needed(event: Event, link: Link) -> Incoming | Reply:
    """An object without a type is run as a create."""
    return {"type": CREATE, **event}


def _is_unknown(message: Incoming) -> bool:
    return isinstance(message, dict) and message.get("type", CREATE) not in (CREATE, *COMMANDS)


@on_incoming("RWS-FRAME-010")
def unknown_events_are_ignored(event: Event, link: Link) -> Incoming | Reply:
    """A client event of an unknown type gets no answer."""
    return Reply() if _is_unknown(event) else event


@on_incoming("RWS-FRAME-010", "RWS-FRAME-011")
def every_event_is_a_create(event: Event, link: Link) -> Incoming | Reply:
    """A client event of an unknown type that has an input is run as a create."""
    return {**event, "type": CREATE} if _is_unknown(event) and "input" in event else event


def _go_on_with_it(message: Incoming, link: Link) -> Incoming | Reply:
    if not isinstance(message, dict) or not _is_unknown(message):
        return message
    link.memory["is_refused"] = "input" in message
    return {**message, "type": CREATE} if "input" in message else message


def _refuse_first(sending: Event | CloseConnection, link: Link) -> Sendings:
    if isinstance(sending, CloseConnection) or not link.memory.pop("is_refused", False):
        return sending
    error = refuse("unsupported_client_event", "This client event is not supported.", "type")
    return [error.refusal.event(), sending]


register(
    Fault(
        "refused-events-run-all-the-same",
        ("RWS-FRAME-011",),
        "An event of an unknown type is refused, and then run as a create: a return is missing.",
        Hooks(incoming=_go_on_with_it, outgoing=_refuse_first),
    )
)


@on_raw("RWS-FRAME-012")
def binary_is_ignored(message: str | bytes, link: Link) -> Incoming | Reply:
    """A binary message gets no answer."""
    return Reply() if isinstance(message, bytes) else message


@on_raw("RWS-FRAME-012")
def binary_is_read_as_text(message: str | bytes, link: Link) -> Incoming | Reply:
    """A create in a binary message is run like one in a text message."""
    return message.decode("utf-8", "replace") if isinstance(message, bytes) else message


@on_raw("RWS-FRAME-013")
def arrays_are_ignored(message: str | bytes, link: Link) -> Incoming | Reply:
    """JSON that is no object gets no answer."""
    is_json = isinstance(message, str) and _parsed(message) is not NOT_JSON
    return Reply() if is_json else message


@on_raw("RWS-FRAME-013")
def arrays_break_the_server(message: str | bytes, link: Link) -> Incoming | Reply:
    """JSON that is no object ends the connection with code 1011."""
    is_json = isinstance(message, str) and _parsed(message) is not NOT_JSON
    return Reply((CloseConnection(1011, "internal error"),)) if is_json else message
