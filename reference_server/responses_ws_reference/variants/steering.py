"""Other ways of steering: how a steered response ends, what comes back, what is passed over."""

from __future__ import annotations

from collections.abc import Collection

from responses_ws_reference.messages.creates import Create
from responses_ws_reference.messages.effects import CloseConnection, Event
from responses_ws_reference.messages.items import Item
from responses_ws_reference.messages.refusals import Refusal
from responses_ws_reference.seams.hooks import Hooks, Incoming, Link, Sendings
from responses_ws_reference.session.policies import identify, succeed
from responses_ws_reference.session.steering import FAILED, MEMBERS
from responses_ws_reference.variants.registry import register


def _completed(sending: Event | CloseConnection, link: Link) -> Sendings:
    if isinstance(sending, CloseConnection) or sending["type"] != "response.incomplete":
        return sending
    response = sending["response"]
    if response["incomplete_details"] != {"reason": "steered"}:
        return sending
    ended = {"status": "completed", "incomplete_details": None}
    ended["completed_at"] = response["created_at"]
    return {**sending, "type": "response.completed", "response": {**response, **ended}}


def _too_busy(create: Create, target: str, items: tuple[Item, ...]) -> Event:
    """A create that is refused: there is no such model."""
    return {**succeed(create, target, items), "model": "a-model-that-is-overloaded"}


def _not_active(target: str, ended: Collection[str]) -> Refusal:
    if target in ended:
        return Refusal("response_not_active", "The response takes no more input.")
    return Refusal("response_not_found", "There is no such response on this connection.")


def _terse(sending: Event | CloseConnection, link: Link) -> Sendings:
    """Refusals have an id, and the input as messages."""
    if isinstance(sending, CloseConnection) or sending["type"] != FAILED:
        return sending
    steer = sending["steer"]
    if isinstance(steer["input"], str):
        content = [{"type": "input_text", "text": steer["input"]}]
        steer["input"] = [{"type": "message", "role": "user", "content": content}]
    steer.setdefault("id", identify("steer", f"{id(steer):032x}"))
    return sending


def _known_members(message: Incoming, link: Link) -> Incoming:
    if not isinstance(message, dict) or message.get("type") != "response.steer":
        return message
    return {name: value for name, value in message.items() if name in MEMBERS}


register(
    "steered-is-completed",
    "A response that was steered is completed with what it has said.",
    Hooks(outgoing=_completed),
)
register(
    "steered-input-comes-back",
    "There is never a slot for a successor: what was accepted comes back.",
    Hooks(policies={"succeed": _too_busy}),
    leaves_open=("transient",),
)
register(
    "wordy-refusals-of-steers",
    "A refused steer has an id and comes back as messages; what is over is not active.",
    Hooks(policies={"miss": _not_active}, outgoing=_terse),
)
register(
    "lenient-steering",
    "Members that a steer does not have are passed over.",
    Hooks(incoming=_known_members),
    warns=("RWS-STEER-017",),
)
