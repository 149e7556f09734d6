"""Judging: verdicts from recordings, live or saved. Pure; nothing here knows how to record."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from responses_ws_conformance.catalogue import Requirement, catalogue
from responses_ws_conformance.checks import Evidence, load_checks
from responses_ws_conformance.transcript import Header, Transcript
from responses_ws_conformance.verdict import VIOLATED, Judgement, fold, judge, root_of


def judge_recordings(
    recordings: Sequence[Evidence],
    requirements: Iterable[Requirement],
    *,
    header: Header | None = None,
) -> list[Judgement]:
    """The verdicts about requirements, those that depend on a violated one folded under it.

    A violation that its own findings explain is no root: what explains them explains no others.
    ``header`` has the claims where nothing is recorded.
    """
    if not recordings and header is not None:
        recordings = [Evidence.of(Transcript(header))]
    checks, known = load_checks(), catalogue().requirements
    done: dict[str, Judgement] = {}
    explained: set[str] = set()

    def judged(requirement: Requirement) -> Judgement:
        if requirement.id not in done:
            check = checks.get(requirement.id)
            judgement = done[requirement.id] = judge(requirement, check, recordings)
            is_violated = judgement.verdict in VIOLATED
            root = root_of(judgement, check)
            if root is not None and root in known:
                above = judged(known[root])
                if not (is_violated and root in explained):
                    done[requirement.id] = fold(judgement, above)
                if is_violated and check is not None and root != check.root:
                    explained.add(requirement.id)
        return done[requirement.id]

    return [judged(requirement) for requirement in requirements]


def judge_transcripts(
    transcripts: Sequence[Transcript], *, role: str = "server"
) -> list[Judgement]:
    """The verdicts from saved transcripts."""
    return judge_saved([Evidence.of(t) for t in transcripts], role=role)


def judge_saved(recordings: Sequence[Evidence], *, role: str = "server") -> list[Judgement]:
    """The verdicts from what was saved: those that the run gave, id by id.

    A run judges servers only, so for the role client nothing counts as not selected. A run by an
    earlier version of the spec is held to that.
    """
    versions = {each.transcript.header.spec_version for each in recordings}
    version = versions.pop() if len(versions) == 1 else None
    requirements = catalogue().of_role(role, version=version)
    selections = [each.transcript.header.selected for each in recordings]
    selected = {name for selection in selections for name in selection or ()}
    is_selection = bool(selections) and None not in selections
    if is_selection and role == "server":
        requirements = [r for r in requirements if r.id in selected]
    return judge_recordings(recordings, requirements)
