"""Faults of function calls and their outputs."""

from __future__ import annotations

from responses_ws_reference.effects import Event
from responses_ws_reference.faults.registry import replace_policy, rewrite_events
from responses_ws_reference.hooks import Link, Sendings
from responses_ws_reference.items import Item
from responses_ws_reference.policies import match_calls
from responses_ws_reference.refusals import Refusal


@replace_policy("match_calls", "RWS-TOOL-006")
def orphan_outputs_are_taken(context: tuple[Item, ...]) -> Refusal | None:
    """An output whose call nobody knows is accepted."""
    refusal = match_calls(context)
    return None if refusal and refusal.code == "tool_call_not_found" else refusal


@rewrite_events("RWS-TOOL-001", on="response.completed")
def calls_end_incomplete(event: Event, link: Link) -> Sendings:
    """A response that calls a function ends as incomplete."""
    response = event["response"]
    if all(item["type"] != "function_call" for item in response["output"]):
        return event
    response |= {"status": "incomplete", "incomplete_details": {"reason": "tool_calls"}}
    return {**event, "type": "response.incomplete"}
