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

Items = list[dict[str, Any]]


def rows() -> Rows:
    """Milliseconds of the turn after so many turns of one item each, both ways."""
    with listening() as server, connect(server.url, max_size=None) as connection:
        for length in LENGTHS:
            chains = [grow(connection, length) for _ in range(SAMPLES)]
            yield row("continued by id", length, [seconds for seconds, _ in chains])
            history = chains[-1][1]
        for length in LENGTHS:
            items = history[: 2 * length + 1]
            again = [ask(connection, items, None)[1] for _ in range(SAMPLES)]
            yield row("all sent again", length, again)


def row(name: str, length: int, seconds: list[float]) -> Row:
    """The median of some turns that came after so many."""
    return Row(f"{name}, turns before: {length:,}", statistics.median(seconds) * 1000, "ms", 2)


def grow(connection: ClientConnection, length: int) -> tuple[float, Items]:
    """The seconds of the turn after so many in a new chain, and all that was said in it."""
    history: Items = []
    previous, taken = None, 0.0
    for number in range(length + 1):
        history.append(said(number))
        response, taken = ask(connection, history[-1:], previous)
        previous = response["id"]
        history += response["output"]
    return taken, history


def said(number: int) -> dict[str, Any]:
    """One more message of the user."""
    text = f"Item {number} of a chain that grows."
    return {"type": "message", "role": "user", "content": text}


def ask(
    connection: ClientConnection, items: Items, previous: str | None
) -> tuple[dict[str, Any], float]:
    """The response to some items, and the seconds from its create to its end."""
    create = {"type": "response.create", "input": items, "store": False}
    if previous is not None:
        create["previous_response_id"] = previous
    text = json.dumps(create)
    started = time.perf_counter()
    frames = turn(connection, text)
    return json.loads(frames[-1])["response"], time.perf_counter() - started
