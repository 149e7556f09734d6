"""Checks on function calls and their outputs."""

from __future__ import annotations

from collections.abc import Iterator
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
from responses_ws_conformance.checks.answers import (
    NOT_FOUND,
    answered,
    describe,
    is_transient,
    recalled,
    rejected,
    without_control,
)
from responses_ws_conformance.reading.exchanges import Exchange, output_of
from responses_ws_conformance.reading.items import Item, done_items, final_items
from responses_ws_conformance.transcript import Received
from responses_ws_conformance.transcript.payloads import NOT_JSON, parse
from responses_ws_conformance.values import excerpt


@expectation("RWS-TOOL-001")
def forced_call_comes(mark: Mark) -> Iterator[Outcome]:
    """A response that has to call a function completes with a call of it."""
    exchange = mark.exchange()
    yield from answered(exchange)
    choice = exchange.request.get("tool_choice")
    wanted = choice.get("name") if isinstance(choice, dict) else None
    names = [call.get("name") for call in exchange.function_calls]
    if exchange.outcome == "completed" and (wanted not in names if wanted else not names):
        yield Finding(
            exchange.last,
            f"a function_call item of {wanted}" if wanted else "a function_call item",
            f"calls of {excerpt(names)}"
            if names
            else f"no call, and the text {exchange.text[:80]!r}",
        )


def finished_calls(
    evidence: Evidence, kind: str = "function_call"
) -> list[tuple[Received, dict[str, Any]]]:
    """The calls of one kind that were not cut off, and the event that shows each last."""
    return [
        (event, item)
        for exchange in evidence.responses
        for event, item in final_items(exchange)
        if item.get("type") == kind and item.get("status") in (None, "completed")
    ]


def nameless(event: Received, call: dict[str, Any]) -> Iterator[Finding]:
    """Yield what a call lacks of its call_id and its name."""
    for name in ("call_id", "name"):
        value = call.get(name)
        if not isinstance(value, str) or not value:
            wanted = f"a {call['type']} with a non-empty string as {name}"
            yield Finding(event.n, wanted, excerpt(value))


@invariant("RWS-TOOL-002", when=lambda evidence: bool(finished_calls(evidence)))
def calls_are_whole(evidence: Evidence) -> Iterator[Outcome]:
    """A call has a call_id, a name, and arguments that hold JSON."""
    for event, call in finished_calls(evidence):
        yield from nameless(event, call)
        arguments = call.get("arguments")
        if not isinstance(arguments, str) or parse(arguments) is NOT_JSON:
            wanted = "a function_call whose arguments are a string of valid JSON"
            yield Finding(event.n, wanted, excerpt(arguments))


@expectation("RWS-TOOL-003", root="RWS-CHAIN-001")
@expectation("RWS-TOOL-004", root="RWS-CHAIN-002")
def output_is_answered(mark: Mark) -> Iterator[Outcome]:
    """A continuation with the output of a call ends with a completed response."""
    yield from answered(mark.exchange())


@expectation("RWS-TOOL-008")
@expectation("RWS-TOOL-010")
def items_together_are_answered(mark: Mark) -> Iterator[Outcome]:
    """A continuation with several outputs, or with one and a message, is answered."""
    exchange = mark.exchange()
    if exchange.outcome == "error" and exchange.error_code == NOT_FOUND:
        # A server that has lost the response would not take a lone output either.
        yield Undecided(Cause.BLOCKED, describe(exchange), by="RWS-TOOL-004")
    else:
        yield from answered(exchange)


@expectation("RWS-TOOL-005")
def output_reaches_the_model(mark: Mark) -> Iterator[Outcome]:
    """The model brings back a word that only the output of a call holds."""
    yield from recalled(mark)


@expectation("RWS-TOOL-006", offence=("/message/input",))
def output_without_its_call_is_refused(mark: Mark) -> Iterator[Outcome]:
    """An output is refused where its call_id belongs to no call."""
    yield from rejected(
        mark, "for the output whose call_id belongs to no call", control_by="RWS-TOOL-003"
    )


@expectation("RWS-TOOL-011", offence=("/message/input",))
def call_without_its_output_is_refused(mark: Mark) -> Iterator[Outcome]:
    """A continuation is refused where it leaves a call unanswered."""
    yield from rejected(
        mark, "for the call that is left without an output", control_by="RWS-TOOL-010"
    )


