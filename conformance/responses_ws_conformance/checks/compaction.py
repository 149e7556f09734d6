"""Checks on conversations that are folded, by the server itself and by the compact call."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from responses_ws_schemas import explain

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
    NOT_FOUND,
    answered,
    input_tokens,
    recalled,
    refused,
    rejected,
    without_control,
)
from responses_ws_conformance.checks.http import not_as
from responses_ws_conformance.reading.exchanges import Exchange, output_of
from responses_ws_conformance.values import excerpt

COMPACTION: Final = "compaction"
COMPACTING: Final = "response.compaction.compacting"
COMPACTED: Final = "objects/compacted_conversation"


def is_folded(exchange: Exchange) -> bool:
    """True where the output of a response has a compaction item."""
    return any(item.get("type") == COMPACTION for item in exchange.output_items)


def threshold_of(exchange: Exchange) -> int:
    """The threshold that a create asks for, 0 where it asks for none."""
    asked = exchange.request.get("context_management")
    entries = asked if isinstance(asked, list) else []
    thresholds = [e.get("compact_threshold") for e in entries if isinstance(e, dict)]
    return next((t for t in thresholds if isinstance(t, int)), 0)


@expectation("RWS-COMPACT-001", root="RWS-CHAIN-002")
@expectation("RWS-COMPACT-005")
@expectation("RWS-COMPACT-007")
@expectation("RWS-COMPACT-010")
def create_is_answered(mark: Mark) -> Iterator[Outcome]:
    """A create that asks for compaction, or goes on from one, is answered with a response."""
    yield from answered(mark.exchange())


@expectation("RWS-COMPACT-002")
def long_conversation_is_folded(mark: Mark) -> Iterator[Outcome]:
    """One of the responses beyond the threshold has a compaction item."""
    beyond = mark.exchanges("subject")
    if any(map(is_folded, beyond)):
        return
    counts = [input_tokens(x) for x in beyond]
    threshold = threshold_of(mark.latest())
    if any(counts) and max(counts) <= threshold:
        why = f"the server counts {max(counts)} tokens, and the threshold is {threshold}"
        yield Undecided(Cause.MOOD, why)
    else:
        expected = f"a compaction item beyond {threshold} tokens"
        yield Finding(beyond[-1].last, expected, f"none in {len(beyond)} responses")


def folded_items(evidence: Evidence) -> Iterator[tuple[int, str | None, dict[str, Any]]]:
    """Each compaction item of a response or a compact call, the entry that has it, and where."""
    outputs: list[tuple[int, str | None, Any]] = []
    for exchange in evidence.responses:
        whole = output_of(exchange.terminal) if exchange.terminal is not None else []
        place = "/response/output" if whole else None
        outputs.append((exchange.last, place, whole or exchange.output_items))
    for call in evidence.reading.calls.values():
        payload = call.payload if isinstance(call.payload, dict) else {}
        outputs.append((call.last, "/output", payload.get("output")))
    for at, place, output in outputs:
        for number, item in enumerate(output if isinstance(output, list) else []):
            if isinstance(item, dict) and item.get("type") == COMPACTION:
                yield at, f"{place}/{number}" if place is not None else None, item


@invariant("RWS-COMPACT-003", when=lambda e: any(True for _ in folded_items(e)))
def compaction_item_has_contents(evidence: Evidence) -> Iterator[Outcome]:
    """A compaction item has an encrypted_content that is not empty."""
    for at, place, item in folded_items(evidence):
        contents = item.get("encrypted_content")
        if not isinstance(contents, str) or not contents:
            expected = "a compaction item with encrypted_content"
            seen = f"the encrypted_content {excerpt(contents)}"
            yield Finding(at, expected, seen, path=place)


def announces_compaction(evidence: Evidence) -> bool:
    """True where a response has an event that says that it is being folded."""
    return any(e.type == COMPACTING for x in evidence.responses for e in x.events)


@invariant("RWS-COMPACT-004", when=announces_compaction)
def announced_compaction_is_in_the_output(evidence: Evidence) -> Iterator[Outcome]:
    """An event about a compaction names a compaction item of its response."""
    for exchange in evidence.responses:
        if not exchange.is_ended or exchange.terminal is None:
            continue
        items = [
            (e.payload["item"].get("id"), e.payload.get("output_index"))
            for e in exchange.events
            if isinstance(e.payload.get("item"), dict)
            and e.payload["item"].get("type") == COMPACTION
        ]
        for event in exchange.events:
            named = (event.payload.get("item_id"), event.payload.get("output_index"))
            if event.type == COMPACTING and named not in items:
                expected = "item_id and output_index of a compaction item of the response"
                yield Finding(event.n, expected, f"{named[0]!r} at {named[1]!r}")


@expectation("RWS-COMPACT-006", root="RWS-CHAIN-003")
@expectation("RWS-COMPACT-011")
def what_was_folded_is_seen(mark: Mark) -> Iterator[Outcome]:
    """A word from before the compaction comes back."""
    yield from recalled(mark)


@expectation("RWS-COMPACT-008", offence=("/message/context_management",))
def low_threshold_is_refused(mark: Mark) -> Iterator[Outcome]:
    """A threshold below the least one is refused, and the least one is not."""
    what = "for a compact_threshold below 1000"
    yield from rejected(mark, what, control_by="RWS-COMPACT-001")


@expectation("RWS-COMPACT-009")
def compact_call_has_its_form(mark: Mark) -> Iterator[Outcome]:
    """The compact call is answered with 200 and a compacted conversation."""
    call = mark.call()
    if call.status != 200 or not isinstance(call.payload, dict):
        yield not_as(call, "status 200 and a compacted conversation")
        return
    for path, problem in explain(COMPACTED, call.payload):
        yield Finding(call.last, "a compacted conversation", problem, path=path)


@expectation("RWS-COMPACT-012", offence=("/message/previous_response_id",))
def compaction_is_no_response(mark: Mark) -> Iterator[Outcome]:
    """The id of a compact call is not found when it is continued."""
    what = "for the id of a compacted conversation"
    outcomes = list(refused(mark.exchange(), codes=(NOT_FOUND,), what=what))
    yield from outcomes or without_control(mark, by="RWS-CREATE-002")
