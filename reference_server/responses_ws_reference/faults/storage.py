"""Faults of storage: what is kept beyond a connection, for whom, and what is kept on the sly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from responses_ws_reference.faults.issued import (
    PREVIOUS,
    issued,
    mark_closed,
    note,
    previous_of,
    watch,
)
from responses_ws_reference.faults.registry import (
    LIFECYCLE,
    Fault,
    register,
    replace_policy,
    rewrite_events,
)
from responses_ws_reference.messages.context import Context
from responses_ws_reference.messages.effects import CloseConnection, Event
from responses_ws_reference.messages.refusals import Refusal
from responses_ws_reference.seams.hooks import Hooks, Incoming, Link, Reply, Sendings
from responses_ws_reference.session.policies import Cache, keeps, resolve
from responses_ws_reference.session.store import NOTHING, Snapshot

NOT_FOUND = Refusal("previous_response_not_found", "There is no such response.", PREVIOUS)
FORBIDDEN = Refusal("permission_denied", "This is not your response.", PREVIOUS, status=403)

# What is kept


@replace_policy("keeps", "RWS-STORE-004")
def only_an_explicit_store_is_stored(snapshot: Snapshot) -> bool:
    """A create without store is taken for one that is not to be stored."""
    return keeps(snapshot) and snapshot.create.fields.get("store") is True


@replace_policy("resolve", "RWS-STORE-002", "RWS-STORE-004", "RWS-STORE-006", "RWS-CHAIN-021")
def only_ids_are_stored(wanted: str | None, cache: Cache, shelf: Cache) -> Snapshot | None:
    """The store knows each id, and nothing of what was said."""
    found = resolve(wanted, cache, shelf)
    return found if found is None or wanted in cache else replace(found, context=Context())


@replace_policy("resolve", "RWS-STORE-002", "RWS-CHAIN-021")
def only_the_last_turn_is_stored(wanted: str | None, cache: Cache, shelf: Cache) -> Snapshot | None:
    """The store has the last input and output of a chain, and nothing before."""
    found = resolve(wanted, cache, shelf)
    if found is None or wanted is None or wanted in cache:
        return found
    asked = [n for n, item in enumerate(found.context) if item.get("role") == "user"]
    return replace(found, context=Context(found.context[asked[-1] if asked else 0 :]))


@rewrite_events("RWS-STORE-005", on=LIFECYCLE)
def default_is_shown_as_false(event: Event, link: Link) -> Sendings:
    """A response shows store false where its create has no store."""
    if "store" not in link.create:
        event["response"]["store"] = False
    return event


# Whose it is


@replace_policy("tenant", "RWS-STORE-011")
def all_keys_share_a_store(api_key: str) -> str:
    """A gateway has one account upstream, and so one store for all of its keys."""
    return ""


# What is kept on the sly


@replace_policy("resolve", "RWS-STORE-006", "RWS-STORE-007")
def a_stored_chain_is_a_conversation(
    wanted: str | None, cache: Cache, shelf: Cache
) -> Snapshot | None:
    """An id stands for the whole conversation: later turns come along."""
    return _grown(resolve(wanted, cache, shelf), shelf)


def _grown(found: Snapshot | None, shelf: Cache) -> Snapshot | None:
    """A snapshot as its longest stored descendant has it."""
    if found is None or found is NOTHING:
        return found
    size = len(found.context)
    longest = max(
        (each.context for each in shelf.values() if each.context[:size] == found.context),
        key=len,
        default=found.context,
    )
    return replace(found, context=longest)


def _keep_all(snapshot: Snapshot) -> bool:
    return snapshot.status != "failed"


def _with_the_unstored(wanted: str | None, cache: Cache, shelf: Cache) -> Snapshot | None:
    found = resolve(wanted, cache, {name: s for name, s in shelf.items() if s.is_stored})
    if found is None or not found.is_stored or wanted in cache:
        return found
    return _grown(found, {name: s for name, s in shelf.items() if not s.is_stored})


register(
    Fault(
        "unstored-turns-rub-off",
        ("RWS-STORE-010",),
        "What is said with store false is written into the stored response that it continues.",
        Hooks(policies={"keeps": _keep_all, "resolve": _with_the_unstored}),
    )
)


def _promote(message: Incoming, link: Link) -> Incoming:
    previous = issued(previous_of(message), link)
    if not isinstance(message, dict) or previous is None or not previous.is_stored:
        return message
    return {**message, "store": True}


def _hide(sending: Event | CloseConnection, link: Link) -> Sendings:
    note(sending, link)
    if not isinstance(sending, CloseConnection) and sending["type"] in LIFECYCLE:
        sending["response"]["store"] = link.create.get("store") is not False
    return sending


register(
    Fault(
        "children-of-stored-responses-are-stored",
        ("RWS-STORE-009",),
        "A chain that was ever stored is stored for good, whatever its later turns say.",
        Hooks(incoming=_promote, outgoing=_hide),
    )
)


# What is not found


def _refused(
    name: str,
    *breaks: str,
    summary: str,
    applies: Callable[[str, Link], bool],
    refusal: Refusal = NOT_FOUND,
) -> None:
    """A fault that refuses certain ids in the session's place."""

    def incoming(message: Incoming, link: Link) -> Incoming | Reply:
        wanted = previous_of(message)
        is_hit = wanted is not None and applies(wanted, link)
        return Reply((refusal.event(),)) if is_hit else message

    hooks = Hooks(incoming=incoming, outgoing=_take_notes, closed=mark_closed)
    register(Fault(name, breaks, summary, hooks))


