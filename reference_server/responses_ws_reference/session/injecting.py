"""Injection: outputs of tools for a response that runs and waits for them.

    inject ──► error                       it is no inject at all
       ├─────► failed                      nothing is taken, and the input goes back
       └─────► created ──► with the last output that is owed the response goes on

What was injected stands behind its calls in what the response leaves to its continuations.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from responses_ws_reference.messages import rules
from responses_ws_reference.messages.creates import Create
from responses_ws_reference.messages.effects import Event
from responses_ws_reference.messages.items import Item, read_input
from responses_ws_reference.messages.refusals import Refusal
from responses_ws_reference.session.commands import Desk, answer, missed
from responses_ws_reference.session.lanes import Lane

CREATED: Final = "response.inject.created"
FAILED: Final = "response.inject.failed"
NOT_OWED: Final = Refusal("invalid_input", "Outputs of calls that wait for one are expected.")
_INPUT: Final = rules.array(rules.mapping)


def inject(event: Event, desk: Desk) -> list[Event]:
    """Take outputs for a response that runs, all of them, or give them back."""
    target, items = read_inject(event)
    lane = desk.lanes.running(target)
    if lane is None or lane.turn is None:
        return [_failed(event, missed(target, desk.lanes), None)]
    stream = lane.turn.stream
    taken = desk.policies.commit(items, stream.owed)
    stream.inject(taken)
    if not items or len(taken) < len(items):
        return [_failed(event, NOT_OWED, lane)]
    return [answer(CREATED, {"response_id": target}, lane)]


def read_inject(event: Event) -> tuple[str, tuple[Item, ...]]:
    """The response and the items of an inject; raises Refused where it has none."""
    target: Any = event.get("response_id")
    rules.text()(target, "response_id")
    _INPUT(event.get("input"), "input")
    return target, read_input(event["input"])


def going_on(create: Create, written: int) -> Create:
    """The create with what is left of it once its calls have been answered.

    A call that had to be made has been made, and what was written counts.
    """
    left: dict[str, Any] = {**create.fields, "tool_choice": "auto"}
    if "max_output_tokens" in left:
        left["max_output_tokens"] = max(0, left["max_output_tokens"] - written)
    return replace(create, fields=left)


def _failed(event: Event, refusal: Refusal, lane: Lane | None) -> Event:
    error = {"code": refusal.code, "message": refusal.message}
    members = {"response_id": event["response_id"], "input": event["input"], "error": error}
    return answer(FAILED, members, lane)
