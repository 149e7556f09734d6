"""Checks on what is streamed: the deltas of texts and arguments, and what they are told to be.

They are invariants like those on items, and leave the same responses out.
"""

from __future__ import annotations

from collections.abc import Iterator

from responses_ws_conformance.checks import Evidence, Finding, Outcome, invariant
from responses_ws_conformance.checks.rows import each, occurs
from responses_ws_conformance.reading.exchanges import Exchange
from responses_ws_conformance.reading.items import ARGUMENTS, Item, items_of
from responses_ws_conformance.reading.wholes import (
    Whole,
    ended_streams,
    final_arguments,
    final_texts,
    streamed_arguments,
    streamed_texts,
    unfinished,
)
from responses_ws_conformance.values import excerpt


def streaming_calls(exchange: Exchange) -> Iterator[Item]:
    """Every call that was done after its arguments were streamed; not those that were cut off."""
    for item in items_of(exchange):
        is_streamed = any(e.type == ARGUMENTS.delta for e in item.events)
        if is_streamed and item.done and item.final.get("status") != "incomplete":
            yield item


@invariant("RWS-ITEM-017", when=occurs(streaming_calls))
def arguments_are_finished(evidence: Evidence) -> Iterator[Outcome]:
    """Streamed arguments are called whole behind their deltas and before their call is done."""
    for _, item in each(streaming_calls, evidence):
        assert item.done is not None
        if actual := unfinished(item, ARGUMENTS):
            wanted = f"{ARGUMENTS.done} after the deltas of the call at output_index {item.index}"
            yield Finding(item.done.n, wanted, actual)


@invariant("RWS-ITEM-020", when=occurs(ended_streams))
def nothing_is_added_to_what_is_done(evidence: Evidence) -> Iterator[Outcome]:
    """The done event of a text, a refusal or arguments comes after their last delta."""
    for _, (kind, events) in each(ended_streams, evidence):
        last = events[-1]
        if last.type == kind.delta:
            where = f"at output_index {last.payload['output_index']}"
            yield Finding(last.n, f"no {kind.delta} {where} after {kind.done}", "it came after")


@invariant("RWS-ITEM-005", when=occurs(streamed_texts))
@invariant("RWS-ITEM-006", when=occurs(streamed_texts))
def joined_deltas_are_the_text(evidence: Evidence) -> Iterator[Outcome]:
    """What was streamed as a text or refusal is what it became."""
    for _, (text, whole) in each(streamed_texts, evidence):
        yield from differs(whole, "the joined deltas", text)


@invariant("RWS-ITEM-007", when=occurs(final_texts))
def final_texts_agree(evidence: Evidence) -> Iterator[Outcome]:
    """The text of a part is the same wherever it is whole."""
    for _, (first, *others) in each(final_texts, evidence):
        for other in others:
            yield from differs(other, f"the text of {first.event.type}", first.text)


@invariant("RWS-ITEM-008", when=occurs(streamed_arguments))
@invariant("RWS-ITEM-009", when=occurs(streamed_arguments))
def joined_deltas_are_the_arguments(evidence: Evidence) -> Iterator[Outcome]:
    """What was streamed as arguments is what they became."""
    for _, (text, whole) in each(streamed_arguments, evidence):
        yield from differs(whole, "the joined deltas", text)


@invariant("RWS-ITEM-010", when=occurs(final_arguments))
def final_arguments_agree(evidence: Evidence) -> Iterator[Outcome]:
    """The arguments of a call are the same in their done event and in the done item."""
    for _, (done, final) in each(final_arguments, evidence):
        yield from differs(final, f"the arguments of {done.event.type}", done.text)


def differs(whole: Whole, what: str, text: str | None) -> Iterator[Finding]:
    """Yield where a whole text is not the given one, quoting both from where they part."""
    if whole.text == text:
        return
    given, seen = text or "", whole.text or ""
    pairs = enumerate(zip(given, seen, strict=False))
    parting = next((i for i, (a, b) in pairs if a != b), min(len(given), len(seen)))
    start = max(0, parting - 20)
    there = f", from character {start} on" if start else ""
    actual = "no text" if whole.text is None else excerpt(seen[start:])
    yield Finding(
        whole.event.n,
        f"{what}{there}: {excerpt(given[start:])}",
        f"in {whole.event.type}{there}: {actual}",
    )
