"""Checks on steering: its answers, what becomes of the response, and what follows it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Final

from responses_ws_conformance.checks import (
    Cause,
    Evidence,
    Finding,
    Mark,
    Outcome,
    Undecided,
    expectation,
    invariant,
)
from responses_ws_conformance.checks.answers import (
    describe,
    is_moody,
    is_transient,
    recalled,
    tools_of,
)
from responses_ws_conformance.checks.streams import folded_where_torn
from responses_ws_conformance.reading.commands import (
    ACCEPTED,
    FAILED,
    PENDING,
    came_too_late,
    is_accepted,
    steer_of,
    target_of,
)
from responses_ws_conformance.reading.exchanges import LANE, PREVIOUS, Exchange, reason_of
from responses_ws_conformance.reading.items import ITEM_DONE, items_of
from responses_ws_conformance.transcript import Received
from responses_ws_conformance.values import excerpt

STEERED: Final = "steered"
# What a response shows of its settings; metadata and ids are each response's own.
SETTINGS: Final = (
    "model",
    "instructions",
    "max_output_tokens",
    "parallel_tool_calls",
    "store",
    "temperature",
    "tool_choice",
    "top_p",
    "truncation",
)


def targets(evidence: Evidence, exchange: Exchange) -> list[Exchange]:
    """The response that a steer names, where the recording has it."""
    name = target_of(exchange)
    view = evidence.reading.connection(exchange.conn)
    return [x for x in view.exchanges if name is not None and x.response_id == name]


def steers(evidence: Evidence, *, answered_by: str) -> list[tuple[Exchange, Received]]:
    """The steers with this answer, and the answer."""
    pairs = ((x, x.answer) for x in evidence.exchanges)
    return [(x, e) for x, e in pairs if e is not None and e.type == answered_by]


def successors(evidence: Evidence) -> list[tuple[Exchange, Exchange]]:
    """Each steered response with a successor of it."""
    return [(x.parent, x) for x in evidence.exchanges if x.parent is not None]


# A steer and its answer


@expectation("RWS-STEER-001")
def steer_is_accepted(mark: Mark) -> Iterator[Outcome]:
    """A steer to a response that runs is accepted."""
    tries = mark.pairs("targets", "subject")
    if any(is_accepted(steer) for _, steer in tries):
        return
    target, steer = tries[-1]
    fence = next(iter(mark.exchanges("fence")), None)
    if came_too_late(steer, target):
        yield Undecided(Cause.TIME, "the response was over before it could be steered")
    elif is_transient(steer):
        yield Undecided(Cause.TRANSIENT, describe(steer))
    elif steer.answer is None and steer.error is None and not _is_answered(fence):
        yield Undecided(Cause.TIME, describe(steer))
    else:
        yield Finding(steer.last, f"{ACCEPTED} for a response that runs", describe(steer))


def _is_answered(fence: Exchange | None) -> bool:
    return fence is not None and fence.outcome in ("completed", "incomplete")


@invariant("RWS-STEER-002", when=lambda e: bool(steers(e, answered_by=ACCEPTED)))
def acceptance_names_what_it_accepts(evidence: Evidence) -> Iterator[Outcome]:
    """An acceptance has an id of its own and names the response that is steered."""
    accepted = steers(evidence, answered_by=ACCEPTED)
    for exchange, event in accepted:
        steer = steer_of(event)
        if steer.get(PREVIOUS) != target_of(exchange):
            wanted, seen = f"the response {target_of(exchange)!r}", excerpt(steer.get(PREVIOUS))
            yield Finding(event.n, wanted, seen, path=f"/steer/{PREVIOUS}")
        if not isinstance(steer.get("id"), str) or not steer["id"]:
            yield Finding(event.n, "a non-empty id", excerpt(steer.get("id")), path="/steer/id")
    for (one, first), (other, second) in combinations(accepted, 2):
        name = steer_of(second).get("id")
        if one.conn == other.conn and name and steer_of(first).get("id") == name:
            seen = f"{name!r} again"
            yield Finding(second.n, "an id that no other steer has", seen, path="/steer/id")


# What becomes of the response


@expectation("RWS-STEER-004")
def steered_response_says_so(mark: Mark) -> Iterator[Outcome]:
    """A response that ends incomplete after a steer gives steered as the reason."""
    target = mark.exchange()
    reason = reason_of(target.response)
    if is_moody(target):
        yield Undecided(Cause.MOOD, describe(target))
    elif target.outcome == "incomplete" and reason != STEERED:
        path = "/response/incomplete_details/reason"
        yield Finding(target.last, f"the reason {STEERED!r}", excerpt(reason), path=path)


def cut(evidence: Evidence) -> list[Exchange]:
    """The responses that ended because they were steered."""
    ended = (x for x in evidence.responses if x.outcome == "incomplete")
    return [x for x in ended if reason_of(x.response) == STEERED]


@invariant("RWS-STEER-005", when=lambda e: bool(cut(e)))
def items_are_finished_first(evidence: Evidence) -> Iterator[Outcome]:
    """Each output item of a steered response that has begun is done."""
    for exchange in cut(evidence):
        for item in items_of(exchange):
            at = item.done or item.events[-1]
            status = item.final.get("status", "completed") if item.done else "open"
            if status != "completed":
                left = status if isinstance(status, str) else f"with the status {excerpt(status)}"
                seen = f"the item {item.index} is left {left}"
                yield Finding(at.n, f"{ITEM_DONE} for the item, completed", seen)


# The successor


@expectation("RWS-STEER-003")
def successor_follows(mark: Mark) -> Iterator[Outcome]:
    """After a steer was accepted a successor begins, or the input comes back."""
    target, steer = mark.exchange("target"), mark.exchange()
    fence = next(iter(mark.exchanges("fence")), None)
    has_successor = any(parent is target for parent, _ in successors(mark.evidence))
    if has_successor or any(e.type == FAILED for e in steer.sequels):
        return
    if target.outcome not in ("completed", "incomplete") or not _is_answered(fence):
        yield Undecided(Cause.TIME, f"no successor; the steered response: {describe(target)}")
    else:
        seen = "none, though a create that was sent later was answered"
        yield Finding(target.last, f"a successor of the response, or {FAILED}", seen)


@invariant("RWS-STEER-006", when=lambda e: bool(successors(e)))
def successor_continues_the_response(evidence: Evidence) -> Iterator[Outcome]:
    """The successor continues the response that was steered."""
    for parent, successor in successors(evidence):
        seen = successor.response.get(PREVIOUS)
        if seen is not None and seen != parent.response_id:
            path = f"/response/{PREVIOUS}"
            yield Finding(successor.last, excerpt(parent.response_id), excerpt(seen), path=path)


@invariant("RWS-STEER-007", when=lambda e: bool(successors(e)))
@folded_where_torn
def successor_inherits_settings(evidence: Evidence) -> Iterator[Outcome]:
    """What the responses show of their settings is the same."""
    for parent, successor in successors(evidence):
        before, after = parent.response, successor.response
        for name in SETTINGS:
            if name in before and name in after and before[name] != after[name]:
                yield Finding(
                    successor.last,
                    f"{name} {excerpt(before[name])}, as in the response that was steered",
                    excerpt(after[name]),
                    path=f"/response/{name}",
                )
        if "tools" in before and "tools" in after and tools_of(before) != tools_of(after):
            wanted, seen = f"the tools {excerpt(tools_of(before))}", excerpt(tools_of(after))
            yield Finding(successor.last, wanted, seen, path="/response/tools")


@expectation("RWS-STEER-008", root="RWS-CHAIN-003")
@expectation("RWS-STEER-013")
def steered_input_is_seen(mark: Mark) -> Iterator[Outcome]:
    """A word that the successor or the create behind it can know comes back."""
    yield from recalled(mark)


@invariant("RWS-STEER-009", when=lambda e: bool(steers(e, answered_by=ACCEPTED)))
def answers_name_the_lane(evidence: Evidence) -> Iterator[Outcome]:
    """What is said about a steer carries the stream_id of the response that is steered."""
    for exchange, event in steers(evidence, answered_by=ACCEPTED):
        for target in targets(evidence, exchange):
            pending = [e for e in exchange.sequels if e.type == PENDING]
            yield from _misnamed([event, *pending], target)


@invariant("RWS-STEER-010", when=lambda e: bool(successors(e)))
def successor_names_the_lane(evidence: Evidence) -> Iterator[Outcome]:
    """The events of a successor carry the stream_id of the response that was steered."""
    for parent, successor in successors(evidence):
        yield from _misnamed(successor.events, parent)


def _misnamed(events: Sequence[Received], target: Exchange) -> Iterator[Finding]:
    lane = target.lane or None
    wrong = [e for e in events if e.payload.get(LANE) != lane]
    if wrong:
        wanted = f"the stream_id {lane!r} of the response" if lane else "no stream_id"
        seen = (
            f"{excerpt(wrong[0].payload.get(LANE))} on {wrong[0].type}, {len(wrong)} events in all"
        )
        yield Finding(wrong[0].n, wanted, seen, path=f"/{LANE}")


@invariant("RWS-STEER-011", when=lambda e: bool(successors(e)))
@folded_where_torn
def response_has_one_successor(evidence: Evidence) -> Iterator[Outcome]:
    """No two successors have the same response before them."""
    for (parent, _), (other, second) in combinations(successors(evidence), 2):
        if parent is other:
            at = second.events[0].n if second.events else second.last
            yield Finding(at, "one successor of a response", f"another, {second.response_id!r}")
