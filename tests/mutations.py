"""Ways to take a transcript apart and to put it together wrongly, as Hypothesis strategies."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st
from responses_ws_conformance.transcript import Closed, Entry, Expired, Message
from responses_ws_conformance.transcript.payloads import NOT_JSON

NAMES = (
    *("type", "id", "status", "code", "message", "param", "role", "text", "delta", "arguments"),
    *("response", "item", "part", "error", "output", "content", "tools", "metadata", "usage"),
    *("sequence_number", "output_index", "content_index", "item_id", "call_id", "stream_id"),
    *("previous_response_id", "incomplete_details", "reason", "store", "logprobs", "annotations"),
)
EVENT_TYPES = (
    *("response.created", "response.queued", "response.in_progress", "response.completed"),
    *("response.failed", "response.incomplete", "response.output_item.added", "error"),
    *("response.output_item.done", "response.content_part.added", "response.content_part.done"),
    *("response.output_text.delta", "response.output_text.done", "response.create", "acme:x"),
    *("response.function_call_arguments.delta", "response.function_call_arguments.done"),
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([-1, 0, 1, 10**30, 1e308, float("inf"), float("nan"), "", "\ud800", "\n"])
    | st.sampled_from(EVENT_TYPES)
    | st.text(max_size=5)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=6,
)
PLACES = st.integers(0, 10_000)


def nested(depth: int) -> Any:
    """A JSON value deeper than any event."""
    value: Any = 0
    for _ in range(depth):
        value = {"content": [value]}
    return value


def paths(value: Any, so_far: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where something stands in a JSON value; the whole of it is at ``()``."""
    members = value.items() if isinstance(value, dict) else ()
    members = enumerate(value) if isinstance(value, list) else members
    return [so_far, *(path for key, inner in members for path in paths(inner, (*so_far, key)))]


def put(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """A JSON value with another one in one place; without what is there, for NOT_JSON."""
    if not path:
        return None if new is NOT_JSON else new
    key, *rest = path
    copy = value.copy()
    if not rest and new is NOT_JSON:
        del copy[key]
    else:
        copy[key] = put(value[key], tuple(rest), new)
    return copy


Entries = list[Entry]
Mutation = Callable[[Entries], None]


def drop(at: int) -> Mutation:
    def mutate(entries: Entries) -> None:
        del entries[at % len(entries)]

    return mutate


def repeat(at: int, to: int) -> Mutation:
    def mutate(entries: Entries) -> None:
        entries.insert(to % (len(entries) + 1), entries[at % len(entries)])

    return mutate


def move(at: int, to: int) -> Mutation:
    def mutate(entries: Entries) -> None:
        entry = entries.pop(at % len(entries))
        entries.insert(to % (len(entries) + 1), entry)

    return mutate


def interrupt(at: int, what: Entry) -> Mutation:
    def mutate(entries: Entries) -> None:
        entries.insert(at % (len(entries) + 1), what)

    return mutate


def rewrite(at: int, change: Callable[[Message], Message]) -> Mutation:
    def mutate(entries: Entries) -> None:
        messages = [n for n, entry in enumerate(entries) if isinstance(entry, Message)]
        if messages:
            n = messages[at % len(messages)]
            entries[n] = change(entries[n])

    return mutate


def with_member(where: int, value: Any) -> Callable[[Message], Message]:
    def change(message: Message) -> Message:
        if message.payload is NOT_JSON:
            return message
        places = paths(message.payload)
        payload = put(message.payload, places[where % len(places)], value)
        return replace(message, text=json.dumps(payload))

    return change


def with_text(text: str) -> Callable[[Message], Message]:
    return lambda message: replace(message, opcode="text", text=text, data=None)


def cut(at: int) -> Callable[[Message], Message]:
    def change(message: Message) -> Message:
        text = message.text or ""
        return replace(message, text=text[: at % (len(text) + 1)])

    return change


def as_bytes(opcode: Any, data: bytes) -> Callable[[Message], Message]:
    return lambda message: replace(message, opcode=opcode, text=None, data=data)


CHANGES = st.one_of(
    st.builds(with_member, PLACES, VALUES),
    st.builds(with_member, PLACES, VALUES),
    st.builds(with_member, PLACES, st.sampled_from([NOT_JSON, [], {}, "", nested(400)])),
    st.builds(with_text, st.text(max_size=10) | VALUES.map(json.dumps)),
    st.builds(cut, PLACES),
    st.builds(as_bytes, st.sampled_from(["binary", "ping", "pong"]), st.binary(max_size=5)),
)
SIDES = st.sampled_from(["client", "server", "lost", "failed"])
CODES = st.none() | st.integers(0, 65_535)
CLOCKS = st.sampled_from(["first-event", "idle", "total", "quiet", "close", "pong"])
ENDS = st.builds(
    Closed, st.integers(0, 20), st.just(0.0), st.just("c1"), SIDES, CODES, st.text(max_size=3)
) | st.builds(
    Expired,
    st.integers(0, 20),
    st.just(0.0),
    st.just("c1"),
    CLOCKS,
    st.just(1.0),
    st.none() | st.integers(0, 20).map("e{}".format),
)
MUTATIONS = st.one_of(
    st.builds(rewrite, PLACES, CHANGES),
    st.builds(rewrite, PLACES, CHANGES),
    st.builds(rewrite, PLACES, CHANGES),
    st.builds(drop, PLACES),
    st.builds(repeat, PLACES, PLACES),
    st.builds(move, PLACES, PLACES),
    st.builds(interrupt, PLACES, ENDS),
)
