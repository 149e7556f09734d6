"""Replays: a recorded conversation held again, with the ids that the server tells now.

The steps are taken in the recorded order, each as soon as the target has come as far as the
recorded one had. What a scenario noted is carried over, so the new recording is judged as the old
one was.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from responses_ws_conformance import __version__
from responses_ws_conformance.driver import Blocked, Driver
from responses_ws_conformance.driver.appetite import Flooded
from responses_ws_conformance.driver.recording import Recording
from responses_ws_conformance.driver.wire import Network
from responses_ws_conformance.profile import Profile
from responses_ws_conformance.reproduction.players import Departed, Player
from responses_ws_conformance.reproduction.steps import (
    conversation,
)
from responses_ws_conformance.transcript import (
    Transcript,
)
from responses_ws_conformance.transcript.masking import Masker


@dataclass(frozen=True, slots=True)
class Replay:
    """What came of it: the new recording, what was not repeated, and why it ended early."""

    transcript: Transcript
    left_out: tuple[str, ...] = ()
    departed: str | None = None


def replay(
    recorded: Transcript,
    profile: Profile,
    *,
    path: Path | None = None,
    network: Network | None = None,
) -> Replay:
    """Hold a recorded conversation again; raises Unreachable where nobody answers."""
    header = replace(
        recorded.header,
        target=profile.target,
        model=profile.model or recorded.header.model,
        source="recorded",
        suite_version=__version__,
        started_at=datetime.now(UTC).isoformat(timespec="milliseconds"),
    )
    talk = conversation(recorded)
    left_out: list[str] = []
    departed = None
    with Recording(header, masker=Masker(profile.secrets), path=path) as recording:
        driver = Driver(profile, recording, network=network)
        player = Player(driver, recorded, left_out)
        try:
            with driver:
                for step in talk.steps:
                    player.take(step)
                player.wait(talk.end)
        except (Departed, Blocked, Flooded) as problem:
            departed = str(problem)
    return Replay(recording.transcript, tuple(left_out), departed)
