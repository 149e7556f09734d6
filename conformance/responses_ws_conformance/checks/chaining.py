"""Checks on continuation and the connection's cache."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

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
    FAILED,
    NOT_FOUND,
    answered,
    contains,
    describe,
    input_tokens,
    is_transient,
    not_recalled,
    recalled,
    refused,
    without_control,
)
from responses_ws_conformance.checks.streams import folded_where_torn
from responses_ws_conformance.reading.exchanges import (
    LIFECYCLE_EVENTS,
    TERMINAL_EVENTS,
    Exchange,
    response_of,
)
from responses_ws_conformance.reading.histories import input_items
from responses_ws_conformance.values import excerpt


@expectation("RWS-CHAIN-001", root="RWS-CHAIN-002")
@expectation("RWS-CHAIN-002")
def continuation_is_answered(mark: Mark) -> Iterator[Outcome]:
    """A continuation with the newest id ends with a completed response."""
    yield from answered(mark.exchange())


@expectation("RWS-CHAIN-003")
def chain_is_seen(mark: Mark) -> Iterator[Outcome]:
    """A word from the input or the output of an earlier response comes back."""
    root = "RWS-TOOL-005" if _is_told_by_a_tool(mark) else None
    for outcome in recalled(mark):
        yield replace(outcome, root=root) if isinstance(outcome, Finding) else outcome


def _is_told_by_a_tool(mark: Mark) -> bool:
    """True where the planted word was the output of a call, which may never reach the model."""
    items = [item for x in mark.exchanges("controls") for item in input_items(x)]
    outputs = [i.get("output") for i in items if i.get("type") == "function_call_output"]
    return any(str(mark.fact("word")) in str(output) for output in outputs)


def has_two_responses(evidence: Evidence) -> bool:
    """True where two responses can be told apart by their ids."""
    return sum(x.response_id is not None for x in evidence.responses) > 1


@invariant("RWS-CHAIN-004", when=has_two_responses)
def ids_are_distinct(evidence: Evidence) -> Iterator[Outcome]:
    """No response has the id of an earlier one."""
    owners: dict[str, Exchange] = {}
    for exchange in evidence.responses:
        if exchange.response_id is None:
            continue
        first = owners.setdefault(exchange.response_id, exchange)
        if first is not exchange:
            yield Finding(
                exchange.events[0].n,
                "an id that no other response has",
                f"{exchange.response_id!r}, the id of the response to message {first.sent.n}",
                path="/response/id",
            )


@expectation("RWS-CHAIN-005", offence=("/message/previous_response_id",))
def unknown_id_is_not_found(mark: Mark) -> Iterator[Outcome]:
    """An invented id is answered with previous_response_not_found."""
    yield from _not_found(mark, "for the unknown id", by="RWS-CHAIN-008")


@expectation("RWS-CHAIN-006", offence=("/message/previous_response_id",))
def not_found_names_the_field(mark: Mark) -> Iterator[Outcome]:
    """The refusal of an unknown id has status 400 and names previous_response_id."""
    exchange = mark.exchange()
    if exchange.error is None or exchange.error_code != NOT_FOUND:
        yield Undecided(Cause.BLOCKED, describe(exchange), by="RWS-CHAIN-005")
        return
    yield from without_control(mark, by="RWS-CHAIN-008")
    status, param = exchange.error.payload.get("status"), exchange.error_object.get("param")
    if status != 400:
        yield Finding(exchange.error.n, "status 400", f"status {excerpt(status)}", path="/status")
    if param != "previous_response_id":
        expected = "param 'previous_response_id'"
        yield Finding(exchange.error.n, expected, f"param {excerpt(param)}", path="/error/param")


@expectation("RWS-CHAIN-007", offence=("/message/previous_response_id",))
@folded_where_torn
def unknown_id_starts_no_response(mark: Mark) -> Iterator[Outcome]:
    """A create with an invented id produces no event of a response."""
    exchange = mark.exchange()
    started = [*exchange.events, *exchange.late]
    if started:
        yield Finding(
            started[0].n,
            "no event of a response for a create with an unknown previous_response_id",
            f"{started[0].type}; the create ended with {describe(exchange)}",
        )
    elif exchange.outcome != "error":
        yield Undecided(Cause.BLOCKED, describe(exchange), by="RWS-CHAIN-005")
    else:
        yield from without_control(mark, by="RWS-CHAIN-008")


@expectation("RWS-CHAIN-008")
def connection_is_usable_after_an_unknown_id(mark: Mark) -> Iterator[Outcome]:
    """A create without the id works on the same connection after the refusal."""
    yield from answered(mark.exchange(), is_about_refusals=True)


@expectation("RWS-CHAIN-009", offence=("/connection",))
@expectation("RWS-CHAIN-010", offence=("/connection",))
def id_of_another_connection_is_not_found(mark: Mark) -> Iterator[Outcome]:
    """A store:false id that works on its own connection is not found on another."""
    yield from _not_found(mark, "for the id of another connection", by="RWS-CHAIN-002")


@expectation("RWS-CHAIN-011")
def replay_is_answered(mark: Mark) -> Iterator[Outcome]:
    """The whole history in one create is answered, and is what the answer knows."""
    unanswered = [o for x in mark.exchanges("recalls") for o in answered(x)]
    yield from unanswered or recalled(mark)


@expectation("RWS-CHAIN-012", offence=("/history",))
@expectation("RWS-CHAIN-022", offence=("/history",))
def failed_continuation_evicts(mark: Mark) -> Iterator[Outcome]:
    """A store:false id is not found once a continuation of it was refused."""
    yield from _cut_off(mark.exchange()) or _not_found(
        mark, "for an id whose continuation was refused", by="RWS-CHAIN-002"
    )


@expectation("RWS-CHAIN-013")
def full_input_works_after_an_eviction(mark: Mark) -> Iterator[Outcome]:
    """The whole history in one create is answered on the connection of the eviction."""
    yield from _cut_off(mark.exchange()) or answered(mark.exchange())


@expectation("RWS-CHAIN-014")
def failed_create_evicts_nothing(mark: Mark) -> Iterator[Outcome]:
    """The newest response is continued after a refused create that named none."""
    yield from _is_kept(mark, refusal="RWS-TOOL-006")


@expectation("RWS-CHAIN-015")
def unknown_id_evicts_nothing(mark: Mark) -> Iterator[Outcome]:
    """The newest response is continued after a create with an invented id."""
    yield from _is_kept(mark, refusal="RWS-CHAIN-005")


@expectation("RWS-CHAIN-016")
def unreadable_message_evicts_nothing(mark: Mark) -> Iterator[Outcome]:
    """The newest response is continued after messages that are no client events."""
    exchange = mark.exchange()
    unknown_type = mark.latest("after")
    was_read = exchange.closed is None or exchange.closed.n > unknown_type.sent.n
    by = "RWS-FRAME-010" if was_read else "RWS-FRAME-008"
    yield from _cut_off(exchange, by=by) or answered(exchange)


@expectation("RWS-CHAIN-017")
def new_chain_starts_blank(mark: Mark) -> Iterator[Outcome]:
    """A create without an id does not know the word of the chain before it."""
    yield from not_recalled(mark)


@expectation("RWS-CHAIN-018")
def incomplete_response_is_continued(mark: Mark) -> Iterator[Outcome]:
    """A continuation of an incomplete response ends with a completed one."""
    base = mark.exchange("base")
    if base.outcome == "completed":
        why = "the answer ended before the token limit"
        yield Undecided(Cause.MOOD, why)
    elif base.outcome != "incomplete":
        yield Undecided(Cause.BLOCKED, describe(base), by="RWS-CREATE-009")
    else:
        yield from _cut_off(mark.exchange()) or answered(mark.exchange())


@expectation("RWS-CHAIN-019")
@expectation("RWS-CHAIN-021")
def resumed_with_its_context_or_not_found(mark: Mark) -> Iterator[Outcome]:
    """An id that need not be kept is continued with its context or not found."""
    last = mark.latest("recalls")
    if last.outcome == "completed":
        yield from recalled(mark)
    else:
        what = "or a response that knows the chain: here an error event"
        yield from refused(last, codes=(NOT_FOUND,), what=what)


def has_response_objects(evidence: Evidence) -> bool:
    """True where a create has an event with a response object that is surely its own."""
    own = (x for x in evidence.responses if x.is_create and not x.is_guessed)
    return any(response_of(e) for x in own for e in x.events)


@invariant("RWS-CHAIN-020", when=has_response_objects)
def previous_id_is_echoed(evidence: Evidence) -> Iterator[Outcome]:
    """A response names the response that its create continues, or none."""
    for exchange in evidence.responses:
        sent = exchange.request.get("previous_response_id")
        if not exchange.is_create or exchange.is_guessed or not isinstance(sent, str | None):
            continue
        for event in exchange.events:
            response = response_of(event)
            if response is None or event.type not in LIFECYCLE_EVENTS:
                continue
            # An early event may show less of the response; the last one shows all of it.
            is_owed = "previous_response_id" in response or event.type in TERMINAL_EVENTS
            seen = response.get("previous_response_id")
            if is_owed and seen != sent:
                yield Finding(
                    event.n,
                    f"previous_response_id {sent!r}" if sent else "no previous_response_id",
                    f"{excerpt(seen)} in {event.type}",
                    path="/response/previous_response_id",
                )
                break


@expectation("RWS-CHAIN-023")
def context_is_counted(mark: Mark) -> Iterator[Outcome]:
    """A create that continues a chain costs more input tokens than the same without an id."""
    subject, alone = mark.exchange(), mark.exchange("alone")
    if not contains(subject, str(mark.fact("word"))):
        yield Undecided(Cause.BLOCKED, "the model was not shown the chain", by="RWS-CHAIN-003")
    elif contains(alone, str(mark.fact("word"))):
        yield Undecided(Cause.BLOCKED, "the new chain knows the old one", by="RWS-CHAIN-017")
    elif input_tokens(subject) <= input_tokens(alone):
        yield Finding(
            subject.last,
            f"more than {input_tokens(alone)} input tokens, which the same create costs alone",
            f"{input_tokens(subject)} input tokens",
        )


def _not_found(mark: Mark, what: str, *, by: str) -> Iterator[Outcome]:
    """Yield why the subject was not refused as unknown, or why its refusal proves nothing.

    ``control`` is the create with only the id repaired; ``by`` is what its failure breaks.
    """
    subject, control = mark.exchange(), mark.exchange("control")
    if subject.outcome == "expired" and _came_later(control, subject):
        wanted = f"an error event {what} with error.code {NOT_FOUND}"
        yield Finding(subject.last, wanted, "no answer, though the next create was answered")
        return
    outcomes = list(refused(subject, codes=(NOT_FOUND,), what=what))
    yield from outcomes or without_control(mark, by=by)


def _came_later(control: Exchange, subject: Exchange) -> bool:
    """True where the control shows that the server has gone on to the next create."""
    is_next = control.conn == subject.conn and control.sent.n > subject.sent.n
    return is_next and control.outcome == "completed"


def _cut_off(exchange: Exchange, *, by: str = "RWS-ERROR-009") -> list[Outcome]:
    """Why a create got nowhere because the server hung up on what came before it."""
    if exchange.outcome != "closed" or is_transient(exchange):
        return []
    return [Undecided(Cause.BLOCKED, describe(exchange), by=by)]


def _is_kept(mark: Mark, *, refusal: str) -> Iterator[Outcome]:
    """Yield why the newest response could not be continued after the refused create.

    ``refusal`` is the requirement by which that was to be refused; an answer to it would itself
    have become the newest response.
    """
    disturbance = mark.exchange("after")
    if disturbance.outcome in FAILED:
        yield from _cut_off(mark.exchange()) or answered(mark.exchange())
    else:
        yield Undecided(Cause.BLOCKED, describe(disturbance), by=refusal)
