"""Puts a server together: configuration, seams and shell on a listening socket."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import http
import logging
import threading
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from typing import Final

from websockets.asyncio.server import ServerConnection
from websockets.asyncio.server import serve as serve_websockets
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from responses_ws_reference import levers
from responses_ws_reference.config import ServerConfig
from responses_ws_reference.engine import ScriptedEngine
from responses_ws_reference.handshake import (
    PATH,
    HandshakeAnswer,
    HandshakeRequest,
    judge,
    refusal,
    requested_lifetime,
)
from responses_ws_reference.hooks import Tally, hang
from responses_ws_reference.layers import WITHOUT
from responses_ws_reference.seams import Seams
from responses_ws_reference.session import Service, Session
from responses_ws_reference.shell import ConnectionShell
from responses_ws_reference.store import Store

MAX_MESSAGE_BYTES: Final = 16 * 2**20
CLOSE_TIMEOUT: Final = 2.0

log: Final = logging.getLogger("responses_ws_reference")


class ReferenceServer:
    """Answers handshakes and gives each connection its session."""

    def __init__(self, config: ServerConfig, seams: Seams) -> None:
        self._config = config
        self._seams = seams
        self._service = Service(
            model=config.model,
            engine=ScriptedEngine(seams.mood),
            policies=seams.policies,
            fresh_id=lambda: uuid.uuid4().hex,
        )
        self._store = Store()
        self._panel = levers.Panel()
        # Unix time that never goes back, whatever happens to the system's clock.
        self._clock_offset = time.time() - time.monotonic()

    def now(self) -> float:
        """The time that sessions are told."""
        return self._clock_offset + time.monotonic()

    def judge_request(self, connection: ServerConnection, request: Request) -> Response | None:
        """Refuse what must not be upgraded, and pull the levers that are asked for."""
        asked = _handshake_of(request)
        keys, authorise = self._config.api_keys, self._seams.policies.authorise
        if self._config.offers_levers and asked.path.startswith(levers.GET_PATH):
            return _response_of(self._panel.answer(asked, keys=keys, authorise=authorise))
        answer = judge(asked, keys=keys, authorise=authorise)
        return None if answer is None else _response_of(answer)

    def complete_response(
        self, connection: ServerConnection, request: Request, response: Response
    ) -> Response:
        """Refusals by the WebSocket library get a JSON body too; then the seam has its say."""
        answer = HandshakeAnswer(
            response.status_code, tuple(response.headers.raw_items()), bytes(response.body or b"")
        )
        if answer.status != 101 and not answer.body.startswith(b"{"):
            answer = refusal(answer.status)
        changed = self._seams.handshake(_handshake_of(request), answer)
        return _response_of(changed)

    async def handle(self, connection: ServerConnection) -> None:
        """One connection, from its upgrade to its close."""
        if connection.request is None:
            return
        request = _handshake_of(connection.request)
        service, lifetime = self._service, self._config.lifetime
        if self._config.offers_levers:
            engine = levers.LeveredEngine(service.engine, request, self._panel)
            service = replace(service, engine=engine)
            lifetime = requested_lifetime(request) or lifetime
        shelf = self._store.shelf(self._seams.policies.tenant(request.api_key))
        session = self._seams.session(
            Session(service, shelf, expires_at=self.now() + lifetime), request, connection
        )
        shell = ConnectionShell(connection, session, clock=self.now, pace=self._config.pace)
        self._panel.watch(connection)
        try:
            await shell.run()
        except Exception:
            log.exception("a connection broke the server")
            await connection.close(1011, "internal error")
        finally:
            self._panel.forget(connection)


@dataclass(frozen=True, slots=True)
class Running:
    """A server that listens."""

    url: str
    tally: Tally

    @property
    def faults_fired(self) -> int:
        """How often the configured fault changed something so far."""
        return self.tally.count


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
        from responses_ws_reference.dialects import DIALECTS

        seams = hang(DIALECTS[config.dialect], seams, Tally())
    variant = config.variant or (fault.variant if fault else None)
    if variant is not None:
        from responses_ws_reference.variants import VARIANTS

        seams = hang(VARIANTS[variant].hooks, seams, Tally())
    if fault is not None:
        seams = hang(fault.hooks, seams, tally)
    return seams, tally


@contextlib.asynccontextmanager
async def serve(config: ServerConfig) -> AsyncIterator[Running]:
    """Listen until the context ends; then connections are closed with 1001."""
    seams, tally = compose(config)
    reference = ReferenceServer(config, seams)
    async with serve_websockets(
        reference.handle,
        config.host,
        config.port,
        process_request=reference.judge_request,
        process_response=reference.complete_response,
        max_size=MAX_MESSAGE_BYTES,
        close_timeout=CLOSE_TIMEOUT,
        server_header="rws-server",
        logger=_silent_logger(),
    ) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        host = f"[{config.host}]" if ":" in config.host else config.host
        yield Running(f"ws://{host}:{port}{PATH}", tally)


@contextlib.contextmanager
def running_server(config: ServerConfig | None = None) -> Iterator[Running]:
    """A server in a thread of its own, for tests."""
    started: concurrent.futures.Future[Running] = concurrent.futures.Future()
    stop: concurrent.futures.Future[None] = concurrent.futures.Future()

    async def main() -> None:
        async with serve(config or ServerConfig()) as running:
            started.set_result(running)
            await asyncio.wrap_future(stop)

    def run() -> None:
        try:
            asyncio.run(main())
        except BaseException as error:
            if started.done():
                raise
            started.set_exception(error)

    thread = threading.Thread(target=run, name="reference-server", daemon=True)
    thread.start()
    try:
        yield started.result(timeout=10)
    finally:
        stop.set_result(None)
        thread.join(timeout=10)


def _silent_logger() -> logging.Logger:
    """Whatever a client does to the WebSocket library is the client's business."""
    logger = logging.getLogger("responses_ws_reference.websockets")
    logger.addHandler(logging.NullHandler())
    logger.propagate = False
    return logger


def _handshake_of(request: Request) -> HandshakeRequest:
    headers: dict[str, str] = {}
    for name, value in request.headers.raw_items():
        known = headers.get(name.lower())
        headers[name.lower()] = value if known is None else f"{known}, {value}"
    return HandshakeRequest(request.path, headers, getattr(request, "method", "GET"))


def _response_of(answer: HandshakeAnswer) -> Response:
    headers = Headers(answer.headers)
    if answer.status != 101:
        framing = {"Connection": "close", "Content-Length": str(len(answer.body))}
        own = [(name, value) for name, value in answer.headers if name not in framing]
        headers = Headers([*own, *framing.items()])
    return Response(answer.status, _phrase(answer.status), headers, answer.body)


def _phrase(status: int) -> str:
    try:
        return http.HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
