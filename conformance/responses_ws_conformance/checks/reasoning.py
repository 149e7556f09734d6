"""Checks on reasoning items: the events that show them, and that they can be given back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

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
from responses_ws_conformance.checks.answers import answered, rejected
from responses_ws_conformance.checks.rows import each, occurs
from responses_ws_conformance.checks.texts import differs
from responses_ws_conformance.reading.exchanges import Exchange, response_of
from responses_ws_conformance.reading.items import done_items
from responses_ws_conformance.reading.thoughts import (
    OF_OPEN_RESPONSES,
    Thought,
    streamed_thoughts,
    thoughts,
)
from responses_ws_conformance.transcript import Received
from responses_ws_conformance.values import excerpt


def raw_thoughts(exchange: Exchange) -> Iterator[Thought]:
    """Every raw text of reasoning."""
    return (thought for thought in thoughts(exchange) if not thought.is_summary)


def summaries(exchange: Exchange) -> Iterator[Thought]:
    """Every part of a summary of reasoning."""
    return (thought for thought in thoughts(exchange) if thought.is_summary)


@invariant("RWS-REASON-001", when=occurs(raw_thoughts))
def reasoning_has_the_names_of_openai(evidence: Evidence) -> Iterator[Outcome]:
    """Raw reasoning is not streamed under the names that Open Responses gives it."""
    for _, thought in each(raw_thoughts, evidence):
        if thought.form is OF_OPEN_RESPONSES:
            event = thought.text_events[0]
            yield Finding(event.n, "events named response.reasoning_text.*", f"{event.type}")


@invariant("RWS-REASON-002", when=occurs(summaries))
def summary_parts_are_added_and_done(evidence: Evidence) -> Iterator[Outcome]:
    """A part of a summary is added before its text and done after it."""
    for exchange, thought in each(summaries, evidence):
        yield from parts_enclose_their_text(exchange, thought)


@invariant("RWS-REASON-003", when=occurs(raw_thoughts))
def reasoning_parts_are_added_and_done(evidence: Evidence) -> Iterator[Outcome]:
    """A part with raw reasoning is added before its text and done after it."""
    for exchange, thought in each(raw_thoughts, evidence):
        yield from parts_enclose_their_text(exchange, thought)


def parts_enclose_their_text(exchange: Exchange, thought: Thought) -> Iterator[Finding]:
    """Yield where the text of a part begins before the part, or goes on after it."""
    first, last = thought.text_events[0], thought.text_events[-1]
    added, done = thought.of_type(thought.form.added), thought.of_type(thought.form.done)
    if added is None or added.n > first.n:
        wanted = f"{thought.form.added} before the text at {thought.place}"
        yield Finding(first.n, wanted, f"{first.type}")
    # What fails or is cut off leaves its parts as they were.
    end = thought.item.done or (exchange.terminal if exchange.outcome == "completed" else None)
    is_told = last.type == thought.form.text.done
    if done is None and is_told and end is not None:
        yield Finding(end.n, f"{thought.form.done} at {thought.place}", f"{end.type} without it")
    elif done is not None and (done.n < last.n or not is_told):
        wanted = f"{thought.form.done} after {thought.form.text.done} at {thought.place}"
        yield Finding(done.n, wanted, "it before" if done.n < last.n else "it without that")


@invariant("RWS-REASON-004", when=occurs(streamed_thoughts))
@invariant("RWS-REASON-005", when=occurs(streamed_thoughts))
def joined_deltas_are_the_reasoning(evidence: Evidence) -> Iterator[Outcome]:
    """What was streamed as reasoning, or its summary, is what it became."""
    for _, (text, whole) in each(streamed_thoughts, evidence):
        yield from differs(whole, "the joined deltas", text)


def told_twice(exchange: Exchange) -> Iterator[Thought]:
    """Every part of the reasoning that several events call whole."""
    return (thought for thought in thoughts(exchange) if len(list(thought.wholes())) > 1)


@invariant("RWS-REASON-006", when=occurs(told_twice))
def final_reasoning_agrees(evidence: Evidence) -> Iterator[Outcome]:
    """The text of a part of the reasoning is the same wherever it is whole."""
    for _, thought in each(told_twice, evidence):
        first, *others = thought.wholes()
        for other in others:
            what = f"the text of {first.event.type} at {thought.place}"
            yield from differs(other, what, first.text)


def reasoning_items(exchange: Exchange) -> list[tuple[Received, dict[str, Any]]]:
    """The reasoning items of a response, with the events that they were done in."""
    found = [(item.done, item.final) for item in done_items(exchange)]
    return [(e, item) for e, item in found if e is not None and item.get("type") == "reasoning"]


@expectation("RWS-REASON-007")
def hidden_reasoning_is_encrypted(mark: Mark) -> Iterator[Outcome]:
    """A reasoning item that is to be carried along has an encrypted content, or shows its text."""
    yield from encrypted(mark, lambda item: not item.get("content"))


@expectation("RWS-REASON-008")
def all_reasoning_is_encrypted(mark: Mark) -> Iterator[Outcome]:
    """A reasoning item that is to be carried along has an encrypted content."""
    yield from encrypted(mark, lambda item: True)


def encrypted(mark: Mark, is_owed: Callable[[dict[str, Any]], bool]) -> Iterator[Outcome]:
    """Yield where a reasoning item that owes an encrypted content has none."""
    exchange = mark.exchange()
    items = reasoning_items(exchange)
    yield from answered(exchange)
    if exchange.outcome == "completed" and not items:
        yield Undecided(Cause.MOOD, "the model answered without reasoning")
    for event, item in items:
        if not is_owed(item):
            continue
        content = item.get("encrypted_content")
        if not isinstance(content, str) or not content:
            wanted = "a reasoning item with a non-empty encrypted_content"
            yield Finding(event.n, wanted, excerpt(content), path="/item/encrypted_content")


@expectation("RWS-REASON-009")
def reasoning_is_taken_back(mark: Mark) -> Iterator[Outcome]:
    """A create with the items of an earlier response, its reasoning among them, is answered."""
    yield from answered(mark.exchange())


@expectation("RWS-REASON-010", offence=("/message/input",))
def foreign_reasoning_is_refused(mark: Mark) -> Iterator[Outcome]:
    """A create is refused where the encrypted content of its reasoning is not the server's own."""
    yield from rejected(
        mark, "for the encrypted content that nobody made", control_by="RWS-REASON-009"
    )


def counted_thoughts(exchange: Exchange) -> Iterator[tuple[Received, int, int]]:
    """The terminal event where it counts tokens of reasoning, these, and all tokens of output."""
    usage = (response_of(exchange.terminal) or {}).get("usage") if exchange.terminal else None
    details = usage.get("output_tokens_details") if isinstance(usage, dict) else None
    thought = details.get("reasoning_tokens") if isinstance(details, dict) else None
    written = usage.get("output_tokens") if isinstance(usage, dict) else None
    if exchange.terminal and isinstance(thought, int) and isinstance(written, int) and thought:
        yield exchange.terminal, thought, written


@invariant("RWS-REASON-011", when=occurs(counted_thoughts))
def reasoning_is_counted_as_output(evidence: Evidence) -> Iterator[Outcome]:
    """The tokens of reasoning are among those of the output."""
    for _, (event, thought, written) in each(counted_thoughts, evidence):
        if thought > written:
            wanted = f"at most {written} reasoning_tokens, as many as output_tokens"
            yield Finding(event.n, wanted, f"{thought}", path="/response/usage")
