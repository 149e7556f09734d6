"""Faults of the ids of a chain: what a response echoes, what it is called, what a proxy pins."""

from __future__ import annotations

from responses_ws_reference.faults.issued import PREVIOUS
from responses_ws_reference.faults.registry import LIFECYCLE, Fault, register, rewrite_events
from responses_ws_reference.messages.effects import CloseConnection, Event
from responses_ws_reference.seams.hooks import Hooks, Incoming, Link, Sendings


@rewrite_events("RWS-CHAIN-020", on=LIFECYCLE)
def previous_id_is_not_echoed(event: Event, link: Link) -> Sendings:
    """No response says which one it continues."""
    event["response"]["previous_response_id"] = None
    return event


@rewrite_events("RWS-CHAIN-020", "RWS-STEER-006", on=LIFECYCLE)
def previous_id_is_the_upstreams(event: Event, link: Link) -> Sendings:
    """A proxy echoes the id that its upstream knows the response by."""
    if event["response"]["previous_response_id"] is not None:
        event["response"]["previous_response_id"] += "_upstream"
    return event


def _name_alike(sending: Event | CloseConnection, link: Link) -> Sendings:
    if isinstance(sending, CloseConnection) or sending["type"] not in LIFECYCLE:
        return sending
    shown = link.memory.setdefault("shown", {})
    response = sending["response"]
    real, previous = response["id"], response[PREVIOUS]
    shown[real] = response["id"] = shown.get(previous, real)
    if previous is not None:
        response[PREVIOUS] = shown.get(previous, previous)
    link.memory.setdefault("real", {})[shown[real]] = real
    return sending


def _number(sending: Event | CloseConnection, link: Link) -> Sendings:
    if isinstance(sending, CloseConnection) or sending["type"] not in LIFECYCLE:
        return sending
    shown = link.memory.setdefault("shown", {})
    response = sending["response"]
    real, previous = response["id"], response[PREVIOUS]
    response["id"] = shown.setdefault(real, f"resp_{len(shown) + 1}")
    if previous is not None:
        response[PREVIOUS] = shown.get(previous, previous)
    link.memory.setdefault("real", {})[shown[real]] = real
    return sending


def _read_id(message: Incoming, link: Link) -> Incoming:
    if not isinstance(message, dict) or message.get(PREVIOUS) is None:
        return message
    real = link.memory.get("real", {})
    return {**message, PREVIOUS: real.get(message[PREVIOUS], message[PREVIOUS])}


register(
    Fault(
        "a-chain-has-one-id",
        (
            "RWS-CHAIN-004",
            "RWS-STORE-006",
            "RWS-STORE-007",
            "RWS-STORE-009",
            "RWS-LANE-019",
            "RWS-STEER-018",
        ),
        "A continuation has the id of the response that it continues.",
        Hooks(incoming=_read_id, outgoing=_name_alike),
    )
)
register(
    Fault(
        "connections-number-their-responses",
        (
            "RWS-CHAIN-004",
            "RWS-STORE-001",
            "RWS-STORE-011",
            "RWS-STEER-002",
            "RWS-STEER-018",
            "RWS-INTR-001",
            "RWS-INJECT-001",
            "RWS-INJECT-004",
        ),
        "The first response of each connection has the same id, and so has the second.",
        Hooks(incoming=_read_id, outgoing=_number),
    )
)


def _pin(sending: Event | CloseConnection, link: Link) -> Sendings:
    if not isinstance(sending, CloseConnection) and sending["type"] == "error":
        link.memory["pinned"] = link.create.get(PREVIOUS) or link.memory.get("pinned")
    return sending


def _insist(message: Incoming, link: Link) -> Incoming:
    if not isinstance(message, dict) or message.get("type") != "response.create":
        return message
    pinned = message.get(PREVIOUS) or link.memory.get("pinned")
    return message if pinned is None else {**message, PREVIOUS: pinned}


register(
    Fault(
        "a-failed-id-is-pinned",
        ("RWS-CHAIN-008", "RWS-CHAIN-013", "RWS-ERROR-012", "RWS-TOOL-006"),
        "A proxy adds the id whose continuation failed to the next create that has none.",
        Hooks(incoming=_insist, outgoing=_pin),
    )
)
