"""Faults of steering: of its answers, of the response that is steered, and of its successor."""

from __future__ import annotations

from collections.abc import Collection

from responses_ws_reference.faults.registry import (
    TERMINAL,
    on_incoming,
    replace_policy,
    rewrite_events,
)
from responses_ws_reference.messages.creates import Create
from responses_ws_reference.messages.effects import Event
from responses_ws_reference.messages.items import Item
from responses_ws_reference.messages.refusals import Refusal
from responses_ws_reference.seams.hooks import Incoming, Link, Reply, Sendings
from responses_ws_reference.seams.numbering import renumbered
from responses_ws_reference.session.policies import identify, queue, succeed
from responses_ws_reference.session.steering import ACCEPTED, PENDING

STEER = "response.steer"
PREVIOUS = "previous_response_id"
LANE = "stream_id"


# A steer and its answer


@replace_policy("judge_steer", "RWS-STEER-001")
def nothing_can_be_steered(create: Create, queued: int) -> Refusal | None:
    """No response takes input while it runs."""
    return Refusal("steering_not_supported", "Not here.")


@on_incoming("RWS-STEER-001", on=STEER)
def steers_meet_silence(event: Event, link: Link) -> Incoming | Reply:
    """A server that reads only creates drops what else comes."""
    return Reply()


@rewrite_events("RWS-STEER-002", on=ACCEPTED)
def acceptances_name_another_response(event: Event, link: Link) -> Sendings:
    """A gateway with ids of its own forgets to put the client's back into an acceptance."""
    event["steer"][PREVIOUS] = f"upstream_{event['steer'][PREVIOUS]}"
    return event


@replace_policy("identify", "RWS-STEER-002", "RWS-STEER-023")
def steers_are_named_alike(prefix: str, fresh: str) -> str:
    """Each steer is the steer."""
    return "steer" if prefix == "steer" else identify(prefix, fresh)


@rewrite_events("RWS-STEER-009", on=(ACCEPTED, PENDING))
def steers_of_the_default_lane_name_it(event: Event, link: Link) -> Sendings:
    """The lane without a name is called default where a steer is answered."""
    return {LANE: "default", **event}


@on_incoming("RWS-STEER-017", on=STEER)
def further_members_are_ignored(event: Event, link: Link) -> Incoming | Reply:
    """What is no member of a steer is passed over."""
    return {n: v for n, v in event.items() if n in ("type", PREVIOUS, "input")}


# The response that is steered


def _is_steered(event: Event) -> bool:
    return (event["response"]["incomplete_details"] or {}).get("reason") == "steered"


@rewrite_events("RWS-STEER-004", on="response.incomplete")
def steering_is_an_interruption(event: Event, link: Link) -> Sendings:
    """A response that was steered ends with the reason of one that was interrupted."""
    if _is_steered(event):
        event["response"]["incomplete_details"]["reason"] = "interrupted"
    return event


def _is_call(event: Event, link: Link) -> bool:
    """True for an event of a call, which the client has to answer whole."""
    calls = link.memory.setdefault("calls", set())
    if event["type"] == "response.output_item.added" and event["item"]["type"].endswith("_call"):
        calls.add(event["item"]["id"])
    return (event.get("item_id") or event.get("item", {}).get("id")) in calls


@rewrite_events("RWS-STEER-005")
def steering_cuts_at_once(event: Event, link: Link) -> Sendings:
    """Nothing more is said of the item at which a response was steered."""
    link = link.on_lane(event)
    is_call = _is_call(event, link)
    if event["type"] == "response.created":
        link.memory["is_cut"] = False
    if event["type"] == ACCEPTED:
        link.memory["is_cut"] = True
    elif link.memory.get("is_cut") and "output_index" in event and not is_call:
        # An item that begins later is cut as well: the model had begun with it.
        return renumbered([event], link) if event["type"].endswith("item.added") else []
    elif event["type"] == "response.incomplete" and _is_steered(event):
        event["response"]["output"] = []
    return renumbered([event], link)


# The successor


def succeeded(event: Event, link: Link) -> str | None:
    """The response whose successor an event carries, where no create asked for it."""
    link = link.on_lane(event)
    steered = link.memory.setdefault("steered", set())
    if event["type"] == ACCEPTED:
        steered.add(event["steer"][PREVIOUS])
    if event["type"] == "response.created":
        previous = event["response"][PREVIOUS]
        asked = link.create.get(PREVIOUS) == previous
        link.memory["parent"] = previous if previous in steered and not asked else None
    parent: str | None = link.memory.get("parent")
    return parent


