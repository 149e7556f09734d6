"""The server on the websockets library alone, which lets it see every frame."""

from __future__ import annotations

import contextlib
import http
import logging
from collections.abc import AsyncIterator
from typing import Final

from websockets.asyncio.server import ServerConnection
from websockets.asyncio.server import serve as serve_websockets
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from responses_ws_reference.config import MAX_MESSAGE_BYTES, SERVER_NAME
from responses_ws_reference.messages.handshake import (
    HandshakeAnswer,
    HandshakeRequest,
    joined,
    refusal,
)
from responses_ws_reference.serving.reference import Reference
from responses_ws_reference.serving.shell import run_connection

CLOSE_TIMEOUT: Final = 2.0


@contextlib.asynccontextmanager
async def listen(reference: Reference) -> AsyncIterator[int]:
    """Listen on the port that the context gives; at its end connections are closed with 1001."""
    handshakes = Handshakes(reference)
    async with serve_websockets(
        handshakes.handle,
        reference.config.host,
        reference.config.port,
        process_request=handshakes.judge_request,
        process_response=handshakes.complete_response,
        max_size=MAX_MESSAGE_BYTES,
        close_timeout=CLOSE_TIMEOUT,
        server_header=SERVER_NAME,
        logger=_silent_logger(),
    ) as server:
        yield next(iter(server.sockets)).getsockname()[1]


class Handshakes:
    """Answers opening handshakes and gives each connection its session."""

    def __init__(self, reference: Reference) -> None:
        self._reference = reference

    def judge_request(self, connection: ServerConnection, request: Request) -> Response | None:
        """Refuse what must not be upgraded."""
        answer = self._reference.judge(_handshake_of(request))
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
        changed = self._reference.seams.handshake(_handshake_of(request), answer)
        return _response_of(changed)

    async def handle(self, connection: ServerConnection) -> None:
        """One connection, from its upgrade to its close."""
        if connection.request is None:
            return
        session = self._reference.converse(_handshake_of(connection.request), connection)
        await run_connection(self._reference, connection, session)


def _silent_logger() -> logging.Logger:
    """Whatever a client does to the WebSocket library is the client's business."""
    logger = logging.getLogger("responses_ws_reference.websockets")
    logger.addHandler(logging.NullHandler())
    logger.propagate = False
    return logger


def _handshake_of(request: Request) -> HandshakeRequest:
    headers = joined(request.headers.raw_items())
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