def parallel_calls(evidence: Evidence) -> list[tuple[Exchange, list[Item]]]:
    """The responses with several function calls, and the items of these."""
    rows = [
        (exchange, [i for i in done_items(exchange) if i.final.get("type") == "function_call"])
        for exchange in evidence.responses
    ]
    return [(exchange, calls) for exchange, calls in rows if len(calls) > 1]


@invariant("RWS-TOOL-007", when=lambda evidence: bool(parallel_calls(evidence)))
def parallel_calls_are_distinct(evidence: Evidence) -> Iterator[Outcome]:
    """The calls of one response differ in call_id and output_index."""
    for exchange, calls in parallel_calls(evidence):
        for place, call in enumerate(calls):
            name, earlier = call.final.get("call_id"), calls[:place]
            at = call.done.n if call.done is not None else exchange.last
            if isinstance(name, str) and any(name == c.final.get("call_id") for c in earlier):
                yield Finding(at, "distinct call_ids", f"{name!r} for two calls of the response")
            if any(call.index == c.index for c in earlier):
                wanted = "distinct output_index values"
                yield Finding(at, wanted, f"{call.index} for two calls of the response")


@expectation("RWS-TOOL-009")
def no_call_is_emitted(mark: Mark) -> Iterator[Outcome]:
    """A response that may not call a function has no call item."""
    for event in mark.exchange().events:
        shown = [event.payload.get("item"), *output_of(event)]
        calls = [i for i in shown if isinstance(i, dict) and i.get("type") == "function_call"]
        if calls:
            wanted = 'no function_call item under tool_choice "none"'
            yield Finding(
                event.n, wanted, f"a call of {excerpt(calls[0].get('name'))} in {event.type}"
            )
            return


@expectation("RWS-TOOL-012", offence=("/message/input/0/call_id",))
def refusal_of_an_output_names_the_input(mark: Mark) -> Iterator[Outcome]:
    """The error for an output without its call says that the input is at fault."""
    exchange = mark.exchange()
    if exchange.error is None or exchange.error_code == NOT_FOUND:
        by = None if exchange.outcome == "failed" else "RWS-TOOL-006"
        yield Undecided(Cause.BLOCKED, describe(exchange), by=by)
        return
    param = exchange.error_object.get("param")
    if param != "input":
        yield Finding(
            exchange.error.n, "param 'input'", f"param {excerpt(param)}", path="/error/param"
        )
    else:
        yield from without_control(mark, by="RWS-TOOL-003")


@expectation("RWS-TOOL-013", offence=("/message/tool_choice", "/connection"))
def only_allowed_tools_are_called(mark: Mark) -> Iterator[Outcome]:
    """No call of a function comes that is not among the allowed ones.

    ``control`` allowed it, and only where the model called it there does its absence prove much.
    """
    subject, control = mark.exchange(), mark.exchange("control")
    allowed = _names(subject.request["tool_choice"]["tools"])
    for event, item in final_items(subject):
        if item.get("type") == "function_call" and item.get("name") not in allowed:
            wanted = f"calls of {' and '.join(allowed)} only"
            yield Finding(event.n, wanted, f"a call of {excerpt(item.get('name'))}")
            return
    outcomes = [*answered(subject, by=("completed", "incomplete"))]
    yield from outcomes or without_control(mark, by="RWS-TOOL-001")
    if not outcomes and control.outcome in ("completed", "incomplete"):
        others = [n for n in _names(control.request["tools"]) if n not in allowed]
        if not set(others) & set(_names(control.function_calls)):
            why = f"the model did not call {others[0]} where that was allowed either"
            yield Undecided(Cause.MOOD, why)


def _names(items: Any) -> list[str]:
    return [str(item.get("name")) for item in items]


@expectation("RWS-TOOL-014")
def repeated_call_does_no_harm(mark: Mark) -> Iterator[Outcome]:
    """A continuation with a call that the chain has is answered or refused."""
    exchange = mark.exchange()
    if exchange.outcome == "error" and exchange.error_code == NOT_FOUND:
        yield Undecided(Cause.BLOCKED, describe(exchange), by="RWS-TOOL-004")
    elif exchange.outcome != "error" or is_transient(exchange):
        yield from answered(exchange, by=("completed", "incomplete", "failed"))
