"""Recording and judging: the loop under both fronts.

``plan`` says which scenarios a selection of requirements needs, ``Run`` records them lazily
and judges what was recorded. ``judge_transcripts`` is the second half on its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from responses_ws_conformance import __version__
from responses_ws_conformance.checks import Cause, Evidence, load_checks
from responses_ws_conformance.driver import Blocked, Driver, Unreachable
from responses_ws_conformance.errors import HarnessError, ProfileError
from responses_ws_conformance.masking import Masker
from responses_ws_conformance.profile import Profile
from responses_ws_conformance.recording import Recording
from responses_ws_conformance.requirements import Requirement, catalogue
from responses_ws_conformance.scenarios import Scenario, load_scenarios
from responses_ws_conformance.transcript import Header, Note, Transcript
from responses_ws_conformance.verdict import Judgement, Verdict, fold, judge, root_of
from responses_ws_conformance.wire import Network

PROBE: Final = "creation/string-input"
EXPIRIES_BEFORE_PROBE: Final = 2
INTERRUPTED: Final = "interrupted"
FIRST_BYTES: Final = b'{"rws_transcript"'


@dataclass(frozen=True, slots=True)
class Plan:
    """The requirements to judge and the scenarios that they need.

    ``selected`` is None where nothing was left out.
    """

    requirements: tuple[Requirement, ...]
    scenarios: tuple[Scenario, ...]
    selected: tuple[str, ...] | None = None

    @property
    def turns(self) -> int:
        """The most creates that recording costs, unless something has to be asked again."""
        return sum(s.turns for s in self.scenarios)


def plan(profile: Profile, *, only: Sequence[str] = (), smoke: bool = False) -> Plan:
    """What to record for a profile; raises ProfileError for an unknown id in ``only``."""
    requirements = catalogue().of_role("server")
    known = {r.id for r in requirements}
    unknown = [name for name in only if name not in known]
    if unknown and unknown[0] in catalogue().requirements:
        raise ProfileError(f"{unknown[0]} is about clients: rws judge --role client judges it")
    if unknown:
        raise ProfileError(f"no requirement is named {unknown[0]} (rws list shows them all)")
    scenarios = [s for s in load_scenarios().values() if _is_offered(s, profile)]
    scenarios.sort(key=lambda s: s.name != PROBE)
    if smoke:
        scenarios = [s for s in scenarios if s.smoke]
    if only:
        scenarios = [s for s in scenarios if set(s.exercises) & set(only)]
    if not only and not smoke:
        return Plan(tuple(requirements), tuple(scenarios))
    wanted = set(only) if only else {name for s in scenarios for name in s.exercises}
    chosen = tuple(r for r in requirements if r.id in wanted)
    return Plan(chosen, tuple(scenarios), tuple(r.id for r in chosen))


def _is_offered(scenario: Scenario, profile: Profile) -> bool:
    lever_is_there = scenario.lever is None or scenario.lever in profile.offers
    is_spoken = scenario.dialect in (None, profile.dialect)
    return lever_is_there and is_spoken and set(scenario.features) <= set(profile.claims)


@dataclass(slots=True)
class Run:
    """Records scenarios against one target, each at most once, and judges.

    ``stopped`` says why recording ended early, None where it did not. ``on_recorded`` is told of
    each scenario when it has been recorded.
    """

    profile: Profile
    plan: Plan
    folder: Path
    on_recorded: Callable[[Scenario, Transcript], None] | None = None
    on_start: Callable[[Scenario], None] | None = None
    recordings: dict[str, list[Evidence]] = field(default_factory=dict)
    stopped: str | None = None
    turns: int = 0
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    network: Network = field(default_factory=Network)
    _started: float = -1.0
    _expiries: int = 0
    _silence: float = 0.0

    def __post_init__(self) -> None:
        self._started = self.network.clock()

    @property
    def duration(self) -> float:
        """Seconds since the run began."""
        return self.network.clock() - self._started

    def record_all(self) -> None:
        """Record every scenario of the plan, until the target is gone."""
        for scenario in self.plan.scenarios:
            if self.stopped is not None:
                return
            self.record(scenario)

    def record(self, scenario: Scenario) -> None:
        """Record a scenario, again after a transient failure, unless it has been recorded."""
        if scenario.name in self.recordings or self.stopped is not None:
            return
        if self.on_start is not None:
            self.on_start(scenario)
        attempts = self.recordings[scenario.name] = []
        wait = self.profile.backoff
        for attempt in range(1, self.profile.retries + 2):
            evidence = self._record_once(scenario, attempt)
            attempts.append(evidence)
            if self.stopped == INTERRUPTED:
                raise KeyboardInterrupt
            if self.stopped is not None or not _was(evidence, Cause.TRANSIENT):
                break
            if attempt <= self.profile.retries:
                self.network.wait((), wait)
                wait *= 2
        if self.on_recorded is not None:
            self.on_recorded(scenario, attempts[-1].transcript)
        self._watch(scenario, attempts[-1])

    def judgements(self) -> list[Judgement]:
        """The verdicts about the requirements of the plan from what has been recorded."""
        evidence = [e for attempts in self.recordings.values() for e in attempts]
        return judge_recordings(evidence, self.plan.requirements, header=self._header("", 1, ()))

    def judge(self, requirement: Requirement) -> Judgement:
        """The verdict about one requirement; records what it needs first."""
        for scenario in self.plan.scenarios:
            if requirement.id in scenario.exercises:
                self.record(scenario)
        judgement = self._judge_one(requirement)
        root = root_of(judgement, load_checks().get(requirement.id))
        if judgement.verdict is Verdict.FAIL and root is not None:
            self.judge(catalogue().requirements[root])
            judgement = self._judge_one(requirement)
        return judgement

    def _judge_one(self, requirement: Requirement) -> Judgement:
        evidence = [e for attempts in self.recordings.values() for e in attempts]
        (judgement,) = judge_recordings(evidence, [requirement], header=self._header("", 1, ()))
        return judgement

    def _header(self, name: str, attempt: int, exercises: tuple[str, ...]) -> Header:
        profile = self.profile
        return Header(
            scenario=name,
            attempt=attempt,
            exercises=exercises,
            target=profile.target,
            model=profile.model,
            dialect=profile.dialect,
            features=profile.claims,
            levers=profile.offers,
            selected=self.plan.selected,
            suite_version=__version__,
            spec_version=catalogue().spec_version,
            started_at=datetime.now(UTC).isoformat(timespec="milliseconds"),
        )

    def _record_once(self, scenario: Scenario, attempt: int) -> Evidence:
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"{scenario.name.replace('/', '--')}.{attempt}.jsonl"
        header = self._header(scenario.name, attempt, scenario.exercises)
        masker = Masker(self.profile.secrets)
        with Recording(header, masker=masker, path=path, clock=self.network.clock) as recording:
            driver = Driver(self.profile, recording, network=self.network)
            try:
                with driver:
                    scenario.script(driver)
            except Blocked as block:
                _note(recording, "blocked", cause=block.cause.value, by=block.by, why=block.why)
            except Unreachable as problem:
                self.stopped = str(problem)
                _note(recording, "blocked", cause="blocked", by=None, why=str(problem))
            except KeyboardInterrupt:
                self.stopped = INTERRUPTED
                _note(recording, "blocked", cause="blocked", by=None, why=INTERRUPTED)
            except Exception as problem:  # the suite's own mistake, never a red mark
                why = f"{type(problem).__name__}: {problem}"
                if isinstance(problem, HarnessError):
                    why = str(problem)
                _note(recording, "broken", why=f"{scenario.name}: {why}")
            finally:
                self.turns += driver.turns
        return Evidence(recording.transcript, recording.reading)

    def _watch(self, scenario: Scenario, evidence: Evidence) -> None:
        """Stop as infrastructure where the target is busy for good or has gone silent."""
        if self.stopped is not None:
            return
        if scenario.name == PROBE and _was(evidence, Cause.TRANSIENT):
            self.stopped = f"no healthy turn: {_why(evidence)}"
        if not _was(evidence, Cause.TIME):
            self._expiries, self._silence = 0, 0.0
            return
        self._expiries += 1
        if any(True for _ in evidence.transcript.received()):
            self._silence = 0.0
            is_gone = self._expiries >= EXPIRIES_BEFORE_PROBE and not self._probe_is_answered()
        else:
            self._silence += evidence.transcript.entries[-1].t
            is_gone = self._silence >= 2 * self.profile.timing.first_event
        if is_gone:
            self.stopped = (
                f"{self.profile.target}: no answer in {self._expiries} scenarios in a row "
                f"({_why(evidence)}); the limits are {self.profile.timing.first_event:g} s to the "
                f"first event and {self.profile.timing.idle:g} s of silence after it "
                "(timing in the profile raises them)"
            )

    def _probe_is_answered(self) -> bool:
        probe = load_scenarios()[PROBE]
        attempts = self.recordings.setdefault(PROBE, [])
        evidence = self._record_once(probe, len(attempts) + 1)
        attempts.append(evidence)
        is_answered = not any(True for _ in evidence.transcript.notes("blocked"))
        if is_answered:
            self._expiries = 0
        return is_answered


def make_room(folder: Path) -> None:
    """Make the folder for transcripts; those of an earlier run go, and no other file."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.jsonl"):
        with old.open("rb") as stream:
            is_ours = stream.read(len(FIRST_BYTES)) == FIRST_BYTES
        if is_ours:
            old.unlink()


