"""Which id was given out on which connection, for faults of servers that keep one table of them."""

from __future__ import annotations

from dataclasses import dataclass

from responses_ws_reference.faults.registry import LIFECYCLE, TERMINAL
from responses_ws_reference.messages.effects import CloseConnection, Event
from responses_ws_reference.seams.hooks import Incoming, Link, Sendings

PREVIOUS = "previous_response_id"


@dataclass(frozen=True, slots=True)
class Issued:
    """The connection that an id was given out on, and whether its response is stored."""

    link: Link
    is_stored: bool


def issued(wanted: object, link: Link) -> Issued | None:
    """What is known of an id."""
    table: dict[object, Issued] = link.shared.get("issued", {})
    return table.get(wanted)


def note(sending: Event | CloseConnection, link: Link) -> None:
    """Remember an id when its response is created."""
    if not isinstance(sending, CloseConnection) and sending["type"] == "response.created":
        response = sending["response"]
        table = link.shared.setdefault("issued", {})
        table[response["id"]] = Issued(link, response["store"])
        link.memory["newest"] = response["id"]


def watch(sending: Event | CloseConnection, link: Link) -> Sendings:
    """Remember ids and change nothing."""
    note(sending, link)
    return sending


def mark_closed(link: Link) -> None:
    """Remember that a connection is gone."""
    link.memory["is_closed"] = True


def previous_of(message: Incoming) -> str | None:
    """The id that a create names."""
    if not isinstance(message, dict) or message.get("type") != "response.create":
        return None
    previous = message.get(PREVIOUS)
    return previous if isinstance(previous, str) else None


def show_base(sending: Event | CloseConnection, link: Link) -> Sendings:
    """A response that goes on from what was noted as its ``base`` says so, up to its end."""
    if isinstance(sending, CloseConnection) or sending["type"] not in LIFECYCLE:
        return sending
    memory = link.on_lane(sending).memory
    if "base" in memory:
        sending["response"][PREVIOUS] = memory["base"]
    if sending["type"] in TERMINAL:
        memory.pop("base", None)
    return sending
