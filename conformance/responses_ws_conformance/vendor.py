"""What a vendor's conftest.py or extension file works with.

Override the fixture ``rws_target`` to start your own server; add requirements under your own
prefix, with scenarios that exercise them and checks that judge them:

    requirement("ACME-QUOTA-001", level="MUST", text="The server MUST …", url="https://…")

    @scenario("acme/quota", exercises=("ACME-QUOTA-001",), turns=1)
    def quota(driver: Driver) -> None: ...

    @expectation("ACME-QUOTA-001")
    def quota_is_reported(mark: Mark) -> Iterator[Outcome]: ...
"""

from __future__ import annotations

from responses_ws_conformance.catalogue import Level, Requirement, register
from responses_ws_conformance.checks import (
    Cause,
    Evidence,
    Finding,
    Mark,
    Outcome,
    Undecided,
    expectation,
    invariant,
)
from responses_ws_conformance.checks.answers import answered, recalled, refused
from responses_ws_conformance.driver import Connection, Driver
from responses_ws_conformance.profile import Lever, Profile, Timing
from responses_ws_conformance.profile.loading import load_profile
from responses_ws_conformance.scenarios import scenario

__all__ = [
    "Cause",
    "Connection",
    "Driver",
    "Evidence",
    "Finding",
    "Lever",
    "Mark",
    "Outcome",
    "Profile",
    "Timing",
    "Undecided",
    "answered",
    "expectation",
    "invariant",
    "load_profile",
    "recalled",
    "refused",
    "requirement",
    "scenario",
]


def requirement(
    id: str,
    *,
    level: str,
    text: str,
    url: str,
    feature: str = "core",
    condition: str | None = None,
) -> None:
    """Add a requirement of your own; raises ValueError for a taken id or an unknown level."""
    register(
        Requirement(
            id=id,
            level=Level(level),
            role="server",
            feature=feature,
            text=text,
            chapter=id.partition("-")[0].lower(),
            section="",
            anchor="",
            since="",
            evidence=(),
            condition=condition,
            home=url,
        )
    )
