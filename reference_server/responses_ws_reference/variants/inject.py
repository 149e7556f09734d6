"""Other ways of injection: who waits, and how what is wrong comes back."""

from __future__ import annotations

from responses_ws_reference.creates import Create
from responses_ws_reference.effects import CloseConnection, Event
from responses_ws_reference.hooks import Hooks, Link, Sendings
from responses_ws_reference.injecting import FAILED
from responses_ws_reference.refusals import Refusal
from responses_ws_reference.variants.registry import register


def _nobody_waits(create: Create) -> bool:
    return False


def _error_event(sending: Event | CloseConnection, link: Link) -> Sendings:
    """What is neither unknown nor over has no published code, so it is refused as an event."""
    if isinstance(sending, CloseConnection) or sending["type"] != FAILED:
        return sending
    if sending["error"]["code"] != "invalid_input":
        return sending
    return Refusal("invalid_value", sending["error"]["message"], "input").event()


register(
    "agents-never-wait",
    "A response ends with its calls, also where agents work on it.",
    Hooks(policies={"waits": _nobody_waits}),
)
register(
    "wrong-outputs-are-errors",
    "An inject with an output of no call is refused with an error event.",
    Hooks(outgoing=_error_event),
)
