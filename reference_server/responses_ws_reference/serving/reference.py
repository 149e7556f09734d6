"""The reference server without a socket: what its shells ask of it, the same in each of them."""

from __future__ import annotations

import time
import uuid
from dataclasses import replace

from websockets.asyncio.server import ServerConnection

from responses_ws_reference.config import ServerConfig
from responses_ws_reference.messages.handshake import (
    HandshakeAnswer,
    HandshakeRequest,
    judge,
    requested_lifetime,
)
from responses_ws_reference.responses.engine import ScriptedEngine
from responses_ws_reference.seams.hooked import hang
from responses_ws_reference.seams.hooks import Tally
from responses_ws_reference.seams.layers import WITHOUT
from responses_ws_reference.seams.seams import Conversation, Seams
from responses_ws_reference.serving import levers
from responses_ws_reference.session.session import Service, Session
from responses_ws_reference.session.store import Shelf, Store


class Reference:
    """Judges requests, and gives each connection its session over one service and one store."""

    def __init__(self, config: ServerConfig, seams: Seams) -> None:
        self.config = config
        self.seams = seams
        self.panel = levers.Panel()
        self.service = Service(
            model=config.model,
            engine=ScriptedEngine(seams.mood),
            policies=seams.policies,
            fresh_id=lambda: uuid.uuid4().hex,
        )
        self._store = Store()
        # Unix time that never goes back, whatever happens to the system's clock.
        self._clock_offset = time.time() - time.monotonic()

    def now(self) -> float:
        """The time that sessions are told."""
        return self._clock_offset + time.monotonic()

    def judge(self, request: HandshakeRequest) -> HandshakeAnswer | None:
        """Refuse what must not be upgraded, and pull the levers that are asked for."""
        keys, authorise = self.config.api_keys, self.seams.policies.authorise
        if self.config.offers_levers and request.path.startswith(levers.GET_PATH):
            return self.panel.answer(request, keys=keys, authorise=authorise)
        allowed = "GET, POST" if self.config.http else "GET"
        return judge(request, keys=keys, authorise=authorise, allowed=allowed)

    def authorise(self, request: HandshakeRequest) -> int | None:
        """The HTTP status that refuses a request for the key that it lacks."""
        authorise = self.seams.policies.authorise
        return authorise(self.config.api_keys, request.headers.get("authorization"))

    def shelf(self, request: HandshakeRequest) -> Shelf:
        """The stored responses that the key of a request may see."""
        return self._store.shelf(self.seams.policies.tenant(request.api_key))

    def converse(
        self, request: HandshakeRequest, connection: ServerConnection | None = None
    ) -> Conversation:
        """The session that a request opens; frames can be watched where there is a connection."""
        service, lifetime = self.service, self.config.lifetime
        if self.config.offers_levers:
            engine = levers.LeveredEngine(service.engine, request, self.panel)
            service = replace(service, engine=engine)
            lifetime = requested_lifetime(request) or lifetime
        session = Session(service, self.shelf(request), expires_at=self.now() + lifetime)
        return self.seams.session(session, request, connection)


def compose(config: ServerConfig) -> tuple[Seams, Tally]:
    """The seams that a configuration asks for, and the tally of its fault."""
    seams, tally = Seams(), Tally()
    if config.offers_levers:
        seams = hang(levers.HOOKS, seams, Tally())
    for layer in sorted(config.without):
        seams = hang(WITHOUT[layer], seams, Tally())
    fault = None
    if config.fault is not None:
        # Faults are many modules; a server without one need not load them.
        from responses_ws_reference.faults import FAULTS

        fault = FAULTS[config.fault]
    if config.dialect is not None:
        from responses_ws_reference.variants.dialects import DIALECTS

        seams = hang(DIALECTS[config.dialect], seams, Tally())
    variant = config.variant or (fault.variant if fault else None)
    if variant is not None:
        from responses_ws_reference.variants import VARIANTS

        seams = hang(VARIANTS[variant].hooks, seams, Tally())
    if fault is not None:
        seams = hang(fault.hooks, seams, tally)
    return seams, tally
