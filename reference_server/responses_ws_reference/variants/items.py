"""Other output: more items and parts than the answer needs, and items that overlap in time."""

from __future__ import annotations

from itertools import chain, zip_longest
from typing import Any, Final

from responses_ws_reference.messages.effects import Event
from responses_ws_reference.messages.sealing import REASONING, seal
from responses_ws_reference.seams.hooks import Link
from responses_ws_reference.variants.registry import (
    OPEN_RESPONSES,
    OPENAI,
    TERMINAL,
    Step,
    register,
    rewriting,
)

ADDED: Final = "response.output_item.added"
DONE: Final = "response.output_item.done"
PART_ADDED: Final = "response.content_part.added"
PART_DONE: Final = "response.content_part.done"
THOUGHT: Final = ("Let me", " think.")
ENCRYPTED: Final = "reasoning.encrypted_content"
REFUSAL: Final = ("I will", " say no more.")

Part = dict[str, Any]


def _of_type(kind: str, **members: Any) -> Event:
    """An event that gets its number when it is sent."""
    return {"type": kind, "sequence_number": 0, **members}


def _told_once(event: Event, link: Link) -> list[Event]:
    """What OpenAI's library needs of a stream over a WebSocket, and no more."""
    is_inside = event["type"].startswith(
        ("response.output_text.", "response.content_part.", "response.function_call_arguments.")
    )
    return [] if is_inside or event["type"] == ADDED else [event]


def _fresh_id(prefix: str, link: Link) -> str:
    count = link.shared["items"] = link.shared.get("items", 0) + 1
    return f"{prefix}_{count:032x}"


def _first(story: Step) -> Step:
    """One more item before all others; ``story`` tells the events of it."""

    def step(event: Event, link: Link) -> list[Event]:
        if event["type"] == "response.in_progress":
            events = story(event, link)
            item = link.memory["item"] = events[-1]["item"]
            if item["type"] == "reasoning" and ENCRYPTED in (link.create.get("include") or ()):
                item["encrypted_content"] = seal(REASONING, "".join(THOUGHT))
            return [event, *events]
        if event["type"] in TERMINAL and link.memory.get("item"):
            event["response"]["output"].insert(0, link.memory.pop("item"))
        elif "output_index" in event:
            event["output_index"] += 1
        return [event]

    return step


def _streamed(family: str, place: Part, pieces: tuple[str, ...], member: str) -> list[Event]:
    """The deltas of a text, and its end."""
    deltas = [_of_type(f"{family}.delta", **place, delta=piece) for piece in pieces]
    return [*deltas, _of_type(f"{family}.done", **place, **{member: "".join(pieces)})]


def _greeting(event: Event, link: Link) -> list[Event]:
    """The events of a message that says nothing much."""
    pieces = ("Well,", " then.")
    empty = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
    full = {**empty, "text": "".join(pieces)}
    item = {
        "type": "message",
        "id": _fresh_id("msg", link),
        "role": "assistant",
        "status": "in_progress",
        "content": [],
    }
    place = {"item_id": item["id"], "output_index": 0, "content_index": 0}
    texts = _streamed("response.output_text", place, pieces, "text")
    return [
        _of_type(ADDED, output_index=0, item=item),
        _of_type(PART_ADDED, **place, part=empty),
        *({**text, "logprobs": []} for text in texts),
        _of_type(PART_DONE, **place, part=full),
        _of_type(DONE, output_index=0, item={**item, "status": "completed", "content": [full]}),
    ]


def _thought(family: str) -> Step:
    """The events of a reasoning item, its text under the name that an owner gives it."""

    def story(event: Event, link: Link) -> list[Event]:
        item = {"type": "reasoning", "id": _fresh_id("rs", link), "summary": [], "content": []}
        part = {"type": "reasoning_text", "text": "".join(THOUGHT)}
        place = {"item_id": item["id"], "output_index": 0, "content_index": 0}
        return [
            _of_type(ADDED, output_index=0, item=item),
            _of_type(PART_ADDED, **place, part={**part, "text": ""}),
            *_streamed(family, place, THOUGHT, "text"),
            _of_type(PART_DONE, **place, part=part),
            _of_type(DONE, output_index=0, item={**item, "content": [part]}),
        ]

    return story


