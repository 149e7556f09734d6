"""What a variant or a fault does: plain functions, and what they may know and say."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from websockets.frames import Frame

from responses_ws_reference.messages.effects import CloseConnection, Event
from responses_ws_reference.messages.handshake import HandshakeAnswer, HandshakeRequest, HttpRequest
from responses_ws_reference.responses.engine import Outputs, Prompt
from responses_ws_reference.seams.seams import Conversation

# What a client sent: an event where it is a JSON object, otherwise the message as it came.
Incoming: TypeAlias = Event | str | bytes
# What a hook can send: an event, raw text, a binary message, or a close.
Outgoing: TypeAlias = Event | str | bytes | CloseConnection
Sendings: TypeAlias = Outgoing | Sequence[Outgoing]


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer to a client message that the session never sees; with nothing in it, silence."""

    sendings: tuple[Outgoing, ...] = ()


@dataclass(slots=True)
class Link:
    """What a hook may know about the connection it acts on, and where it takes notes.

    ``memory`` lives as long as the connection, ``shared`` as long as the server. ``create`` is the
    newest ``response.create`` that the client sent.
    """

    handshake: HandshakeRequest
    shared: dict[str, Any]
    session: Conversation
    memory: dict[str, Any] = field(default_factory=dict)
    create: Event = field(default_factory=dict)

    def on_lane(self, event: Event) -> Link:
        """The same link, with notes of its own for the lane of an event."""
        lanes = self.memory.setdefault("lanes", {})
        return replace(self, memory=lanes.setdefault(event.get("stream_id"), {}))


@dataclass(frozen=True, slots=True)
class Hooks:
    """The functions of one variant or fault, each optional.

    A POST over HTTP is a conversation too, so ``opened``, ``incoming``, ``outgoing``, ``closed``
    and the policies hold there as well. ``http`` changes the answer to a request of the HTTP API;
    of a stream it sees the status and the headers, with an empty body. ``sse`` changes one message
    of a stream (an ``event:`` line, a ``data:`` line and an empty line; the last message is
    ``data: [DONE]``) and has notes of its own for each stream.
    """

    handshake: Callable[[HandshakeRequest, HandshakeAnswer, dict[str, Any]], HandshakeAnswer] | (
        None
    ) = None
    opened: Callable[[Link], Sendings] | None = None
    incoming: Callable[[Incoming, Link], Incoming | Reply] | None = None
    outgoing: Callable[[Event | CloseConnection, Link], Sendings] | None = None
    closed: Callable[[Link], None] | None = None
    frame_received: Callable[[Frame, Link], Frame | None] | None = None
    frame_sent: Callable[[Frame, Link], Frame | None] | None = None
    policies: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    session: Callable[[Conversation, dict[str, Any]], Conversation] | None = None
    mood: Callable[[Prompt, Outputs, dict[str, Any]], Outputs] | None = None
    http: Callable[[HttpRequest, HandshakeAnswer, dict[str, Any]], HandshakeAnswer] | None = None
    sse: Callable[[str, HttpRequest, dict[str, Any]], Sequence[str]] | None = None


@dataclass(slots=True)
class Tally:
    """How often hooks changed what the server does."""

    count: int = 0

    def fire(self) -> None:
        """Count one change."""
        self.count += 1
