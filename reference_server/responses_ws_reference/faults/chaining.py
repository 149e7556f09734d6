"""Faults of continuation: what is kept, what is evicted, what the model sees."""

from __future__ import annotations

from responses_ws_reference.faults.registry import (
    TERMINAL,
    Fault,
    on_incoming,
    register,
    replace_policy,
    rewrite_events,
)
from responses_ws_reference.messages.creates import Create
from responses_ws_reference.messages.effects import Event
from responses_ws_reference.messages.items import Item
from responses_ws_reference.messages.refusals import Refusal
from responses_ws_reference.seams.hooks import Hooks, Incoming, Link, Reply, Sendings
from responses_ws_reference.session.policies import Cache, evict, gather, remember, resolve
from responses_ws_reference.session.store import NOTHING, Snapshot

# What is kept


@replace_policy("remember", "RWS-CHAIN-002")
def state_is_deleted_after_the_turn(cache: Cache, snapshot: Snapshot) -> Cache:
    """A response that is not to be stored is deleted as soon as it has ended."""
    return remember(cache, snapshot) if snapshot.is_stored else {}


@replace_policy("resolve", "RWS-CHAIN-001")
def stored_responses_are_lost(wanted: str | None, cache: Cache, shelf: Cache) -> Snapshot | None:
    """A response that is to be stored goes to a store that never gives it back."""
    found = resolve(wanted, cache, shelf)
    return None if found is not None and found is not NOTHING and found.is_stored else found


@replace_policy("remember", "RWS-CHAIN-018", "RWS-INTR-008")
def incomplete_responses_are_dropped(cache: Cache, snapshot: Snapshot) -> Cache:
    """Only a completed response can be continued."""
    return {} if snapshot.status == "incomplete" else remember(cache, snapshot)


@replace_policy(
    "keeps",
    "RWS-CHAIN-009",
    "RWS-CHAIN-010",
    "RWS-CHAIN-012",
    "RWS-CHAIN-022",
    "RWS-STORE-009",
    "RWS-WARM-010",
    "RWS-LANE-026",
    "RWS-LANE-027",
)
def everything_is_stored(snapshot: Snapshot) -> bool:
    """The flag is ignored: each response goes to the store, for all connections and for good."""
    return True


def _forget_everything(cache: Cache, snapshot: Snapshot) -> Cache:
    return {}


def _keep_nothing(snapshot: Snapshot) -> bool:
    return False


register(
    Fault(
        "nothing-is-kept",
        ("RWS-CHAIN-002",),
        "Neither the connection nor a store keeps any response: there is no cache at all.",
        Hooks(policies={"remember": _forget_everything, "keeps": _keep_nothing}),
    )
)


@rewrite_events("RWS-CHAIN-023", on=TERMINAL)
def only_new_input_is_counted(event: Event, link: Link) -> Sendings:
    """The usage of a continuation leaves the tokens out that came from the chain."""
    usage = event["response"]["usage"]
    if usage is not None and event["response"]["previous_response_id"] is not None:
        usage["input_tokens"] -= usage["input_tokens_details"]["cached_tokens"]
        usage["total_tokens"] = usage["input_tokens"] + usage["output_tokens"]
    return event


# What is evicted


@replace_policy("evict", "RWS-CHAIN-012", "RWS-CHAIN-022", "RWS-LANE-026")
def failure_evicts_nothing(cache: Cache, referenced: str | None) -> Cache:
    """A failed continuation leaves the response it referenced in the cache."""
    return cache


@replace_policy("evict", "RWS-CHAIN-014", "RWS-CHAIN-015", "RWS-CHAIN-016")
def every_error_evicts(cache: Cache, referenced: str | None) -> Cache:
    """Whatever goes wrong on a connection, its newest response is forgotten."""
    return {}


@replace_policy("evict", "RWS-CHAIN-014", "RWS-CHAIN-016")
def an_error_without_an_id_evicts(cache: Cache, referenced: str | None) -> Cache:
    """A refused client event that names no response takes the newest one with it."""
    return {} if referenced is None else evict(cache, referenced)


@replace_policy("evict", "RWS-CHAIN-015")
def an_unknown_id_evicts(cache: Cache, referenced: str | None) -> Cache:
    """A continuation that fails takes the newest response with it, whichever it named."""
    return cache if referenced is None else {}


# What the model sees


