"""Creates, steers and steps in any order on the lanes of one session: no invariant finds anything.

Every response and every answer has its exchange, and nothing that was accepted is lost.
"""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from responses_ws_conformance.catalogue import catalogue
from responses_ws_conformance.checks import Evidence, Finding, load_checks
from responses_ws_conformance.reading.commands import is_accepted, target_of, waiting_for
from responses_ws_conformance.transcript import Header, Received, Sent, Transcript

from tests.test_session import CLOCK, Peer

FEATURES = ("lanes", "steering")
OWED = [r.id for r in catalogue().of_role("server") if r.dialect is None]
JUDGES = [check for name, check in load_checks().items() if check.kind == "invariant"]
LANES = st.sampled_from([None, None, "a", "b"])
INPUTS = st.sampled_from(
    [
        {"input": "Count from 1 to 9."},
        {"input": "hi"},
        {"input": "Use the tool.", "tools": [CLOCK]},
        {"input": "Call every tool once.", "tools": [CLOCK, {**CLOCK, "name": "weather"}]},
        {"input": "hi", "generate": False},
        {"input": 5},
    ]
)
STEERS = st.sampled_from(["go on", "Count from 1 to 3.", [], [{"role": "user", "content": "x"}]])
ACTIONS = st.one_of(
    st.tuples(st.just("create"), LANES, INPUTS),
    st.tuples(st.just("steer"), st.integers(-1, 3), STEERS),
    st.tuples(st.just("answer"), st.integers(0, 3), st.booleans()),
    st.tuples(st.just("step"), st.integers(1, 9), st.none()),
)


class Conversation:
    """A session and what was said on its connection."""

    def __init__(self) -> None:
        self.peer = Peer()
        self.transcript = Transcript(Header("interleaved", features=FEATURES))
        self.responses: list[dict[str, Any]] = []

    def send(self, message: dict[str, Any]) -> None:
        self.note(Sent, message)
        for event in self.peer.put(message):
            self.note(Received, event)

    def step(self) -> None:
        for event in self.peer.step() if self.peer.session.is_busy else ():
            self.note(Received, event)

    def note(self, kind: type[Sent] | type[Received], message: dict[str, Any]) -> None:
        n = len(self.transcript.entries)
        self.transcript.entries.append(kind(n, n / 100, "c1", "text", text=json.dumps(message)))
        if "response" in message:
            lane = {k: v for k, v in message.items() if k == "stream_id"}
            self.responses = [r for r in self.responses if r["id"] != message["response"]["id"]]
            self.responses.append({**message["response"], **lane})

    def act(self, what: str, where: Any, how: Any) -> None:
        match what:
            case "create":
                lane = {} if where is None else {"stream_id": where}
                self.send({"type": "response.create", "store": False, **lane, **how})
            case "steer":
                known = self.responses[-1 - where % len(self.responses)] if self.responses else {}
                name = "resp_unknown" if where < 0 else known.get("id", "resp_none")
                self.send({"type": "response.steer", "previous_response_id": name, "input": how})
            case "answer" if self.responses:
                self.answer(self.responses[-1 - where % len(self.responses)])
            case "step":
                for _ in range(where):
                    self.step()

    def answer(self, response: dict[str, Any]) -> None:
        """Answer the calls of a response, where it has any."""
        calls = [item["call_id"] for item in response["output"] if "call_id" in item]
        kind = "function_call_output"
        items = [{"type": kind, "call_id": call, "output": "noon"} for call in calls]
        lane = {k: v for k, v in response.items() if k == "stream_id"}
        create = {"type": "response.create", "store": False, **lane, "input": items}
        if calls:
            self.send({**create, "previous_response_id": response["id"]})


@settings(max_examples=100, deadline=None)
@given(st.lists(ACTIONS, min_size=4, max_size=25))
def test_steering_in_any_order(actions: list[tuple[str, Any, Any]]) -> None:
    conversation = Conversation()
    for action in actions:
        conversation.act(*action)
    while conversation.peer.session.is_busy:
        conversation.step()

    evidence = Evidence.of(conversation.transcript)
    (view,) = evidence.connections or [evidence.reading.connection("c1")]
    assert view.strays == view.others == []
    # Where several creates wait it is not always settled which of them an error is for.
    assert view.doubts or all(exchange.is_ended for exchange in evidence.exchanges)
    for steer in filter(is_accepted, evidence.exchanges):
        (target,) = (x for x in view.exchanges if x.response_id == target_of(steer))
        assert steer not in waiting_for(view, target) or target.function_calls
    found = [
        (check.requirement, outcome)
        for check in JUDGES
        if check.requirement in OWED and check.when(evidence)
        for outcome in check.judge(evidence)
        if isinstance(outcome, Finding)
    ]
    assert found == []
