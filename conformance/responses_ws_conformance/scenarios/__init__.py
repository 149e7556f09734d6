"""Scenarios: short scripts that make a target do what requirements speak of.

    @scenario("chaining/output", exercises=("RWS-CHAIN-003",), turns=2)
    def output_of_a_chain(driver: Driver) -> None:
        \"""A code word that stands nowhere but in the output of the first response.\"""

A scenario judges nothing. It declares what it exercises and at most how many creates it sends;
a run against the reference server confirms both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import import_module
from typing import Final

from responses_ws_conformance.driver import Driver

Script = Callable[[Driver], None]

# The layers in which it matters what happens while something else runs.
CROWDED: Final = frozenset({"lanes", "steering", "interrupt", "inject"})


@dataclass(frozen=True, slots=True)
class Scenario:
    """A script and what it exercises. ``turns`` is the most creates that it sends, unless a busy
    target is recorded or a forgetful model asked again, a violation has to be told from another, or
    the profile has other limits than most.

    ``features`` are what the profile has to claim, ``lever`` what it has to offer, for the
    scenario to be recorded. One with a ``dialect`` is recorded only where the profile has chosen
    that one. ``smoke`` is True for the few that ``--smoke`` records. ``alone`` wants nothing
    recorded beside it.
    """

    name: str
    summary: str
    script: Script
    exercises: tuple[str, ...]
    turns: int
    features: tuple[str, ...] = ()
    lever: str | None = None
    dialect: str | None = None
    smoke: bool = False
    alone: bool = False

    @property
    def area(self) -> str:
        """The first part of the name."""
        return self.name.partition("/")[0]

    @property
    def is_alone(self) -> bool:
        """True where time, numbers of connections or what others do could change what is seen.

        A lever can meet every connection of a server, and most of a crowd is about time.
        """
        return self.alone or self.lever is not None or not CROWDED.isdisjoint(self.features)


SCENARIOS: Final[dict[str, Scenario]] = {}


def scenario(
    name: str,
    *,
    exercises: Iterable[str],
    turns: int,
    features: Iterable[str] = (),
    lever: str | None = None,
    dialect: str | None = None,
    smoke: bool = False,
    alone: bool = False,
) -> Callable[[Script], Script]:
    """Register a scenario under its name, ``area/what-it-is``."""

    def register(script: Script) -> Script:
        if name in SCENARIOS:
            raise ValueError(f"two scenarios are named {name}")
        summary = (script.__doc__ or "").strip().partition("\n")[0]
        SCENARIOS[name] = Scenario(
            name=name,
            summary=summary,
            script=script,
            exercises=tuple(exercises),
            turns=turns,
            features=tuple(features),
            lever=lever,
            dialect=dialect,
            smoke=smoke,
            alone=alone,
        )
        return script

    return register


AREAS: Final = (
    "probes",
    "connection",
    "framing",
    "creation",
    "items",
    "chaining",
    "tools",
    "turns",
    "lifetime",
    "levers",
    "storage",
    "warmup",
    "interrupt",
    "inject",
    "lanes",
    "lanes_memory",
    "steering",
    "steering_calls",
    "custom",
    "reasoning",
    "compaction",
    "http",
)


def load_scenarios() -> dict[str, Scenario]:
    """The scenarios of every area, in the order of the spec; those of extensions come last."""
    modules = [import_module(f"{__name__}.{area}").__name__ for area in AREAS]
    places = {name: place for place, name in enumerate(modules)}
    # Modules import each other, so they register in another order than this.
    ordered = sorted(SCENARIOS.values(), key=lambda s: places.get(s.script.__module__, len(places)))
    return {s.name: s for s in ordered}
