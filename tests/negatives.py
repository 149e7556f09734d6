"""The linter of negative requirements: a refusal proves something only beside its control.

``mark_problems`` says what is wrong with a mark in a recording, ``case_problems`` with the cases of
a requirement. Both look at structure only; what the target is owed is the check's business.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from responses_ws_conformance.checks import Check, Evidence, Mark, interrupt
from responses_ws_conformance.checks.inject import is_taken
from responses_ws_conformance.reading.calls import Call
from responses_ws_conformance.reading.commands import TARGETS, command_of, is_accepted
from responses_ws_conformance.reading.exchanges import Exchange
from responses_ws_conformance.transcript import Opened
from responses_ws_conformance.transcript.payloads import parse

from tests.cases import Case

SUCCESS = ("completed", "incomplete")
# A different key for each handshake, and the number of bytes of a body that is not there.
VOLATILE_HEADERS = {"sec-websocket-key"}
UPGRADE_HEADERS = {
    "connection",
    "upgrade",
    "sec-websocket-version",
}


def mark_problems(check: Check, mark: Mark) -> Iterator[str]:
    """Why a mark does not show that the subject was refused for its offence and nothing else."""
    names = mark.note.roles.get("control", ())
    if len(names) != 1:
        yield f"the mark names {len(names)} controls instead of one"
        return
    if names[0] in mark.evidence.reading.connections:
        control_handshake, subject_handshake = mark.handshake("control"), mark.handshake()
        if control_handshake.status != 101:
            yield f"the control was refused with {control_handshake.status}"
        subject, control = handshake_view(subject_handshake), handshake_view(control_handshake)
        if "key" in mark.note.facts:  # a recording masks right and wrong keys alike
            subject["handshake"]["headers"]["authorization"] = mark.fact("key")
    else:
        answer, wrong = mark.exchange("control"), mark.exchanges("subject")[-1]
        if answer.outcome not in SUCCESS and not succeeded(answer):
            yield f"the control ended with {answer.outcome}"
        subject, control = (
            exchange_view(mark.evidence, x, other)
            for x, other in ((wrong, answer), (answer, wrong))
        )
    found = list(differences(subject, control))
    if not found:
        yield "subject and control are the same conversation"
    for pointer in found:
        if not any(pointer == o or pointer.startswith(f"{o}/") for o in check.offence):
            yield f"subject and control differ in {pointer}, which is no part of the offence"


def case_problems(check: Check, cases: Iterable[Case]) -> Iterator[str]:
    """Why the cases do not show that a target which refuses everything gets no green."""
    refused = [case for case in cases if _control_is_refused(check, case)]
    if not refused:
        yield "no case in which the control is refused too"
    for case in refused:
        if case.conforms is True:
            yield f"the case {case.description!r} is green although its control is refused"


def _control_is_refused(check: Check, case: Case) -> bool:
    evidence = Evidence.of(case.transcript())
    for mark in evidence.marks(check.requirement):
        for name in mark.note.roles.get("control", ()):
            if name in evidence.reading.connections:
                return mark.handshake("control").status != 101
            control = mark.exchange("control")
            return control.outcome == "error" or (
                control.answer is not None and not succeeded(control)
            )
    return False


def succeeded(command: Exchange) -> bool:
    """True for a command that the server has taken."""
    return is_accepted(command) or is_taken(command) or interrupt.is_accepted(command)


def handshake_view(opened: Opened) -> dict[str, Any]:
    """What was asked for in an opening handshake."""
    headers = {name.lower(): value for name, value in opened.request_headers}
    is_upgrade = opened.upgrade
    kept = headers.keys() - VOLATILE_HEADERS - UPGRADE_HEADERS
    return {
        "handshake": {
            "target": opened.target,
            "upgrade": is_upgrade,
            "headers": {name: headers[name] for name in kept},
        }
    }


def exchange_view(evidence: Evidence, exchange: Exchange, other: Exchange) -> dict[str, Any]:
    """What was sent, how, and in which state of the conversation.

    Two ids are the same where each is the newest response of one lane at that moment.
    """
    if exchange.name in evidence.reading.calls:
        return call_view(evidence, evidence.reading.calls[exchange.name])
    message = parse(exchange.sent.text or (exchange.sent.data or b"").decode())
    if not isinstance(message, dict):
        message = exchange.sent.text
    member = TARGETS.get(command_of(exchange) or "", "previous_response_id")
    previous = exchange.request.get(member)
    if isinstance(previous, str) and previous != other.request.get(member):
        message = {**exchange.request, member: _place(evidence, exchange, previous)}
    neighbours = evidence.reading.connection(exchange.conn).exchanges
    history = [
        x.outcome
        for x in neighbours
        if (x.lane, x.request.get(member)) == (exchange.lane, previous)
        and x.sent.n < exchange.sent.n
    ]
    if command_of(exchange) is not None:  # what counts is whether the response runs
        ends = (x.terminal for x in neighbours if x.response_id == previous)
        history = ["ended" for end in ends if end is not None and end.n < exchange.sent.n]
    return {
        "connection": exchange.conn,
        "opcode": exchange.sent.opcode,
        "message": message,
        "history": history if previous is not None else [],
    }


def call_view(evidence: Evidence, call: Call) -> dict[str, Any]:
    """What was asked over HTTP, and what had been done to the same thing before."""
    path = call.requested.target
    earlier = [c for c in evidence.reading.calls.values() if c.requested.n < call.requested.n]
    view: dict[str, Any] = {"connection": "HTTP", "opcode": "text", "history": []}
    if call.requested.method == "POST":
        return {**view, "message": parse(call.requested.body)}
    deeds = [c.requested.method for c in earlier if c.requested.target == path]
    return {**view, "path": path, "history": [deed for deed in deeds if deed != "GET"]}


def _place(evidence: Evidence, exchange: Exchange, previous: str) -> str:
    """Where the response that an exchange is about stood on its lane at that moment."""
    for view in evidence.reading.connections.values():
        earlier = [x for x in view.exchanges if x.sent.n < exchange.sent.n]
        lane = next((x.lane for x in earlier if x.response_id == previous), None)
        ids = [x.response_id for x in earlier if x.lane == lane and x.outcome in SUCCESS]
        if previous in ids:
            return f"{len(ids) - 1 - ids.index(previous)} before the newest of {view.name} {lane}"
    return previous


def differences(one: Any, other: Any, pointer: str = "") -> Iterator[str]:
    """Pointers to the places where two values differ, the deepest of each."""
    if isinstance(one, dict) and isinstance(other, dict):
        for name in sorted({*one, *other}):
            if name in one and name in other:
                yield from differences(one[name], other[name], f"{pointer}/{name}")
            else:
                yield f"{pointer}/{name}"
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for index, (left, right) in enumerate(zip(one, other, strict=True)):
            yield from differences(left, right, f"{pointer}/{index}")
    elif type(one) is not type(other) or one != other:
        yield pointer
