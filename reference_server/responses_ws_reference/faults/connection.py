"""Faults of the opening handshake, the silence before the first event and the close."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from websockets.frames import Frame, Opcode

from responses_ws_reference.faults.registry import (
    Fault,
    on_frame_received,
    on_handshake,
    on_open,
    register,
    replace_policy,
)
from responses_ws_reference.messages.effects import CloseConnection, Event
from responses_ws_reference.messages.handshake import HandshakeAnswer, HandshakeRequest
from responses_ws_reference.seams.hooks import Hooks, Link, Sendings


def _with_header(answer: HandshakeAnswer, name: str, value: str) -> HandshakeAnswer:
    """An answer that has one header with another value; only a 101 is changed."""
    if answer.status != 101:
        return answer
    others = tuple((key, held) for key, held in answer.headers if key.lower() != name.lower())
    return replace(answer, headers=(*others, (name, value)))


@on_handshake("RWS-CONN-001")
def accept_value_is_fixed(
    request: HandshakeRequest, answer: HandshakeAnswer, shared: dict[str, Any]
) -> HandshakeAnswer:
    """The accept value is the one of the RFC's example, whatever the client's key is."""
    return _with_header(answer, "Sec-WebSocket-Accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")


@replace_policy("authorise", "RWS-CONN-002")
def any_key_is_welcome(keys: Collection[str], authorization: str | None) -> int | None:
    """A wrong key opens the connection like a right one."""
    return 401 if keys and authorization is None else None


@replace_policy("authorise", "RWS-CONN-002", "RWS-CONN-003")
def nobody_asks_for_a_key(keys: Collection[str], authorization: str | None) -> int | None:
    """Every handshake is accepted, as by a server that looks at the key later."""
    return None


@on_handshake("RWS-CONN-002")
def wrong_key_is_a_bad_request(
    request: HandshakeRequest, answer: HandshakeAnswer, shared: dict[str, Any]
) -> HandshakeAnswer:
    """A wrong key is refused with status 400."""
    return replace(answer, status=400) if answer.status == 401 and request.api_key else answer


@on_handshake("RWS-CONN-003")
def missing_key_goes_to_a_login_page(
    request: HandshakeRequest, answer: HandshakeAnswer, shared: dict[str, Any]
) -> HandshakeAnswer:
    """A handshake without a key is redirected."""
    if answer.status != 401 or request.api_key:
        return answer
    return replace(answer, status=302, headers=(*answer.headers, ("Location", "/login")))


@on_handshake("RWS-CONN-004")
def refusal_is_plain_text(
    request: HandshakeRequest, answer: HandshakeAnswer, shared: dict[str, Any]
) -> HandshakeAnswer:
    """A refused handshake has a line of text for a body, as behind many proxies."""
    return replace(answer, body=b"Unauthorized\n") if answer.status == 401 else answer


@on_handshake("RWS-CONN-004")
def refusal_has_a_detail(
    request: HandshakeRequest, answer: HandshakeAnswer, shared: dict[str, Any]
) -> HandshakeAnswer:
    """A refused handshake has a JSON body of the framework, without an error object."""
    body = b'{"detail": "Could not validate credentials"}'
    return replace(answer, body=body) if answer.status == 401 else answer


@on_open("RWS-CONN-005")
def greets(link: Link) -> Sendings:
    """The server speaks first, as the Realtime API does."""
    return {"type": "rws:session.created", "sequence_number": 0}


@on_handshake("RWS-CONN-006")
def subprotocol_is_imposed(
    request: HandshakeRequest, answer: HandshakeAnswer, shared: dict[str, Any]
) -> HandshakeAnswer:
    """A subprotocol is selected that nobody offered."""
    return _with_header(answer, "Sec-WebSocket-Protocol", "realtime")


@on_handshake("RWS-CONN-006")
def compression_is_imposed(
    request: HandshakeRequest, answer: HandshakeAnswer, shared: dict[str, Any]
) -> HandshakeAnswer:
    """An extension is selected that nobody offered."""
    return _with_header(answer, "Sec-WebSocket-Extensions", "permessage-deflate")


def _note_the_close(frame: Frame, link: Link) -> Frame | None:
    if frame.opcode is Opcode.CLOSE:
        link.memory["client_closes"] = True
    return frame


def _drop_the_answer(frame: Frame, link: Link) -> Frame | None:
    is_answer = frame.opcode is Opcode.CLOSE and "client_closes" in link.memory
    return None if is_answer else frame


register(
    Fault(
        "hangs-up-on-close",
        ("RWS-CONN-007",),
        "The client's close frame is answered by the end of the TCP connection.",
        Hooks(frame_received=_note_the_close, frame_sent=_drop_the_answer),
    )
)


@on_frame_received("RWS-CONN-007")
def close_is_ignored(frame: Frame, link: Link) -> Frame | None:
    """The client's close frame gets no answer at all."""
    return None if frame.opcode is Opcode.CLOSE else frame


def _open_an_inbox(link: Link) -> Sendings:
    link.memory["news"] = link.shared.setdefault("inboxes", {})[id(link)] = []
    return []


def _close_the_inbox(link: Link) -> None:
    link.shared["inboxes"].pop(id(link), None)


def _tell_others(sending: Event | CloseConnection, link: Link) -> Sendings:
    if isinstance(sending, CloseConnection):
        return sending
    if sending["type"] == "response.created":
        for key, inbox in link.shared["inboxes"].items():
            inbox.extend([sending] if key != id(link) else [])
    if sending["type"] == "response.output_text.delta":
        news, link.memory["news"][:] = [*link.memory["news"]], []
        return [sending, *news]
    return sending


register(
    Fault(
        "beginnings-are-told-to-others",
        ("RWS-CONN-008",),
        "In the middle of its own response a connection gets word of one that began elsewhere.",
        Hooks(opened=_open_an_inbox, outgoing=_tell_others, closed=_close_the_inbox),
    )
)


@on_handshake("RWS-CONN-009")
def plain_get_is_fine(
    request: HandshakeRequest, answer: HandshakeAnswer, shared: dict[str, Any]
) -> HandshakeAnswer:
    """A GET without an upgrade is answered with status 200."""
    return replace(answer, status=200) if answer.status == 426 else answer
