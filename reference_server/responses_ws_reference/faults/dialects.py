"""Faults against what only one owner of the protocol demands."""

from __future__ import annotations

from responses_ws_reference.faults.registry import TERMINAL, on_incoming, rewrite_events
from responses_ws_reference.messages.effects import Event
from responses_ws_reference.seams.hooks import Incoming, Link, Reply, Sendings

CREATE = "response.create"
LEAST_TOKENS = 16
MOST_LOGPROBS = 20


@on_incoming("RWS-CREATE-015", on=CREATE)
def low_token_limits_are_raised(event: Event, link: Link) -> Incoming | Reply:
    """A max_output_tokens below 16 is taken for 16."""
    limit = event.get("max_output_tokens")
    if limit is None or limit >= LEAST_TOKENS:
        return event
    return {**event, "max_output_tokens": LEAST_TOKENS}


@on_incoming("RWS-CREATE-016", on=CREATE)
def too_many_logprobs_are_cut(event: Event, link: Link) -> Incoming | Reply:
    """A top_logprobs above 20 is taken for 20."""
    if (event.get("top_logprobs") or 0) <= MOST_LOGPROBS:
        return event
    return {**event, "top_logprobs": MOST_LOGPROBS}


@on_incoming("RWS-CREATE-017", on=CREATE)
def conversation_gives_way(event: Event, link: Link) -> Incoming | Reply:
    """A conversation beside a previous_response_id is left alone."""
    if "previous_response_id" not in event:
        return event
    return {name: value for name, value in event.items() if name != "conversation"}


@rewrite_events("RWS-EVENT-021", on="response.output_item.added")
def added_calls_lack_a_status(event: Event, link: Link) -> Sendings:
    """A function call that is added has no status."""
    if event["item"]["type"] == "function_call":
        event["item"].pop("status", None)
    return event


@rewrite_events("RWS-EVENT-022", on=TERMINAL)
def total_is_the_output(event: Event, link: Link) -> Sendings:
    """The total of a usage leaves the input out."""
    usage = event["response"]["usage"]
    if usage is not None:
        usage["total_tokens"] = usage["output_tokens"]
    return event


@rewrite_events("RWS-TOOL-012", on="error")
def unknown_calls_are_nobodys_fault(event: Event, link: Link) -> Sendings:
    """The refusal of an output without its call names no member."""
    if event["error"]["message"].startswith("No tool call"):
        event["error"]["param"] = None
    return event


@on_incoming("RWS-TOOL-013", on=CREATE)
def allowed_tools_are_a_hint(event: Event, link: Link) -> Incoming | Reply:
    """A list of allowed tools is read for its mode only, and all tools are called."""
    match event.get("tool_choice"):
        case {"type": "allowed_tools", "mode": mode}:
            return {**event, "tool_choice": mode}
    return event
