"""What to record for a profile, what it costs, and what is left out where that is too much."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from responses_ws_conformance.catalogue import Requirement, catalogue
from responses_ws_conformance.driver.web import require_library
from responses_ws_conformance.errors import ProfileError
from responses_ws_conformance.profile import Profile
from responses_ws_conformance.scenarios import Scenario, load_scenarios

PROBE: Final = "creation/string-input"


@dataclass(frozen=True, slots=True)
class Plan:
    """The requirements to judge and the scenarios that they need.

    ``selected`` is None where nothing was left out. ``dropped`` are the scenarios that would have
    cost more than ``max_turns``; a requirement that nothing else exercises is not selected.
    """

    requirements: tuple[Requirement, ...]
    scenarios: tuple[Scenario, ...]
    selected: tuple[str, ...] | None = None
    dropped: tuple[Scenario, ...] = ()
    max_turns: int | None = None

    def lines(self) -> Iterator[str]:
        """The plan as text: what each scenario and each area costs at most, and what is dropped."""
        wide = max((len(s.name) for s in (*self.scenarios, *self.dropped)), default=0)
        for area, group in groupby(self.scenarios, key=lambda s: s.area):
            scenarios = list(group)
            yield f"{area:{wide}}  {sum(s.turns for s in scenarios):>4} in all"
            for s in scenarios:
                yield f"  {s.name:{wide}}{s.turns:>4}  {s.summary}"
        for s in self.dropped:
            yield f"- {s.name:{wide}}{s.turns:>4}  dropped"

    @property
    def turns(self) -> int:
        """The most creates that recording costs, unless something has to be asked again."""
        return sum(s.turns for s in self.scenarios)


def plan(
    profile: Profile,
    *,
    only: Sequence[str] = (),
    smoke: bool = False,
    max_turns: int | None = None,
) -> Plan:
    """What to record for a profile; raises CannotStart where something for it is missing.

    That is a requirement for an id in ``only``, or the library for a feature.
    """
    if "http" in profile.features:
        require_library()
    requirements = _demanded(profile.spec_version)
    _check(only, requirements)
    known = {r.id for r in requirements}
    scenarios = offered(profile.dialect, profile.claims, profile.offers)
    scenarios = [s for s in scenarios if known.intersection(s.exercises)]
    scenarios.sort(key=lambda s: s.name != PROBE)
    if smoke:
        scenarios = [s for s in scenarios if s.smoke]
    if only:
        scenarios = [s for s in scenarios if set(s.exercises) & set(only)]
    dropped = _beyond(scenarios, max_turns)
    kept = tuple(s for s in scenarios if s not in dropped)
    if not (only or smoke or dropped):
        return Plan(tuple(requirements), kept, max_turns=max_turns)
    wanted = known
    if only or smoke:
        wanted = set(only) if only else _exercised(kept)
    wanted = wanted - (_exercised(dropped) - _exercised(kept))
    chosen = tuple(r for r in requirements if r.id in wanted)
    return Plan(chosen, kept, tuple(r.id for r in chosen), dropped, max_turns)


def offered(
    dialect: str | None, claims: Collection[str], levers: Collection[str]
) -> list[Scenario]:
    """The scenarios for what a profile claims and offers, in the order of the spec."""
    return [
        s
        for s in load_scenarios().values()
        if (s.lever is None or s.lever in levers)
        and s.dialect in (None, dialect)
        and set(s.features) <= set(claims)
    ]


def _demanded(version: str | None) -> list[Requirement]:
    if version is not None and not catalogue().has_version(version):
        raise ProfileError(
            f"spec_version: this suite knows no specification {version}, "
            f"the newest is {catalogue().spec_version}"
        )
    return catalogue().of_role("server", version=version)


def _check(only: Sequence[str], requirements: Sequence[Requirement]) -> None:
    known = {r.id for r in requirements}
    unknown = [name for name in only if name not in known]
    other = catalogue().requirements.get(unknown[0]) if unknown else None
    if other is not None and other.role == "server":
        raise ProfileError(f"{other.id} is in the specification since {other.since} only")
    if other is not None:
        raise ProfileError(f"{other.id} is about clients: rws judge --role client judges it")
    if unknown:
        raise ProfileError(f"no requirement is named {unknown[0]} (rws list shows them all)")


def _beyond(scenarios: Sequence[Scenario], max_turns: int | None) -> tuple[Scenario, ...]:
    """The scenarios to drop: from the end of the spec, so layers first, and those of smoke last."""
    if max_turns is None:
        return ()
    over = sum(s.turns for s in scenarios) - max_turns
    dropped: list[Scenario] = []
    last_first = list(reversed(scenarios))
    last_first.sort(key=lambda s: s.smoke)
    for scenario in last_first:
        if over > 0 and scenario.turns:
            dropped.insert(0, scenario)
            over -= scenario.turns
    return tuple(dropped)


def _exercised(scenarios: Iterable[Scenario]) -> set[str]:
    return {name for s in scenarios for name in s.exercises}
