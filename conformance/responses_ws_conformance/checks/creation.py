"""Checks on ``response.create``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
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
    answered,
    contains,
    describe,
    is_transient,
    not_recalled,
    recalled,
    rejected,
    tools_of,
)
from responses_ws_conformance.reading.exchanges import Exchange, reason_of, response_of
from responses_ws_conformance.values import excerpt

LIMIT_REACHED: Final = "max_output_tokens"


@expectation("RWS-CREATE-001")
@expectation("RWS-CREATE-002")
@expectation("RWS-CREATE-012")
def create_is_answered(mark: Mark) -> Iterator[Outcome]:
    """A healthy create ends with a completed response, and its input reached the model."""
    if "recalls" in mark.note.roles:
        yield from recalled(mark)
    else:
        yield from answered(mark.exchange())


def echoes(evidence: Evidence, member: str, kind: type) -> list[Exchange]:
    """Ended responses whose create, as far as is known, had a member of this type, not empty."""
    return [
        x
        for x in evidence.exchanges
        if x.is_create
        and x.terminal is not None
        and not x.is_guessed
        and isinstance(x.request.get(member), kind)
        and x.request[member] not in ([], {})
    ]


@invariant("RWS-CREATE-003", when=lambda e: bool(echoes(e, "tools", list)))
def tools_are_listed(evidence: Evidence) -> Iterator[Outcome]:
    """The response lists the tools of its own create."""
    for exchange in echoes(evidence, "tools", list):
        listed = tools_of(exchange.response)
        missing = [name for name in tools_of(exchange.request) if name not in listed]
        if missing:
            yield Finding(
                exchange.last,
                f"the tool {missing[0]!r} of the create in the tools of its response",
                f"tools {excerpt(exchange.response.get('tools'))}",
            )


@invariant("RWS-CREATE-004", when=lambda e: bool(echoes(e, "metadata", dict)))
def metadata_is_echoed(evidence: Evidence) -> Iterator[Outcome]:
    """The response carries the metadata of its create."""
    for exchange in echoes(evidence, "metadata", dict):
        sent, seen = exchange.request["metadata"], exchange.response.get("metadata")
        if not isinstance(seen, dict) or any(seen.get(k) != v for k, v in sent.items()):
            yield Finding(
                exchange.last, f"the metadata {excerpt(sent)} in the response", excerpt(seen)
            )


@expectation("RWS-CREATE-005")
def refused_model_leaves_the_connection_usable(mark: Mark) -> Iterator[Outcome]:
    """A create refused for its model is answered with an event, and the next create works."""
    yield from _answered_somehow(mark)
    yield from _served_after(mark, "a connection that still serves the next create")


@expectation("RWS-CREATE-006")
def null_begins_a_new_chain(mark: Mark) -> Iterator[Outcome]:
    """A create with previous_response_id null is answered, and knows nothing of earlier turns."""
    exchange, word = mark.exchange(), str(mark.fact("word"))
    continued = exchange.response.get("previous_response_id")
    if isinstance(continued, str):
        yield Finding(exchange.last, "a new chain", f"a continuation of {continued!r}")
    elif contains(exchange, word):
        yield Finding(
            exchange.last,
            "a new chain, which does not know earlier turns of the connection",
            f"the answer {exchange.text[:80]!r}, with the code word of an earlier turn",
        )
    else:
        yield from answered(exchange)


@expectation("RWS-CREATE-018")
def instructions_reach_the_model(mark: Mark) -> Iterator[Outcome]:
    """A word that stands in the instructions only comes back."""
    yield from recalled(mark)


@expectation("RWS-CREATE-007")
def instructions_are_not_inherited(mark: Mark) -> Iterator[Outcome]:
    """A continuation neither shows nor follows the instructions of the response before it."""
    subject, word = mark.exchange(), str(mark.fact("word"))
    shown = subject.response.get("instructions")
    if word in str(shown):
        yield Finding(
            subject.last,
            "a continuation without the instructions of the response before it",
            f"instructions {excerpt(shown)}",
        )
    else:
        yield from not_recalled(mark)


@expectation("RWS-CREATE-008")
def tools_are_not_inherited(mark: Mark) -> Iterator[Outcome]:
    """A continuation does not list the tools of the response before it."""
    subject, before = mark.exchange(), mark.exchange("before")
    declared = tools_of(before.request)
    inherited = [name for name in tools_of(subject.response) if name in declared]
    if inherited:
        yield Finding(
            subject.last,
            "a continuation without the tools of the response before it",
            f"the tool {inherited[0]!r} in its tools",
        )
    elif not set(declared) & set(tools_of(before.response)):
        why = "the response before it did not list its tools either"
        yield Undecided(Cause.BLOCKED, why, "RWS-CREATE-003")


@expectation("RWS-CREATE-009")
def token_limit_makes_the_response_incomplete(mark: Mark) -> Iterator[Outcome]:
    """A response that reaches max_output_tokens ends incomplete, for that reason."""
    exchange = mark.exchange()
    if exchange.outcome == "incomplete":
        reason = reason_of(exchange.response)
        if reason is None:
            yield Undecided(Cause.BLOCKED, "response.incomplete has no reason", "RWS-EVENT-010")
        elif reason == "content_filter":
            yield Undecided(Cause.MOOD, "a content filter ended the response before its limit")
        elif reason != LIMIT_REACHED:
            yield Finding(
                exchange.last, f"the reason {LIMIT_REACHED!r}", f"the reason {excerpt(reason)}"
            )
    elif exchange.outcome == "completed":
        yield _completed_in_spite_of_the_limit(exchange)
    else:
        yield from answered(exchange, by=("incomplete",))


def _completed_in_spite_of_the_limit(exchange: Exchange) -> Outcome:
    """A finding where the limit was reached; a model may also stop before it, of its own will."""
    limit = exchange.request["max_output_tokens"]
    usage = exchange.response.get("usage")
    tokens = usage.get("output_tokens") if isinstance(usage, dict) else None
    text = exchange.text.rstrip()
    # A model that has no more to say may use up its tokens too, but not in the middle of a count.
    last = text.rstrip(", ")[-3:]
    is_cut = not text or (last[-1:].isdigit() and last != "200")
    if isinstance(tokens, int) and (tokens > limit or (tokens == limit and is_cut)):
        seen = f"{tokens} output tokens by its own count"
    elif len(text.split()) > 2 * limit:
        seen = f"{len(text.split())} words"
    else:
        return Undecided(Cause.MOOD, f"the model stopped before {limit} tokens: {text[:80]!r}")
    return Finding(
        exchange.last,
        f"response.incomplete at max_output_tokens {limit}",
        f"response.completed with {seen}: {text[:80]!r}",
    )


@expectation("RWS-CREATE-010")
def background_is_not_started(mark: Mark) -> Iterator[Outcome]:
    """A create with background true is refused, or answered in the foreground."""
    exchange = mark.exchange()
    for event in exchange.events:
        if (response_of(event) or {}).get("background") is True:
            yield Finding(
                event.n,
                "an error event, or a response whose background is not true",
                f"{event.type} with background true",
            )
            return
    yield from _answered_somehow(mark)


@expectation("RWS-CREATE-011")
def stream_is_no_obstacle(mark: Mark) -> Iterator[Outcome]:
    """A create with stream true is answered with a response or an error event."""
    yield from answered_without_a_stall(mark, "with stream true")


def answered_without_a_stall(mark: Mark, what: str) -> Iterator[Outcome]:
    """Yield why a create got no answer of any kind, where the ``fence`` after it got one."""
    exchange = mark.exchange()
    for fence in mark.exchanges("fence"):
        if not exchange.is_ended and contains(fence, str(mark.fact("word"))):
            yield Finding(
                exchange.sent.n,
                f"a response or an error event for the create {what}",
                "nothing, while the create that was sent after it was answered",
            )
            return
    yield from _answered_somehow(mark)


@expectation("RWS-CREATE-013")
def missing_model_leaves_the_connection_open(mark: Mark) -> Iterator[Outcome]:
    """A create without model is answered, and the connection stays open."""
    yield from _answered_somehow(mark)
    yield from _served_after(mark, "a connection that stays open")


@expectation("RWS-CREATE-015", offence=("/message/max_output_tokens",))
def low_token_limit_is_refused(mark: Mark) -> Iterator[Outcome]:
    """A token limit below the least one is refused."""
    yield from rejected(mark, "for a max_output_tokens below 16", control_by="RWS-CREATE-009")


@expectation("RWS-CREATE-016", offence=("/message/top_logprobs",))
def too_many_logprobs_are_refused(mark: Mark) -> Iterator[Outcome]:
    """More log probabilities than there can be are refused."""
    yield from rejected(mark, "for a top_logprobs out of bounds", control_by="RWS-CREATE-001")


@expectation("RWS-CREATE-017", offence=("/message/conversation",))
def two_pasts_are_refused(mark: Mark) -> Iterator[Outcome]:
    """A create that names a conversation and a response to continue is refused."""
    what = "for a conversation beside a previous_response_id"
    yield from rejected(mark, what, control_by="RWS-CHAIN-002")


def _served_after(mark: Mark, wanted: str) -> Iterator[Outcome]:
    """Yield why the create after the subject, where one was sent, has no response."""
    for after in mark.exchanges("after"):
        for outcome in answered(after, is_about_refusals=True):
            yield replace(outcome, expected=wanted) if isinstance(outcome, Finding) else outcome


def _answered_somehow(mark: Mark) -> Iterator[Outcome]:
    """Yield why the subject has neither a response nor a refusal.

    A connection that is lost proves nothing; lost ``again`` for the same create, it does.
    """
    exchange, again = mark.exchange(), mark.exchanges("again")
    if again and all(x.outcome == "closed" for x in (exchange, *again)):
        yield Finding(
            exchange.last, "a response or an error event", f"{describe(exchange)}, and so again"
        )
    elif exchange.outcome != "error" or is_transient(exchange):
        yield from answered(exchange, by=("completed", "incomplete", "failed"))


@invariant("RWS-CREATE-014", when=lambda e: bool(echoes(e, "store", bool)))
def store_is_echoed(evidence: Evidence) -> Iterator[Outcome]:
    """The response shows store as its create sent it."""
    for exchange in echoes(evidence, "store", bool):
        sent, seen = exchange.request["store"], exchange.response.get("store")
        if seen is not sent:
            yield Finding(
                exchange.last, f"store {excerpt(sent)} in the response", f"store {excerpt(seen)}"
            )
