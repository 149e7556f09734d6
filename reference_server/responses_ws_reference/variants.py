"""Conforming servers that take other choices where the protocol leaves one."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from responses_ws_reference.effects import CloseConnection, Event
from responses_ws_reference.hooks import Hooks, Link, Sendings
from responses_ws_reference.numbering import renumbered
from responses_ws_reference.policies import Admission, Cache, authorise
from responses_ws_reference.store import NOTHING, Snapshot


@dataclass(frozen=True, slots=True)
class Variant:
    """A named server that conforms as well."""

    name: str
    summary: str
    hooks: Hooks


def _one_at_a_time(is_busy: bool, queued: int) -> Admission:
    return Admission.REFUSE if is_busy else Admission.START


def _no_resumption(wanted: str | None, cache: Cache, shelf: Cache) -> Snapshot | None:
    return NOTHING if wanted is None else cache.get(wanted)


def _long_memory(cache: Cache, snapshot: Snapshot) -> Cache:
    return {**cache, snapshot.id: snapshot}


def _forbidden_without_key(keys: Collection[str], authorization: str | None) -> int | None:
    return 403 if keys and authorization is None else authorise(keys, authorization)


def _without_progress(sending: Event | CloseConnection, link: Link) -> Sendings:
    """Leaves ``response.in_progress`` out and closes the gap in the numbers."""
    if isinstance(sending, CloseConnection):
        return sending
    return [] if sending["type"] == "response.in_progress" else renumbered([sending], link)


def _with_notes(sending: Event | CloseConnection, link: Link) -> Sendings:
    """A note before each response, and one in the middle that takes part in its numbering."""
    if isinstance(sending, CloseConnection) or "sequence_number" not in sending:
        return sending
    note = {"type": "rws:note", "sequence_number": 0, "text": "a vendor's own event"}
    if sending["type"] == "response.created":
        return [note, *renumbered([sending], link)]
    if sending["type"] == "response.output_item.added":
        return renumbered([note, sending], link)
    return renumbered([sending], link)


VARIANTS: Final = {
    variant.name: variant
    for variant in (
        Variant(
            "refuse-second-create",
            "A create that comes while a response runs is refused, not queued.",
            Hooks(policies={"admit": _one_at_a_time}),
        ),
        Variant(
            "terse",
            "response.in_progress is never sent.",
            Hooks(outgoing=_without_progress),
        ),
        Variant(
            "vendor-events",
            "Events of the server's own name space come before and within each response.",
            Hooks(outgoing=_with_notes),
        ),
        Variant(
            "resume-nothing",
            "Stored responses cannot be resumed on another connection.",
            Hooks(policies={"resolve": _no_resumption}),
        ),
        Variant(
            "long-memory",
            "A connection keeps all of its responses, not only the most recent one.",
            Hooks(policies={"remember": _long_memory}),
        ),
        Variant(
            "forbid-missing-key",
            "A handshake without a key is refused with 403 instead of 401.",
            Hooks(policies={"authorise": _forbidden_without_key}),
        ),
    )
}
