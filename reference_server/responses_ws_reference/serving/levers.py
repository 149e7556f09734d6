"""Levers: what no client can provoke by means of the protocol, provoked on request.

A handshake header names the turn of its own connection that meets the trouble (``RWS-Failure: 3``:
the third). A GET of ``/rws/levers/NAME`` does the same to the next turn of any connection. The
model is what breaks, so the session deals with it as with any model. A restart and the end of a
lifetime come over all connections at once, where a GET asks for them.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from typing import Final

from responses_ws_reference.messages.effects import CloseConnection, Event
from responses_ws_reference.messages.handshake import (
    Authorise,
    HandshakeAnswer,
    HandshakeRequest,
    refusal,
)
from responses_ws_reference.messages.refusals import Refusal, Refused
from responses_ws_reference.responses.engine import Breakdown, Completion, Engine, Prompt
from responses_ws_reference.seams.hooks import Hooks, Link, Sendings
from responses_ws_reference.serving.sockets import Socket

FAILURE: Final = "failure"
REFUSAL: Final = "refusal-5xx"
OVERLOAD: Final = "overload"
RESTART: Final = "restart"
LIFETIME: Final = "lifetime"
NAMES: Final = (FAILURE, REFUSAL, OVERLOAD, RESTART, LIFETIME)
GET_PATH: Final = "/rws/levers/"

BREAKDOWNS: Final[Mapping[str, Breakdown]] = {
    FAILURE: Breakdown("server_error", "server_error", "The model broke down."),
    OVERLOAD: Breakdown(
        "service_unavailable_error",
        "server_is_overloaded",
        "The server is overloaded. Try again later.",
        is_announced=True,
    ),
}
INTERNAL_ERROR: Final = Refusal(
    "server_error", "The server had an internal error.", status=500, kind="server_error"
)
GOING_AWAY: Final = CloseConnection(1012, "service restart")
EVENTS_BEFORE_A_RESTART: Final = 3


class Panel:
    """What has been asked of a whole server, by a GET."""

    def __init__(self) -> None:
        self._armed: list[str] = []
        self._connections: dict[Socket, Callable[[], Awaitable[None]]] = {}
        self._ending: set[asyncio.Future[None]] = set()

    def watch(self, connection: Socket, expire: Callable[[], Awaitable[None]]) -> None:
        """Know an open connection, which a restart closes, and what ends its life."""
        self._connections[connection] = expire

    def forget(self, connection: Socket) -> None:
        """A connection is gone."""
        self._connections.pop(connection, None)

    def answer(
        self, request: HandshakeRequest, *, keys: Collection[str], authorise: Authorise
    ) -> HandshakeAnswer:
        """Pull the lever that a GET names; the HTTP response to it."""
        name = request.path.removeprefix(GET_PATH)
        if name not in NAMES:
            return refusal(404)
        status = authorise(keys, request.headers.get("authorization"))
        if status is not None:
            return refusal(status)
        self.pull(name)
        body = json.dumps({"lever": name}).encode()
        return HandshakeAnswer(200, (("Content-Type", "application/json"),), body)

    def pull(self, name: str) -> None:
        """Arm a lever for the next turn; the ends of connections are at once."""
        if name == RESTART:
            self._end(c.close(GOING_AWAY.code, GOING_AWAY.reason) for c in self._connections)
        elif name == LIFETIME:
            self._end(expire() for expire in self._connections.values())
        else:
            self._armed.append(name)

    def _end(self, ends: Iterable[Awaitable[None]]) -> None:
        for end in ends:
            ending = asyncio.ensure_future(end)
            self._ending.add(ending)
            ending.add_done_callback(self._ending.discard)

    def take(self) -> str | None:
        """The lever that meets the turn at hand, if one is armed."""
        return self._armed.pop(0) if self._armed else None


class LeveredEngine:
    """A model that breaks down when a lever says so; one for each connection."""

    def __init__(self, inner: Engine, request: HandshakeRequest, panel: Panel) -> None:
        self._inner = inner
        self._troubles = {turn_of(request, name): name for name in (FAILURE, REFUSAL, OVERLOAD)}
        self._panel = panel
        self._turns = 0

    def complete(self, prompt: Prompt) -> Completion:
        """What the model says, as far as it gets."""
        self._turns += 1
        trouble = self._troubles.get(self._turns) or self._panel.take()
        if trouble == REFUSAL:
            raise Refused(INTERNAL_ERROR)
        completion = self._inner.complete(prompt)
        if trouble is None:
            return completion
        return Completion(completion.outputs, breakdown=BREAKDOWNS[trouble])


def turn_of(request: HandshakeRequest, name: str) -> int:
    """The turn in which a lever takes hold by the header of a handshake; 0 for never."""
    value = request.headers.get(f"rws-{name}", "")
    return int(value) if value.isascii() and value.isdigit() and len(value) < 6 else 0


def _restart(sending: Event | CloseConnection, link: Link) -> Sendings:
    """The connection goes away in the middle of the turn that its handshake named."""
    turn = turn_of(link.handshake, RESTART)
    if not turn or isinstance(sending, CloseConnection):
        return sending
    if sending["type"] == "response.created":
        link.memory["turns"] = link.memory.get("turns", 0) + 1
        link.memory["events"] = 0
    link.memory["events"] = link.memory.get("events", 0) + 1
    is_time = link.memory["events"] == EVENTS_BEFORE_A_RESTART
    return [sending, GOING_AWAY] if is_time and link.memory.get("turns") == turn else sending


HOOKS: Final = Hooks(outgoing=_restart)
