"""Checks: pure functions from a transcript to findings, one for each requirement.

An *invariant* is judged on every recording in which ``when`` holds. An *expectation* is judged
only on exchanges that a scenario marked for its requirement, never on look-alikes that another
scenario made on purpose.

    @invariant("RWS-EVENT-005", when=has_responses)
    def one_terminal_event(evidence: Evidence) -> Iterator[Finding | Undecided]: ...

    @expectation("RWS-CHAIN-005")
    def unknown_id_is_refused(mark: Mark) -> Iterator[Finding | Undecided]: ...

A check yields nothing where all is well, a finding for each violation, and ``Undecided`` where
the recording does not settle the question.

A *negative* requirement demands that something wrong is refused. Its check says what is wrong in
the ``subject`` (``offence=("/message/type",)``), and every mark for it names a ``control``: the
same conversation with only that repaired, which succeeded. A target that refuses everything fails
the control, and then its refusals prove nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import wraps
from importlib import import_module
from typing import Any, Final, TypeVar
from weakref import WeakKeyDictionary

from responses_ws_conformance.reading.attribution import Reading, read_exchanges
from responses_ws_conformance.reading.calls import Call
from responses_ws_conformance.reading.exchanges import ConnectionView, Exchange
from responses_ws_conformance.transcript import Note, Opened, Received, Transcript


class Cause(Enum):
    """Why an owed requirement could not be judged."""

    BLOCKED = "blocked"
    MOOD = "mood"
    TRANSIENT = "transient"
    TIME = "time"


@dataclass(frozen=True, slots=True)
class Finding:
    """One violation: the entry that shows it, what the sentence expects and what was seen.

    ``root`` names a requirement whose violation, where there is one, explains this one.
    """

    at: int
    expected: str
    actual: str
    path: str | None = None
    root: str | None = None


@dataclass(frozen=True, slots=True)
class Undecided:
    """The recording does not settle the question, and why."""

    cause: Cause
    why: str
    by: str | None = None


Outcome = Finding | Undecided
Found = TypeVar("Found")
Seen = TypeVar("Seen")


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Evidence:
    """A transcript with its exchanges read once."""

    transcript: Transcript
    reading: Reading

    @classmethod
    def of(cls, transcript: Transcript) -> Evidence:
        """The evidence in a transcript."""
        return cls(transcript, read_exchanges(transcript))

    @property
    def received(self) -> Sequence[Received]:
        """Data messages from the server, on all connections."""
        return self.reading.received

    @property
    def exchanges(self) -> list[Exchange]:
        """Every exchange, in the order sent."""
        return list(self.reading)

    @property
    def responses(self) -> list[Exchange]:
        """The exchanges in which the server sent at least one event of a response."""
        return [x for x in self.reading if x.events]

    @property
    def connections(self) -> list[ConnectionView]:
        """Every connection."""
        return list(self.reading.connections.values())

    def marks(self, requirement: str) -> Iterator[Mark]:
        """What scenarios marked for a requirement."""
        for note in self.reading.marks.get(requirement, ()):
            yield Mark(self, note)


def once(look: Callable[[Evidence], Seen]) -> Callable[[Evidence], Seen]:
    """A look at the evidence that many checks take: what it sees is kept, and nobody changes it."""
    kept: WeakKeyDictionary[Evidence, Seen] = WeakKeyDictionary()

    @wraps(look)
    def seen(evidence: Evidence) -> Seen:
        if evidence not in kept:
            kept[evidence] = look(evidence)
        return kept[evidence]

    return seen


class Missing(LookupError):
    """A mark names what the transcript lacks, because somebody took it out."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Exchanges that exercise a requirement, by role, and the facts that the scenario knows."""

    evidence: Evidence
    note: Note

    def exchange(self, role: str = "subject") -> Exchange:
        """The one exchange that plays a role."""
        return self._exchange(self._only(role))

    def exchanges(self, role: str) -> list[Exchange]:
        """All exchanges that play a role; empty where none does."""
        return [self._exchange(name) for name in self.note.roles.get(role, ())]

    def latest(self, role: str = "subject") -> Exchange:
        """The last of the exchanges that play a role."""
        names = self.note.roles.get(role) or (self._only(role),)
        return self._exchange(names[-1])

    def pairs(self, role: str, other: str) -> list[tuple[Exchange, Exchange]]:
        """The exchanges of two roles, each with its partner."""
        ones, others = self.exchanges(role), self.exchanges(other)
        if not ones or len(ones) != len(others):
            raise Missing(f"the mark in entry {self.note.n} has no pairs of {role} and {other}")
        return list(zip(ones, others, strict=True))

    def call(self, role: str = "subject") -> Call:
        """The one HTTP request that plays a role."""
        return self._find(self._only(role), self.evidence.reading.calls)

    def connection(self, role: str = "subject") -> ConnectionView:
        """The connection that plays a role."""
        return self._find(self._only(role), self.evidence.reading.connections)

    def connections(self, role: str) -> list[ConnectionView]:
        """All connections that play a role; empty where none does."""
        connections = self.evidence.reading.connections
        return [self._find(name, connections) for name in self.note.roles.get(role, ())]

    def handshake(self, role: str = "subject") -> Opened:
        """The opening handshake of the connection that plays a role."""
        opened = self.connection(role).opened
        if opened is None:
            raise Missing(f"no handshake is recorded for {self._only(role)}")
        return opened

    def fact(self, name: str) -> Any:
        """A fact that the scenario noted."""
        if name not in self.note.facts:
            raise Missing(f"the mark in entry {self.note.n} does not say {name!r}")
        return self.note.facts[name]

    def _only(self, role: str) -> str:
        names = self.note.roles.get(role, ())
        if len(names) != 1:
            raise Missing(f"the mark in entry {self.note.n} has no single {role}")
        return names[0]

    def _exchange(self, name: str) -> Exchange:
        calls = self.evidence.reading.calls
        if name in calls:
            return calls[name].exchange
        return self._find(name, self.evidence.reading.exchanges)

    def _find(self, name: str, recorded: Mapping[str, Found]) -> Found:
        if name not in recorded:
            raise Missing(f"{name}, marked in entry {self.note.n}, is not in the transcript")
        return recorded[name]


