"""Other habits over HTTP: how a stream is written, and which status says what."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from responses_ws_reference.messages.handshake import HandshakeAnswer, HttpRequest
from responses_ws_reference.seams.hooks import Hooks
from responses_ws_reference.variants.registry import register


def _bare(message: str, request: HttpRequest, memory: dict[str, Any]) -> Sequence[str]:
    data = message.partition("data:")[2].strip()
    return [] if data == "[DONE]" else [f"data:{data}\n\n"]


def _chatty(message: str, request: HttpRequest, memory: dict[str, Any]) -> Sequence[str]:
    number = memory["count"] = memory.get("count", 0) + 1
    numbered = f"id: {number}\nretry: 1000\n{message}"
    return [": keep-alive\n\n", numbered.replace("\n", "\r\n")]


def _other_statuses(
    request: HttpRequest, answer: HandshakeAnswer, shared: dict[str, Any]
) -> HandshakeAnswer:
    if request.method == "DELETE" and answer.status == 200:
        return HandshakeAnswer(204)
    if request.method == "POST" and answer.status == 400:
        code = json.loads(answer.body)["error"]["code"]
        return replace(answer, status=404 if code == "previous_response_not_found" else 422)
    return answer


register(
    "sse-bare",
    "A stream over HTTP has nothing but data: no names of events, and no mark at its end.",
    Hooks(sse=_bare),
    over_http=True,
)
register(
    "sse-chatty",
    "A stream over HTTP has comments, numbers and times to wait, and lines that end with CR LF.",
    Hooks(sse=_chatty),
    over_http=True,
)
register(
    "other-statuses",
    "Over HTTP a response that is deleted leaves nothing to read, and refusals are 404 and 422.",
    Hooks(http=_other_statuses),
    over_http=True,
)
