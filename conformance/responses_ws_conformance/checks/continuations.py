"""Checks on what a client continues with: new items only, an output for each call, one history."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from responses_ws_conformance.checks import Evidence, Finding, Outcome, invariant
from responses_ws_conformance.checks.clients import creates
from responses_ws_conformance.checks.steering_refusals import texts
from responses_ws_conformance.reading.commands import FAILED, command_of, is_accepted, target_of
from responses_ws_conformance.reading.exchanges import PREVIOUS, Exchange
from responses_ws_conformance.reading.histories import (
    CALL,
    History,
    Item,
    Responses,
    brings_more,
    calls,
    continues,
    input_items,
    keys_of,
    outputs,
)
from responses_ws_conformance.values import excerpt

INJECT: Final = "response.inject"
AGENT_CALL: Final = "multi_agent_call"
AGENT_OUTPUT: Final = "multi_agent_call_output"
# Which output belongs to which call.
ANSWERS: Final = {
    "function_call": "function_call_output",
    "custom_tool_call": "custom_tool_call_output",
    "shell_call": "shell_call_output",
    "apply_patch_call": "apply_patch_call_output",
    "computer_call": "computer_call_output",
    "tool_search_call": "tool_search_output",
}


def continuations(evidence: Evidence) -> Iterator[tuple[Exchange, History]]:
    """Each create that continues a response of this recording, and what is behind it."""
    responses = Responses.of(evidence.reading)
    for create in creates(evidence):
        if responses.continued_by(create) is not None:
            yield create, responses.behind(create)


@invariant("RWS-CLIENT-010", when=lambda e: any(True for _ in continuations(e)))
def chain_is_not_repeated(evidence: Evidence) -> Iterator[Outcome]:
    """A continuation sends no item that its chain has."""
    for create, history in continuations(evidence):
        for place, item in enumerate(input_items(create)):
            if item.get("type") != "item_reference" and any(map(history.kinds, keys_of(item))):
                name = item.get("call_id") or item.get("id")
                seen = f"{item.get('type')} {excerpt(name)}, which the chain has"
                yield Finding(create.sent.n, "new items only", seen, path=f"/input/{place}")


def answering(evidence: Evidence) -> Iterator[tuple[Exchange, History]]:
    """Each create with outputs, and what is behind it, where all calls are known."""
    responses = Responses.of(evidence.reading)
    for create in creates(evidence):
        history = responses.behind(create)
        is_clear = history.is_whole and not brings_more(create)
        if is_clear and outputs(input_items(create)):
            yield create, history


@invariant("RWS-CLIENT-011", when=lambda e: any(True for _ in answering(e)))
def outputs_answer_calls(evidence: Evidence) -> Iterator[Outcome]:
    """Each output answers a call of the chain or of the same input."""
    for create, history in answering(evidence):
        new = input_items(create)
        unknown = [name for name in outputs(new) - calls(new) if not history.kinds((CALL, name))]
        for name in sorted(unknown):
            called = calls([*history.items, *new])
            wanted = f"the call {excerpt(name)} in the chain or in the input"
            seen = f"its output only; calls: {', '.join(sorted(called)) or 'none'}"
            yield Finding(create.sent.n, wanted, seen, path="/input")


def known_answers(evidence: Evidence) -> Iterator[tuple[Exchange, Item, list[str]]]:
    """Each output whose call is known, and the types of output that calls of its id ask for."""
    responses = Responses.of(evidence.reading)
    for create in creates(evidence):
        history, new = responses.behind(create), History.of(input_items(create))
        for answer in new.items:
            keys = [(CALL, name) for name in outputs([answer])]
            kinds = {kind: None for key in keys for kind in (*history.kinds(key), *new.kinds(key))}
            wanted = [ANSWERS[kind] for kind in kinds if kind in ANSWERS]
            if wanted and len(wanted) == len(kinds):
                yield create, answer, wanted


@invariant("RWS-CLIENT-029", when=lambda e: any(True for _ in known_answers(e)))
def outputs_are_of_the_kind_of_their_call(evidence: Evidence) -> Iterator[Outcome]:
    """A call is answered by the type of output that belongs to it."""
    for create, answer, wanted in known_answers(evidence):
        if answer["type"] not in wanted:
            seen = f"{answer['type']} for the call {excerpt(answer['call_id'])}"
            yield Finding(create.sent.n, f"{' or '.join(wanted)}", seen, path="/input")


def owed_outputs(evidence: Evidence) -> Iterator[tuple[Exchange, set[str]]]:
    """Each create that continues a completed response with open function calls, and these calls."""
    responses = Responses.of(evidence.reading)
    for create in creates(evidence):
        parent = responses.continued_by(create)
        if parent is not None and parent.outcome == "completed" and parent.function_calls:
            answered = outputs(responses.injected.get(parent.response_id or "", ()))
            yield create, calls(parent.function_calls) - answered


@invariant("RWS-CLIENT-012", when=lambda e: any(True for _ in owed_outputs(e)))
def calls_are_answered(evidence: Evidence) -> Iterator[Outcome]:
    """A continuation answers all function calls of the response that it continues."""
    for create, owed in owed_outputs(evidence):
        for name in sorted(owed - outputs(input_items(create))):
            seen = f"outputs for {', '.join(sorted(outputs(input_items(create)))) or 'no call'}"
            yield Finding(
                create.sent.n, f"an output for the call {excerpt(name)}", seen, path="/input"
            )


@invariant(
    "RWS-CLIENT-013",
    when=lambda e: any(x.request.get("conversation") or continues(x) for x in creates(e)),
)
def history_has_one_source(evidence: Evidence) -> Iterator[Outcome]:
    """A create continues a response or a conversation, not both."""
    for create in creates(evidence):
        conversation = create.request.get("conversation")
        if conversation and continues(create):
            seen = f"both, the conversation {excerpt(conversation)}"
            yield Finding(create.sent.n, f"conversation or {PREVIOUS}", seen, path="/conversation")


def elsewhere(evidence: Evidence) -> Iterator[tuple[Exchange, Exchange]]:
    """Each create that continues an unstored response of this recording, and that response."""
    responses = Responses.of(evidence.reading)
    for create in creates(evidence):
        parent = responses.continued_by(create)
        if parent is not None and parent.request.get("store") is False:
            yield create, parent


@invariant("RWS-CLIENT-014", when=lambda e: any(True for _ in elsewhere(e)))
def unstored_responses_stay_on_their_connection(evidence: Evidence) -> Iterator[Outcome]:
    """What was not stored is continued where it was made."""
    for create, parent in elsewhere(evidence):
        if create.conn != parent.conn:
            seen = f"continued on {create.conn}, made with store: false on {parent.conn}"
            wanted = "its continuation on the same connection, or the full input"
            yield Finding(create.sent.n, wanted, seen, path=f"/{PREVIOUS}")


def continued_steers(evidence: Evidence) -> Iterator[tuple[Exchange, Exchange]]:
    """Each accepted steer with a create that then continues the response on its connection."""
    for steer in filter(is_accepted, evidence.exchanges):
        for create in creates(evidence):
            is_later = steer.answer is not None and create.sent.n > steer.answer.n
            if is_later and create.conn == steer.conn and continues(create) == target_of(steer):
                yield steer, create


@invariant("RWS-CLIENT-030", when=lambda e: any(True for _ in continued_steers(e)))
def accepted_input_is_not_repeated(evidence: Evidence) -> Iterator[Outcome]:
    """A create that continues a steered response has nothing that was accepted for it."""
    for steer, create in continued_steers(evidence):
        came_back = any(e.type == FAILED and e.n < create.sent.n for e in steer.sequels)
        for text in texts(steer.request.get("input")):
            if not came_back and text in texts(create.request.get("input")):
                seen = f"{text[:80]!r}, which entry {steer.sent.n} steered"
                yield Finding(create.sent.n, "new items only", seen, path="/input")


def agent_items(evidence: Evidence, kind: str) -> set[str]:
    """The call ids of the items of a type that the server has put out."""
    items = (item for x in evidence.exchanges for item in x.output_items)
    return {str(item.get("call_id")) for item in items if item.get("type") == kind}


@invariant("RWS-CLIENT-031", when=lambda e: bool(agent_items(e, AGENT_CALL)))
def calls_of_agents_are_left_alone(evidence: Evidence) -> Iterator[Outcome]:
    """No output is of the client's own that answers the call of an agent."""
    directed, shown = agent_items(evidence, AGENT_CALL), agent_items(evidence, AGENT_OUTPUT)
    for exchange in evidence.exchanges:
        if not exchange.is_create and command_of(exchange) != INJECT:
            continue
        for place, item in enumerate(input_items(exchange)):
            is_carried = item.get("type") == AGENT_OUTPUT and str(item.get("call_id")) in shown
            if outputs([item]) & directed and not is_carried:
                seen = f"{item.get('type')} for the {AGENT_CALL} {excerpt(item.get('call_id'))}"
                wanted = "outputs of the client's own calls"
                yield Finding(exchange.sent.n, wanted, seen, path=f"/input/{place}")