Invariant = Callable[[Evidence], Iterator[Outcome]]
Expectation = Callable[[Mark], Iterator[Outcome]]
Predicate = Callable[[Evidence], bool]


@dataclass(frozen=True, slots=True)
class Check:
    """The judge of one requirement.

    ``offence`` is not empty for a negative requirement: in what, and in nothing else, the subject
    of a mark differs from its control. ``/message/…`` points into the message that was sent,
    ``/connection`` and ``/opcode`` are how it was sent, ``/history`` is what had become of the
    response that it continues, ``/handshake/…`` points into the request of an opening handshake.

    ``root`` names a requirement whose violation explains one of this one: a server that continues
    nothing does not continue calls either.
    """

    requirement: str
    name: str
    summary: str
    judge: Callable[[Evidence], Iterator[Outcome]]
    when: Predicate
    kind: str
    offence: tuple[str, ...] = ()
    root: str | None = None


CHECKS: Final[dict[str, Check]] = {}


def invariant(requirement: str, *, when: Predicate) -> Callable[[Invariant], Invariant]:
    """Register a check for every recording in which ``when`` holds."""

    def register(judge: Invariant) -> Invariant:
        _register(requirement, judge, judge, when, "invariant")
        return judge

    return register


def expectation(
    requirement: str, *, offence: tuple[str, ...] = (), root: str | None = None
) -> Callable[[Expectation], Expectation]:
    """Register a check for what scenarios mark for this requirement; negative with an offence."""

    def register(judge: Expectation) -> Expectation:
        def judge_all(evidence: Evidence) -> Iterator[Outcome]:
            for mark in evidence.marks(requirement):
                try:
                    yield from judge(mark)
                except Missing as problem:
                    yield Undecided(Cause.BLOCKED, str(problem))

        def is_marked(evidence: Evidence) -> bool:
            return any(True for _ in evidence.marks(requirement))

        _register(requirement, judge, judge_all, is_marked, "expectation", offence, root)
        return judge

    return register


def _register(
    requirement: str,
    function: Callable[..., Any],
    judge: Callable[[Evidence], Iterator[Outcome]],
    when: Predicate,
    kind: str,
    offence: tuple[str, ...] = (),
    root: str | None = None,
) -> None:
    if requirement in CHECKS:
        raise ValueError(f"{requirement} has two checks: {CHECKS[requirement].name} and ours")
    name = f"{function.__module__.rpartition('.')[2]}.{function.__name__}"
    summary = (function.__doc__ or "").strip().partition("\n")[0]
    CHECKS[requirement] = Check(requirement, name, summary, judge, when, kind, offence, root)


AREAS: Final = (
    "connection",
    "framing",
    "creation",
    "events",
    "numbers",
    "forms",
    "items",
    "showings",
    "texts",
    "chaining",
    "tools",
    "turns",
    "errors",
    "lifetime",
    "levers",
    "storage",
    "warmup",
    "interrupt",
    "inject",
    "lanes",
    "lanes_limits",
    "lanes_memory",
    "steering",
    "steering_refusals",
    "steering_calls",
    "custom",
    "reasoning",
    "compaction",
    "http",
    "clients",
    "continuations",
    "recoveries",
)


def load_checks() -> dict[str, Check]:
    """The registry with the checks of every area in it."""
    for area in AREAS:
        import_module(f"responses_ws_conformance.checks.{area}")
    return CHECKS
