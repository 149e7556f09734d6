"""What a turn costs as its chain grows: continued by id, and with everything sent again."""

from __future__ import annotations

import json
import statistics
import time
from typing import Any

from processes import listening
from rows import Row, Rows
from server import turn
from websockets.sync.client import ClientConnection, connect

LENGTHS = (1, 10, 100, 1_000)
SAMPLES = 20


def rows() -> Rows:
    """Milliseconds of a turn after so many items, both ways."""
    with listening() as server, connect(server.url, max_size=None) as connection:
        history: list[dict[str, Any]] = []
        previous: str | None = None
        for length in LENGTHS:
            while len(history) < length:
                previous, _ = ask(connection, [grow(history)], previous)
            seconds = []
            for _ in range(SAMPLES):
                previous, taken = ask(connection, [grow(history)], previous)
                seconds.append(taken)
            yield row("continued by id", length, seconds)
        for length in LENGTHS:
            seconds = [ask(connection, history[: length + 1], None)[1] for _ in range(SAMPLES)]
            yield row("all sent again", length, seconds)


def row(name: str, length: int, seconds: list[float]) -> Row:
    """The median of some turns after so many items."""
    return Row(f"{name}, after {length:,} items", statistics.median(seconds) * 1000, "ms", 2)


def grow(history: list[dict[str, Any]]) -> dict[str, Any]:
    """One more message of the user, which becomes part of the history."""
    text = f"Item {len(history)} of a chain that grows."
    history.append({"type": "message", "role": "user", "content": text})
    return history[-1]


def ask(
    connection: ClientConnection, items: list[dict[str, Any]], previous: str | None
) -> tuple[str, float]:
    """The id of the response to some items, and the seconds from its create to its end."""
    create = {"type": "response.create", "input": items, "store": False}
    if previous is not None:
        create["previous_response_id"] = previous
    text = json.dumps(create)
    started = time.perf_counter()
    frames = turn(connection, text)
    return json.loads(frames[-1])["response"]["id"], time.perf_counter() - started
