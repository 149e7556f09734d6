"""The catalogue of requirements, generated from the spec's Markdown.

``requirements.json`` lies beside this module; ``conformance/tools/build_catalogue.py`` writes
it. Code holds requirement ids only, the sentences live in the spec.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from functools import cache
from importlib.resources import files
from typing import Any, Final

from responses_ws_schemas import BASE_URL

PREFIX: Final = "RWS-"


class Level(Enum):
    """The RFC 2119 keyword of a requirement."""

    MUST = "MUST"
    MUST_NOT = "MUST NOT"
    SHOULD = "SHOULD"
    SHOULD_NOT = "SHOULD NOT"

    @property
    def is_fatal(self) -> bool:
        """True where a violation fails the run."""
        return self in (Level.MUST, Level.MUST_NOT)


@dataclass(frozen=True, slots=True)
class Evidence:
    """Who says so: ``kind`` is documented, typed, observed or chosen."""

    kind: str
    source: str
    url: str | None


@dataclass(frozen=True, slots=True)
class Requirement:
    """One normative sentence and what is known about it.

    ``also`` is a second feature that has to be claimed for it.
    """

    id: str
    level: Level
    role: str
    feature: str
    text: str
    chapter: str
    section: str
    anchor: str
    since: str
    evidence: tuple[Evidence, ...]
    also: str | None = None
    condition: str | None = None
    lever: str | None = None
    dialect: str | None = None
    schema: str | None = None
    not_judged: str | None = None
    explanation: str = ""
    home: str | None = None

    @property
    def features(self) -> tuple[str, ...]:
        """What a target has to claim to owe it; nothing for the core."""
        return tuple(f for f in (self.feature, self.also) if f not in (None, "core"))

    @property
    def area(self) -> str:
        """The middle part of the id."""
        return self.id.split("-")[1]

    @property
    def url(self) -> str:
        """The address of its page: on the docs site, or where its vendor keeps it."""
        if self.home is not None:
            return self.home
        return f"{BASE_URL}requirements/{self.id}/"


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All requirements of a spec version, by id, in the order of the spec."""

    spec_version: str
    requirements: dict[str, Requirement]

    def of_role(self, role: str, *, version: str | None = None) -> list[Requirement]:
        """The requirements of one role, in the order of the spec: all, or those of a version.

        What a version demands is settled: what came later is no part of it.
        """
        return [
            r
            for r in self.requirements.values()
            if r.role == role and (not version or _number(r.since) <= _number(version))
        ]

    def role_of(self, judged: Iterable[str]) -> str:
        """Whom verdicts about some ids are about: a client, where none is about anybody else."""
        roles = {self.requirements[i].role for i in judged if i in self.requirements}
        return "client" if roles == {"client"} else "server"

    def has_version(self, version: str) -> bool:
        """True for a version of the spec up to this one."""
        return _number(version) <= _number(self.spec_version)


@cache
def catalogue() -> Catalogue:
    """The catalogue that this suite ships."""
    text = files(__package__).joinpath("requirements.json").read_text("utf-8")
    raw = json.loads(text)
    return Catalogue(
        spec_version=raw["spec_version"],
        requirements={row["id"]: _requirement(row) for row in raw["requirements"]},
    )


def register(requirement: Requirement) -> None:
    """Add a vendor's requirement; raises ValueError where the id is taken or uses our prefix."""
    known = catalogue().requirements
    if requirement.id.startswith(PREFIX):
        raise ValueError(f"{requirement.id}: the prefix {PREFIX} is the suite's own")
    if requirement.id in known:
        raise ValueError(f"two requirements are named {requirement.id}")
    known[requirement.id] = requirement


def _number(version: str) -> tuple[int, ...]:
    """The parts of a version, none for a vendor's requirement, which has none."""
    return tuple(map(int, version.split("."))) if version else ()


def _requirement(row: dict[str, Any]) -> Requirement:
    evidence = tuple(Evidence(e["kind"], e["source"], e.get("url")) for e in row["evidence"])
    return Requirement(**{**row, "level": Level(row["level"]), "evidence": evidence})
