"""The report: one row for each requirement, and what a reader needs to act on it.

Written as JSON (schema ``files/report``); the terminal text is made from the same object.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any, Final

from responses_ws_conformance import __version__
from responses_ws_conformance.catalogue import catalogue
from responses_ws_conformance.checks import Evidence
from responses_ws_conformance.reports.baseline import NO_BASELINE, Baseline, Discrepancy, row
from responses_ws_conformance.reports.excerpts import around, shorten
from responses_ws_conformance.runner import Run
from responses_ws_conformance.transcript import Entry, Requested, Sent, Transcript
from responses_ws_conformance.transcript.files import ESCAPING, dump_entry
from responses_ws_conformance.transcript.times import seconds
from responses_ws_conformance.verdict import Judgement, Located, Verdict
from responses_ws_conformance.verdict.judging import judge_saved
from responses_ws_conformance.verdict.probes import Probe, probes
from responses_ws_conformance.verdict.sightings import Sighting, unclaimed

REPORT_VERSION: Final = 1


class ExitCode(IntEnum):
    """What the process says about a run, or a replay, which alone can be OTHER."""

    OK = 0
    VIOLATION = 1
    INTERRUPTED = 2
    SUITE_BROKE = 3
    INFRASTRUCTURE = 4
    NOTHING_JUDGED = 5
    NOT_ALL_JUDGED = 6
    OTHER = 7


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome of a run, or of judging saved transcripts.

    ``stopped`` says why recording ended early; ``selected`` is None where nothing was left out.
    ``probes`` says what became of inventions, ``unclaimed`` what else the target can do.
    ``duration`` is in seconds; ``command`` was run, ``again`` judges just one ``{id}`` again.
    ``strict`` makes a broken SHOULD fatal.
    """

    target: str
    judgements: tuple[Judgement, ...]
    started_at: str
    duration: float
    model: str | None = None
    dialect: str | None = None
    features: tuple[str, ...] = ()
    spec_version: str = ""
    selected: tuple[str, ...] | None = None
    stopped: str | None = None
    turns: int = 0
    scenarios: tuple[str, ...] = ()
    transcripts: tuple[str, ...] = ()
    probes: tuple[Probe, ...] = ()
    unclaimed: tuple[Sighting, ...] = ()
    profile: dict[str, Any] | None = None
    dropped: tuple[str, ...] = ()
    command: str = "rws run"
    again: str = "rws run --only {id}"
    baseline: Baseline = NO_BASELINE
    strict: bool = False

    @classmethod
    def of_run(
        cls, run: Run, judgements: Sequence[Judgement], *, again: str, command: str = "rws run"
    ) -> Report:
        """The report about a run."""
        return cls(
            target=run.profile.target,
            judgements=tuple(judgements),
            started_at=run.started_at.isoformat(timespec="seconds"),
            duration=run.duration,
            model=run.profile.model,
            dialect=run.profile.dialect,
            features=run.profile.claims,
            spec_version=run.profile.spec_version or "",
            selected=run.plan.selected,
            stopped=run.stopped,
            turns=run.turns,
            scenarios=tuple(dict.fromkeys(e.transcript.header.scenario for e in run.evidence)),
            transcripts=_files(e.transcript for e in run.evidence),
            probes=probes(run.evidence),
            unclaimed=unclaimed(run.evidence),
            profile=run.profile.published(),
            dropped=tuple(s.name for s in run.plan.dropped),
            command=command,
            again=again,
        )

    @classmethod
    def of_transcripts(cls, transcripts: Sequence[Transcript], *, role: str = "server") -> Report:
        """The report about saved transcripts, which judges them."""
        first = transcripts[0].header
        evidence = [Evidence.of(t) for t in transcripts]
        files = _files(transcripts)
        run = ["rws", "run", first.target]
        command = shlex.join(run if first.target else ["rws", "judge", *files])
        return cls(
            target=first.target,
            judgements=tuple(judge_saved(evidence, role=role)),
            started_at=min(t.header.started_at for t in transcripts),
            duration=_duration(transcripts),
            model=first.model,
            dialect=first.dialect,
            features=first.features,
            spec_version=first.spec_version,
            selected=first.selected,
            scenarios=tuple(dict.fromkeys(t.header.scenario for t in transcripts)),
            transcripts=files,
            turns=sum(_is_turn(entry) for t in transcripts for entry in t.entries),
            probes=probes(evidence),
            unclaimed=unclaimed(evidence),
            command=command,
            again=f"{command} --only {{id}}" if first.target else command,
        )

    def count(self, verdict: Verdict) -> int:
        """How many requirements have this verdict."""
        return sum(j.verdict is verdict for j in self.judgements)

    def discrepancies(self) -> list[Discrepancy]:
        """How the verdicts differ from the baseline; without one, every failure does."""
        return self.baseline.discrepancies(self.judgements, strict=self.strict)

    def exit_code(self, *, allow_untestable: bool = False) -> ExitCode:
        """The exit code: 0 as expected, else the most telling reason why not."""
        if self.count(Verdict.ERROR):
            return ExitCode.SUITE_BROKE
        if self.discrepancies():
            return ExitCode.VIOLATION
        if self.stopped is not None:
            return ExitCode.INFRASTRUCTURE
        if not self.has_judged:
            return ExitCode.NOTHING_JUDGED
        if self._is_something_open and not allow_untestable:
            return ExitCode.NOT_ALL_JUDGED
        return ExitCode.OK

    def as_json(self) -> dict[str, Any]:
        """The report as its schema describes it."""
        return {
            "rws_report": REPORT_VERSION,
            "target": self.target,
            "model": self.model,
            "dialect": self.dialect,
            "features": list(self.features),
            "suite_version": __version__,
            "spec_version": self.spec_version or catalogue().spec_version,
            "started_at": self.started_at,
            "duration_s": round(self.duration, 3),
            "turns": self.turns,
            "stopped": self.stopped,
            "selected": list(self.selected) if self.selected is not None else None,
            "scenarios": list(self.scenarios),
            "transcripts": list(self.transcripts),
            "dropped": list(self.dropped),
            "probes": [_probe(probe) for probe in self.probes],
            "unclaimed": [asdict(sighting) for sighting in self.unclaimed],
            "profile": self.profile,
            "command": self.command,
            "strict": self.strict,
            "waivers": [row(entry) for entry in self.baseline.used(self.judgements)],
            "discrepancies": [
                asdict(each) for each in self.discrepancies() if self.baseline.entries
            ],
            "summary": {verdict.value: self.count(verdict) for verdict in Verdict},
            "requirements": [self._row(judgement) for judgement in self.judgements],
        }

    def write(self, path: Path) -> None:
        """Write the report as JSON."""
        text = json.dumps(self.as_json(), indent=2, ensure_ascii=False)
        path.write_text(text + "\n", encoding="utf-8", errors=ESCAPING)

    def rerun(self, requirement: str) -> str:
        """The command that records and judges just this requirement again."""
        return self.again.replace("{id}", requirement)

    @property
    def _is_something_open(self) -> bool:
        """True where something owed was not judged, a known failure not being the reason.

        Who is free to leave one recommendation is free to leave what hangs on it.
        """
        left = {j.requirement.id for j in self.judgements if j.verdict is Verdict.WARN}
        return any(
            j.verdict is Verdict.UNTESTABLE
            and j.by not in self.baseline.ids
            and (j.requirement.level.is_fatal or j.by not in left)
            for j in self.judgements
        )

    @property
    def has_judged(self) -> bool:
        """True where at least one requirement was judged."""
        return any(self.count(v) for v in (Verdict.PASS, Verdict.FAIL, Verdict.WARN))

    def _row(self, judgement: Judgement) -> dict[str, Any]:
        requirement = judgement.requirement
        return {
            "id": requirement.id,
            "chapter": requirement.chapter,
            "level": requirement.level.value,
            "feature": requirement.feature,
            "dialect": requirement.dialect,
            "text": requirement.text,
            "url": requirement.url,
            "verdict": judgement.verdict.value,
            "why": judgement.why or None,
            "cause": judgement.cause.value if judgement.cause else None,
            "blocked_by": judgement.by,
            "again": self.rerun(requirement.id),
            "scenarios": list(judgement.judged_in),
            "findings": [_finding(located, requirement.id) for located in judgement.findings],
        }


