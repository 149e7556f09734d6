"""Faults of interrupts: what does not end, what is not thrown away, and what is lost with it."""

from __future__ import annotations

from dataclasses import replace

from responses_ws_reference.faults.registry import (
    Fault,
    on_incoming,
    register,
    replace_policy,
    rewrite_events,
)
from responses_ws_reference.messages.context import Context
from responses_ws_reference.messages.effects import CloseConnection, Event
from responses_ws_reference.messages.refusals import Refusal
from responses_ws_reference.seams.hooks import Hooks, Incoming, Link, Reply, Sendings
from responses_ws_reference.seams.numbering import renumbered
from responses_ws_reference.session.policies import Cache, evict, remember
from responses_ws_reference.session.store import Snapshot

INTERRUPT = "response.interrupt"
ACCEPTED = "response.interrupt.accepted"
FAILED = "response.interrupt.failed"
ITEM_INTERRUPTED = "response.output_item.interrupted"
ENDED = ("response.incomplete",)


def _is_interrupted(event: Event) -> bool:
    details = event["response"].get("incomplete_details") or {}
    return details.get("reason") == "interrupted"


# The answer


@rewrite_events("RWS-INTR-001", on=ACCEPTED)
def interrupt_names_no_response(event: Event, link: Link) -> Sendings:
    """The acceptance of an interrupt does not say what was interrupted."""
    return {name: value for name, value in event.items() if name != "response_id"}


@on_incoming("RWS-INTR-001", on=INTERRUPT)
def interrupt_is_not_supported(event: Event, link: Link) -> Incoming | Reply:
    """A server that claims the layer turns every interrupt down."""
    error = {"code": "interrupt_not_supported", "message": "Interrupts are not supported."}
    return Reply(({"type": FAILED, "response_id": event.get("response_id"), "error": error},))


@on_incoming("RWS-INTR-001", on=INTERRUPT)
def interrupts_meet_silence(event: Event, link: Link) -> Incoming | Reply:
    """What is no create is passed over without a word."""
    return Reply(())


@rewrite_events("RWS-INTR-007", on=FAILED)
def late_interrupt_is_an_error(event: Event, link: Link) -> Sendings:
    """A proxy answers what it does not understand with an error event."""
    return Refusal("invalid_request", "The request is not valid.").event()


@rewrite_events("RWS-INTR-007", on=FAILED)
def late_interrupt_is_accepted(event: Event, link: Link) -> Sendings:
    """An interrupt is accepted whether anything runs or not."""
    return {n: v for n, v in event.items() if n != "error"} | {"type": ACCEPTED}


@rewrite_events("RWS-INTR-010", on=FAILED)
def late_interrupt_closes_the_connection(event: Event, link: Link) -> Sendings:
    """A connection on which an interrupt fails is given up."""
    return [event, CloseConnection(1008, "nothing to interrupt")]


# The end of the response


@rewrite_events("RWS-INTR-002", "RWS-ITEM-002", "RWS-ITEM-004", on=ENDED)
def interrupted_response_is_completed(event: Event, link: Link) -> Sendings:
    """A gateway calls every response completed whose stream it has read to the end."""
    if not _is_interrupted(event):
        return event
    event["response"] |= {"status": "completed", "incomplete_details": None}
    return {**event, "type": "response.completed"}


@rewrite_events("RWS-INTR-002", on=ENDED)
def interrupted_response_ran_out_of_tokens(event: Event, link: Link) -> Sendings:
    """There is one reason for all that is incomplete."""
    if _is_interrupted(event):
        event["response"]["incomplete_details"] = {"reason": "max_output_tokens"}
    return event


def _note_what_runs(sending: Event | CloseConnection, link: Link) -> Sendings:
    if isinstance(sending, CloseConnection):
        return sending
    if sending["type"] == "response.created":
        link.memory["newest"] = sending["response"]["id"]
    if sending["type"] == ACCEPTED:
        return {**sending, "response_id": link.memory["meant"]}
    return sending


def _interrupt_the_newest(message: Incoming, link: Link) -> Incoming | Reply:
    if not isinstance(message, dict) or message.get("type") != INTERRUPT:
        return message
    link.memory["meant"] = message.get("response_id")
    return {**message, "response_id": link.memory.get("newest")}


register(
    Fault(
        "interrupts-meet-the-newest-response",
        ("RWS-INTR-002", "RWS-INTR-011"),
        "An interrupt ends what began last on the connection, whatever it names.",
        Hooks(incoming=_interrupt_the_newest, outgoing=_note_what_runs),
    )
)


@rewrite_events("RWS-INTR-003", on=ENDED)
def interrupted_response_costs_nothing(event: Event, link: Link) -> Sendings:
    """What was not finished is not counted."""
    if _is_interrupted(event):
        event["response"]["usage"] = None
    return event


# Items


@rewrite_events("RWS-INTR-004")
def open_item_vanishes(event: Event, link: Link) -> Sendings:
    """The open item is thrown away in silence."""
    return renumbered([] if event["type"] == ITEM_INTERRUPTED else [event], link)


@rewrite_events("RWS-INTR-005", on=ACCEPTED)
def item_to_come_is_interrupted(event: Event, link: Link) -> Sendings:
    """An item is interrupted before it has begun."""
    report = {"item_id": "msg_to_come", "output_index": 0, "response_id": event["response_id"]}
    number = {"sequence_number": event["sequence_number"]}
    return [event, {"type": ITEM_INTERRUPTED, **number, **report}]


@rewrite_events("RWS-INTR-006")
def open_item_is_kept(event: Event, link: Link) -> Sendings:
    """What was said until then stays in the output, as if it had been finished."""
    if event["type"] == "response.output_item.added":
        link.memory["open"] = event["item"]
    item = link.memory.get("open")
    if item is not None and event["type"] in ENDED and _is_interrupted(event):
        event["response"]["output"] = [{**item, "status": "incomplete"}]
    return event


# Going on


@replace_policy("remember", "RWS-INTR-008")
def interrupted_response_is_forgotten(cache: Cache, snapshot: Snapshot) -> Cache:
    """What was interrupted is treated as failed."""
    if _was_interrupted(snapshot):
        return evict(cache, snapshot.create.previous_response_id)
    return remember(cache, snapshot)


@replace_policy("remember", "RWS-INTR-009")
def interrupted_turn_leaves_nothing_behind(cache: Cache, snapshot: Snapshot) -> Cache:
    """The turn that was interrupted is rolled back, but its id is kept."""
    if _was_interrupted(snapshot):
        snapshot = replace(snapshot, context=Context())
    return remember(cache, snapshot)


def _was_interrupted(snapshot: Snapshot) -> bool:
    details = snapshot.response.get("incomplete_details") or {}
    return bool(details.get("reason") == "interrupted")
