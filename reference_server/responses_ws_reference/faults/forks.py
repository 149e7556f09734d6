"""Faults of what each lane remembers: its newest response, forks, and what a failure evicts."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from responses_ws_reference.faults.lanes import LANE, fail, track
from responses_ws_reference.faults.registry import LIFECYCLE, Fault, register, replace_policy
from responses_ws_reference.messages.creates import Create
from responses_ws_reference.messages.effects import CloseConnection, Event
from responses_ws_reference.messages.items import Item
from responses_ws_reference.seams.hooks import Hooks, Incoming, Link, Sendings
from responses_ws_reference.session.policies import (
    Cache,
    evict,
    gather,
    keeps,
    reach,
    remember,
)
from responses_ws_reference.session.store import NOTHING, Snapshot

PREVIOUS = "previous_response_id"


def _lane(snapshot: Snapshot) -> str | None:
    name: str | None = snapshot.create.fields.get(LANE)
    return name


# What each lane has


@replace_policy("remember_elsewhere", "RWS-LANE-019")
def a_connection_remembers_one_response(cache: Cache, snapshot: Snapshot) -> Cache:
    """A connection keeps its newest response, whichever lane it is on."""
    return {}


@replace_policy("remember", "RWS-LANE-019", "RWS-LANE-021", "RWS-LANE-025")
def named_lanes_remember_nothing(cache: Cache, snapshot: Snapshot) -> Cache:
    """Only the default lane has a memory."""
    return remember(cache, snapshot) if _lane(snapshot) is None else {}


def _follow(sending: Event | CloseConnection, link: Link) -> Sendings:
    if not isinstance(sending, CloseConnection) and sending["type"] in LIFECYCLE:
        link.memory.setdefault("newest", {})[sending.get(LANE)] = sending["response"]["id"]
    return sending


def _go_on(message: Incoming, link: Link) -> Incoming:
    if not isinstance(message, dict) or message.get(LANE) is None or message.get(PREVIOUS):
        return message
    newest = link.memory.get("newest", {}).get(message[LANE])
    return message if newest is None else {**message, PREVIOUS: newest}


register(
    Fault(
        "a-lane-is-a-conversation",
        ("RWS-LANE-020", "RWS-CHAIN-020", "RWS-LANE-010"),
        "A create without an id goes on from the newest response of its lane.",
        Hooks(incoming=_go_on, outgoing=_follow),
    )
)


# What forks see


@replace_policy("reach", "RWS-LANE-021")
def lanes_do_not_fork(own: Cache, others: Collection[Cache]) -> Cache:
    """What one lane has no other lane can continue."""
    return own


@replace_policy("gather", "RWS-LANE-022")
def a_fork_begins_empty(previous: Snapshot, create: Create) -> tuple[Item, ...]:
    """A fork is accepted, and its model sees its own input only."""
    is_fork = previous is not NOTHING and _lane(previous) != create.fields.get(LANE)
    return create.items if is_fork else gather(previous, create)


@replace_policy("reach", "RWS-LANE-023")
def lanes_hear_each_other(own: Cache, others: Collection[Cache]) -> Cache:
    """A lane that goes on sees what has been said on the others in the meantime."""
    heard = [item for cache in others for kept in cache.values() for item in kept.context]
    return {
        **reach(own, others),
        **{
            name: replace(
                kept, context=kept.context.then(tuple(i for i in heard if i not in kept.context))
            )
            for name, kept in own.items()
        },
    }


def _break_forks(sending: Event | CloseConnection, link: Link) -> Sendings:
    if isinstance(sending, CloseConnection) or sending["type"] == "error":
        return sending
    lane, parents = sending.get(LANE), link.memory.setdefault("parents", {})
    if sending["type"] == "response.created":
        parent = sending["response"][PREVIOUS]
        orphans = {other for other, id in parents.items() if id == parent and other != lane}
        link.memory.setdefault("doomed", set()).update(orphans if parent else ())
        parents[lane] = parent
    track(link, sending)
    if lane in link.memory["doomed"]:
        return fail(link, sending) if lane in link.memory["running"] else sending
    return sending


register(
    Fault(
        "a-fork-dies-with-its-parent",
        ("RWS-LANE-024",),
        "A fork that runs fails when the lane that it came from goes on.",
        Hooks(outgoing=_break_forks),
    )
)


# What a failure evicts


@replace_policy("evict_elsewhere", "RWS-LANE-025")
def a_failed_fork_evicts_its_parent(cache: Cache, referenced: str | None) -> Cache:
    """A continuation that fails takes what it referenced with it, whichever lane has it."""
    return evict(cache, referenced)


@replace_policy("evict_elsewhere", "RWS-LANE-019")
def an_unknown_id_empties_the_other_lanes(cache: Cache, referenced: str | None) -> Cache:
    """A continuation of what no lane has makes all lanes but its own forget what they have."""
    return {} if referenced is not None and referenced not in cache else cache


@replace_policy("evict_elsewhere", "RWS-LANE-019")
def an_error_without_an_id_empties_the_other_lanes(cache: Cache, referenced: str | None) -> Cache:
    """A create that is refused and names no response makes all lanes but its own forget theirs."""
    return {} if referenced is None else cache


@replace_policy("evict", "RWS-LANE-026")
def named_lanes_evict_nothing(cache: Cache, referenced: str | None) -> Cache:
    """Only the default lane forgets a response whose continuation failed."""
    is_named = any(_lane(snapshot) is not None for snapshot in cache.values())
    return cache if is_named else evict(cache, referenced)


@replace_policy("keeps", "RWS-LANE-026", "RWS-LANE-027")
def named_lanes_are_kept_for_later(snapshot: Snapshot) -> bool:
    """What named lanes have is there on the next connection too."""
    return _lane(snapshot) is not None or keeps(snapshot)
