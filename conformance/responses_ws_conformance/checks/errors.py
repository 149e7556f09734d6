"""Checks on ``error`` events: their form, and what a refusal leaves untouched.

Sentences about refusals do not speak of an error that breaks a running response off (it comes
after events of the response, or carries a ``sequence_number`` and tells of an overload), nor of
the one that ends the lifetime of a connection.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from responses_ws_conformance.checks import (
    Cause,
    Evidence,
    Finding,
    Mark,
    Outcome,
    Predicate,
    Undecided,
    expectation,
    invariant,
    once,
)
from responses_ws_conformance.checks.answers import NOT_FOUND, describe_error, is_transient
from responses_ws_conformance.checks.streams import folded_where_torn
from responses_ws_conformance.checks.turns import stayed_open
from responses_ws_conformance.reading.exchanges import ConnectionView, Exchange, is_lookalike
from responses_ws_conformance.transcript import Opened, Received
from responses_ws_conformance.transcript.payloads import integer
from responses_ws_conformance.values import excerpt, present

FLAT_MEMBERS: Final = ("code", "message", "param")
MASKED_KEY: Final = re.compile(r"\[secret: (?:second_)?api_key\]")
ABSENT: Final = object()


def error_events(evidence: Evidence) -> list[Received]:
    """Every event of type ``error``."""
    return [e for e in evidence.received if e.type == "error"]


def error_objects(evidence: Evidence) -> list[tuple[Received, dict[str, Any]]]:
    """The error events that have an ``error`` object, with it."""
    pairs = ((e, e.payload.get("error")) for e in error_events(evidence))
    return [(event, error) for event, error in pairs if isinstance(error, dict)]


def refused(evidence: Evidence) -> list[tuple[Exchange, Received]]:
    """The client events that were answered with an error, of whatever form, and no response."""
    return [
        (x, x.error)
        for x in evidence.exchanges
        if x.error is not None and not x.events and not x.is_ambiguous
    ]


def refusals(evidence: Evidence) -> list[Received]:
    """The error events that refuse a client event."""
    return [e for e in _refusing(evidence) if e.type == "error"]


def _refusing(evidence: Evidence) -> list[Received]:
    return [
        e
        for x, e in refused(evidence)
        if e.payload.get("sequence_number") is None or not is_transient(x)
    ]


def refusal_objects(evidence: Evidence) -> list[tuple[Received, dict[str, Any]]]:
    """The refusals that have an ``error`` object, with it."""
    numbers = {e.n for e in refusals(evidence)}
    return [(e, error) for e, error in error_objects(evidence) if e.n in numbers]


@once
def lookalikes(evidence: Evidence) -> list[Received]:
    """Messages that say no in a form of their own."""
    return [e for e in evidence.received if is_lookalike(e)]


def or_lookalikes(rows: Callable[[Evidence], Sequence[Any]]) -> Predicate:
    """True where there are rows to judge, or what should have been one has another form."""
    return lambda evidence: bool(rows(evidence) or lookalikes(evidence) or refused(evidence))


def _formless(rows: Sequence[Any]) -> Iterator[Outcome]:
    """Yield, where there is no row to judge, that nothing that says no has the right form."""
    if not rows:
        why = "what says no is no error event with an error object"
        yield Undecided(Cause.BLOCKED, why, by="RWS-ERROR-001")


@invariant("RWS-ERROR-001", when=lambda e: bool(refused(e) or lookalikes(e)))
def refusals_are_error_events(evidence: Evidence) -> Iterator[Outcome]:
    """What refuses a client event is an event of type error with an error object."""
    wanted = "an event of type error that holds an error object"
    for _, event in refused(evidence):
        if event.type == "error" and not isinstance(event.payload.get("error"), dict):
            members = ", ".join(sorted(event.payload))
            yield Finding(event.n, wanted, f"an error event with the members {members}")
    for event in lookalikes(evidence):
        members = ", ".join(sorted(event.payload))
        yield Finding(
            event.n, wanted, f"a message of type {excerpt(event.type)} with the members {members}"
        )


@invariant("RWS-ERROR-002", when=or_lookalikes(error_events))
def details_are_nested(evidence: Evidence) -> Iterator[Outcome]:
    """Code, message and param are members of the error object only."""
    yield from _formless(error_events(evidence))
    for event in error_events(evidence):
        flat = [name for name in FLAT_MEMBERS if event.payload.get(name) is not None]
        if flat:
            yield Finding(
                event.n,
                "code, message and param in the nested error object only",
                f"{' and '.join(flat)} at the top level of the error event",
            )


@invariant("RWS-ERROR-003", when=or_lookalikes(refusals))
@invariant("RWS-ERROR-004", when=or_lookalikes(refusals))
def refusals_have_a_status(evidence: Evidence) -> Iterator[Outcome]:
    """The status of a refusal is an integer like that of a failed HTTP request."""
    yield from _formless(refusals(evidence))
    for event in refusals(evidence):
        status = event.payload.get("status", ABSENT)
        number = integer(status)
        if number is None or not 400 <= number <= 599:
            yield Finding(
                event.n,
                "an integer status between 400 and 599",
                "no status" if status is ABSENT else f"status {present(status)}",
            )


@invariant("RWS-ERROR-005", when=or_lookalikes(error_objects))
def messages_say_something(evidence: Evidence) -> Iterator[Outcome]:
    """The message of an error is a string that is not empty."""
    yield from _formless(error_objects(evidence))
    for event, error in error_objects(evidence):
        yield from _non_empty(event, error, "message")


@invariant("RWS-ERROR-006", when=or_lookalikes(refusal_objects))
def codes_say_something(evidence: Evidence) -> Iterator[Outcome]:
    """The code of a refusal is a string that is not empty."""
    yield from _formless(refusal_objects(evidence))
    for event, error in refusal_objects(evidence):
        yield from _non_empty(event, error, "code")


def _non_empty(event: Received, error: dict[str, Any], name: str) -> Iterator[Outcome]:
    value = error.get(name, ABSENT)
    if not isinstance(value, str) or not value:
        yield Finding(
            event.n,
            f"a non-empty string in error.{name}",
            f"no error.{name}" if value is ABSENT else f"error.{name} {present(value)}",
        )


@invariant("RWS-ERROR-007", when=or_lookalikes(error_objects))
def errors_have_a_type(evidence: Evidence) -> Iterator[Outcome]:
    """An error says of which type it is."""
    yield from _formless(error_objects(evidence))
    for event, error in error_objects(evidence):
        if error.get("type") is None:
            yield Finding(event.n, "error.type", f"only {', '.join(sorted(error))}")


@invariant("RWS-ERROR-008", when=or_lookalikes(refusal_objects))
def refusals_have_a_param(evidence: Evidence) -> Iterator[Outcome]:
    """A refusal names the member at fault, or says with null that there is none."""
    yield from _formless(refusal_objects(evidence))
    for event, error in refusal_objects(evidence):
        param = error.get("param", ABSENT)
        if param is not None and not isinstance(param, str):
            yield Finding(
                event.n,
                "error.param, a string or null",
                "no error.param" if param is ABSENT else f"error.param {present(param)}",
            )


@expectation("RWS-ERROR-009")
def refusals_keep_the_connection(mark: Mark) -> Iterator[Outcome]:
    """The connection on which a create was refused takes the next one."""
    yield from stayed_open(mark.exchanges("subject"), after="a create was refused")


def refused_creates(evidence: Evidence) -> list[Exchange]:
    """The refused creates behind which the connection went on to something else.

    An error that comes after events of the response breaks it off, unless it says what has to be
    found out before there can be a response.
    """
    refusing = {e.n for e in _refusing(evidence)}
    return [
        x
        for x in evidence.exchanges
        if x.is_create
        and x.error is not None
        and (x.error.n in refusing or x.error_code == NOT_FOUND)
        and _went_on(evidence.reading.connection(x.conn), x.error)
    ]


def _went_on(view: ConnectionView, event: Received) -> bool:
    return any(x.is_ended and x.sent.n > event.n for x in view.exchanges)


@invariant("RWS-ERROR-010", when=lambda e: bool(refused_creates(e)))
@folded_where_torn
def refused_creates_have_no_stream(evidence: Evidence) -> Iterator[Outcome]:
    """Nothing of a response comes for a create that was refused."""
    for exchange in refused_creates(evidence):
        stream = [*exchange.events, *exchange.late]
        if stream and not exchange.is_guessed:
            yield Finding(
                stream[0].n,
                "no event of a response for a create that was refused",
                f"{stream[0].type} and an error event: {describe_error(exchange)}",
            )


def errors_with_text(evidence: Evidence) -> list[tuple[int, str]]:
    """What says no, as it was on the wire: error events and the bodies of refused handshakes."""
    events = [*error_events(evidence), *lookalikes(evidence)]
    bodies = [
        (entry.n, entry.body)
        for entry in evidence.transcript.entries
        if isinstance(entry, Opened) and entry.status != 101 and entry.body
    ]
    return [*((e.n, e.text or "") for e in events), *bodies]


def has_errors_that_could_leak(evidence: Evidence) -> bool:
    """The key is long enough to be told from ordinary text, and there are errors."""
    return "api_key" in evidence.transcript.header.masked and bool(errors_with_text(evidence))


@invariant("RWS-ERROR-011", when=has_errors_that_could_leak)
def errors_keep_the_key(evidence: Evidence) -> Iterator[Outcome]:
    """No error repeats a key; in a recording its mask stands where it was."""
    for n, text in errors_with_text(evidence):
        if mask := MASKED_KEY.search(text):
            where = mask.start()
            yield Finding(
                n,
                "an error without the API key",
                f"the key, masked here: {text[max(0, where - 60) : where + 40]!r}",
            )