def judge_recordings(
    recordings: Sequence[Evidence],
    requirements: Iterable[Requirement],
    *,
    header: Header | None = None,
) -> list[Judgement]:
    """The verdicts about requirements, those that depend on a violated one folded under it.

    ``header`` has the claims where nothing is recorded.
    """
    if not recordings and header is not None:
        recordings = [Evidence.of(Transcript(header))]
    checks, known = load_checks(), catalogue().requirements
    done: dict[str, Judgement] = {}

    def judged(requirement: Requirement) -> Judgement:
        if requirement.id not in done:
            check = checks.get(requirement.id)
            judgement = done[requirement.id] = judge(requirement, check, recordings)
            root = root_of(judgement, check)
            if root is not None and root in known:
                done[requirement.id] = fold(judgement, judged(known[root]))
        return done[requirement.id]

    return [judged(requirement) for requirement in requirements]


def judge_transcripts(
    transcripts: Sequence[Transcript], *, role: str = "server"
) -> list[Judgement]:
    """The verdicts from saved transcripts: those that the run gave, id by id.

    A run judges servers only, so for the role client nothing counts as not selected.
    """
    requirements = catalogue().of_role(role)
    selected = {name for t in transcripts for name in t.header.selected or ()}
    is_selection = bool(transcripts) and all(t.header.selected is not None for t in transcripts)
    if is_selection and role == "server":
        requirements = [r for r in requirements if r.id in selected]
    return judge_recordings([Evidence.of(t) for t in transcripts], requirements)


def _was(evidence: Evidence, cause: Cause) -> bool:
    return any(n.facts.get("cause") == cause.value for n in evidence.transcript.notes("blocked"))


def _why(evidence: Evidence) -> str:
    return next((str(n.facts["why"]) for n in evidence.transcript.notes("blocked")), "")


def _note(recording: Recording, note: str, **facts: str | None) -> None:
    recording.add(Note, note=note, facts={k: v for k, v in facts.items() if v is not None})
