"""Commands: client events that are no create, and the server events that answer them.

An answer names the response that its command names, and may give its input back. It belongs to the
first command of the connection that it can answer: one that names the same response and sent the
same input, else one that names the same response, else any. What comes later about a command that
was accepted names it by the id that its acceptance gave.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from responses_ws_conformance.reading.exchanges import ConnectionView, Exchange
from responses_ws_conformance.transcript import Received

ACCEPTED: Final = "response.steer.accepted"
PENDING: Final = "response.steer.pending"
FAILED: Final = "response.steer.failed"
ANSWERS: Final[Mapping[str, tuple[str, ...]]] = {
    "response.steer": (ACCEPTED, FAILED),
    "response.inject": ("response.inject.created", "response.inject.failed"),
    "response.interrupt": ("response.interrupt.accepted", "response.interrupt.failed"),
}
# How servers call a response that takes no command any more.
ENDED: Final = frozenset({"response_already_completed", "response_not_active"})
# What may come about a command after its answer.
SEQUELS: Final[Mapping[str, tuple[str, ...]]] = {
    "response.steer": (PENDING, FAILED),
}
# The member by which a command names its response.
TARGETS: Final[Mapping[str, str]] = {
    "response.steer": "previous_response_id",
    "response.inject": "response_id",
    "response.interrupt": "response_id",
}
EVENTS: Final = frozenset(
    kind for table in (ANSWERS, SEQUELS) for kinds in table.values() for kind in kinds
)


def command_of(exchange: Exchange) -> str | None:
    """The type of the command that was sent, None where it was something else."""
    kind = exchange.request.get("type")
    return kind if isinstance(kind, str) and kind in ANSWERS else None


def target_of(exchange: Exchange) -> str | None:
    """The id of the response that a command names."""
    target = exchange.request.get(TARGETS.get(command_of(exchange) or "", ""))
    return target if isinstance(target, str) else None


def owner_of(view: ConnectionView, event: Received) -> Exchange | None:
    """The command that an event of this room is about, None where there is none."""
    name = steer_of(event).get("id")
    accepted = [x for x in view.exchanges if event.type in SEQUELS.get(command_of(x) or "", ())]
    accepted = [x for x in accepted if x.answer is not None and x.answer.type != event.type]
    if name is not None:
        for exchange in accepted:
            if exchange.answer is not None and steer_of(exchange.answer).get("id") == name:
                return exchange
    waiting = [x for x in view.exchanges if event.type in ANSWERS.get(command_of(x) or "", ())]
    waiting = [x for x in waiting if x.may_go_on]
    # What has an error in doubt is the last to be asked, for that may be its answer.
    likely = sorted(_likely(waiting, event), key=lambda x: x.is_ended)
    return next(iter(likely or _likely(accepted, event)), None)


def take(exchange: Exchange, event: Received) -> None:
    """An event is the answer to a command, or comes after its answer."""
    if exchange.answer is None and event.type in ANSWERS[command_of(exchange) or ""]:
        exchange.answer = event
    else:
        exchange.sequels.append(event)


def has_failed(exchange: Exchange) -> bool:
    """True for a command that the server has answered with its failure."""
    kind = exchange.answer.type if exchange.answer is not None else None
    return kind is not None and kind.endswith(".failed")


def code_of(exchange: Exchange) -> str | None:
    """The code with which a command failed."""
    error = exchange.answer.payload.get("error") if exchange.answer is not None else None
    code = error.get("code") if isinstance(error, dict) else None
    return code if isinstance(code, str) else None


def came_too_late(exchange: Exchange, response: Exchange) -> bool:
    """True where a command failed because its response had ended, which is nobody's fault.

    A response can have ended for the server while its last events are still on their way.
    """
    if exchange.answer is None or not has_failed(exchange):
        return False
    has_ended = response.terminal is not None and response.terminal.n < exchange.answer.n
    return has_ended or code_of(exchange) in ENDED


def accepted_for(view: ConnectionView, target: Exchange) -> list[Exchange]:
    """The steers that were accepted for a response, in the order sent."""
    name = target.response_id
    return [x for x in view.exchanges if is_accepted(x) and target_of(x) == name is not None]


def waiting_for(view: ConnectionView, target: Exchange) -> list[Exchange]:
    """Those of them that nothing has come of: no later response took them along."""
    begun = [
        x.created.n
        for x in view.exchanges
        if x.created is not None
        and (x.parent is target or x.request.get("previous_response_id") == target.response_id)
    ]
    return [
        x
        for x in accepted_for(view, target)
        if x.answer is not None
        and not any(x.answer.n < n for n in begun)
        and not any(e.type == FAILED for e in x.sequels)
    ]


def is_accepted(exchange: Exchange) -> bool:
    """True for a steer that the server has accepted."""
    return exchange.answer is not None and exchange.answer.type == ACCEPTED


def steer_of(event: Received) -> dict[str, Any]:
    """What an event tells about the steering that it is about."""
    steer = event.payload.get("steer") if isinstance(event.payload, dict) else None
    return steer if isinstance(steer, dict) else {}


def _likely(exchanges: list[Exchange], event: Received) -> list[Exchange]:
    """Those commands that an event can be about, by what it repeats of them."""
    about = {**event.payload, **steer_of(event)}
    same = [x for x in exchanges if target_of(x) in map(about.get, set(TARGETS.values()))]
    echo = [x for x in same if about.get("input") in (x.request.get("input"), None)]
    return echo or same or exchanges
