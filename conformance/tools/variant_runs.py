"""Whole runs of the suite against the reference server and its conforming variants.

One recording serves all dialects in which a variant is legal: the dialect decides what is judged.
Runs are made in processes of their own, so what they give back is small.
"""

from __future__ import annotations

import multiprocessing
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import kill_matrix
from responses_ws_conformance.catalogue import Requirement, catalogue
from responses_ws_conformance.checks import Cause, Evidence
from responses_ws_conformance.profile import Limits, Profile
from responses_ws_conformance.runner import Plan, Run, judge_recordings, plan
from responses_ws_conformance.verdict import Judgement, Verdict
from responses_ws_reference.server import running_server
from responses_ws_reference.variants import VARIANTS
from responses_ws_reference.variants.registry import DIALECTS

GREEN: Final = (Verdict.PASS, Verdict.SKIP, Verdict.UNSEEN)
NO_DIALECT: Final = "no dialect"


@dataclass(frozen=True, slots=True)
class Told:
    """What a server is told about one requirement; ``why`` has the findings of a red one."""

    requirement: str
    verdict: Verdict
    why: str
    cause: Cause | None
    by: str | None

    @classmethod
    def of(cls, judgement: Judgement) -> Told:
        """A judgement without the recordings behind it."""
        seen = "; ".join(
            f"{each.transcript.header.scenario}, entry {each.finding.at}: expected "
            f"{each.finding.expected}, seen {each.finding.actual}"
            for each in judgement.findings
        )
        why = judgement.why or seen
        return cls(judgement.requirement.id, judgement.verdict, why, judgement.cause, judgement.by)

    def __str__(self) -> str:
        cause = f" ({self.cause.value})" if self.cause else ""
        return f"{self.requirement} {self.verdict.value}{cause}: {self.why}"


Verdicts = Mapping[str, Told]


@dataclass(frozen=True, slots=True)
class VariantRun:
    """What the suite said about a server, by dialect and requirement."""

    name: str | None
    turns: int
    stopped: str | None
    verdicts: Mapping[str, Verdicts]


def workers() -> ProcessPoolExecutor:
    """Processes for several runs at a time: a run computes as much as it waits."""
    size = 2 * (os.cpu_count() or 1)
    return ProcessPoolExecutor(size, mp_context=multiprocessing.get_context("spawn"))


def submit(pool: ProcessPoolExecutor, name: str | None) -> Future[VariantRun]:
    """One run against the reference server, or a variant of it."""
    return pool.submit(run_variant, name)


def run_variant(name: str | None) -> VariantRun:
    """Record the whole suite once and judge the recording in every dialect, and in none."""
    dialects = DIALECTS if name is None else VARIANTS[name].dialects
    features = kill_matrix.LAYERS.difference(() if name is None else VARIANTS[name].lacks)
    http = name is not None and VARIANTS[name].over_http
    if http:
        features |= {kill_matrix.HTTP}
    with running_server(kill_matrix.server_config(variant=name, http=http)) as server:
        profile = kill_matrix.profile_of(server.url, dialect=dialects[-1], features=features)
        profile = replace(profile, timing=kill_matrix.PATIENT)
        if name is not None and (lanes := VARIANTS[name].lanes) is not None:
            profile = replace(profile, limits=Limits(*lanes))
        if name is not None and not VARIANTS[name].asks_for_keys:
            profile = replace(profile, api_key=None)
        with tempfile.TemporaryDirectory(prefix="rws-variant-") as folder:
            run = Run(profile, plan_for(profile, dialects), Path(folder))
            run.record_all()
    evidence = [each for attempts in run.recordings.values() for each in attempts]
    return VariantRun(name, run.turns, run.stopped, judged(evidence, dialects))


def plan_for(profile: Profile, dialects: Sequence[str]) -> Plan:
    """The plan that has the scenarios of every one of these dialects, each once."""
    plans = [plan(replace(profile, dialect=dialect)) for dialect in dialects]
    scenarios = {each.name: each for one in plans for each in one.scenarios}
    return replace(plans[-1], scenarios=tuple(scenarios.values()))


def judged(evidence: Sequence[Evidence], dialects: Sequence[str]) -> dict[str, Verdicts]:
    """The verdicts about all requirements without a dialect, and with each of these."""
    requirements = catalogue().of_role("server")
    core = _judged(evidence, requirements, None)
    verdicts: dict[str, Verdicts] = {NO_DIALECT: core}
    for dialect in dialects:
        own = [r for r in requirements if r.dialect == dialect]
        verdicts[dialect] = {**core, **_judged(evidence, own, dialect)}
    return verdicts


def _judged(
    evidence: Sequence[Evidence], requirements: Sequence[Requirement], dialect: str | None
) -> dict[str, Told]:
    for each in evidence:
        each.transcript.header = replace(each.transcript.header, dialect=dialect)
    return {j.requirement.id: Told.of(j) for j in judge_recordings(evidence, requirements)}


def unexpected(name: str | None, verdicts: Verdicts) -> Iterator[str]:
    """What a conforming server may not be told, in words: only the SHOULDs that it declares warn,
    and only the causes that it declares leave something unjudged.
    """
    warns = VARIANTS[name].warns if name is not None else ()
    causes = [Cause(cause) for cause in (VARIANTS[name].leaves_open if name is not None else ())]
    for told in verdicts.values():
        root = verdicts.get(told.by or "", told)
        is_excused = told.verdict is Verdict.UNTESTABLE and root.cause in causes
        is_warned = told.verdict is Verdict.WARN and told.requirement in warns
        if told.verdict not in GREEN and not is_excused and not is_warned:
            yield str(told)
    for missing in warns:
        if verdicts[missing].verdict not in (Verdict.WARN, Verdict.SKIP):
            yield f"{missing} {verdicts[missing].verdict.value}, but a warning is declared"
