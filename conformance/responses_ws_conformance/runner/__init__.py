"""Recording: a run takes the scenarios of a plan, one by one or side by side, and judges.

``planning`` says which scenarios a selection of requirements needs, ``Run`` records them lazily,
``verdict.judging`` turns what was recorded into verdicts. Both fronts work with the names of this
module.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from responses_ws_conformance import __version__
from responses_ws_conformance.catalogue import Requirement, catalogue
from responses_ws_conformance.checks import Cause, Evidence, load_checks
from responses_ws_conformance.driver import Blocked, Driver, Unreachable
from responses_ws_conformance.driver.appetite import OF_A_RUN, Appetite, Flooded, most_of
from responses_ws_conformance.driver.pacing import Pace
from responses_ws_conformance.driver.recording import Recording
from responses_ws_conformance.driver.wire import Network, Wire
from responses_ws_conformance.errors import HarnessError
from responses_ws_conformance.profile import Profile
from responses_ws_conformance.runner.planning import PROBE, Plan, plan
from responses_ws_conformance.runner.watching import Watch, is_healthy, was
from responses_ws_conformance.scenarios import Scenario, load_scenarios
from responses_ws_conformance.transcript import Header, Note, Transcript
from responses_ws_conformance.transcript.masking import Masker
from responses_ws_conformance.verdict import VIOLATED, Judgement, root_of
from responses_ws_conformance.verdict.judging import judge_recordings, judge_transcripts

__all__ = [
    "INTERRUPTED",
    "PROBE",
    "Plan",
    "Run",
    "judge_recordings",
    "judge_transcripts",
    "make_room",
    "plan",
]

SHORT_CLOSE: Final = 0.2
INTERRUPTED: Final = "interrupted"
FIRST_BYTES: Final = b'{"rws_transcript"'
# How often a scenario that waits looks whether the run has been interrupted in another thread.
HALT_STEP: Final = 0.1


@dataclass(slots=True)
class Run:
    """Records scenarios against one target, each at most once, and judges.

    ``stopped`` says why recording ended early, None where it did not. ``on_recorded`` is told of
    each scenario when it has been recorded, of one at a time.
    """

    profile: Profile
    plan: Plan
    folder: Path
    on_recorded: Callable[[Scenario, Transcript], None] | None = None
    on_start: Callable[[Scenario], None] | None = None
    recordings: dict[str, list[Evidence]] = field(default_factory=dict)
    stopped: str | None = None
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    network: Network = field(default_factory=Network)
    pace: Pace = field(init=False)
    _started: float = -1.0
    _watcher: Watch = field(init=False)
    _appetite: Appetite = field(init=False)
    _halted: threading.Event = field(default_factory=threading.Event)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def __post_init__(self) -> None:
        self._started = self.network.clock()
        self._watcher = Watch(self.profile)
        self._appetite = Appetite(OF_A_RUN * most_of(self.profile))
        self.pace = Pace(interval=self.profile.turn_interval, limit=self.plan.max_turns)

    @property
    def duration(self) -> float:
        """Seconds since the run began."""
        return self.network.clock() - self._started

    @property
    def turns(self) -> int:
        """How many creates have been sent."""
        return self.pace.sent

    @property
    def evidence(self) -> list[Evidence]:
        """What has been recorded, in the order of the plan, whatever was recorded first."""
        place = {s.name: number for number, s in enumerate(self.plan.scenarios)}
        names = sorted(self.recordings, key=lambda name: place.get(name, len(place)))
        return [e for name in names for e in self.recordings[name]]

    def record_all(self, scenarios: Iterable[Scenario] | None = None) -> None:
        """Record the scenarios of the plan, or some of them, until the target is gone.

        Where the profile allows several jobs they are recorded side by side: the first by itself,
        because it shows that the target is there, and those that want to be alone in the end.
        """
        todo = list(self.plan.scenarios if scenarios is None else scenarios)
        beside: list[Scenario] = []
        if self.profile.jobs > 1:
            beside = [s for s in todo if s.name != PROBE and not s.is_alone]
        for scenario in (s for s in todo if s.name == PROBE):
            self.record(scenario)
        self._record_beside(beside)
        for scenario in todo:
            self.record(scenario)

    def record(self, scenario: Scenario) -> None:
        """Record a scenario, again after a transient failure, unless it has been recorded."""
        if scenario.name in self.recordings or self.stopped is not None or self._halted.is_set():
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
            if self.stopped is not None or not was(evidence, Cause.TRANSIENT):
                break
            if self.pace.left < scenario.turns:
                break
            if attempt <= self.profile.retries:
                self._wait((), wait)
                wait *= 2
        with self._lock:
            if self.on_recorded is not None:
                self.on_recorded(scenario, attempts[-1].transcript)
            self._watch(scenario, attempts[-1])

    def _record_beside(self, scenarios: Sequence[Scenario]) -> None:
        """Record scenarios side by side; an interruption ends the waits of each."""
        with ThreadPoolExecutor(self.profile.jobs, "rws") as pool:
            started = [pool.submit(self.record, scenario) for scenario in scenarios]
            try:
                for each in started:
                    each.result()
            except BaseException:
                self._halted.set()
                raise

    def _wait(self, wires: Sequence[Wire], seconds: float) -> Sequence[Wire]:
        """Wait as the network does, but no longer than until the run is interrupted."""
        if self.profile.jobs == 1:
            return self.network.wait(wires, seconds)
        until = self.network.clock() + seconds
        while True:
            if self._halted.is_set():
                raise KeyboardInterrupt
            left = max(0.0, until - self.network.clock())
            ready = self.network.wait(wires, min(left, HALT_STEP))
            if ready or left <= HALT_STEP:
                return ready

    def judgements(self) -> list[Judgement]:
        """The verdicts about the requirements of the plan from what has been recorded."""
        header = self._header("", 1, ())
        return judge_recordings(self.evidence, self.plan.requirements, header=header)

    def judge(self, requirement: Requirement) -> Judgement:
        """The verdict about one requirement; records what it needs first."""
        for scenario in self.plan.scenarios:
            if requirement.id in scenario.exercises:
                self.record(scenario)
        judgement = self._judge_one(requirement)
        root = root_of(judgement, load_checks().get(requirement.id))
        if judgement.verdict in VIOLATED and root is not None:
            self.judge(catalogue().requirements[root])
            judgement = self._judge_one(requirement)
        return judgement

    def _judge_one(self, requirement: Requirement) -> Judgement:
        header = self._header("", 1, ())
        (judgement,) = judge_recordings(self.evidence, [requirement], header=header)
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
            spec_version=profile.spec_version or catalogue().spec_version,
            started_at=datetime.now(UTC).isoformat(timespec="milliseconds"),
        )

    def _record_once(self, scenario: Scenario, attempt: int) -> Evidence:
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"{scenario.name.replace('/', '--')}.{attempt}.jsonl"
        header = self._header(scenario.name, attempt, scenario.exercises)
        masker = Masker(self.profile.secrets)
        with Recording(header, masker=masker, path=path, clock=self.network.clock) as recording:
            network = replace(self.network, wait=self._wait)
            driver = Driver(
                self.profile, recording, network=network, pace=self.pace, appetite=self._appetite
            )
            try:
                with driver:
                    scenario.script(driver)
            except Blocked as block:
                _note(recording, "blocked", cause=block.cause.value, by=block.by, why=block.why)
            except (Unreachable, Flooded) as problem:
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
        return Evidence(recording.transcript, recording.reading)

    def _watch(self, scenario: Scenario, evidence: Evidence) -> None:
        """Stop as infrastructure where the target is gone; wait no longer for closes in vain."""
        if self.stopped is not None:
            return
        timing = self.profile.timing
        if self._watcher.never_closes(evidence) and timing.close > SHORT_CLOSE:
            self.profile = replace(self.profile, timing=replace(timing, close=SHORT_CLOSE))
        why = self._watcher.why_gone(
            evidence,
            is_probe=scenario.name == PROBE,
            has_answered=any(map(is_healthy, self.recordings.get(PROBE, ()))),
            ask=self._ask_again,
        )
        if why is not None and self.stopped is None:
            self.stopped = why

    def _ask_again(self) -> Evidence | None:
        """Another healthy turn, None where no more creates may be sent."""
        if self.pace.left < 1:
            return None
        attempts = self.recordings.setdefault(PROBE, [])
        attempts.append(self._record_once(load_scenarios()[PROBE], len(attempts) + 1))
        if self.stopped == INTERRUPTED:
            raise KeyboardInterrupt
        return attempts[-1]


def make_room(folder: Path) -> None:
    """Make the folder for transcripts; those of an earlier run go, and no other file."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.jsonl"):
        with old.open("rb") as stream:
            is_ours = stream.read(len(FIRST_BYTES)) == FIRST_BYTES
        if is_ours:
            old.unlink()


def _note(recording: Recording, note: str, **facts: str | None) -> None:
    recording.add(Note, note=note, facts={k: v for k, v in facts.items() if v is not None})
