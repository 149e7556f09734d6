"""Verdicts: what the recordings say about each requirement."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from itertools import islice
from typing import Final

from responses_ws_conformance.catalogue import Requirement
from responses_ws_conformance.checks import (
    Cause,
    Check,
    Evidence,
    Finding,
    Outcome,
    Undecided,
)
from responses_ws_conformance.profile import MESSAGE_SIZE, SECOND_KEY
from responses_ws_conformance.transcript import Header, Transcript
from responses_ws_conformance.verdict.likeness import MORE, parted

# Of one requirement in one recording.
MOST_OUTCOMES: Final = 20
# Of each text of an outcome, which can quote what a target sent.
MOST_CHARACTERS: Final = 2_000


class Verdict(Enum):
    """What a run says about one requirement; only ``pass`` is a pass."""

    PASS = "pass"
    FAIL = "fail"
    WARN = "warn"
    UNSEEN = "unseen"
    SKIP = "skip"
    UNTESTABLE = "untestable"
    ERROR = "error"


VIOLATED: Final = (Verdict.FAIL, Verdict.WARN)


@dataclass(frozen=True, slots=True)
class Located:
    """A finding and the transcript that shows it."""

    finding: Finding
    transcript: Transcript


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict about one requirement.

    ``why`` says, for a verdict that is neither pass nor fail, what was missing; ``cause`` and
    ``by`` belong to ``untestable``. ``judged_in`` names the scenarios that exercised it.
    """

    requirement: Requirement
    verdict: Verdict
    findings: tuple[Located, ...] = ()
    why: str = ""
    cause: Cause | None = None
    by: str | None = None
    judged_in: tuple[str, ...] = ()


def not_applicable(requirement: Requirement, claims: Header) -> str | None:
    """Why a requirement is not owed by a target with these claims; None where it is owed."""
    for feature in requirement.features:
        if feature not in claims.features:
            if feature == "auth":
                return "no API key is configured"
            return f"the profile does not claim the feature {feature}"
    if requirement.dialect is not None and requirement.dialect != claims.dialect:
        return f"the profile does not claim the dialect {requirement.dialect}"
    if requirement.lever is not None and requirement.lever not in claims.levers:
        if requirement.lever == SECOND_KEY:
            return "no API key of another tenant is configured (second_api_key_env in the profile)"
        if requirement.lever == MESSAGE_SIZE:
            return "the profile does not say how large a message may be (limits/message_bytes)"
        return f"the profile offers no lever {requirement.lever}"
    return None


def judge(
    requirement: Requirement, check: Check | None, recordings: Sequence[Evidence]
) -> Judgement:
    """The verdict about one requirement from all recordings of a run."""
    claims = recordings[0].transcript.header if recordings else Header(scenario="")
    reason = not_applicable(requirement, claims)
    if reason is not None:
        return Judgement(requirement, Verdict.SKIP, why=reason)
    if check is None:
        why = requirement.not_judged or "no check judges it"
        return Judgement(requirement, Verdict.SKIP, why=why)
    findings: list[Located] = []
    undecided: list[Undecided] = []
    passed: list[str] = []
    judged: list[str] = []
    for evidence in recordings:
        try:
            if not check.when(evidence):
                continue
            outcomes = _some(check.judge(evidence))
        except Exception as problem:  # a check that breaks is our mistake, never a red mark
            where = evidence.transcript.header.scenario
            why = f"{check.name} broke on {where}: {type(problem).__name__}: {problem}"
            return Judgement(requirement, Verdict.ERROR, why=why)
        judged.append(evidence.transcript.header.scenario)
        findings += [Located(o, evidence.transcript) for o in outcomes if isinstance(o, Finding)]
        undecided += [o for o in outcomes if isinstance(o, Undecided)]
        if not outcomes:
            passed.append(evidence.transcript.header.scenario)
    scenarios = tuple(dict.fromkeys(judged))
    if findings:
        verdict = Verdict.FAIL if requirement.level.is_fatal else Verdict.WARN
        return Judgement(requirement, verdict, tuple(findings), judged_in=scenarios)
    if passed:
        return Judgement(requirement, Verdict.PASS, judged_in=scenarios)
    return _unjudged(requirement, recordings, undecided, scenarios)