@replace_policy(
    "gather", "RWS-CHAIN-003", "RWS-TOOL-005", "RWS-TOOL-006", "RWS-STORE-006", "RWS-CUSTOM-008"
)
def context_is_lost(previous: Snapshot, create: Create) -> tuple[Item, ...]:
    """A continuation is accepted, but the model sees its new messages only."""
    new = tuple(item for item in create.items if item["type"] == "message")
    return new if previous.context else create.items


@replace_policy("gather", "RWS-CHAIN-003", "RWS-STORE-006")
def earlier_input_is_lost(previous: Snapshot, create: Create) -> tuple[Item, ...]:
    """A continuation sees what the model said before, not what it was asked."""
    said = (item for item in previous.context if item.get("role") not in ("user", "developer"))
    return (*said, *create.items)


@replace_policy("gather", "RWS-CHAIN-003")
def earlier_output_is_lost(previous: Snapshot, create: Create) -> tuple[Item, ...]:
    """A continuation sees what the model was asked before, not what it said."""
    asked = (item for item in previous.context if item.get("role") != "assistant")
    return (*asked, *create.items)


@replace_policy("gather", "RWS-CHAIN-003", "RWS-CHAIN-021")
def only_the_last_turn_is_seen(previous: Snapshot, create: Create) -> tuple[Item, ...]:
    """A continuation sees the turn before it, but none before that."""
    asked = [n for n, item in enumerate(previous.context) if item.get("role") == "user"]
    return (*previous.context[asked[-1] if asked else 0 :], *create.items)


@replace_policy("gather", "RWS-CHAIN-003", "RWS-CHAIN-021", "RWS-TOOL-004")
def context_is_lost_now_and_then(previous: Snapshot, create: Create) -> tuple[Item, ...]:
    """Every second continuation in a chain is run without what came before it."""
    turns = sum(item.get("role") == "user" for item in previous.context)
    return create.items if turns and turns % 2 == 0 else gather(previous, create)


@replace_policy("gather", "RWS-CHAIN-003")
def only_the_last_messages_are_seen(previous: Snapshot, create: Create) -> tuple[Item, ...]:
    """A gateway keeps the last eight messages of a chain, to save tokens."""
    messages = [n for n, item in enumerate(previous.context) if item["type"] == "message"]
    return (*previous.context[messages[-8] if len(messages) > 8 else 0 :], *create.items)


@replace_policy("gather", "RWS-CHAIN-003")
def only_the_last_thirty_items_are_seen(previous: Snapshot, create: Create) -> tuple[Item, ...]:
    """A gateway keeps the last thirty items of a chain, which no short conversation reaches."""
    return (*previous.context[-30:], *create.items)


@replace_policy("gather", "RWS-CHAIN-003")
def answered_calls_are_lost(previous: Snapshot, create: Create) -> tuple[Item, ...]:
    """A chain keeps its messages, and of the calls those that still wait for their output."""
    answered = {x["call_id"] for x in previous.context if x["type"].endswith("_call_output")}
    kept = (item for item in previous.context if item.get("call_id") not in answered)
    return (*kept, *create.items)


@replace_policy("gather", "RWS-CHAIN-003")
def a_chain_begins_anew_after_a_cut(previous: Snapshot, create: Create) -> tuple[Item, ...]:
    """What continues an incomplete response is accepted, and nothing from before is seen."""
    return create.items if previous.status == "incomplete" else gather(previous, create)


@replace_policy("resolve", "RWS-CHAIN-017", "RWS-LANE-020")
def a_connection_is_a_conversation(
    wanted: str | None, cache: Cache, shelf: Cache
) -> Snapshot | None:
    """A create without an id goes on from the newest response of its connection."""
    return next(iter(cache.values()), NOTHING) if wanted is None else resolve(wanted, cache, shelf)


@replace_policy("gather", "RWS-CHAIN-011")
def only_the_last_message_is_read(previous: Snapshot, create: Create) -> tuple[Item, ...]:
    """Of several messages in one input the model sees the last."""
    messages = [item for item in create.items if item["type"] == "message"]
    return tuple(
        item for item in gather(previous, create) if item not in messages or item is messages[-1]
    )


@on_incoming(
    "RWS-CHAIN-011", "RWS-CHAIN-013", "RWS-REASON-009", "RWS-COMPACT-007", on="response.create"
)
def replayed_answers_are_refused(event: Event, link: Link) -> Incoming | Reply:
    """What the assistant said is no valid input."""
    items = event["input"] if isinstance(event.get("input"), list) else []
    if all(item.get("role") != "assistant" for item in items):
        return event
    return Reply((Refusal("invalid_value", "Invalid role: 'assistant'.", "input").event(),))
