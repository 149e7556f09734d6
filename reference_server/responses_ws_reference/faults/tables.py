"""Faults of a server with one table of ids, which knows on which connection each was given out."""

from __future__ import annotations

from collections.abc import Callable

from responses_ws_reference.faults.issued import (
    PREVIOUS,
    issued,
    mark_closed,
    note,
    previous_of,
    show_base,
    watch,
)
from responses_ws_reference.faults.registry import Fault, register
from responses_ws_reference.messages.effects import CloseConnection, Event
from responses_ws_reference.messages.refusals import Refusal
from responses_ws_reference.seams.hooks import Hooks, Incoming, Link, Reply, Sendings


def _is_unknown(wanted: str, link: Link) -> bool:
    return issued(wanted, link) is None


def _is_of_a_closed_connection(wanted: str, link: Link) -> bool:
    known = issued(wanted, link)
    return known is not None and not known.is_stored and "is_closed" in known.link.memory


def _is_of_a_parallel_connection(wanted: str, link: Link) -> bool:
    known = issued(wanted, link)
    if known is None or known.is_stored or known.link is link:
        return False
    return "is_closed" not in known.link.memory


def _is_stored_elsewhere(wanted: str, link: Link) -> bool:
    known = issued(wanted, link)
    return known is not None and known.is_stored and known.link is not link


def _is_older(wanted: str, link: Link) -> bool:
    known = issued(wanted, link)
    if known is None or known.is_stored or known.link is not link:
        return False
    return bool(wanted != link.memory["newest"])


def _answered(
    name: str,
    *breaks: str,
    summary: str,
    applies: Callable[[str, Link], bool],
    answer: Reply,
) -> None:
    """A fault that answers creates with certain ids in the session's place."""

    def incoming(message: Incoming, link: Link) -> Incoming | Reply:
        previous = previous_of(message)
        return answer if previous is not None and applies(previous, link) else message

    register(Fault(name, breaks, summary, Hooks(incoming=incoming, outgoing=watch)))


def _started_anew(
    name: str, *breaks: str, summary: str, applies: Callable[[str, Link], bool]
) -> None:
    """A fault that runs creates with certain ids without context, and echoes the id."""

    def incoming(message: Incoming, link: Link) -> Incoming | Reply:
        previous = previous_of(message)
        if not isinstance(message, dict) or previous is None or not applies(previous, link):
            return message
        link.on_lane(message).memory["base"] = previous
        return {member: value for member, value in message.items() if member != PREVIOUS}

    def outgoing(sending: Event | CloseConnection, link: Link) -> Sendings:
        note(sending, link)
        return show_base(sending, link)

    hooks = Hooks(incoming=incoming, outgoing=outgoing, closed=mark_closed)
    register(Fault(name, breaks, summary, hooks))


_answered(
    "unknown-id-meets-silence",
    "RWS-CHAIN-005",
    summary="A create with an unknown id is logged and dropped.",
    applies=_is_unknown,
    answer=Reply(),
)
_answered(
    "stored-id-belongs-to-its-connection",
    "RWS-CHAIN-021",
    "RWS-STORE-001",
    "RWS-STORE-012",
    summary="A stored id is refused on another connection, but not as one that is not found.",
    applies=_is_stored_elsewhere,
    answer=Reply((Refusal("wrong_connection", "Not of this connection.", PREVIOUS).event(),)),
)
_answered(
    "older-id-is-invalid",
    "RWS-CHAIN-019",
    "RWS-LANE-003",
    "RWS-LANE-019",
    summary="An older id of the connection is refused, but not as one that is not found.",
    applies=_is_older,
    answer=Reply((Refusal("invalid_value", "Not the newest response.", PREVIOUS).event(),)),
)
_started_anew(
    "id-of-a-closed-connection-starts-anew",
    "RWS-CHAIN-009",
    "RWS-STORE-009",
    "RWS-LANE-027",
    summary="The id of a closed connection is accepted, its context is gone.",
    applies=_is_of_a_closed_connection,
)
_started_anew(
    "id-of-a-parallel-connection-starts-anew",
    "RWS-CHAIN-010",
    "RWS-WARM-010",
    summary="The id of a parallel connection is accepted, its context stays behind.",
    applies=_is_of_a_parallel_connection,
)
_started_anew(
    "stored-id-starts-anew",
    "RWS-CHAIN-021",
    "RWS-STORE-002",
    "RWS-STORE-004",
    "RWS-STORE-011",
    summary="A stored id is accepted on another connection, its context stays behind.",
    applies=_is_stored_elsewhere,
)
_started_anew(
    "older-id-starts-anew",
    "RWS-CHAIN-019",
    summary="An older id of the connection is accepted, its context is gone.",
    applies=_is_older,
)
