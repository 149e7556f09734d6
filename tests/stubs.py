"""Targets on loopback, each in a thread of its own: most are broken on purpose."""

from __future__ import annotations

import http
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.sync.server import ServerConnection, serve

from tests.cases import message_stream

Handler = Callable[[ServerConnection], None]
Gate = Callable[[ServerConnection, Request], Response | None]


@contextmanager
def stub(handler: Handler, *, gate: Gate | None = None, **options: Any) -> Iterator[str]:
    """The URL of a server that runs the handler for each connection."""
    scheme = "wss" if "ssl" in options else "ws"
    options = {"process_request": gate, "close_timeout": 1, **options}

    def guarded(connection: ServerConnection) -> None:
        try:
            handler(connection)
        except ConnectionClosed:
            return

    with serve(guarded, "127.0.0.1", 0, **options) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"{scheme}://127.0.0.1:{server.socket.getsockname()[1]}/v1/responses"
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def answering(answer: bytes) -> Iterator[str]:
    """The URL of a server that answers each opening handshake with these bytes and waits.

    No bytes: it closes without an answer.
    """
    held: list[socket.socket] = []

    def serve_raw(listener: socket.socket) -> None:
        while True:
            try:
                accepted, _ = listener.accept()
            except OSError:
                return
            accepted.recv(65536)
            if answer:
                accepted.sendall(answer)
                held.append(accepted)
            else:
                accepted.close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve_raw, args=(listener,), daemon=True)
        thread.start()
        try:
            yield f"ws://127.0.0.1:{listener.getsockname()[1]}/v1/responses"
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()
            for accepted in held:
                accepted.close()


def answers(connection: ServerConnection) -> None:
    """Answers every create healthily."""
    for number, message in enumerate(connection):
        for event in message_stream(f"resp_{number}", "ready", json.loads(message)):
            connection.send(json.dumps(event))


def silent(connection: ServerConnection) -> None:
    """Accepts and says nothing."""
    for _ in connection:
        pass


def always_an_error(connection: ServerConnection) -> None:
    """Answers every message with the very error that negative requirements ask for."""
    error = {
        "type": "invalid_request_error",
        "code": "previous_response_not_found",
        "message": "Previous response not found.",
        "param": "previous_response_id",
    }
    for _ in connection:
        connection.send(json.dumps({"type": "error", "status": 400, "error": error}))


def overloaded(connection: ServerConnection) -> None:
    """Answers every message with an overload error."""
    error = {"type": "server_error", "code": "server_is_overloaded", "message": "Try later."}
    for _ in connection:
        connection.send(json.dumps({"type": "error", "status": 503, "error": error}))


def refuse(connection: ServerConnection, request: Request) -> Response:
    """Refuses every upgrade with a JSON body."""
    body = json.dumps({"error": {"code": "no_entry", "message": "This key is not allowed here."}})
    response = connection.respond(http.HTTPStatus.FORBIDDEN, body)
    response.headers["Content-Type"] = "application/json"
    return response


def dead_port() -> str:
    """The URL of a port on which nobody listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return f"ws://127.0.0.1:{sock.getsockname()[1]}/v1/responses"
