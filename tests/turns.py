"""A turn over a real socket: what is sent, what comes until it ends, and how it is closed."""

from __future__ import annotations

import json
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

DEADLINE = 10.0
TERMINAL = ("response.completed", "response.incomplete", "response.failed", "error")


def create(**fields: Any) -> str:
    """A create as it is sent."""
    return json.dumps({"type": "response.create", "input": "hi", **fields})


def turn(client: ClientConnection, message: str | bytes | None = None) -> list[dict[str, Any]]:
    """The events of one turn, up to its terminal or error event."""
    client.send(create() if message is None else message)
    events: list[dict[str, Any]] = []
    while not events or events[-1]["type"] not in TERMINAL:
        events.append(json.loads(client.recv(timeout=DEADLINE)))
    return events


def close_code(client: ClientConnection) -> int | None:
    """The code with which the server closes; what it says before is read past."""
    try:
        while True:
            client.recv(timeout=DEADLINE)
    except ConnectionClosed as closed:
        return closed.rcvd and closed.rcvd.code
