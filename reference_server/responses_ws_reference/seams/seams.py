"""Where a variant or a fault takes hold of the server, without the server knowing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from websockets.asyncio.server import ServerConnection

from responses_ws_reference.messages.effects import Effect
from responses_ws_reference.messages.handshake import HandshakeAnswer, HandshakeRequest, HttpRequest
from responses_ws_reference.responses.engine import Outputs, Prompt
from responses_ws_reference.session.policies import CONFORMING, Policies

# What becomes of one message of an SSE stream.
SeeMessage: TypeAlias = Callable[[str], Sequence[str]]


class Conversation(Protocol):
    """What the shell needs of a session."""

    @property
    def expires_at(self) -> float | None:
        """When the shell has to tick."""

    @property
    def is_busy(self) -> bool:
        """True while there is something to advance."""

    @property
    def queued(self) -> int:
        """How many creates wait."""

    def open(self, *, now: float) -> list[Effect]:
        """The connection is there."""

    def receive(self, data: str | bytes, *, now: float) -> list[Effect]:
        """A data message came."""

    def advance(self, *, now: float) -> list[Effect]:
        """One step of what is running."""

    def tick(self, *, now: float) -> list[Effect]:
        """Time passed."""

    def close(self) -> None:
        """The connection is gone."""


def _same_session(
    session: Conversation, request: HandshakeRequest, connection: ServerConnection | None
) -> Conversation:
    return session


def _same_answer(request: HandshakeRequest, answer: HandshakeAnswer) -> HandshakeAnswer:
    return answer


def _same_http_answer(request: HttpRequest, answer: HandshakeAnswer) -> HandshakeAnswer:
    return answer


def _same_messages(request: HttpRequest) -> SeeMessage:
    return lambda message: (message,)


def _as_asked(prompt: Prompt, outputs: Outputs) -> Outputs:
    return outputs


@dataclass(frozen=True, slots=True)
class Seams:
    """The decisions of a server, the session of a connection, the answer to a handshake, the mood
    of the model; and over HTTP the answer to a request and the messages of a stream.
    """

    policies: Policies = CONFORMING
    session: Callable[[Conversation, HandshakeRequest, ServerConnection | None], Conversation] = (
        _same_session
    )
    handshake: Callable[[HandshakeRequest, HandshakeAnswer], HandshakeAnswer] = _same_answer
    mood: Callable[[Prompt, Outputs], Outputs] = _as_asked
    http: Callable[[HttpRequest, HandshakeAnswer], HandshakeAnswer] = _same_http_answer
    sse: Callable[[HttpRequest], SeeMessage] = _same_messages
