"""Other ways of injection: who waits, and how what is wrong comes back."""

from __future__ import annotations

from responses_ws_reference.messages.creates import Create
from responses_ws_reference.messages.effects import Event
from responses_ws_reference.messages.refusals import Refusal
from responses_ws_reference.seams.hooks import Hooks, Link
from responses_ws_reference.session.injecting import FAILED, NOT_OWED
from responses_ws_reference.variants.registry import register, rewriting


def _nobody_waits(create: Create) -> bool:
    return False


def _error_event(event: Event, link: Link) -> list[Event]:
    """What is neither unknown nor over has no published code, so it is refused as an event."""
    if event["type"] != FAILED or event["error"]["code"] != NOT_OWED.code:
        return [event]
    return [Refusal("invalid_value", event["error"]["message"], "input").event()]


register(
    "agents-never-wait",
    "A response ends with its calls, also where agents work on it.",
    Hooks(policies={"waits": _nobody_waits}),
)
register(
    "wrong-outputs-are-errors",
    "An inject with an output of no call is refused with an error event.",
    rewriting(_error_event),
)
