"""Compaction: a conversation folded into one item, which only this server can read.

    a context beyond the threshold ──► [compaction item]            the model goes on from there
    the output of it, in a chain   ──► compaction item, message     what came before is pruned
    POST …/compact                 ──► messages of the user, compaction item

What is folded is sealed, not summed up, so nothing that was said before is lost.
"""

from __future__ import annotations

import json
from typing import Any

from responses_ws_reference.messages.context import Context
from responses_ws_reference.messages.items import Item, text_of
from responses_ws_reference.messages.sealing import COMPACTION, seal, unseal


def fold(context: Context) -> str:
    """The encrypted content of the compaction item for a context."""
    return seal(COMPACTION, json.dumps([dict(item) for item in unfolded(context)]))


def unfolded(context: Context) -> Context:
    """A context as the model reads it: for each compaction item what was folded into it."""
    if context.last_fold is None:
        return context
    found: list[Item] = []
    for item in context:
        is_folded = item["type"] == "compaction"
        found.extend(json.loads(unseal(item["encrypted_content"])) if is_folded else [item])
    return Context(found)


def pruned(context: Context) -> Context:
    """A context from its last compaction item on, which holds all that stood before."""
    return Context(context[context.last_fold :]) if context.last_fold else context


def user_messages(context: Context) -> list[dict[str, Any]]:
    """What the user said in a context, as messages in a response's output are written."""
    return [
        {
            "type": "message",
            "status": "completed",
            "role": "user",
            "content": [{"type": "input_text", "text": text_of(item["content"])}],
        }
        for item in unfolded(context)
        if item["type"] == "message" and item["role"] == "user"
    ]
