"""Commands: client events that act on a response instead of asking for one.

A command names its response and no lane, so its handler looks for it on all of them. Commands do
not wait behind creates: each is answered at once, and what else comes of it the lanes say with
their next steps.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from responses_ws_reference.messages.effects import Event
from responses_ws_reference.messages.refusals import Refusal, quoted
from responses_ws_reference.session.lanes import Lane, Lanes
from responses_ws_reference.session.policies import Policies

TOO_LATE: Final = Refusal("response_already_completed", "The response has ended.")
UNKNOWN: Final = Refusal("response_not_found", "There is no such response on this connection.")


@dataclass(frozen=True, slots=True)
class Desk:
    """What a command finds in the session that takes it."""

    lanes: Lanes
    policies: Policies
    identify: Callable[[str], str]


# The events that answer a command. A `Refused` becomes the `error` that names no lane.
Command: TypeAlias = Callable[[Event, Desk], list[Event]]


def answer(kind: str, members: Event, lane: Lane | None) -> Event:
    """An event that answers a command: about the response that runs on a lane, or about none."""
    if lane is None or lane.turn is None:
        return {"type": kind, "sequence_number": 0, **members}
    return lane.echo(lane.turn.stream.aside(kind, members))


def missed(target: str, lanes: Lanes) -> Refusal:
    """Why nothing can be done to a response that does not run."""
    return TOO_LATE if target in lanes.ended else UNKNOWN


def unsupported(kind: str) -> Refusal:
    """The refusal of a client event that is not known here."""
    return Refusal(
        "unsupported_client_event", f"The client event {quoted(kind)} is not supported.", "type"
    )
