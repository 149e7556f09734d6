"""Servers to which nothing is unknown."""

from __future__ import annotations

from responses_ws_reference.config import DEFAULT_MODEL
from responses_ws_reference.faults.registry import Fault, register
from responses_ws_reference.messages.effects import CloseConnection, Event
from responses_ws_reference.seams.hooks import Hooks, Incoming, Link, Reply, Sendings
from responses_ws_reference.session.session import COMMANDS


def _make_sense_of_it(message: Incoming, link: Link) -> Incoming | Reply:
    """Any object with an input is a create for the model there is, of a response there is."""
    if not isinstance(message, dict) or "input" not in message or message.get("type") in COMMANDS:
        return message
    known = link.shared.setdefault("known", set())
    create = {**message, "type": "response.create"}
    if "model" in message:
        create["model"] = DEFAULT_MODEL
    if create.get("previous_response_id", "") not in known:
        create.pop("previous_response_id", None)
    return create


def _note_ids(sending: Event | CloseConnection, link: Link) -> Sendings:
    if isinstance(sending, dict) and "response" in sending:
        link.shared.setdefault("known", set()).add(sending["response"]["id"])
    return sending


register(
    Fault(
        "nothing-is-unknown",
        (
            "RWS-FRAME-009",
            "RWS-FRAME-010",
            "RWS-FRAME-011",
            "RWS-CHAIN-005",
            "RWS-CHAIN-007",
            "RWS-CHAIN-020",
        ),
        "Unknown event types, responses and models are taken for known ones.",
        Hooks(incoming=_make_sense_of_it, outgoing=_note_ids),
    )
)