@rewrite_events("RWS-STEER-003", "RWS-STEER-015")
def successors_are_nobodys(event: Event, link: Link) -> Sendings:
    """A gateway passes on no response that it knows no create of."""
    return [] if succeeded(event, link) is not None else event


@rewrite_events("RWS-STEER-006")
def successors_continue_something_else(event: Event, link: Link) -> Sendings:
    """A gateway shows the upstream's id of the response that a successor continues."""
    if succeeded(event, link) is not None and "response" in event:
        event["response"][PREVIOUS] = f"upstream_{event['response'][PREVIOUS]}"
    return event


@replace_policy("succeed", "RWS-STEER-007")
def successors_have_default_settings(create: Create, target: str, items: tuple[Item, ...]) -> Event:
    """A successor is created with nothing but the new input."""
    members = succeed(create, target, items)
    kept = ("type", "model", "store", LANE, PREVIOUS, "input")
    return {name: value for name, value in members.items() if name in kept}


@replace_policy("succeed", "RWS-STEER-007")
def successors_have_no_tools(create: Create, target: str, items: tuple[Item, ...]) -> Event:
    """Tools belong to the create that lists them, also where there is no other."""
    members = succeed(create, target, items)
    return {n: v for n, v in members.items() if n not in ("tools", "tool_choice")}


@replace_policy("succeed", "RWS-STEER-007")
def successors_are_stored(create: Create, target: str, items: tuple[Item, ...]) -> Event:
    """A successor is a create of the server's own, and is stored like any that says nothing."""
    return {n: v for n, v in succeed(create, target, items).items() if n != "store"}


@replace_policy("succeed", "RWS-STEER-008")
def successors_begin_anew(create: Create, target: str, items: tuple[Item, ...]) -> Event:
    """A successor sees what was steered, and nothing of what was said before."""
    members = succeed(create, target, items)
    return {name: value for name, value in members.items() if name != PREVIOUS}


@replace_policy("queue", "RWS-STEER-008", "RWS-STEER-013", "RWS-STEER-024")
def accepted_input_is_lost(inputs: Collection[tuple[Item, ...]]) -> tuple[Item, ...]:
    """What was accepted is not there when it is to be taken up."""
    return ()


@replace_policy("queue", "RWS-STEER-013", "RWS-STEER-024")
def the_last_steer_comes_first(inputs: Collection[tuple[Item, ...]]) -> tuple[Item, ...]:
    """What was steered is kept on a stack."""
    return queue([*reversed([*inputs])])


@replace_policy("queue", "RWS-STEER-013", "RWS-STEER-024")
def only_the_first_steer_counts(inputs: Collection[tuple[Item, ...]]) -> tuple[Item, ...]:
    """There is room for one steer of a response; the others are accepted all the same."""
    return queue([*inputs][:1])


@rewrite_events("RWS-STEER-010")
def successors_of_the_default_lane_name_it(event: Event, link: Link) -> Sendings:
    """The lane without a name is called default where a successor runs."""
    is_unnamed = LANE not in event
    return {**event, LANE: "default"} if succeeded(event, link) and is_unnamed else event


def invented(event: Event, previous: str) -> list[Event]:
    """Another response without output."""
    response = {**event["response"], "id": identify("resp", previous[::-1]), "output": []}
    response |= {"incomplete_details": None, PREVIOUS: previous}
    begun = {**response, "status": "in_progress", "completed_at": None, "usage": None}
    lane = {LANE: event[LANE]} if LANE in event else {}
    return [
        {"type": "response.created", "sequence_number": 0, **lane, "response": begun},
        {
            "type": "response.completed",
            "sequence_number": 1,
            **lane,
            "response": {**response, "status": "completed"},
        },
    ]


@rewrite_events("RWS-STEER-011")
def each_steer_has_a_successor(event: Event, link: Link) -> Sendings:
    """The successor is followed by another one of the same response."""
    parent = succeeded(event, link)
    if parent is None or event["type"] not in TERMINAL:
        return event
    return [event, *invented(event, parent)]