def _is_turn(entry: Entry) -> bool:
    """True for what a model is asked to answer, over the WebSocket or over HTTP."""
    if isinstance(entry, Requested):
        return entry.method == "POST"
    return isinstance(entry, Sent) and entry.type == "response.create"


def _files(transcripts: Iterable[Transcript]) -> tuple[str, ...]:
    return tuple(str(t.path) for t in transcripts if t.path is not None)


def _duration(transcripts: Sequence[Transcript]) -> float:
    """Seconds from the first entry of all to the last; those of the longest where nobody says."""
    lengths = [t.entries[-1].t if t.entries else 0.0 for t in transcripts]
    begun = [t.header.started_at for t in transcripts]
    if not all(begun):
        return max(lengths)
    times = [seconds(text) for text in begun]
    return max(map(sum, zip(times, lengths, strict=True))) - min(times)


def _probe(probe: Probe) -> dict[str, Any]:
    return {
        "what": probe.what,
        "expected": probe.expected,
        "seen": probe.seen,
        "fooled": probe.is_fooled,
    }


def _finding(located: Located, requirement: str) -> dict[str, Any]:
    finding, transcript = located.finding, located.transcript
    frames = around(transcript, finding.at, requirement)
    return {
        "expected": finding.expected,
        "actual": finding.actual,
        "path": finding.path,
        "scenario": transcript.header.scenario,
        "transcript": str(transcript.path) if transcript.path else None,
        "entry": finding.at,
        "frames": [json.loads(shorten(dump_entry(entry))) for entry in frames],
    }
