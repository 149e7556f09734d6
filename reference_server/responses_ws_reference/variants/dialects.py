"""The server as only one owner of the protocol would have it.

Without a dialect its output satisfies both owners. With one it keeps to the letter of that owner
and takes the freedom that this one leaves, so a client or a suite meets what it would meet there.
A dialect is hung around the session like a variant; what is refused is the same in all of them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, TypeAlias

from responses_ws_reference.messages.effects import Event
from responses_ws_reference.messages.handshake import HandshakeAnswer, HttpRequest
from responses_ws_reference.seams.hooks import Hooks, Link
from responses_ws_reference.variants.registry import (
    OPEN_RESPONSES,
    OPENAI,
    TERMINAL,
    Step,
    rewriting,
)

# OpenAI sends an error code where a program has to know, and null for other validation errors.
CODES_OF_OPENAI: Final = (
    "invalid_stream_id",
    "model_not_found",
    "previous_response_not_found",
    "response_already_in_flight",
    "server_error",
    "server_is_overloaded",
    "websocket_connection_limit_reached",
    "websocket_stream_limit_reached",
)
# OpenAI's library reads a WebSocket stream that announces neither items nor parts.
SETUP: Final = (
    "response.output_item.added",
    "response.content_part.added",
    "response.content_part.done",
)
# Settings that only Open Responses has.
ONLY_OPEN: Final = ("presence_penalty", "frequency_penalty")


Edit: TypeAlias = Callable[[Event], None]


def _open_errors(event: Event) -> None:
    """Error types have the names of the table in the base text."""
    if event["type"] == "error" and event["error"]["type"] == "invalid_request_error":
        event["error"]["type"] = "invalid_request"


def _open_members(event: Event) -> None:
    """Log probabilities are left out where nobody asked; writing to a cache is not counted."""
    event.pop("logprobs", None)
    usage = event.get("response", {}).get("usage")
    if usage is not None:
        usage["input_tokens_details"].pop("cache_write_tokens", None)


def _open_names(event: Event, link: Link) -> list[Event]:
    """Only OpenAI tells that a conversation is being folded."""
    return [] if event["type"] == "response.compaction.compacting" else [event]


def _open_extension(event: Event, link: Link) -> list[Event]:
    """An event of the server's own has the prefix of its name space, and a number."""
    if event["type"] not in TERMINAL:
        return [event]
    return [{"type": "rws:done", "sequence_number": 0}, event]


def _openai_errors(event: Event) -> None:
    if event["type"] == "error" and event["error"]["code"] not in CODES_OF_OPENAI:
        event["error"]["code"] = None


def _openai_overload(event: Event, link: Link) -> list[Event]:
    """An overload in the middle of a response is its end: no terminal event follows."""
    if event["type"] == "error" and "sequence_number" in event:
        link.memory["is_broken_off"] = True
    elif event["type"] == "response.failed" and link.memory.pop("is_broken_off", False):
        return []
    return [event]


def _openai_members(event: Event) -> None:
    for name in ONLY_OPEN:
        event.get("response", {}).pop(name, None)


def _openai_stream(event: Event, link: Link) -> list[Event]:
    return [] if event["type"] in SETUP else [event]


def _dialect(edits: Sequence[Edit], *steps: Step) -> Hooks:
    """The edits change what is in an event, and in an HTTP answer; the steps change the stream."""

    def edited(event: Event, link: Link) -> list[Event]:
        for edit in edits:
            edit(event)
        return [event]

    def answered(
        request: HttpRequest, answer: HandshakeAnswer, shared: dict[str, Any]
    ) -> HandshakeAnswer:
        value = json.loads(answer.body) if answer.body else {}
        if value.get("object") == "response" and "status" in value:
            event = {"type": f"response.{value['status']}", "response": value}
        elif "error" in value:
            event = {"type": "error", "error": value["error"]}
        else:
            return answer
        for edit in edits:
            edit(event)
        return replace(answer, body=json.dumps(value).encode())

    return replace(rewriting(edited, *steps), http=answered)


DIALECTS: Final[Mapping[str, Hooks]] = {
    OPEN_RESPONSES: _dialect((_open_errors, _open_members), _open_names, _open_extension),
    OPENAI: _dialect((_openai_errors, _openai_members), _openai_overload, _openai_stream),
}
