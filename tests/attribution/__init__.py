"""The cases of attribution, and their words: which exchange a message of the server belongs to.

A case is a transcript in which every line of the server says whose it is: ``A`` for an event of
the response to A, ``A late`` for one after its end or refusal, ``A error`` for its error, ``A
answer`` for the answer to a command, ``A sequel`` for what comes about it later, ``A'`` for an
event of the successor of A, ``other`` for what belongs to the connection and ``stray`` for a
response that nobody asked for.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from responses_ws_conformance.reading.attribution import Reading
from responses_ws_conformance.reading.exchanges import Exchange
from responses_ws_conformance.reading.openings import ECHOES
from responses_ws_conformance.transcript import Closed, Entry, Expired, Received, Sent


@dataclass(frozen=True)
class Line:
    """One line: what we sent under a name, a wait that ran out, or what came and whose it is."""

    kind: str
    whose: str
    value: Any = None


@dataclass(frozen=True)
class Case:
    """A transcript, how its exchanges ended, and which of them stay in doubt."""

    description: str
    lines: tuple[Line, ...]
    outcomes: str
    ambiguous: str = ""
    guessed: str = ""


def send(name: str, **fields: Any) -> Line:
    return Line("sent", name, {"type": "response.create", "model": "m", "input": "hi", **fields})


def say(name: str, value: Any) -> Line:
    return Line("sent", name, value)


def got(whose: str, kind: str, response: str | None = None, **fields: Any) -> Line:
    event: dict[str, Any] = {"type": f"response.{kind}"}
    members = {k: fields.pop(k) for k in ECHOES if k in fields}
    if response is not None:
        event["response"] = {"id": response, **members}
    if "item" in fields and kind.startswith("output_item"):
        fields["item"] = {"id": fields["item"]}
    elif "item" in fields:
        fields["item_id"] = fields.pop("item")
    if "seq" in fields:
        fields["sequence_number"] = fields.pop("seq")
    return Line("received", whose, {**event, **fields})


def error(
    whose: str,
    *,
    seq: int | None = None,
    status: int | None = None,
    lane: str | None = None,
    **members: Any,
) -> Line:
    event: dict[str, Any] = {"type": "error", "error": {"message": "no", **members}}
    event |= {"stream_id": lane} if lane is not None else {}
    event |= {"sequence_number": seq} if seq is not None else {}
    event |= {"status": status} if status is not None else {}
    return Line("received", whose, event)


def ran_out(name: str, clock: str = "first-event") -> Line:
    return Line("expired", name, clock)


def send_on(lane: str, name: str, **fields: Any) -> Line:
    return send(name, stream_id=lane, **fields)


def got_on(lane: str, whose: str, kind: str, response: str | None = None, **fields: Any) -> Line:
    return got(whose, kind, response, stream_id=lane, **fields)


def entries_of(case: Case) -> tuple[list[Entry], dict[str, str]]:
    """The entries of a case, and the names of its exchanges by the names in the case."""
    entries: list[Entry] = []
    names: dict[str, str] = {}
    for n, line in enumerate(case.lines):
        at: dict[str, Any] = {"n": n, "t": n / 10, "conn": "c1"}
        text = json.dumps(line.value)
        if line.kind == "sent":
            names[line.whose] = f"e{n}"
            entries.append(Sent(**at, opcode="text", text=text))
        elif line.kind == "received":
            entries.append(Received(**at, opcode="text", text=text))
        elif line.kind == "expired":
            name = names[line.whose]
            entries.append(Expired(**at, clock=line.value, limit=1.0, exchange=name))
        else:
            entries.append(Closed(**at, side="server", code=line.value))
    return entries, names


def owner(reading: Reading, exchanges: dict[str, Exchange], entry: Entry) -> str:
    """Whose an entry is, in the words of the cases."""
    view = reading.connection("c1")
    found = [name for name, x in exchanges.items() if entry in x.events]
    found += [f"{name} late" for name, x in exchanges.items() if entry in x.late]
    found += [f"{name} error" for name, x in exchanges.items() if entry is x.error]
    found += [f"{name} answer" for name, x in exchanges.items() if entry is x.answer]
    found += [f"{name} sequel" for name, x in exchanges.items() if entry in x.sequels]
    found += ["other"] * (entry in view.others) + ["stray"] * (entry in view.strays)
    found += ["limit"] * (entry is view.limit)
    return " and ".join(found)


def attribute(case: Case) -> None:
    """Every line of a case is given to whom it says."""
    entries, names = entries_of(case)
    reading = Reading(entries)
    exchanges = {name: reading.exchanges[key] for name, key in names.items()}
    exchanges |= {f"{n}'": x for n, p in exchanges.items() for x in reading if x.parent is p}
    received = [n for n, line in enumerate(case.lines) if line.kind == "received"]
    seen = [owner(reading, exchanges, entries[n]) for n in received]
    assert seen == [case.lines[n].whose for n in received]
    assert ", ".join(f"{name} {x.outcome}" for name, x in exchanges.items()) == case.outcomes
    assert [n for n, x in exchanges.items() if x.is_ambiguous] == case.ambiguous.split()
    assert [n for n, x in exchanges.items() if x.is_guessed] == case.guessed.split()
