"""A driver with short limits for whatever a test lets it meet, and what it recorded."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from responses_ws_conformance.driver import Driver
from responses_ws_conformance.driver.recording import Recording
from responses_ws_conformance.profile import Profile, Timing
from responses_ws_conformance.transcript import Header
from responses_ws_conformance.transcript.masking import Masker

NOBODY = "ws://127.0.0.1:1/v1/responses"
FAST = Timing(connect=1, first_event=0.4, idle=0.4, total=2, quiet=0.1, close=0.4)


@contextmanager
def driving(
    url: str, path: Path | None = None, *, timing: Timing = FAST, **fields: Any
) -> Iterator[Driver]:
    """A driver for a stub."""
    profile = Profile(url=url, model="m", timing=timing, **fields)
    recording = Recording(Header(scenario="test"), masker=Masker(profile.secrets), path=path)
    with recording, Driver(profile, recording) as driver:
        yield driver


def driving_http(
    http_url: str, path: Path | None = None, *, url: str = NOBODY, **fields: Any
) -> AbstractContextManager[Driver]:
    """A driver for a server of HTTP; its WebSocket is nobody's where none is given."""
    timing = replace(FAST, total=1.5)
    return driving(url, path, timing=timing, http_url=http_url, **fields)


def entries(driver: Driver, kind: type) -> list:
    """What was recorded of one kind."""
    return [e for e in driver.recording.transcript.entries if isinstance(e, kind)]
