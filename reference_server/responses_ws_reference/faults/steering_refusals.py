"""Faults of refusing to steer: what is refused, by what code, and what comes back."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from responses_ws_reference.faults.registry import on_incoming, replace_policy, rewrite_events
from responses_ws_reference.faults.steering import STEER
from responses_ws_reference.messages.creates import Create
from responses_ws_reference.messages.effects import Event
from responses_ws_reference.messages.refusals import Refusal, Refused
from responses_ws_reference.seams.hooks import Incoming, Link, Reply, Sendings
from responses_ws_reference.session.policies import judge_steer
from responses_ws_reference.session.steering import FAILED, read_steer


@replace_policy("miss", "RWS-STEER-014")
def unknown_responses_are_over(target: str, ended: Collection[str]) -> Refusal:
    """What does not run has run."""
    return Refusal("response_already_completed", "The response takes no more input.")


@rewrite_events("RWS-STEER-014", on=FAILED)
def unknown_responses_are_an_error(event: Event, link: Link) -> Sendings:
    """Nobody is steered, so the answer is an error like others."""
    if event["error"]["code"] != "response_not_found":
        return event
    return Refusal("response_not_found", event["error"]["message"]).event()


@replace_policy("miss", "RWS-STEER-014", "RWS-STEER-015")
def what_does_not_run_is_invalid(target: str, ended: Collection[str]) -> Refusal:
    """Whatever is wrong with a steer is wrong with its input."""
    return Refusal("invalid_input", "This response cannot be steered.")


@on_incoming("RWS-STEER-016", "RWS-STEER-017", on=STEER)
def bad_steers_are_an_error(event: Event, link: Link) -> Incoming | Reply:
    """What breaks the form of a steer is refused like any bad event."""
    try:
        read_steer(event)
    except Refused as refused:
        return Reply((refused.refusal.event(),))
    return event


@on_incoming("RWS-STEER-016", on=STEER)
def an_empty_array_is_empty_input(event: Event, link: Link) -> Incoming | Reply:
    """Nothing at all is accepted like an empty text."""
    return {**event, "input": ""} if event.get("input") == [] else event


@on_incoming("RWS-STEER-016", on=STEER)
def anybody_can_steer(event: Event, link: Link) -> Incoming | Reply:
    """A message of the developer is taken for one of the user."""
    items = event.get("input")
    if not isinstance(items, list):
        return event
    return {**event, "input": [i | {"role": "user"} if "role" in i else i for i in items]}


@on_incoming("RWS-STEER-016", on=STEER)
def outputs_can_steer(event: Event, link: Link) -> Incoming | Reply:
    """The output of a tool is accepted, as the types would have it."""
    items = event.get("input")
    if not isinstance(items, list) or not any("output" in item for item in items):
        return event
    return {**event, "input": [{"role": "user", "content": i.get("output", "")} for i in items]}


@rewrite_events("RWS-STEER-018", on=FAILED)
def refused_input_is_kept(event: Event, link: Link) -> Sendings:
    """A failure has no room for the input, which is shown empty."""
    event["steer"]["input"] = ""
    return event


@rewrite_events("RWS-STEER-019", on=FAILED, variant="steered-input-comes-back")
def what_comes_back_has_no_name(event: Event, link: Link) -> Sendings:
    """Input that was accepted and comes to nothing is not told from what was refused."""
    event["steer"].pop("id", None)
    return event


@replace_policy("judge_steer", "RWS-STEER-020")
def modes_are_no_reason(create: Create, queued: int) -> Refusal | None:
    """Of a response that cannot be steered the input is said to be bad."""
    refusal = judge_steer(create, queued)
    return refusal and replace(refusal, code="invalid_input")
