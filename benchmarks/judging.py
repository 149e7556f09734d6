"""Events a second of ``rws judge``, all checks on, from the start of the process to its end."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from processes import run_rws
from responses_ws_conformance.driver import Driver
from responses_ws_conformance.driver.recording import Recording
from responses_ws_conformance.profile.loading import load_profile
from responses_ws_conformance.prompts import message
from responses_ws_conformance.transcript import Header
from responses_ws_conformance.transcript.masking import Masker
from responses_ws_reference.config import ServerConfig
from responses_ws_reference.server import running_server
from rows import Row, Rows

# Name, turns, and the number to which each of them counts.
SHAPES = (("few long turns", 50, 1_000), ("many short turns", 2_000, 12))
# The suite hears no more in one conversation than a few messages of the largest size: here, all.
MOST = 2**30


def rows() -> Rows:
    """Two conversations of some fifty thousand events."""
    with TemporaryDirectory() as folder:
        for name, turns, count in SHAPES:
            path = Path(folder) / "recorded.jsonl"
            events = record(path, turns, count)
            seconds, memory = run_rws(["judge", path], allowed=(0, 6))
            yield Row(f"judged, {name} ({events:,} events)", events / seconds, "events/s")
            yield Row(f"judged, {name}, peak memory", memory, "MB")


def record(path: Path, turns: int, count: int) -> int:
    """Record one chain of turns; the number of its events."""
    events, previous = 0, None
    with running_server(ServerConfig()) as server:
        profile = replace(load_profile(None, url=server.url), max_message_bytes=MOST)
        recording = Recording(Header(scenario="long"), masker=Masker({}), path=path)
        with recording, Driver(profile, recording) as driver:
            connection = driver.connect()
            for _ in range(turns):
                goes_on = {"previous_response_id": previous} if previous else {}
                ask = [message(f"Count from 1 to {count}.")]
                exchange = connection.turn(ask, store=False, **goes_on)
                previous = exchange.response_id
                events += len(exchange.events)
    return events