def _summary(event: Event, link: Link) -> list[Event]:
    """The events of a reasoning item of which only a summary is shown."""
    item = {"type": "reasoning", "id": _fresh_id("rs", link), "summary": []}
    part = {"type": "summary_text", "text": "".join(THOUGHT)}
    place = {"item_id": item["id"], "output_index": 0, "summary_index": 0}
    family = "response.reasoning_summary"
    return [
        _of_type(ADDED, output_index=0, item=item),
        _of_type(f"{family}_part.added", **place, part={**part, "text": ""}),
        *_streamed(f"{family}_text", place, THOUGHT, "text"),
        _of_type(f"{family}_part.done", **place, part=part),
        _of_type(DONE, output_index=0, item={**item, "summary": [part]}),
    ]


def _refused_at_the_end(event: Event, link: Link) -> list[Event]:
    """A second part of each message, which refuses to go on."""
    part = {"type": "refusal", "refusal": "".join(REFUSAL)}
    if event["type"] in TERMINAL:
        for item in event["response"]["output"]:
            if item["type"] == "message":
                item["content"].append(part)
    if event["type"] != DONE or event["item"]["type"] != "message":
        return [event]
    place = {
        "item_id": event["item"]["id"],
        "output_index": event["output_index"],
        "content_index": 1,
    }
    event["item"]["content"].append(part)
    return [
        _of_type(PART_ADDED, **place, part={**part, "refusal": ""}),
        *_streamed("response.refusal", place, REFUSAL, "refusal"),
        _of_type(PART_DONE, **place, part=part),
        event,
    ]


def _woven(event: Event, link: Link) -> list[Event]:
    """The events of all items in turn, as if they had been made at the same time."""
    items: dict[int, list[Event]] = link.memory.setdefault("items", {})
    if "output_index" in event:
        items.setdefault(event["output_index"], []).append(event)
        return []
    breaks_off = event["type"] == "error" and "sequence_number" in event
    if event["type"] not in TERMINAL and not breaks_off:
        return [event]
    link.memory["items"] = {}
    turns = zip_longest(*(items[index] for index in sorted(items)))
    return [*(each for each in chain.from_iterable(turns) if each is not None), event]


register(
    "two-messages",
    "A message that says nothing much comes before what was asked for.",
    rewriting(_first(_greeting)),
)
register(
    "interleaved-items",
    "A response has several items, and their events overlap.",
    rewriting(_first(_greeting), _woven),
    lacks=("steering", "inject"),
)
register(
    "interleaved-calls",
    "The events of parallel calls overlap.",
    rewriting(_woven),
    lacks=("steering", "inject"),
)
register(
    "refusal-parts",
    "Each message has a second part, a refusal.",
    rewriting(_refused_at_the_end),
)
register(
    "calls-and-texts-at-once",
    "Calls and texts are told once, by the event that their item is done.",
    rewriting(_told_once),
    dialects=(OPENAI,),
    lacks=("steering", "interrupt", "inject"),
)
register(
    "reasoning-summary",
    "A reasoning item comes first, of which a summary is shown.",
    rewriting(_first(_summary)),
)
register(
    "reasoning",
    "A reasoning item comes first, with events as Open Responses names them.",
    rewriting(_first(_thought("response.reasoning"))),
    dialects=(OPEN_RESPONSES,),
)
register(
    "reasoning-text",
    "A reasoning item comes first, with events as OpenAI names them.",
    rewriting(_first(_thought("response.reasoning_text"))),
    dialects=(OPENAI,),
)
