"""Checks on what clients send: messages, the members of a create, what a continuation carries."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, Final

from responses_ws_schemas import dialect_schema, explain, load, names

from responses_ws_conformance.checks import Evidence, Finding, Outcome, invariant
from responses_ws_conformance.checks.steering_refusals import texts
from responses_ws_conformance.commands import FAILED, command_of, is_accepted, target_of
from responses_ws_conformance.exchanges import Exchange
from responses_ws_conformance.histories import (
    CALL,
    PREVIOUS,
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
from responses_ws_conformance.transcript import Sent

FOLDER: Final = "client_events/"
INJECT: Final = "response.inject"
AGENT_CALL: Final = "multi_agent_call"
AGENT_OUTPUT: Final = "multi_agent_call_output"
HTTP_ONLY: Final = ("stream", "stream_options", "background")


@cache
def published_types() -> frozenset[str]:
    """The client event types that Open Responses or OpenAI publishes."""
    events = (name for name in names() if name.startswith(FOLDER))
    return frozenset(n.removeprefix(FOLDER) for n in events if load(n)["x-published-by"])


@cache
def layer_types(layer: str) -> frozenset[str]:
    """The client event types of an optional layer that nobody publishes."""
    events = (name for name in names() if name.startswith(FOLDER))
    return frozenset(n.removeprefix(FOLDER) for n in events if load(n).get("x-layer") == layer)


def messages(evidence: Evidence) -> list[Sent]:
    """Every data message of the client."""
    return [e for e in evidence.transcript.entries if isinstance(e, Sent) and e.is_data]


def objects(evidence: Evidence) -> list[Sent]:
    """Every message of the client that is a JSON object."""
    return [m for m in messages(evidence) if isinstance(m.payload, dict)]


def creates(evidence: Evidence) -> list[Exchange]:
    """Every create."""
    return [x for x in evidence.exchanges if x.is_create]


def core_schema(kind: str) -> str | None:
    """The schema of a client event, None where there is none."""
    return FOLDER + kind if FOLDER + kind in names() else None


def open_responses_schema(kind: str) -> str | None:
    """What Open Responses asks of a client event beyond core."""
    return dialect_schema("open-responses", FOLDER + kind)


@invariant("RWS-CLIENT-001", when=lambda e: bool(messages(e)))
def client_events_are_text_objects(evidence: Evidence) -> Iterator[Outcome]:
    """Each message of the client is text and one JSON object."""
    for message in messages(evidence):
        if not isinstance(message.payload, dict):
            start = repr(message.text if message.text is not None else message.data)[:120]
            yield Finding(message.n, "a text message with one JSON object", start)


@invariant("RWS-CLIENT-002", when=lambda e: bool(objects(e)))
def client_events_have_a_type(evidence: Evidence) -> Iterator[Outcome]:
    """Each client event says what it is."""
    for message in objects(evidence):
        if message.type is None:
            kind = message.payload.get("type")
            yield Finding(message.n, "a string in type", f"the type {kind!r}", path="/type")


@invariant("RWS-CLIENT-003", when=lambda e: any(m.type for m in objects(e)))
def client_events_are_published(evidence: Evidence) -> Iterator[Outcome]:
    """No client event has a type of somebody's own, but for those of a layer that is agreed on."""
    known = published_types().union(*map(layer_types, evidence.transcript.header.features))
    for message in objects(evidence):
        if message.type is not None and message.type not in known:
            wanted = f"one of {', '.join(sorted(known))}"
            yield Finding(message.n, wanted, message.type, path="/type")


def misfits(evidence: Evidence, schema_of: Callable[[str], str | None]) -> Iterator[Finding]:
    """Where client events break their schema; the members of HTTP are judged on their own."""
    for message in objects(evidence):
        name = schema_of(message.type) if message.type is not None else None
        for pointer, problem in explain(name, message.payload) if name is not None else ():
            is_for_http = pointer[1:] in HTTP_ONLY and name != core_schema(message.type or "")
            if not is_for_http:
                wanted = f"{message.type} as the schema {name} has it"
                yield Finding(message.n, wanted, problem, path=pointer)


@invariant("RWS-CLIENT-004", when=lambda e: any(core_schema(m.type or "") for m in objects(e)))
def client_events_have_their_members(evidence: Evidence) -> Iterator[Outcome]:
    """Client events have the members, of the types, that their owners publish."""
    yield from misfits(evidence, core_schema)


