"""What the tests of replays, reproducers and comparisons share: servers, profiles, the command."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import kill_matrix
from responses_ws_conformance.profile import Profile
from responses_ws_conformance.runner import Run, plan
from responses_ws_conformance.transcript import Transcript
from responses_ws_reference.config import MAX_MESSAGE_BYTES, ServerConfig
from responses_ws_reference.server import running_server

from tests import commands

VARIABLES = {"RWS_API_KEY": kill_matrix.KEY, "RWS_SECOND_API_KEY": kill_matrix.SECOND_KEY}
PROFILE = f"""
api_key_env: RWS_API_KEY
second_api_key_env: RWS_SECOND_API_KEY
model: {ServerConfig().model}
dialect: open-responses
timing: {{first_event: 2, idle: 2, total: 20, quiet: 0.15, close: 1}}
limits: {{message_bytes: {MAX_MESSAGE_BYTES}}}
levers: {{overload: {{within: 1.5, headers: {kill_matrix.LEVERS["overload"]}}}}}
"""


@contextmanager
def target(fault: str | None = None, *, http: bool = False) -> Iterator[Profile]:
    """The profile of a reference server, with a fault or without, over HTTP too or not."""
    features = kill_matrix.ALL_LAYERS if http else kill_matrix.LAYERS
    with running_server(kill_matrix.server_config(fault=fault, http=http)) as server:
        dialect = kill_matrix.DEFAULT_DIALECT
        profile = kill_matrix.profile_of(server.url, dialect=dialect, features=features)
        # A right server answers in the end; a fault may be a silence, which is waited for in vain.
        yield profile if fault is not None else replace(profile, timing=kill_matrix.PATIENT)


def record(profile: Profile, folder: Path, *only: str) -> dict[str, Transcript]:
    """The recordings of what exercises some requirements, or of everything, by scenario."""
    run = Run(profile, plan(profile, only=only), folder)
    run.record_all()
    return {name: tries[-1].transcript for name, tries in run.recordings.items()}


def command(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """A Python program with both keys in its environment."""
    return commands.python(folder, *words, **VARIABLES)


def rws(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """The command ``rws`` with both keys in its environment."""
    return commands.rws(folder, *words, **VARIABLES)
