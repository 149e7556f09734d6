"""Faults of injection: what is not taken, what is taken in part, and what does not come back."""

from __future__ import annotations

from collections.abc import Collection

from responses_ws_reference.faults.registry import (
    Fault,
    on_incoming,
    register,
    replace_policy,
    rewrite_events,
)
from responses_ws_reference.messages.calls import CallKey, answered
from responses_ws_reference.messages.context import Context
from responses_ws_reference.messages.effects import CloseConnection, Event
from responses_ws_reference.messages.items import Item
from responses_ws_reference.messages.refusals import Refusal
from responses_ws_reference.seams.hooks import Hooks, Incoming, Link, Reply, Sendings

INJECT = "response.inject"
CREATED = "response.inject.created"
FAILED = "response.inject.failed"
NOT_FOUND = "response_not_found"
TOO_LATE = "response_already_completed"


def _has_code(event: Event, code: str) -> bool:
    return bool(event["error"]["code"] == code)


# Before an injection


@on_incoming("RWS-INJECT-007", on="response.create")
def agents_are_not_known(event: Event, link: Link) -> Incoming | Reply:
    """The layer is claimed for a model that has no agents."""
    if "multi_agent" not in event:
        return event
    return Reply((Refusal("unsupported_parameter", "No agents.", "multi_agent").event(),))


# Into a response that waits


@rewrite_events("RWS-INJECT-001", on=CREATED)
def injection_has_an_id_of_its_own(event: Event, link: Link) -> Sendings:
    """The confirmation names the injection instead of the response."""
    return {**event, "response_id": f"inj_{event['sequence_number']}"}


@on_incoming("RWS-INJECT-001", "RWS-INJECT-003", "RWS-INJECT-004", on=INJECT)
def inject_is_not_supported(event: Event, link: Link) -> Incoming | Reply:
    """A gateway that claims the layer knows one client event only."""
    refusal = Refusal("unsupported_client_event", "Only response.create is supported.", "type")
    return Reply((refusal.event(),))


@replace_policy("commit", "RWS-INJECT-001")
def open_calls_are_not_found(
    items: tuple[Item, ...], owed: Collection[CallKey]
) -> tuple[Item, ...]:
    """The calls of a response that waits are looked up where the ended ones are."""
    return ()


@replace_policy("resume", "RWS-INJECT-002")
def injected_output_is_empty(context: Context, added: tuple[Item, ...]) -> tuple[Item, ...]:
    """The agent is woken up, and what it was waiting for is not passed on."""
    return (*context, *({**i, "output": ""} if answered(i) else i for i in added))


@replace_policy("commit", "RWS-INJECT-005")
def good_half_is_taken(items: tuple[Item, ...], owed: Collection[CallKey]) -> tuple[Item, ...]:
    """Items are committed one by one, until one is wrong."""
    return tuple(item for item in items if answered(item) in owed)


def _note_calls(event: Event | CloseConnection, link: Link) -> Sendings:
    if isinstance(event, dict) and event["type"] == "response.output_item.done":
        link.memory.setdefault("calls", []).append(event["item"].get("call_id"))
    return event


def _pass_over(message: Incoming, link: Link) -> Incoming:
    if not isinstance(message, dict) or message.get("type") != INJECT:
        return message
    calls = link.memory.get("calls", ())
    known = [item for item in message["input"] if item.get("call_id") in calls]
    return {**message, "input": known} if known else message


register(
    Fault(
        "wrong-output-is-passed-over",
        ("RWS-INJECT-005",),
        "An output of no call is left out, and the rest confirmed.",
        Hooks(incoming=_pass_over, outgoing=_note_calls),
    )
)


# Into what takes nothing


@on_incoming("RWS-INJECT-003", "RWS-INJECT-004", on=INJECT)
def injects_meet_silence(event: Event, link: Link) -> Incoming | Reply:
    """What is no create is passed over without a word."""
    return Reply(())


@rewrite_events("RWS-INJECT-003", on=FAILED)
def unknown_response_is_an_error_event(event: Event, link: Link) -> Sendings:
    """What names an unknown response is refused like a create."""
    if not _has_code(event, NOT_FOUND):
        return event
    return Refusal(NOT_FOUND, event["error"]["message"], "response_id").event()


@rewrite_events("RWS-INJECT-003", on=FAILED)
def unknown_response_has_ended(event: Event, link: Link) -> Sendings:
    """What does not run must have ended."""
    if _has_code(event, NOT_FOUND):
        event["error"]["code"] = TOO_LATE
    return event


@rewrite_events("RWS-INJECT-004", on=FAILED)
def ended_response_is_forgotten(event: Event, link: Link) -> Sendings:
    """What does not run is not known."""
    if _has_code(event, TOO_LATE):
        event["error"]["code"] = NOT_FOUND
    return event


@rewrite_events("RWS-INJECT-004", on=FAILED)
def late_output_is_confirmed(event: Event, link: Link) -> Sendings:
    """An injection is confirmed when it arrives, and lost when it is too late."""
    if not _has_code(event, TOO_LATE):
        return event
    return {n: v for n, v in event.items() if n not in ("error", "input")} | {"type": CREATED}


@rewrite_events("RWS-INJECT-003", "RWS-INJECT-004", on=FAILED)
def input_comes_back_empty(event: Event, link: Link) -> Sendings:
    """The outputs are hidden in what comes back, as they are in the log."""
    event["input"] = [{**item, "output": ""} for item in event["input"]]
    return event


# Instead of an injection


def _remember_miss(event: Event | CloseConnection, link: Link) -> Sendings:
    if isinstance(event, dict) and event["type"] == FAILED:
        link.memory.setdefault("missed", []).append(event["response_id"])
    return event


def _evict_missed(message: Incoming, link: Link) -> Incoming | Reply:
    if not isinstance(message, dict) or message.get("type") != "response.create":
        return message
    name = message.get("previous_response_id")
    if name not in link.memory.get("missed", ()):
        return message
    error = Refusal("previous_response_not_found", "Not found.", "previous_response_id").event()
    return Reply((error,))


register(
    Fault(
        "late-inject-evicts",
        ("RWS-INJECT-006",),
        "An inject that fails counts as a continuation that failed, and evicts its response.",
        Hooks(incoming=_evict_missed, outgoing=_remember_miss),
    )
)