@invariant("RWS-CLIENT-005", when=lambda e: bool(creates(e)))
def creates_have_the_form_of_open_responses(evidence: Evidence) -> Iterator[Outcome]:
    """Creates have what Open Responses asks of them beyond core."""
    yield from misfits(evidence, open_responses_schema)


@invariant("RWS-CLIENT-006", when=lambda e: bool(creates(e)))
def members_of_http_stay_away(evidence: Evidence) -> Iterator[Outcome]:
    """No create has stream, stream_options or background."""
    for create in creates(evidence):
        for name in HTTP_ONLY:
            if name in create.request:
                seen = f"{name}: {create.request[name]!r}"
                yield Finding(create.sent.n, f"no {name}", seen, path=f"/{name}")


@invariant("RWS-CLIENT-007", when=lambda e: bool(creates(e)))
def creates_are_flat(evidence: Evidence) -> Iterator[Outcome]:
    """The members of a create stand beside its type."""
    for create in creates(evidence):
        nested = create.request.get("response")
        if isinstance(nested, dict):
            seen = f"a response object with {', '.join(map(str, nested)) or 'nothing'}"
            yield Finding(create.sent.n, "the members beside type", seen, path="/response")


def demanded_tools(create: Exchange) -> list[str]:
    """The names of the functions that ``tool_choice`` demands; an empty name stands for any."""
    choice = create.request.get("tool_choice")
    if choice == "required" and not create.request.get("prompt"):
        return [""]
    if not isinstance(choice, dict) or create.request.get("prompt"):
        return []
    tools = _objects(choice.get("tools")) if choice.get("type") == "allowed_tools" else [choice]
    return [str(t["name"]) for t in tools if t.get("type") == "function" and "name" in t]


def listed_tools(create: Exchange) -> Iterator[str]:
    """The names of listed tools, also of those in a namespace; what has no name is an empty one."""
    for tool in _objects(create.request.get("tools")):
        yield str(tool.get("name", ""))
        yield from (str(inner.get("name", "")) for inner in _objects(tool.get("tools")))


def _objects(value: Any) -> list[dict[str, Any]]:
    return [v for v in value if isinstance(v, dict)] if isinstance(value, list) else []


@invariant("RWS-CLIENT-008", when=lambda e: any(map(demanded_tools, creates(e))))
def demanded_tools_are_listed(evidence: Evidence) -> Iterator[Outcome]:
    """A create lists the tools that its tool_choice demands."""
    for create in creates(evidence):
        listed = list(listed_tools(create))
        for name in demanded_tools(create):
            if name not in listed and not (name == "" and listed):
                wanted = f"the tool {name!r} in tools" if name else "a tool in tools"
                seen = f"tools with {', '.join(map(repr, listed)) or 'nothing in it'}"
                yield Finding(create.sent.n, wanted, seen, path="/tools")


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
                seen = f"{item.get('type')} {name!r}, which the chain has"
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
            wanted = f"the call {name!r} in the chain or in the input"
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


# Which output belongs to which call.
ANSWERS: Final = {
    "function_call": "function_call_output",
    "custom_tool_call": "custom_tool_call_output",
    "shell_call": "shell_call_output",
    "apply_patch_call": "apply_patch_call_output",
    "computer_call": "computer_call_output",
    "tool_search_call": "tool_search_output",
}


@invariant("RWS-CLIENT-029", when=lambda e: any(True for _ in known_answers(e)))
def outputs_are_of_the_kind_of_their_call(evidence: Evidence) -> Iterator[Outcome]:
    """A call is answered by the type of output that belongs to it."""
    for create, answer, wanted in known_answers(evidence):
        if answer["type"] not in wanted:
            seen = f"{answer['type']} for the call {answer['call_id']!r}"
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
            yield Finding(create.sent.n, f"an output for the call {name!r}", seen, path="/input")


@invariant(
    "RWS-CLIENT-013",
    when=lambda e: any(x.request.get("conversation") or continues(x) for x in creates(e)),
)
def history_has_one_source(evidence: Evidence) -> Iterator[Outcome]:
    """A create continues a response or a conversation, not both."""
    for create in creates(evidence):
        conversation = create.request.get("conversation")
        if conversation and continues(create):
            seen = f"both, the conversation {conversation!r}"
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
            is_carried = item.get("type") == AGENT_OUTPUT and item.get("call_id") in shown
            if outputs([item]) & directed and not is_carried:
                seen = f"{item.get('type')} for the {AGENT_CALL} {item.get('call_id')!r}"
                wanted = "outputs of the client's own calls"
                yield Finding(exchange.sent.n, wanted, seen, path=f"/input/{place}")
