"""Checks on what clients send: messages, client events, and the members of a create."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, Final

from responses_ws_schemas import dialect_schema, explain, load, names

from responses_ws_conformance.checks import Evidence, Finding, Outcome, invariant
from responses_ws_conformance.reading.exchanges import Exchange
from responses_ws_conformance.transcript import Sent
from responses_ws_conformance.values import excerpt

FOLDER: Final = "client_events/"
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
            yield Finding(message.n, "a string in type", f"the type {excerpt(kind)}", path="/type")


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
                seen = f"{name}: {excerpt(create.request[name])}"
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
