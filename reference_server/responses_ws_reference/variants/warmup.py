"""Other warm-ups: with a shorter stream, or only where a conversation begins."""

from __future__ import annotations

from responses_ws_reference.messages.effects import CloseConnection, Event
from responses_ws_reference.messages.refusals import Refusal
from responses_ws_reference.seams.hooks import Hooks, Incoming, Link, Reply, Sendings
from responses_ws_reference.variants.registry import register

NO_INPUT = Refusal("missing_required_parameter", "Missing required parameter: 'input'.", "input")
TOO_LATE = Refusal("invalid_value", "A conversation is warmed up before it begins.", "generate")


def _is_warm_up(event: Event) -> bool:
    options = event.get("prompt_cache_options") or {}
    return event.get("generate") is False or options.get("prewarm") is True


def _its_end_alone(sending: Event | CloseConnection, link: Link) -> Sendings:
    if isinstance(sending, CloseConnection) or not _is_warm_up(link.create):
        return sending
    if sending["type"] == "response.created":
        return []
    is_end = sending["type"] == "response.completed"
    return {**sending, "sequence_number": 0} if is_end else sending


def _at_the_beginning_only(message: Incoming, link: Link) -> Incoming | Reply:
    if not isinstance(message, dict) or message.get("type") != "response.create":
        return message
    if message.get("previous_response_id") is None:
        return message
    if _is_warm_up(message):
        return Reply((TOO_LATE.event(),))
    return Reply((NO_INPUT.event(),)) if message.get("input") == [] else message


register(
    "short-warm-ups",
    "The stream of a warm-up is its terminal event alone.",
    Hooks(outgoing=_its_end_alone),
)
register(
    "warm-up-before-all",
    "Only a new conversation can be warmed up, and what continues it needs input.",
    Hooks(incoming=_at_the_beginning_only),
    warns=("RWS-WARM-006", "RWS-WARM-008"),
)
