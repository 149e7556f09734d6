"""Many connections in any interleaving: the reference session does what the oracle expects.

The machine plays the clients and the shell. What it sends and gets is written into a transcript of
the suite as well, and no invariant of the suite may find anything in it.
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any, ClassVar

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)
from responses_ws_conformance.catalogue import catalogue
from responses_ws_conformance.checks import Check, Evidence, Finding, load_checks
from responses_ws_reference.responses.engine import ScriptedEngine
from responses_ws_reference.session.policies import CONFORMING, Policies
from responses_ws_reference.session.session import Service, Session
from responses_ws_reference.session.store import Store
from responses_ws_reference.variants import VARIANTS

from tests.oracle import TOKEN_LIMIT, Asks, Create, Fact, Facts, Line, Shelf, Ways, open_calls
from tests.session_peers import DIALECT, TOOLS, Peer, Recorder, message

MODEL = "reference-model"
LIFETIME = 60.0
KEYS = ("key-a", "key-b")
NO_CLIENT_EVENTS: tuple[str | bytes, ...] = (
    "{bad",
    "[]",
    "7",
    '{"model": "m"}',
    '{"type": "response.unknown"}',
    '{"type": "response.cancel", "response_id": "resp_1"}',
    b"\x00\x01",
)


ASK = "What is the code word? Reply with the code word only."
ASKED = st.sampled_from([Asks.REMEMBER, Asks.RECALL, Asks.COUNT, Asks.CALLS])
STORE = st.sampled_from([None, True, False, False])
BACK = st.none() | st.integers(0, 4)
PATIENCE = st.sampled_from([0, 4, 99, 99])
MISTAKES = st.sampled_from(
    [
        "id",
        "orphan output",
        "one of two outputs",
        {"model": "no-such-model"},
        {"input": 5},
        {"tools": "all of them"},
    ]
)
MOST_PEERS = 3


def judges() -> list[Check]:
    """The invariants that hold for a server of the dialect."""
    owed = {r.id for r in catalogue().of_role("server") if r.dialect in (None, DIALECT)}
    return [
        check for name, check in load_checks().items() if check.kind == "invariant" and name in owed
    ]


class Sessions(RuleBasedStateMachine):
    """Clients of two keys and their connections to one server."""

    peers = Bundle("peers")
    policies: ClassVar[Policies] = CONFORMING
    ways: ClassVar[Ways] = Ways()

    def __init__(self) -> None:
        super().__init__()
        self.record = Recorder()
        self.everybody: list[Peer] = []
        self.store = Store()
        self.shelves: dict[str, Shelf] = {key: {} for key in KEYS}
        self.numbers = itertools.count(1)
        self.service = Service(
            MODEL, ScriptedEngine(), self.policies, lambda: f"{next(self.numbers):032x}"
        )

    @precondition(lambda self: sum(peer.is_open for peer in self.everybody) < MOST_PEERS)
    @rule(target=peers, key=st.sampled_from(KEYS))
    def open(self, key: str) -> Peer:
        """A client connects."""
        name = f"c{len(self.everybody) + 1}"
        expires_at = self.record.now + LIFETIME
        session = Session(self.service, self.store.shelf(key), expires_at=expires_at)
        self.record.opened(name)
        assert session.open(now=self.record.now) == []
        line = Line(self.shelves[key], self.ways)
        peer = Peer(name, session, line, self.record, expires_at=expires_at)
        self.everybody.append(peer)
        return peer

    @rule(peer=peers, asks=ASKED, back=BACK, store=STORE, patience=PATIENCE)
    def ask(
        self, peer: Peer, asks: Asks, back: int | None, store: bool | None, patience: int
    ) -> None:
        """A create that begins a chain, or continues any response that anybody ever got."""
        self.send(peer, self.compose(asks, self.some_id(back), store), patience)

    @rule(peer=peers, asks=ASKED, store=STORE, patience=PATIENCE)
    def go_on(self, peer: Peer, asks: Asks, store: bool | None, patience: int) -> None:
        """A create that continues the newest response of its connection."""
        self.send(peer, self.compose(asks, peer.latest, store), patience)

    @rule(peer=peers, is_first=st.booleans(), store=STORE, patience=PATIENCE)
    def warm_up(self, peer: Peer, is_first: bool, store: bool | None, patience: int) -> None:
        """A create that generates nothing, and perhaps one after it that adds nothing."""
        previous = None if is_first else peer.latest
        self.send(peer, self.compose(Asks.REMEMBER, previous, store, generate=False), patience)
        fields = {"input": [], "previous_response_id": peer.latest}
        if peer.latest is not None:
            self.send(peer, self.made(Asks.NOTHING, fields, store), patience)

    @rule(peer=peers, back=BACK, is_asking=st.booleans(), store=STORE, patience=PATIENCE)
    def answer_calls(
        self, peer: Peer, back: int | None, is_asking: bool, store: bool | None, patience: int
    ) -> None:
        """Outputs for all open calls of a chain, alone or beside a message."""
        previous = peer.latest if back is None else self.some_id(back)
        calls = open_calls(self.chain(previous))
        if calls:
            create = self.outputs(calls, previous, store, is_asking=is_asking)
            self.send(peer, create, patience)

    @precondition(lambda self: self.record.chains)
    @rule(peer=peers, back=st.integers(0, 4), store=STORE, patience=PATIENCE)
    def replay(self, peer: Peer, back: int, store: bool | None, patience: int) -> None:
        """A create that brings the whole of an earlier chain along."""
        items, facts = list(self.record.chains.values())[-1 - back % len(self.record.chains)]
        fields = {"input": [*items, message(ASK)]}
        self.send(peer, self.made(Asks.RECALL, fields, store, facts=facts), patience)

    @rule(peer=peers, mistake=MISTAKES, is_first=st.booleans(), patience=PATIENCE)
    def blunder(
        self, peer: Peer, mistake: str | dict[str, Any], is_first: bool, patience: int
    ) -> None:
        """A create that is refused, for its id, for its outputs or for what it is in itself."""
        previous = None if is_first else peer.latest
        invented = f"invented{next(self.numbers)}"
        match mistake:
            case "id":
                create = self.compose(Asks.RECALL, f"resp_{invented}", None)
            case "orphan output":
                create = self.outputs((f"call_{invented}",), previous, False)
            case "one of two outputs":
                calls = open_calls(self.chain(previous))[:1] or (f"call_{invented}",)
                create = self.outputs(calls, previous, False)
            case _:
                fields = {"input": "hi", "previous_response_id": previous, **mistake}
                create = self.made(Asks.NOTHING, fields, None, is_faulty=True)
        self.send(peer, create, patience)

    @rule(peer=peers, data=st.sampled_from(NO_CLIENT_EVENTS))
    def disturb(self, peer: Peer, data: str | bytes) -> None:
        """A message that is no client event."""
        peer.disturb(data)

    @rule(peer=peers, events=st.integers(1, 9))
    def advance(self, peer: Peer, events: int) -> None:
        """The shell finds time for a connection."""
        for _ in range(events):
            if peer.is_advancing:
                peer.advance()

    @rule(seconds=st.sampled_from([1.0, LIFETIME / 3, LIFETIME]))
    def wait(self, seconds: float) -> None:
        """Time passes; timers go off in their own time."""
        self.record.now += seconds

    @rule(target=peers, peer=consumes(peers))
    def tick(self, peer: Peer) -> Any:
        """A timer goes off."""
        peer.tick()
        return peer if peer.is_open else multiple()

    @rule(peer=consumes(peers))
    def disconnect(self, peer: Peer) -> None:
        """A client leaves."""
        peer.disconnect()

    def send(self, peer: Peer, create: Create, patience: int) -> None:
        """Send a create and let the shell go a few steps."""
        peer.create(create)
        self.advance(peer, patience)

    def some_id(self, back: int | None) -> str | None:
        """One of the ids that were given to anybody, counted from the newest."""
        ids = self.record.ids
        return ids[-1 - back % len(ids)] if ids and back is not None else None

    def chain(self, response_id: str | None) -> Facts:
        """What a continuation of a response knows."""
        return self.record.chains[response_id][1] if response_id in self.record.chains else ()

    def compose(
        self, asks: Asks, previous: str | None, store: bool | None, **fields: Any
    ) -> Create:
        facts: Facts = ()
        match asks:
            case Asks.REMEMBER:
                word = f"word{next(self.numbers)}"
                facts = ((Fact.WORD, word),)
                fields["input"] = f"Remember: the code word is {word}. Reply with: ok"
            case Asks.RECALL:
                fields["input"] = ASK
            case Asks.COUNT:
                fields |= {"input": "Count from 1 to 99.", "max_output_tokens": TOKEN_LIMIT}
            case Asks.CALLS:
                fields |= {"input": "Call every tool once.", "tools": TOOLS}
        if previous is not None:
            fields["previous_response_id"] = previous
        return self.made(asks, fields, store, facts=facts)

    def outputs(
        self,
        calls: tuple[str, ...],
        previous: str | None,
        store: bool | None,
        *,
        is_asking: bool = False,
    ) -> Create:
        texts = tuple(f"output{next(self.numbers)}" for _ in calls)
        items: list[dict[str, Any]] = [
            {"type": "function_call_output", "call_id": call, "output": text}
            for call, text in zip(calls, texts, strict=True)
        ]
        return self.made(
            Asks.RECALL if is_asking else Asks.OUTPUTS,
            {
                "input": [*items, *([message(ASK)] if is_asking else [])],
                "previous_response_id": previous,
            },
            store,
            facts=tuple((Fact.OUTPUT, call) for call in calls),
            outputs=texts,
        )

    def made(self, asks: Asks, fields: dict[str, Any], store: bool | None, **more: Any) -> Create:
        kept = {} if store is None else {"store": store}
        return Create(
            {"type": "response.create", "model": MODEL, **kept, **fields},
            asks,
            previous=fields.get("previous_response_id"),
            is_stored=store is not False,
            is_warm_up=fields.get("generate") is False,
            **more,
        )

    def teardown(self) -> None:
        """A recording can end anywhere, and no create is dropped."""
        is_cut = len(self.record.transcript.entries) % 2 == 1
        if is_cut:
            self.judge()
        for peer in self.everybody:
            while peer.is_open and peer.is_advancing:
                peer.advance()
            assert not peer.is_open or peer.is_idle
        if not is_cut:
            self.judge()

    def judge(self) -> None:
        evidence = Evidence.of(self.record.transcript)
        found = {
            check.requirement: outcome
            for check in JUDGES
            if check.when(evidence)
            for outcome in check.judge(evidence)
            if isinstance(outcome, Finding)
        }
        assert found == {}, found


JUDGES = judges()


def case_of(machine: type[Sessions], examples: int) -> Any:
    """The machine as a test."""
    case = machine.TestCase
    case.settings = settings(
        max_examples=examples, stateful_step_count=30, deadline=None, print_blob=True
    )
    return case


def with_policies(ways: Ways, **policies: Any) -> type[Sessions]:
    """The same machine for a server that takes other choices."""
    members = {"policies": replace(CONFORMING, **policies), "ways": ways}
    return type("OtherSessions", (Sessions,), members)


def variant(name: str, ways: Ways) -> type[Sessions]:
    """The same machine for a variant of the server that conforms as well."""
    return with_policies(ways, **VARIANTS[name].hooks.policies)


TestSessions = case_of(Sessions, 120)
TestRefusingSessions = case_of(variant("refuse-second-create", Ways(queues=False)), 30)
TestLocalSessions = case_of(variant("resume-nothing", Ways(resumes=False)), 30)
TestMindfulSessions = case_of(variant("long-memory", Ways(forgets=False)), 30)
# A server that folds whenever it can knows no less for it.
FOLDS: dict[str, Any] = {"compacts": lambda create, tokens: tokens > 12}
TestFoldingSessions = case_of(with_policies(Ways(), **FOLDS), 60)

# What a server could get wrong, as a policy.
WRONG: dict[str, dict[str, Any]] = {
    "every failure evicts": {"evict": lambda cache, referenced: {}},
    "the last create is taken first": {"take": lambda queued: queued - 1},
    "the context is dropped": {"gather": lambda previous, create: tuple(create.items)},
    "everything is stored": {"keeps": lambda snapshot: True},
    "calls need no output": {"match_calls": lambda context: None},
    "what is folded is lost": {**FOLDS, "condense": lambda context: context[-1:]},
}


@pytest.mark.parametrize("name", WRONG)
def test_machine_notices(name: str) -> None:
    machine = with_policies(Ways(), **WRONG[name])
    quickly = settings(
        max_examples=200, deadline=None, database=None, derandomize=True, phases=[Phase.generate]
    )
    with pytest.raises(AssertionError):
        run_state_machine_as_test(machine, settings=quickly)
