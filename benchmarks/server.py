"""Turns and events a second of the reference server, against a bare echo of the same frames."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from processes import SERVER, listening
from rows import Row, Rows
from websockets.sync.client import ClientConnection, connect

TURNS = 1_000
LONG_TURNS = 20
COUNT = 1_000
TERMINAL = ("response.completed", "response.failed", "response.incomplete", "error")
ECHO = (sys.executable, str(Path(__file__).with_name("echo.py")))


def rows() -> Rows:
    """Short turns one after another, and the events of long ones."""
    short, long = create("Reply with exactly: ok"), create(f"Count from 1 to {COUNT}.")
    with TemporaryDirectory() as folder, listening(SERVER) as server:
        with connect(server.url) as connection:
            frames = {name: turn(connection, name) for name in (short, long)}
            reference = [*measure(connection, short, long)]
        recorded = Path(folder) / "frames.json"
        recorded.write_text(json.dumps(frames), "utf-8")
        with listening((*ECHO, str(recorded))) as echo, connect(echo.url) as connection:
            bare = [*measure(connection, short, long)]
    for (name, ours, unit), (_, theirs, _) in zip(reference, bare, strict=True):
        yield Row(f"{name}, reference server", ours, unit)
        yield Row(f"{name}, bare websockets echo", theirs, unit)


def measure(connection: ClientConnection, short: str, long: str) -> list[tuple[str, float, str]]:
    """Both numbers of one server."""
    started = time.perf_counter()
    for _ in range(TURNS):
        turn(connection, short)
    turns = TURNS / (time.perf_counter() - started)
    started = time.perf_counter()
    events = sum(len(turn(connection, long)) for _ in range(LONG_TURNS))
    return [
        ("short turns", turns, "turns/s"),
        ("events of long turns", events / (time.perf_counter() - started), "events/s"),
    ]


def create(text: str) -> str:
    """A turn without a past, which nothing keeps."""
    return json.dumps({"type": "response.create", "input": text, "store": False})


def turn(connection: ClientConnection, message: str) -> list[str]:
    """The frames of one turn."""
    connection.send(message)
    frames: list[str] = []
    while True:
        frame = str(connection.recv(timeout=20))
        frames.append(frame)
        if json.loads(frame)["type"] in TERMINAL:
            return frames
