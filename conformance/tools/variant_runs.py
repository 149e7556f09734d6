"""Whole runs of the suite against the reference server and its conforming variants.

One recording serves all dialects in which a variant is legal: the dialect decides what is judged.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import kill_matrix
from responses_ws_conformance.checks import Cause, Evidence
from responses_ws_conformance.requirements import Requirement, catalogue
from responses_ws_conformance.runner import Run, judge_recordings, plan
from responses_ws_conformance.verdict import Judgement, Verdict
from responses_ws_reference.server import running_server
from responses_ws_reference.variants import VARIANTS
from responses_ws_reference.variants.registry import DIALECTS

GREEN: Final = (Verdict.PASS, Verdict.SKIP, Verdict.UNSEEN)
NO_DIALECT: Final = "no dialect"

Verdicts = Mapping[str, Judgement]


@dataclass(frozen=True, slots=True)
class VariantRun:
    """What the suite said about a server, by dialect."""

    name: str | None
    turns: int
    stopped: str | None
    verdicts: Mapping[str, Verdicts]


def dialects_of(name: str | None) -> tuple[str, ...]:
    """The dialects in which the reference server, or a variant of it, is legal."""
    return DIALECTS if name is None else VARIANTS[name].dialects


def run_variant(name: str | None, folder: Path) -> VariantRun:
    """Record the whole suite once and judge the recording in every dialect, and in none."""
    dialects = dialects_of(name)
    with running_server(kill_matrix.server_config(variant=name)) as server:
        profile = kill_matrix.profile_of(server.url, dialect=dialects[-1])
        if name is not None and not VARIANTS[name].asks_for_keys:
            profile = replace(profile, api_key=None)
        run = Run(profile, plan(profile), folder)
        run.record_all()
    evidence = [each for attempts in run.recordings.values() for each in attempts]
    return VariantRun(name, run.turns, run.stopped, judged(evidence, dialects))


def judged(evidence: Sequence[Evidence], dialects: Sequence[str]) -> dict[str, Verdicts]:
    """The verdicts about all requirements without a dialect, and with each of these."""
    requirements = catalogue().of_role("server")
    core = _judged(evidence, requirements, None)
    verdicts = {NO_DIALECT: core}
    for dialect in dialects:
        own = [r for r in requirements if r.dialect == dialect]
        verdicts[dialect] = {**core, **_judged(evidence, own, dialect)}
    return verdicts


def _judged(
    evidence: Sequence[Evidence], requirements: Sequence[Requirement], dialect: str | None
) -> Verdicts:
    for each in evidence:
        each.transcript.header = replace(each.transcript.header, dialect=dialect)
    return {j.requirement.id: j for j in judge_recordings(evidence, requirements)}


def unexpected(name: str | None, verdicts: Verdicts) -> Iterator[str]:
    """What a conforming server may not be told, in words: only the SHOULDs that it declares warn,
    and only the causes that it declares leave something unjudged.
    """
    warns = VARIANTS[name].warns if name is not None else ()
    causes = [Cause(cause) for cause in (VARIANTS[name].leaves_open if name is not None else ())]
    for judgement in verdicts.values():
        root = verdicts.get(judgement.by or "", judgement)
        is_excused = judgement.verdict is Verdict.UNTESTABLE and root.cause in causes
        is_warned = judgement.verdict is Verdict.WARN and judgement.requirement.id in warns
        if judgement.verdict not in GREEN and not is_excused and not is_warned:
            yield _described(judgement)
    for missing in warns:
        if verdicts[missing].verdict is not Verdict.WARN:
            yield f"{missing} {verdicts[missing].verdict.value}, but a warning is declared"


def _described(judgement: Judgement) -> str:
    cause = f" ({judgement.cause.value})" if judgement.cause else ""
    seen = "; ".join(
        f"{each.transcript.header.scenario} entry {each.finding.at}: {each.finding.actual}"
        for each in judgement.findings
    )
    return f"{judgement.requirement.id} {judgement.verdict.value}{cause}: {judgement.why or seen}"
