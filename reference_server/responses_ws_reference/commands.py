"""Commands: client events that act on a response instead of asking for one.

A command names its response and no lane, so its handler looks for it on all of them. Commands do
not wait behind creates: each is answered at once, and what else comes of it the lanes say with
their next steps.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from responses_ws_reference.effects import Event
from responses_ws_reference.lanes import Lanes
from responses_ws_reference.policies import Policies
from responses_ws_reference.refusals import Refusal, quoted


@dataclass(frozen=True, slots=True)
class Desk:
    """What a command finds in the session that takes it."""

    lanes: Lanes
    policies: Policies
    identify: Callable[[str], str]


# The events that answer a command. A `Refused` becomes the `error` that names no lane.
Command: TypeAlias = Callable[[Event, Desk], list[Event]]


def unsupported(kind: str) -> Refusal:
    """The refusal of a client event that is not known here."""
    return Refusal(
        "unsupported_client_event", f"The client event {quoted(kind)} is not supported.", "type"
    )
