"""Faults of continuation: what is found, what is seen, what is kept and what is evicted."""

from __future__ import annotations

from responses_ws_reference.creates import Create
from responses_ws_reference.faults.registry import replace_policy
from responses_ws_reference.items import Item
from responses_ws_reference.policies import Cache, resolve
from responses_ws_reference.store import NOTHING, Snapshot


@replace_policy("evict", "RWS-CHAIN-012")
def failure_evicts_nothing(cache: Cache, referenced: str | None) -> Cache:
    """A failed continuation leaves the response it referenced in the cache."""
    return cache


@replace_policy("resolve", "RWS-CHAIN-005", "RWS-CHAIN-006", "RWS-CHAIN-007")
def unknown_id_starts_anew(wanted: str | None, cache: Cache, shelf: Cache) -> Snapshot | None:
    """A create with an unknown id is run as if it had none."""
    return resolve(wanted, cache, shelf) or NOTHING


@replace_policy("gather", "RWS-CHAIN-003", "RWS-TOOL-005")
def context_is_lost(previous: Snapshot, create: Create) -> tuple[Item, ...]:
    """A continuation is accepted, but the model sees its new messages only."""
    new = tuple(item for item in create.items if item["type"] == "message")
    return new if previous.context else create.items
