"""The decisions of the server that another server could take differently, one function each.

Every policy is pure: the same arguments give the same answer, and nothing is changed in place. So
a variant or a fault can replace one from outside, and the two answers can be compared.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, Final, TypeAlias

from responses_ws_reference.messages.calls import CallKey, answered
from responses_ws_reference.messages.context import Context
from responses_ws_reference.messages.creates import Create
from responses_ws_reference.messages.effects import Event
from responses_ws_reference.messages.items import Item, without_repeats
from responses_ws_reference.messages.refusals import Refusal
from responses_ws_reference.responses.compaction import pruned
from responses_ws_reference.session.store import NOTHING, Snapshot

Cache: TypeAlias = Mapping[str, Snapshot]

MAX_QUEUED: Final = 64
MAX_ACTIVE: Final = 16
MAX_NAMES: Final = 32
MAX_STEERS: Final = 8
LANE_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,256}")


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


def judge_lane(name: Any) -> Refusal | None:
    """Why a ``stream_id`` names no lane; null is the default lane, like its absence."""
    if name is None or (isinstance(name, str) and LANE_NAME.fullmatch(name)):
        return None
    message = "Invalid 'stream_id': 1 to 256 letters, digits, '_', '.' or '-' are expected."
    return Refusal("invalid_stream_id", message, "stream_id")


def has_room(lanes: Collection[str | None]) -> bool:
    """True where a connection with these lanes may name one more; the default lane has no name."""
    return sum(name is not None for name in lanes) < MAX_NAMES


def has_slot(running: Collection[str | None], name: str | None) -> bool:
    """True where a response may begin on a lane while others run."""
    return len(running) < MAX_ACTIVE


def admit(is_busy: bool, queued: int) -> Admission:
    """One response at a time on a lane; further creates wait their turn."""
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


def reach(own: Cache, others: Collection[Cache]) -> Cache:
    """What a lane can continue from: its own newest response, or that of another lane, a fork."""
    return {**own, **{name: kept for cache in others for name, kept in cache.items()}}


def inherit(create: Create, previous: Snapshot) -> Create:
    """A continuation brings its own instructions, tools and settings."""
    return create


def gather(previous: Snapshot, create: Create) -> tuple[Item, ...]:
    """What the model sees: earlier input and output, then the new items."""
    return previous.context.then(without_repeats(previous.context, create.items))


def match_calls(context: Context) -> Refusal | None:
    """Each output answers a call, and no call is left without an output."""
    return context.calls.mismatch()


def prune(context: Context) -> tuple[Item, ...]:
    """What stood before a compaction item is in it."""
    return pruned(context)


def compacts(create: Create, tokens: int) -> bool:
    """True where a context of so many tokens is to be folded before the model goes on."""
    return create.compact_threshold is not None and tokens > create.compact_threshold


def condense(context: Context) -> tuple[Item, ...]:
    """What of a context is folded into a compaction item."""
    return context


def remember(cache: Cache, snapshot: Snapshot) -> Cache:
    """A lane keeps its most recent response only; one that failed is no ground to go on from."""
    if snapshot.status == "failed":
        return evict(cache, snapshot.create.previous_response_id)
    return {snapshot.id: snapshot}


def tenant(api_key: str) -> str:
    """Each API key is a tenant of its own, with a store of its own."""
    return api_key


def remember_elsewhere(cache: Cache, snapshot: Snapshot) -> Cache:
    """What is new on one lane does not concern the others."""
    return cache


def keeps(snapshot: Snapshot) -> bool:
    """A response is stored for other connections unless its create said otherwise."""
    return snapshot.is_stored and snapshot.status != "failed"


def evict(cache: Cache, referenced: str | None) -> Cache:
    """A failed continuation takes the response it referenced with it, and nothing else."""
    return {name: snapshot for name, snapshot in cache.items() if name != referenced}


def evict_elsewhere(cache: Cache, referenced: str | None) -> Cache:
    """A fork that fails leaves the response it referenced to its own lane."""
    return cache


def miss(target: str, ended: Collection[str]) -> Refusal:
    """Why a response that does not run cannot be steered."""
    if target in ended:
        return Refusal("response_already_completed", "The response takes no more input.")
    return Refusal("response_not_found", "There is no such response on this connection.")


def judge_steer(create: Create, queued: int) -> Refusal | None:
    """Why a response that runs takes no input: its mode does not allow it, or it has enough."""
    if create.fields.get("context_management") or create.is_warm_up or create.has_agents:
        return Refusal("steering_not_supported", "A response in this mode cannot be steered.")
    if queued >= MAX_STEERS:
        return Refusal("too_many_pending_steers", "Too much input waits for this response.")
    return None


def waits(create: Create) -> bool:
    """True where a response does not end before its calls have been answered."""
    return create.has_agents


def commit(items: tuple[Item, ...], owed: Collection[CallKey]) -> tuple[Item, ...]:
    """What is taken of injected items: all, where each answers a call of its own, or none."""
    calls = [answered(item) for item in items]
    return items if len({*calls} & {*owed}) == len(calls) else ()


def resume(context: Context, added: tuple[Item, ...]) -> tuple[Item, ...]:
    """What the model sees when it goes on: what it said meanwhile, and what was injected."""
    return context.then(added)


def queue(inputs: Collection[tuple[Item, ...]]) -> tuple[Item, ...]:
    """The input of several steers, in the order in which they came."""
    return tuple(item for items in inputs for item in items)


def succeed(create: Create, target: str, items: tuple[Item, ...]) -> Event:
    """A successor continues the response that was steered, with all of its settings."""
    return {**create.fields, "previous_response_id": target, "input": list(items)}


def take_along(items: tuple[Item, ...], create: Create) -> Create:
    """What was steered comes before what the client brings."""
    return replace(create, items=(*items, *create.items))


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
    judge_lane: Callable[[Any], Refusal | None] = judge_lane
    has_room: Callable[[Collection[str | None]], bool] = has_room
    has_slot: Callable[[Collection[str | None], str | None], bool] = has_slot
    admit: Callable[[bool, int], Admission] = admit
    take: Callable[[int], int] = take
    resolve: Callable[[str | None, Cache, Cache], Snapshot | None] = resolve
    reach: Callable[[Cache, Collection[Cache]], Cache] = reach
    inherit: Callable[[Create, Snapshot], Create] = inherit
    gather: Callable[[Snapshot, Create], tuple[Item, ...]] = gather
    match_calls: Callable[[Context], Refusal | None] = match_calls
    prune: Callable[[Context], tuple[Item, ...]] = prune
    compacts: Callable[[Create, int], bool] = compacts
    condense: Callable[[Context], tuple[Item, ...]] = condense
    remember: Callable[[Cache, Snapshot], Cache] = remember
    tenant: Callable[[str], str] = tenant
    remember_elsewhere: Callable[[Cache, Snapshot], Cache] = remember_elsewhere
    keeps: Callable[[Snapshot], bool] = keeps
    evict: Callable[[Cache, str | None], Cache] = evict
    evict_elsewhere: Callable[[Cache, str | None], Cache] = evict_elsewhere
    miss: Callable[[str, Collection[str]], Refusal] = miss
    judge_steer: Callable[[Create, int], Refusal | None] = judge_steer
    waits: Callable[[Create], bool] = waits
    commit: Callable[[tuple[Item, ...], Collection[CallKey]], tuple[Item, ...]] = commit
    resume: Callable[[Context, tuple[Item, ...]], tuple[Item, ...]] = resume
    queue: Callable[[Collection[tuple[Item, ...]]], tuple[Item, ...]] = queue
    succeed: Callable[[Create, str, tuple[Item, ...]], Event] = succeed
    take_along: Callable[[tuple[Item, ...], Create], Create] = take_along
    number: Callable[[int], int] = number
    identify: Callable[[str, str], str] = identify


CONFORMING: Final = Policies()
