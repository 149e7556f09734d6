"""Interrupts: a response that runs ends at once, without what it was in the middle of.

    interrupt ──► failed                        the response goes on, or had ended before
         └──────► accepted ──► the open item, if there is one, is interrupted ──► incomplete

What was finished stays in the response, which can be continued.
"""

from __future__ import annotations

from typing import Any, Final

from responses_ws_reference.messages import rules
from responses_ws_reference.messages.effects import Event
from responses_ws_reference.messages.refusals import Refusal, Refused, refuse
from responses_ws_reference.session.commands import Desk, answer, missed
from responses_ws_reference.session.lanes import Lane

ACCEPTED: Final = "response.interrupt.accepted"
FAILED: Final = "response.interrupt.failed"
MEMBERS: Final = ("type", "response_id", "mode")
MODE: Final = "discard_partial_items"


def interrupt(event: Event, desk: Desk) -> list[Event]:
    """End a response that runs, or say why it cannot be ended."""
    target: Any = event.get("response_id")
    lane = desk.lanes.running(target)
    try:
        read_interrupt(event)
    except Refused as refused:
        return [_failed(target, refused.refusal, lane)]
    if lane is None or lane.turn is None:
        return [_failed(target, missed(target, desk.lanes), None)]
    lane.turn.stream.interrupt()
    return [answer(ACCEPTED, {"response_id": target}, lane)]


def read_interrupt(event: Event) -> None:
    """An interrupt names a response and what becomes of its open items, and nothing else."""
    for name in event:
        if name not in MEMBERS:
            raise refuse("invalid_input", f"'{name}' is no member of an interrupt.", name)
    rules.text()(event.get("response_id"), "response_id")
    rules.one_of(MODE)(event.get("mode"), "mode")


def _failed(target: Any, refusal: Refusal, lane: Lane | None) -> Event:
    error = {"type": refusal.kind, "code": refusal.code, "message": refusal.message}
    members = {"response_id": target, "error": error}
    return answer(FAILED, members, lane)