def _take_notes(sending: Event | CloseConnection, link: Link) -> Sendings:
    """Remember which id was given out where, and which continuation failed."""
    if not isinstance(sending, CloseConnection) and sending["type"] == "error":
        link.shared.setdefault("failed", set()).add(link.create.get(PREVIOUS))
    return watch(sending, link)


def _is_of_a_closed_connection(wanted: str, link: Link) -> bool:
    known = issued(wanted, link)
    return known is not None and known.is_stored and "is_closed" in known.link.memory


def _is_of_an_open_connection(wanted: str, link: Link) -> bool:
    known = issued(wanted, link)
    if known is None or not known.is_stored or known.link is link:
        return False
    return "is_closed" not in known.link.memory


def _is_older(wanted: str, link: Link) -> bool:
    known = issued(wanted, link)
    if known is None or not known.is_stored or known.link is not link:
        return False
    return bool(wanted != link.memory["newest"])


def _has_failed(wanted: str, link: Link) -> bool:
    known = issued(wanted, link)
    return known is not None and known.is_stored and wanted in link.shared.get("failed", ())


def _is_of_another_key(wanted: str, link: Link) -> bool:
    known = issued(wanted, link)
    return known is not None and known.link.handshake.api_key != link.handshake.api_key


_refused(
    "stored-responses-die-with-their-connection",
    "RWS-STORE-001",
    summary="What is to be stored is kept with the connection, and lost with it.",
    applies=_is_of_a_closed_connection,
)
_refused(
    "stored-responses-are-written-at-the-close",
    "RWS-STORE-003",
    summary="A connection stores its responses when it is closed; until then nobody else has them.",
    applies=_is_of_an_open_connection,
)
_refused(
    "older-stored-responses-are-forgotten",
    "RWS-STORE-006",
    summary="A connection knows its newest response only, and never looks into the store.",
    applies=_is_older,
)
_refused(
    "a-failure-deletes-what-is-stored",
    "RWS-STORE-008",
    summary="A failed continuation takes the stored response with it.",
    applies=_has_failed,
)
_refused(
    "foreign-ids-are-forbidden",
    "RWS-STORE-012",
    summary="The id of another key is refused as one that exists.",
    applies=_is_of_another_key,
    refusal=FORBIDDEN,
)
