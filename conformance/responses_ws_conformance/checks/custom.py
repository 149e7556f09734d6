"""Checks on custom tools, and on the other calls that a client executes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

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
    recalled,
    rejected,
)
from responses_ws_conformance.checks.rows import each, occurs
from responses_ws_conformance.checks.texts import differs
from responses_ws_conformance.checks.tools import finished_calls, nameless
from responses_ws_conformance.reading.exchanges import Exchange
from responses_ws_conformance.reading.items import INPUT, Item, final_items, items_of
from responses_ws_conformance.reading.wholes import final_inputs, streamed_inputs, unfinished
from responses_ws_conformance.transcript import Received
from responses_ws_conformance.values import excerpt

CUSTOM_CALL: Final = "custom_tool_call"
# By which member the answer of the client refers to a call, for the kinds beyond those with a name.
LINKS: Final[Mapping[str, str]] = {
    "shell_call": "call_id",
    "apply_patch_call": "call_id",
    "computer_call": "call_id",
    "tool_search_call": "call_id",
    "mcp_approval_request": "id",
}


def calls_in(exchange: Exchange, *kinds: str) -> list[dict[str, Any]]:
    """The final items of some types."""
    return [item for item in exchange.output_items if item.get("type") in kinds]


@expectation("RWS-CUSTOM-001")
def forced_custom_call_comes(mark: Mark) -> Iterator[Outcome]:
    """A response that has to call a custom tool completes with a call of it."""
    exchange = mark.exchange()
    yield from answered(exchange)
    choice = exchange.request.get("tool_choice")
    wanted = choice.get("name") if isinstance(choice, dict) else None
    calls = calls_in(exchange, CUSTOM_CALL, "function_call")
    names = [call.get("name") for call in calls if call["type"] == CUSTOM_CALL]
    if exchange.outcome == "completed" and wanted not in names:
        shown = [f"{call['type']} of {excerpt(call.get('name'))}" for call in calls]
        actual = " and ".join(shown) or f"no call, and the text {exchange.text[:80]!r}"
        yield Finding(exchange.last, f"a {CUSTOM_CALL} item of {wanted}", actual)


@invariant("RWS-CUSTOM-002", when=lambda evidence: bool(finished_calls(evidence, CUSTOM_CALL)))
def custom_calls_are_whole(evidence: Evidence) -> Iterator[Outcome]:
    """A call of a custom tool has a call_id, a name, and an input that is text."""
    for event, call in finished_calls(evidence, CUSTOM_CALL):
        yield from nameless(event, call)
        if not isinstance(call.get("input"), str):
            wanted = f"a {CUSTOM_CALL} whose input is a string"
            yield Finding(event.n, wanted, excerpt(call.get("input")))


@invariant("RWS-CUSTOM-003", when=occurs(streamed_inputs))
def joined_deltas_are_the_input(evidence: Evidence) -> Iterator[Outcome]:
    """What was streamed as an input is what it became."""
    for _, (text, whole) in each(streamed_inputs, evidence):
        yield from differs(whole, "the joined deltas", text)


@invariant("RWS-CUSTOM-004", when=occurs(final_inputs))
def final_inputs_agree(evidence: Evidence) -> Iterator[Outcome]:
    """The input of a call is the same in its done event and in the done item."""
    for _, (done, final) in each(final_inputs, evidence):
        yield from differs(final, f"the input of {done.event.type}", done.text)


def finished_streams(exchange: Exchange) -> Iterator[tuple[Item, Received]]:
    """Every call that was done after its input was streamed, and its done event."""
    for item in items_of(exchange):
        if item.done is not None and any(e.type == INPUT.delta for e in item.events):
            yield item, item.done


@invariant("RWS-CUSTOM-005", when=occurs(finished_streams))
def streamed_input_is_told_whole(evidence: Evidence) -> Iterator[Outcome]:
    """After the deltas of an input comes its done event, and then the item is done."""
    for _, (item, done) in each(finished_streams, evidence):
        if actual := unfinished(item, INPUT):
            wanted = f"{INPUT.done} after the deltas of the call at output_index {item.index}"
            yield Finding(done.n, wanted, actual)


@expectation("RWS-CUSTOM-006", root="RWS-CHAIN-002")
def custom_output_is_answered(mark: Mark) -> Iterator[Outcome]:
    """A continuation with the output of a custom tool ends with a completed response."""
    yield from answered(mark.exchange())


@expectation("RWS-CUSTOM-007", root="RWS-CHAIN-003")
def custom_output_reaches_the_model(mark: Mark) -> Iterator[Outcome]:
    """The model brings back a word that only the output of a custom tool holds."""
    yield from recalled(mark)


@expectation("RWS-CUSTOM-008", offence=("/message/input/0/call_id",))
def custom_output_without_its_call_is_refused(mark: Mark) -> Iterator[Outcome]:
    """The output of a custom tool is refused where its call_id belongs to no call."""
    yield from rejected(
        mark, "for the output whose call_id belongs to no call", control_by="RWS-CUSTOM-006"
    )


@expectation("RWS-CUSTOM-009", offence=("/message/input",))
def custom_call_without_its_output_is_refused(mark: Mark) -> Iterator[Outcome]:
    """A continuation is refused where it leaves a call of a custom tool unanswered."""
    yield from rejected(
        mark, "for the call that is left without an output", control_by="RWS-CUSTOM-006"
    )


def mixed_calls(evidence: Evidence) -> list[tuple[Exchange, list[dict[str, Any]]]]:
    """The responses that call a custom tool among others, and their calls."""
    rows = [(x, calls_in(x, CUSTOM_CALL, "function_call")) for x in evidence.responses]
    return [
        (exchange, calls)
        for exchange, calls in rows
        if len(calls) > 1 and any(call["type"] == CUSTOM_CALL for call in calls)
    ]


@invariant("RWS-CUSTOM-010", when=lambda evidence: bool(mixed_calls(evidence)))
def calls_of_all_kinds_are_distinct(evidence: Evidence) -> Iterator[Outcome]:
    """The calls of one response differ in call_id, of whichever kind they are."""
    for exchange, calls in mixed_calls(evidence):
        names = [name for call in calls if isinstance(name := call.get("call_id"), str)]
        for place, name in enumerate(names):
            if name in names[:place]:
                actual = f"{name!r} for two calls of the response"
                yield Finding(exchange.last, "distinct call_ids", actual)


@expectation("RWS-CUSTOM-011")
def outputs_of_all_kinds_are_answered(mark: Mark) -> Iterator[Outcome]:
    """A continuation with the outputs of a function and of a custom tool is answered."""
    exchange = mark.exchange()
    if exchange.outcome == "error" and exchange.error_code == NOT_FOUND:
        # A server that has lost the response would not take a lone output either.
        yield Undecided(Cause.BLOCKED, describe(exchange), by="RWS-CUSTOM-006")
    else:
        yield from answered(exchange)


def other_calls(evidence: Evidence) -> list[tuple[Received, dict[str, Any], str]]:
    """The final calls of the other kinds, the event that shows each, and the member to refer to."""
    return [
        (event, item, LINKS[str(item["type"])])
        for exchange in evidence.responses
        for event, item in final_items(exchange)
        if str(item.get("type")) in LINKS and is_for_the_client(item)
    ]


def is_for_the_client(item: Mapping[str, Any]) -> bool:
    """True unless a call says that the server executes it."""
    return item["type"] != "tool_search_call" or item.get("execution") == "client"


@invariant("RWS-CUSTOM-012", when=lambda evidence: bool(other_calls(evidence)))
def other_calls_can_be_referred_to(evidence: Evidence) -> Iterator[Outcome]:
    """A call of another kind has the member that its output refers to."""
    for event, item, link in other_calls(evidence):
        value = item.get(link)
        if not isinstance(value, str) or not value:
            wanted = f"a {item['type']} with a non-empty string as {link}"
            yield Finding(event.n, wanted, excerpt(value))


@expectation("RWS-CUSTOM-013", root="RWS-CHAIN-002")
@expectation("RWS-CUSTOM-014", root="RWS-CHAIN-002")
def output_of_a_tool_without_a_name_is_answered(mark: Mark) -> Iterator[Outcome]:
    """A continuation with what a shell printed, or how a patch went, ends completed."""
    yield from answered(mark.exchange())
