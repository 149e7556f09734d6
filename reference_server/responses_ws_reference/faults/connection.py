"""Faults of the opening handshake, the silence before the first event and the close."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from websockets.frames import Frame, Opcode

from responses_ws_reference.faults.registry import (
    Fault,
    on_handshake,
    on_open,
    register,
    replace_policy,
)
from responses_ws_reference.handshake import HandshakeAnswer, HandshakeRequest
from responses_ws_reference.hooks import Hooks, Link, Sendings


@replace_policy("authorise", "RWS-CONN-002")
def any_key_is_welcome(keys: Collection[str], authorization: str | None) -> int | None:
    """A wrong key opens the connection like a right one."""
    return 401 if keys and authorization is None else None


@on_handshake("RWS-CONN-009")
def plain_get_is_fine(
    request: HandshakeRequest, answer: HandshakeAnswer, shared: dict[str, Any]
) -> HandshakeAnswer:
    """A GET without an upgrade is answered with status 200."""
    return replace(answer, status=200) if answer.status == 426 else answer


@on_open("RWS-CONN-005")
def greets(link: Link) -> Sendings:
    """The server speaks first, as the Realtime API does."""
    return {"type": "rws:session.created", "sequence_number": 0}


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
