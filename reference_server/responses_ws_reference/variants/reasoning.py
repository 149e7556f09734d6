"""Other reasoning: none at all, or nothing about it that is hidden."""

from __future__ import annotations

from responses_ws_reference.messages.effects import Event
from responses_ws_reference.messages.sealing import unseal
from responses_ws_reference.seams.hooks import Hooks, Incoming, Link
from responses_ws_reference.variants.registry import OPEN_RESPONSES, register, rewriting


def _unthinking(message: Incoming, link: Link) -> Incoming:
    if not isinstance(message, dict):
        return message
    return {name: value for name, value in message.items() if name != "reasoning"}


def _opened(event: Event, link: Link) -> list[Event]:
    shown = [event["item"]] if "item" in event else event.get("response", {}).get("output", [])
    for item in shown:
        if item["type"] == "reasoning" and "encrypted_content" in item:
            text = unseal(item.pop("encrypted_content"))
            item["content"] = [{"type": "reasoning_text", "text": text}]
    return [event]


register(
    "unthinking",
    "The model answers at once, whatever reasoning was asked of it.",
    Hooks(incoming=_unthinking),
    leaves_open=("mood",),
)
register(
    "reasoning-in-the-open",
    "Who asks for encrypted reasoning gets the reasoning itself, and can bring it back.",
    rewriting(_opened),
    dialects=(OPEN_RESPONSES,),
)
