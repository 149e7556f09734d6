"""The server on an ASGI stack: WebSocket and HTTP on one port. Needs the extra ``[http]``."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Final, TypeAlias

import uvicorn
from starlette.applications import Starlette
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketDisconnected

from responses_ws_reference.config import MAX_MESSAGE_BYTES, SERVER_NAME
from responses_ws_reference.messages.effects import Event
from responses_ws_reference.messages.handshake import (
    COMPACT,
    PATH,
    HandshakeAnswer,
    HandshakeRequest,
    HttpRequest,
    joined,
    refusal,
)
from responses_ws_reference.serving.http_api import (
    DONE,
    EVENT_STREAM,
    BrokenOff,
    HttpApi,
    Operation,
    Post,
    is_refusal,
    sse_message,
    whole_answer,
)
from responses_ws_reference.serving.reference import Reference
from responses_ws_reference.serving.shell import STANDSTILL, run_connection
from responses_ws_reference.serving.sockets import Gone

# How long requests may go on after the end, in seconds.
GRACE: Final = 2
ONE: Final = PATH + "/{response_id}"
METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

Endpoint: TypeAlias = Callable[[Request], Awaitable[Response]]

log: Final = logging.getLogger("responses_ws_reference")


@contextlib.asynccontextmanager
async def listen(reference: Reference) -> AsyncIterator[int]:
    """Listen on the port that the context gives; at its end connections are closed with 1012."""
    host, port = reference.config.host, reference.config.port
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, port), family=family)
    # asyncio does this only for sockets that it made; without it each turn waits for an ACK.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    config = uvicorn.Config(
        AsgiShell(reference).application(),
        ws="websockets-sansio",
        ws_max_size=MAX_MESSAGE_BYTES,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        headers=[("Server", SERVER_NAME)],
        timeout_graceful_shutdown=GRACE,
    )
    _silent("uvicorn.error")
    server = _Uvicorn(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        await serving


class _Uvicorn(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are for the command that started the server."""
        yield


class AsgiSocket:
    """A WebSocket of the ASGI stack, as a connection shell needs it."""

    def __init__(self, websocket: WebSocket) -> None:
        self._websocket = websocket

    async def __aiter__(self) -> AsyncIterator[str | bytes]:
        """The messages of the client, until one says that it is gone."""
        while (message := await self._websocket.receive())["type"] == "websocket.receive":
            text = message.get("text")
            yield message["bytes"] if text is None else text

    async def send(self, message: str | bytes) -> None:
        """Send one data message."""
        kind = "text" if isinstance(message, str) else "bytes"
        try:
            await self._websocket.send({"type": "websocket.send", kind: message})
        except (WebSocketDisconnect, WebSocketDisconnected):
            raise Gone from None

    async def ping(self) -> None:
        """ASGI has no word for a ping; the stack sends its own, in its own time."""

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Say that this is the end, unless that was said before."""
        with contextlib.suppress(WebSocketDisconnect, WebSocketDisconnected):
            await self._websocket.close(code, reason)


class AsgiShell:
    """Carries requests to the server and its answers back, and decides nothing."""

    def __init__(self, reference: Reference) -> None:
        self._reference = reference
        self._api = HttpApi(reference)

    def application(self) -> Starlette:
        """The routes. What is not in the HTTP API is judged as an opening handshake."""
        api = self._api
        return Starlette(
            routes=[
                WebSocketRoute("/{path:path}", self.upgrade),
                Route(PATH, self.serving(api.create), methods=["POST"]),
                Route(COMPACT, self.serving(api.compact), methods=["POST"]),
                Route(ONE, self.serving(api.retrieve), methods=["GET"]),
                Route(ONE, self.serving(api.delete), methods=["DELETE"]),
                Route("/{path:path}", self.refuse, methods=METHODS),
            ],
            exception_handlers={Exception: _broken},
        )

    async def upgrade(self, websocket: WebSocket) -> None:
        """One connection, from its handshake to its close."""
        request = HandshakeRequest(_path(websocket), joined(websocket.headers.items()))
        answer = self._reference.judge(request) or HandshakeAnswer(101)
        answer = self._reference.seams.handshake(request, answer)
        if answer.status != 101:
            await websocket.send_denial_response(_response(answer))
            return
        session = self._reference.converse(request)
        await websocket.accept(headers=[(n.encode(), v.encode()) for n, v in answer.headers])
        await run_connection(self._reference, AsgiSocket(websocket), session)

    async def refuse(self, request: Request) -> Response:
        """Neither an upgrade nor anything that the HTTP API has; or a lever."""
        asked = HandshakeRequest(_path(request), joined(request.headers.items()), request.method)
        answer = self._reference.judge(asked) or refusal(404)
        return _response(self._reference.seams.handshake(asked, answer))

    def serving(self, operation: Operation) -> Endpoint:
        """The endpoint of one operation of the API."""

        async def serve(request: Request) -> Response:
            asked = await _asked(request)
            given = self._api.handle(asked, operation)
            if isinstance(given, Post):
                return await self._run(asked, given)
            return _response(given)

        return serve

    async def _run(self, asked: HttpRequest, post: Post) -> Response:
        """A response, streamed where that was asked for and there is anything to stream."""
        events = self._events(post)
        try:
            told = [await anext(events)]
            if post.is_streamed and not is_refusal(told[0]):
                return self._streamed(asked, told[0], events)
            told += [event async for event in events]
        except (StopAsyncIteration, BrokenOff):
            told = []
        return _response(self._api.seen(asked, whole_answer(told)))

    def _streamed(self, asked: HttpRequest, first: Event, rest: AsyncIterator[Event]) -> Response:
        head = self._api.seen(asked, HandshakeAnswer(200, EVENT_STREAM))
        see = self._reference.seams.sse(asked)

        async def lines() -> AsyncIterator[str]:
            for message in see(sse_message(first)):
                yield message
            async for event in rest:
                for message in see(sse_message(event)):
                    yield message
            for message in see(DONE):
                yield message

        return StreamingResponse(lines(), head.status, dict(head.headers))

    async def _events(self, post: Post) -> AsyncIterator[Event]:
        """The events of a response, in the pace of the server."""
        try:
            events = post.begin(now=self._reference.now())
            while True:
                for event in events:
                    yield event
                if not post.is_busy:
                    return
                pace = self._reference.config.pace
                await asyncio.sleep(pace if events else max(pace, STANDSTILL))
                events = post.advance(now=self._reference.now())
        finally:
            post.close()


async def _broken(request: Request, error: Exception) -> Response:
    """The answer to a request that broke the server, where there is still one to give."""
    if not isinstance(error, BrokenOff):
        log.error("a request broke the server", exc_info=error)
    return _response(whole_answer([]))


async def _asked(request: Request) -> HttpRequest:
    """The request with its body, as far as it is read at all."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_MESSAGE_BYTES:
            break
    response_id = request.path_params.get("response_id", "")
    return HttpRequest(
        _path(request), joined(request.headers.items()), request.method, bytes(body), response_id
    )


def _path(connection: HTTPConnection) -> str:
    """The path and query as they were sent."""
    path: bytes = connection.scope["raw_path"]
    query: bytes = connection.scope["query_string"]
    return (path + b"?" + query if query else path).decode("latin-1")


def _response(answer: HandshakeAnswer) -> Response:
    return Response(answer.body, answer.status, dict(answer.headers))


def _silent(name: str) -> None:
    """Whatever a client does to the ASGI stack is the client's business."""
    logger = logging.getLogger(name)
    logger.addHandler(logging.NullHandler())
    logger.propagate = False