def _some(outcomes: Iterator[Outcome]) -> list[Outcome]:
    """The outcomes, or so many of them as anybody reads: a flood of one fault is one fault."""
    some = [_cut(outcome) for outcome in islice(outcomes, MOST_OUTCOMES)]
    last = some[-1] if len(some) == MOST_OUTCOMES and next(outcomes, None) is not None else None
    if isinstance(last, Finding):
        some[-1] = replace(last, actual=f"{last.actual}{MORE}")
    return some


def _cut(outcome: Outcome) -> Outcome:
    """The outcome with so much of its texts as anybody reads."""
    if isinstance(outcome, Undecided):
        return replace(outcome, why=_shortened(outcome.why))
    expected, actual = map(_shortened, (outcome.expected, outcome.actual))
    return replace(outcome, expected=expected, actual=actual)


def _shortened(text: str) -> str:
    left_out = len(text) - MOST_CHARACTERS
    return text if left_out <= 0 else f"{text[:MOST_CHARACTERS]}… ({left_out} more characters)"


def root_of(judgement: Judgement, check: Check | None) -> str | None:
    """The requirement whose violation would explain a judgement, None where none would."""
    if judgement.verdict not in VIOLATED:
        return judgement.by
    roots = {located.finding.root for located in judgement.findings}
    named = next(iter(roots)) if len(roots) == 1 else None
    root = named if named is not None or check is None else check.root
    return root if root != judgement.requirement.id else None


def fold(judgement: Judgement, root: Judgement) -> Judgement:
    """A judgement under its root: blocked by it where the root is violated, or blocked itself.

    The root is that of a violation, or what an untestable requirement is blocked by. One that holds
    explains nothing.
    """
    if root.verdict is Verdict.PASS and judgement.by == root.requirement.id:
        return replace(judgement, by=None)
    by = root.requirement.id if root.verdict is Verdict.FAIL else root.by
    if by is None or root.verdict not in (Verdict.FAIL, Verdict.UNTESTABLE):
        return judgement
    why = judgement.why or f"seen {parted(judgement.findings[0].finding.actual)[0]}"
    return replace(
        judgement, verdict=Verdict.UNTESTABLE, findings=(), why=why, cause=Cause.BLOCKED, by=by
    )


def _unjudged(
    requirement: Requirement,
    recordings: Sequence[Evidence],
    undecided: Sequence[Undecided],
    scenarios: tuple[str, ...],
) -> Judgement:
    exercising = [e for e in recordings if requirement.id in e.transcript.header.exercises]
    broken = [why for why in map(_broken, exercising) if why]
    if broken:
        return Judgement(requirement, Verdict.ERROR, why=broken[0])
    is_captured = any(e.transcript.header.source == "captured" for e in recordings)
    if is_captured or requirement.role == "client":
        return Judgement(requirement, Verdict.UNSEEN, why="the conversation does not contain it")
    reasons = [*undecided, *_blocks(exercising)]
    if not exercising:
        reasons.append(Undecided(Cause.BLOCKED, "no scenario that exercises it was recorded"))
    if not reasons and requirement.condition == "server":
        return Judgement(requirement, Verdict.UNSEEN, why="the situation did not come up")
    names = ", ".join(dict.fromkeys(e.transcript.header.scenario for e in exercising))
    unreached = Undecided(Cause.BLOCKED, f"what it is about did not come up in {names}")
    first = reasons[0] if reasons else unreached
    return Judgement(
        requirement,
        Verdict.UNTESTABLE,
        why=first.why,
        cause=first.cause,
        by=first.by,
        judged_in=scenarios,
    )


def _broken(evidence: Evidence) -> str | None:
    return next((str(n.facts["why"]) for n in evidence.transcript.notes("broken")), None)


def _blocks(recordings: Iterable[Evidence]) -> list[Undecided]:
    return [
        Undecided(Cause(n.facts["cause"]), str(n.facts["why"]), n.facts.get("by"))
        for evidence in recordings
        for n in evidence.transcript.notes("blocked")
    ]
