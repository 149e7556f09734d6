"""Other decisions: who is admitted, what waits, what is kept, how long."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from responses_ws_reference.messages.effects import CloseConnection, Event
from responses_ws_reference.seams.hooks import Hooks, Incoming, Link, Reply, Sendings
from responses_ws_reference.session.policies import Admission, Cache, authorise
from responses_ws_reference.session.session import BUSY
from responses_ws_reference.session.store import NOTHING, Snapshot
from responses_ws_reference.variants.registry import TERMINAL, register

FEW_LANES: Final = (4, 6)


def _one_at_a_time(is_busy: bool, queued: int) -> Admission:
    return Admission.REFUSE if is_busy else Admission.START


def _one_waits(is_busy: bool, queued: int) -> Admission:
    if not is_busy:
        return Admission.START
    return Admission.QUEUE if queued == 0 else Admission.REFUSE


def _is_busy_error(event: Event) -> bool:
    return event["type"] == "error" and bool(event["error"]["code"] == BUSY.code)


def _refusals_last(sending: Event | CloseConnection, link: Link) -> Sendings:
    """What is refused for being too early is told so when the running response has ended."""
    if isinstance(sending, CloseConnection):
        return sending
    held = link.memory.setdefault("held", [])
    if _is_busy_error(sending):
        held.append(sending)
        return []
    if sending["type"] not in TERMINAL:
        return sending
    link.memory["held"] = []
    return [sending, *held]


def _refusals_first(sending: Event | CloseConnection, link: Link) -> Sendings:
    """The beginning of a response is held back until it has output, so refusals get ahead of it."""
    if isinstance(sending, CloseConnection) or sending["type"] == "error":
        return sending
    held = link.memory.setdefault("held", [])
    if sending["type"] in ("response.created", "response.in_progress"):
        held.append(sending)
        return []
    link.memory["held"] = []
    return [*held, sending]


def _no_resumption(wanted: str | None, cache: Cache, shelf: Cache) -> Snapshot | None:
    return NOTHING if wanted is None else cache.get(wanted)


def _long_memory(cache: Cache, snapshot: Snapshot) -> Cache:
    return {**cache, snapshot.id: snapshot}


def _few_slots(running: Collection[str | None], name: str | None) -> bool:
    return len(running) < FEW_LANES[0]


def _little_room(lanes: Collection[str | None]) -> bool:
    return sum(name is not None for name in lanes) < FEW_LANES[1]


def _forbidden_without_key(keys: Collection[str], authorization: str | None) -> int | None:
    return 403 if keys and authorization is None else authorise(keys, authorization)


def _everybody(keys: Collection[str], authorization: str | None) -> int | None:
    return None


def _closed_for_binary(message: Incoming, link: Link) -> Incoming | Reply:
    is_binary = isinstance(message, bytes)
    return Reply((CloseConnection(1003, "text only"),)) if is_binary else message


register(
    "refuse-second-create",
    "A create that comes while a response runs is refused at once, not queued.",
    Hooks(policies={"admit": _one_at_a_time}),
    lacks=("lanes",),
)
register(
    "refuse-second-create-early",
    "A second create is refused before the first one is answered.",
    Hooks(policies={"admit": _one_at_a_time}, outgoing=_refusals_first),
    lacks=("lanes",),
)
register(
    "refuse-second-create-late",
    "A second create is refused when the response that runs has ended.",
    Hooks(policies={"admit": _one_at_a_time}, outgoing=_refusals_last),
    lacks=("lanes",),
)
register(
    "short-queue",
    "One create waits while a response runs; any more are refused.",
    Hooks(policies={"admit": _one_waits}),
    lacks=("lanes",),
)
register(
    "resume-nothing",
    "Stored responses cannot be resumed on another connection.",
    Hooks(policies={"resolve": _no_resumption}),
    lacks=("storage",),
)
register(
    "long-memory",
    "A connection keeps all of its responses, not only the most recent one.",
    Hooks(policies={"remember": _long_memory}),
)
register(
    "few-lanes",
    "Four responses run at a time on a connection, and six lanes have names.",
    Hooks(policies={"has_slot": _few_slots, "has_room": _little_room}),
    lanes=FEW_LANES,
)
register(
    "forbid-missing-key",
    "A handshake without a key is refused with 403 instead of 401.",
    Hooks(policies={"authorise": _forbidden_without_key}),
)
register(
    "keyless",
    "Nobody needs a key.",
    Hooks(policies={"authorise": _everybody}),
    asks_for_keys=False,
)
register(
    "close-on-binary",
    "A binary message closes the connection with code 1003.",
    Hooks(incoming=_closed_for_binary),
)
