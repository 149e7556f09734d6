"""Drafts: the events of one output item, from added to done, before they have place and number.

Which place the item has in the output, and what its events do to the states of item and response,
is the affair of the stream.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final, TypeAlias

from responses_ws_reference.messages.calls import CUSTOM, FUNCTION, PATCH, SHELL, Kind
from responses_ws_reference.messages.effects import Event
from responses_ws_reference.messages.items import Item
from responses_ws_reference.messages.sealing import REASONING, seal
from responses_ws_reference.responses.engine import Call, Message, Thought

# The type of an event, and its members.
Draft: TypeAlias = tuple[str, Event]
Identify: TypeAlias = Callable[[str], str]

# How ids begin, events are called and the text is named, of the calls whose text is streamed.
_STREAMED: Final = {
    FUNCTION: ("fc", "response.function_call_arguments", "arguments"),
    CUSTOM: ("ctc", "response.custom_tool_call_input", "input"),
}
# The same of the calls that come whole: what stands in the member at first, and what at last.
_WHOLE: Final[dict[Kind, tuple[str, str, Event, Callable[[str], Event]]]] = {
    SHELL: (
        "sh",
        "action",
        {"commands": [], "timeout_ms": None, "max_output_length": None},
        lambda text: {"commands": [text]},
    ),
    PATCH: (
        "apc",
        "operation",
        {"type": "create_file", "path": "notes.txt", "diff": ""},
        lambda text: {"diff": text},
    ),
}


def output(said: Message | Call, identify: Identify, *, status: str) -> Iterator[Draft]:
    """A message or a call, with the status that it ends with."""
    match said:
        case Message(tokens):
            return _message(tokens, identify, status)
        case Call(kind=kind) if kind in _STREAMED:
            return _streamed_call(said, identify, status)
        case Call():
            return _whole_call(said, identify, status)


def compaction(content: str, identify: Identify) -> Iterator[Draft]:
    """What the conversation was folded into; the tables leave its progress to the item."""
    item = {"type": "compaction", "id": identify("cmp"), "encrypted_content": ""}
    yield _added(item)
    yield "response.compaction.compacting", {"item_id": item["id"]}
    yield _done({**item, "encrypted_content": content})


def reasoning(thought: Thought, identify: Identify) -> Iterator[Draft]:
    """A thought is not shown, but summed up or sealed where the client asked for that."""
    item: dict[str, Any] = {"type": "reasoning", "id": identify("rs"), "summary": []}
    text = "".join(thought.tokens)
    yield _added(item)
    if thought.is_summed_up:
        yield from _summary(item["id"], thought.tokens)
        item = {**item, "summary": [{"type": "summary_text", "text": text}]}
    if thought.is_sealed:
        item = {**item, "encrypted_content": seal(REASONING, text)}
    yield _done(item)


def _message(tokens: tuple[str, ...], identify: Identify, status: str) -> Iterator[Draft]:
    item: dict[str, Any] = {
        "type": "message",
        "id": identify("msg"),
        "status": "in_progress",
        "role": "assistant",
        "content": [],
    }
    text = "".join(tokens)
    part = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
    at = {"item_id": item["id"], "content_index": 0}
    yield _added(item)
    yield "response.content_part.added", {**at, "part": part}
    for token in tokens:
        yield "response.output_text.delta", {**at, "delta": token, "logprobs": []}
    yield "response.output_text.done", {**at, "text": text, "logprobs": []}
    part = {**part, "text": text}
    yield "response.content_part.done", {**at, "part": part}
    yield _done({**item, "status": status, "content": [part]})


def _streamed_call(call: Call, identify: Identify, status: str) -> Iterator[Draft]:
    prefix, family, member = _STREAMED[call.kind]
    item = {
        "type": call.kind.call,
        "id": identify(prefix),
        "call_id": identify("call"),
        "name": call.name,
        member: "",
        "status": "in_progress",
    }
    text = "".join(call.tokens)
    at = {"item_id": item["id"]}
    yield _added(item)
    for token in call.tokens:
        yield f"{family}.delta", {**at, "delta": token}
    yield f"{family}.done", {**at, member: text}
    yield _done({**item, "status": status, member: text})


def _whole_call(call: Call, identify: Identify, status: str) -> Iterator[Draft]:
    """A call that comes whole, without deltas."""
    prefix, member, begun, told = _WHOLE[call.kind]
    item = {
        "type": call.kind.call,
        "id": identify(prefix),
        "call_id": identify("call"),
        member: begun,
        "status": "in_progress",
    }
    yield _added(item)
    yield _done({**item, "status": status, member: {**begun, **told("".join(call.tokens))}})


def _summary(item_id: str, tokens: tuple[str, ...]) -> Iterator[Draft]:
    """The one part of a summary; the tables leave its events to the reasoning item."""
    at = {"item_id": item_id, "summary_index": 0}
    part = {"type": "summary_text", "text": "".join(tokens)}
    yield "response.reasoning_summary_part.added", {**at, "part": {**part, "text": ""}}
    for token in tokens:
        yield "response.reasoning_summary_text.delta", {**at, "delta": token}
    yield "response.reasoning_summary_text.done", {**at, "text": part["text"]}
    yield "response.reasoning_summary_part.done", {**at, "part": part}


def _added(item: Item) -> Draft:
    return "response.output_item.added", {"item": item}


def _done(item: Item) -> Draft:
    return "response.output_item.done", {"item": item}
