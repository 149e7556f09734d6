"""Outcomes: what a replay says about the violations of the recording that it repeats."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from responses_ws_conformance.catalogue import catalogue
from responses_ws_conformance.checks import Evidence
from responses_ws_conformance.transcript import Transcript
from responses_ws_conformance.verdict import VIOLATED, Judgement, Verdict
from responses_ws_conformance.verdict.judging import judge_recordings

# Numbers, made-up names and Base64 differ from one conversation to the next.
VOLATILE: Final = re.compile(r"[\w+/=]*\d[\w+/=]*")


class Outcome(Enum):
    """FIXED: what was violated holds. FAILED: it is violated in the same way. OTHER: neither."""

    FIXED = "FIXED"
    FAILED = "FAILED"
    OTHER = "OTHER"


@dataclass(frozen=True, slots=True)
class Result:
    """An outcome, and in a sentence for each requirement why; ``red`` are the violations of now."""

    outcome: Outcome
    why: tuple[str, ...]
    red: tuple[Judgement, ...] = ()


def compare(recorded: Transcript, repeated: Transcript, *, departed: str | None = None) -> Result:
    """What a replay says; ``departed`` is why it could not be held to its end.

    A recording that is limited to some requirements is asked about these, any other about all that
    it violates.
    """
    before, now = judged(recorded), judged(repeated)
    asked = set(recorded.header.selected or before)
    wanted = {name: j for name, j in before.items() if j.verdict in VIOLATED and name in asked}
    red = tuple(j for j in now.values() if j.verdict in VIOLATED)
    failed = [name for name, j in wanted.items() if reasons(j) & reasons(now[name])]
    why = [f"{name} is violated as it was" for name in failed]
    if failed:
        return Result(Outcome.FAILED, tuple(why), red)
    if departed is not None:
        why.append(departed)
    for judgement in red:
        name = judgement.requirement.id
        if name in wanted:
            why.append(f"{name} is violated in another way")
        elif name not in before or before[name].verdict not in VIOLATED:
            why.append(f"{name} is violated now, and was not in the recording")
    for name in wanted:
        if now[name].verdict not in (*VIOLATED, Verdict.PASS):
            why.append(f"{name} could not be judged: {now[name].why}")
    if why:
        return Result(Outcome.OTHER, tuple(why), red)
    return Result(Outcome.FIXED, tuple(_fixed(list(wanted))), red)


def judged(transcript: Transcript) -> dict[str, Judgement]:
    """The verdicts about every requirement on servers, by id."""
    requirements = catalogue().of_role("server")
    judgements = judge_recordings([Evidence.of(transcript)], requirements)
    return {judgement.requirement.id: judgement for judgement in judgements}


def reasons(judgement: Judgement) -> set[tuple[str, str | None]]:
    """What was expected, and where, without what differs from one conversation to the next."""
    return {
        (VOLATILE.sub("…", located.finding.expected), located.finding.path)
        for located in judgement.findings
    }


def _fixed(names: Sequence[str]) -> list[str]:
    if not names:
        return ["nothing is violated, as in the recording"]
    return [f"{name} holds" for name in names]
