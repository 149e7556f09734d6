"""Steering: input for a response that runs, taken up at its next safe boundary.

    steer ──► failed                                   the input goes back
       └────► accepted, and the response runs on to the end of an output item
                 ├─ no call waits ────► a successor of the server's own making
                 ├─ outputs are owed ─► pending, then the create with them takes the input along
                 └─ it fails ─────────► failed, with the id of the acceptance

What is accepted is kept with its lane, so it ends with the connection.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final

from responses_ws_reference.messages import rules
from responses_ws_reference.messages.creates import Create
from responses_ws_reference.messages.effects import Event
from responses_ws_reference.messages.items import Item, read_input
from responses_ws_reference.messages.refusals import Refusal, Refused, refuse
from responses_ws_reference.session.commands import Desk, answer
from responses_ws_reference.session.lanes import Lane, Submission, Successor, Turn
from responses_ws_reference.session.policies import Policies

ACCEPTED: Final = "response.steer.accepted"
PENDING: Final = "response.steer.pending"
FAILED: Final = "response.steer.failed"
MEMBERS: Final = ("type", "previous_response_id", "input")
_MESSAGE: Final = {"type", "role", "content"}
_PARTS: Final = ("input_text", "input_image", "input_file")


def steer(event: Event, desk: Desk) -> list[Event]:
    """Take input for a response that runs, or give it back."""
    target: Any = event.get("previous_response_id")
    lane = desk.lanes.running(target)
    turn = lane.turn if lane is not None else None
    try:
        items = read_steer(event)
        if lane is None or turn is None:
            raise Refused(desk.policies.miss(target, desk.lanes.ended))
        if refusal := desk.policies.judge_steer(turn.create, len(turn.steers)):
            raise Refused(refusal)
    except Refused as refused:
        return [_failed(event, refused.refusal, lane)]
    submission = Submission(desk.identify("steer"), target, event["input"], items)
    turn.steers.append(submission)
    turn.stream.stop_at_boundary()
    return [answer(ACCEPTED, {"steer": submission.named()}, lane)]


def read_steer(event: Event) -> tuple[Item, ...]:
    """The messages of a steer, which are the user's and nothing else."""
    for name in event:
        if name not in MEMBERS:
            raise refuse("invalid_input", f"'{name}' is no member of a steer.", name)
    try:
        rules.text()(event.get("previous_response_id"), "previous_response_id")
        items = read_input(event.get("input"))
    except Refused as refused:
        raise Refused(replace(refused.refusal, code="invalid_input")) from None
    if not items:
        raise refuse("invalid_input", "There is nothing to steer with.", "input")
    for index, item in enumerate(items):
        if not _is_user_message(item):
            message = f"'input[{index}]' is no message of the user."
            raise refuse("invalid_input", message, "input")
    return items


def settle(lane: Lane, turn: Turn, policies: Policies) -> list[Event]:
    """What becomes of the input for a response that has just ended."""
    if not turn.steers:
        return []
    response = turn.stream.response
    if response["status"] == "failed":
        return give_back(lane, turn, Refusal("successor_creation_failed", "The response failed."))
    required = [_stub(item) for item in response["output"] if _is_call(item)]
    if not required:
        items = policies.queue(_inputs(turn.steers))
        lane.successor = Successor(policies.succeed(turn.create, response["id"], items), turn)
        return []
    lane.pending[response["id"]] = turn.steers
    if any(event.get("previous_response_id") == response["id"] for event in lane.waiting):
        return []  # the outputs are there already
    return [
        lane.echo(
            turn.stream.aside(
                PENDING,
                {
                    "steer": submission.named(),
                    "reason": "waiting_for_required_input",
                    "required_input": required,
                },
            )
        )
        for submission in turn.steers
    ]


def take_along(lane: Lane, create: Create, policies: Policies) -> Create:
    """A create that answers a response takes along what waits for that."""
    waiting = lane.pending.get(create.previous_response_id or "", [])
    if not waiting:
        return create
    return policies.take_along(policies.queue(_inputs(waiting)), create)


def give_back(lane: Lane, turn: Turn, refusal: Refusal) -> list[Event]:
    """What was accepted for a response and comes to nothing."""
    return [
        lane.echo(
            turn.stream.aside(
                FAILED,
                {"steer": {**s.named(), "input": s.input}, "error": _error(refusal)},
            )
        )
        for s in turn.steers
    ]


def _failed(event: Event, refusal: Refusal, lane: Lane | None) -> Event:
    steer = {"previous_response_id": event.get("previous_response_id"), "input": event.get("input")}
    members = {"steer": steer, "error": _error(refusal)}
    return answer(FAILED, members, lane)


def _inputs(submissions: Iterable[Submission]) -> tuple[tuple[Item, ...], ...]:
    return tuple(submission.items for submission in submissions)


def _error(refusal: Refusal) -> dict[str, str]:
    return {"type": refusal.kind, "code": refusal.code, "message": refusal.message}


def _is_user_message(item: Item) -> bool:
    if item["type"] != "message" or item["role"] != "user" or not item.keys() <= _MESSAGE:
        return False
    content = item["content"]
    return isinstance(content, str) or all(part["type"] in _PARTS for part in content)


def _is_call(item: Item) -> bool:
    return "call_id" in item and item.get("status") != "incomplete"


def _stub(call: Item) -> dict[str, Any]:
    """The output that is wanted of a call, without the output; only of a function with its name."""
    name = {"name": call["name"]} if call["type"] == "function_call" else {}
    return {"type": f"{call['type']}_output", "call_id": call["call_id"], **name}
