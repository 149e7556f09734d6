"""Other ways to fold a conversation: without a word, behind the answer, into less."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, Final

from responses_ws_reference.messages.effects import Event
from responses_ws_reference.messages.handshake import COMPACT, HandshakeAnswer, HttpRequest
from responses_ws_reference.seams.hooks import Hooks, Link
from responses_ws_reference.variants.registry import TERMINAL, register, rewriting

COMPACTING: Final = "response.compaction.compacting"


def _is_of_compaction(event: Event) -> bool:
    item: Event = event.get("item", {})
    return event["type"] == COMPACTING or item.get("type") == "compaction"


def _silently(event: Event, link: Link) -> list[Event]:
    return [] if event["type"] == COMPACTING else [event]


def _afterwards(event: Event, link: Link) -> list[Event]:
    """The events of the compaction wait for those of the other items, which move up."""
    if event["type"] == "response.created":
        link.memory["held"] = []
    held: list[Event] = link.memory.get("held", [])
    if _is_of_compaction(event):
        held.append(event)
        return []
    if not held:
        return [event]
    if event["type"] in TERMINAL:
        folded, *others = event["response"]["output"]
        event["response"]["output"] = [*others, folded]
        return [*({**each, "output_index": len(others)} for each in held), event]
    if "output_index" in event:
        event["output_index"] -= 1
    return [event]


def _item_alone(
    request: HttpRequest, answer: HandshakeAnswer, shared: dict[str, Any]
) -> HandshakeAnswer:
    if request.path.partition("?")[0] != COMPACT or answer.status != 200:
        return answer
    value = json.loads(answer.body)
    return replace(answer, body=json.dumps({**value, "output": value["output"][-1:]}).encode())


register(
    "folds-silently",
    "A conversation is folded without an event that says so.",
    rewriting(_silently),
)
register(
    "folds-afterwards",
    "A response that folds its conversation has the compaction item behind the answer.",
    rewriting(_afterwards),
)
register(
    "compacts-to-one-item",
    "A compact call gives back the compaction item alone.",
    Hooks(http=_item_alone),
    over_http=True,
)
