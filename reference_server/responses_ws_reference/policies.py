"""The decisions of the server that another server could take differently, one function each.

Every policy is pure: the same arguments give the same answer, and nothing is changed in place. So
a variant or a fault can replace one from outside, and the two answers can be compared.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final, TypeAlias

from responses_ws_reference.creates import Create
from responses_ws_reference.items import Item, unmatched_call, without_repeats
from responses_ws_reference.refusals import Refusal
from responses_ws_reference.store import NOTHING, Snapshot

Cache: TypeAlias = Mapping[str, Snapshot]

MAX_QUEUED: Final = 64


class Admission(Enum):
    """What becomes of a create that arrives."""

    START = "start"
    QUEUE = "queue"
    REFUSE = "refuse"


def authorise(keys: Collection[str], authorization: str | None) -> int | None:
    """The HTTP status that refuses an opening handshake, if one does. No keys: no questions."""
    if not keys:
        return None
    scheme, _, token = (authorization or "").partition(" ")
    given = token.strip().encode(errors="surrogateescape")
    known = any(hmac.compare_digest(given, key.encode()) for key in keys)
    return None if scheme.lower() == "bearer" and known else 401


def admit(is_busy: bool, queued: int) -> Admission:
    """One response at a time; further creates wait their turn."""
    if not is_busy:
        return Admission.START
    return Admission.QUEUE if queued < MAX_QUEUED else Admission.REFUSE


def take(queued: int) -> int:
    """Which of the waiting creates is next: the first that came."""
    return 0


def resolve(wanted: str | None, cache: Cache, shelf: Cache) -> Snapshot | None:
    """What a create continues from: the cached response, else a stored one, else nothing known."""
    if wanted is None:
        return NOTHING
    return cache.get(wanted) or shelf.get(wanted)


def inherit(create: Create, previous: Snapshot) -> Create:
    """A continuation brings its own instructions, tools and settings."""
    return create


def gather(previous: Snapshot, create: Create) -> tuple[Item, ...]:
    """What the model sees: earlier input and output, then the new items."""
    return previous.context + without_repeats(previous.context, create.items)


def match_calls(context: tuple[Item, ...]) -> Refusal | None:
    """Each output answers a call, and no call is left without an output."""
    return unmatched_call(context)


def remember(cache: Cache, snapshot: Snapshot) -> Cache:
    """The connection keeps its most recent response only."""
    return {snapshot.id: snapshot}


def keeps(snapshot: Snapshot) -> bool:
    """A response is stored for other connections unless its create said otherwise."""
    return snapshot.is_stored


def evict(cache: Cache, referenced: str | None) -> Cache:
    """A failed continuation takes the response it referenced with it, and nothing else."""
    return {name: snapshot for name, snapshot in cache.items() if name != referenced}


def number(count: int) -> int:
    """The sequence number of an event, by how many events its response had before."""
    return count


def identify(prefix: str, fresh: str) -> str:
    """The id of a new response, item or call."""
    return f"{prefix}_{fresh}"


@dataclass(frozen=True, slots=True)
class Policies:
    """The named decisions of one server."""

    authorise: Callable[[Collection[str], str | None], int | None] = authorise
    admit: Callable[[bool, int], Admission] = admit
    take: Callable[[int], int] = take
    resolve: Callable[[str | None, Cache, Cache], Snapshot | None] = resolve
    inherit: Callable[[Create, Snapshot], Create] = inherit
    gather: Callable[[Snapshot, Create], tuple[Item, ...]] = gather
    match_calls: Callable[[tuple[Item, ...]], Refusal | None] = match_calls
    remember: Callable[[Cache, Snapshot], Cache] = remember
    keeps: Callable[[Snapshot], bool] = keeps
    evict: Callable[[Cache, str | None], Cache] = evict
    number: Callable[[int], int] = number
    identify: Callable[[str, str], str] = identify


CONFORMING: Final = Policies()
