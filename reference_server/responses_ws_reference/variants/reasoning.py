"""Other reasoning: none at all, and none that a client could carry along sealed."""

from __future__ import annotations

from responses_ws_reference.effects import Event
from responses_ws_reference.hooks import Hooks, Incoming, Link
from responses_ws_reference.variants.registry import OPEN_RESPONSES, register, rewriting


def _unthinking(message: Incoming, link: Link) -> Incoming:
    if not isinstance(message, dict):
        return message
    return {name: value for name, value in message.items() if name != "reasoning"}


def _unsealed(event: Event, link: Link) -> list[Event]:
    shown = [event["item"]] if "item" in event else event.get("response", {}).get("output", [])
    for item in shown:
        if item["type"] == "reasoning":
            item.pop("encrypted_content", None)
    return [event]


register(
    "unthinking",
    "The model answers at once, whatever reasoning was asked of it.",
    Hooks(incoming=_unthinking),
    leaves_open=("mood",),
)
register(
    "reasoning-without-seal",
    "Reasoning never has an encrypted content, and is taken back without one.",
    rewriting(_unsealed),
    dialects=(OPEN_RESPONSES,),
    warns=("RWS-REASON-007",),
)
