"""No check breaks, whatever the other side puts into its messages, and whatever is cut out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from responses_ws_conformance.catalogue import catalogue
from responses_ws_conformance.checks import Check, Evidence, Undecided, load_checks
from responses_ws_conformance.transcript import (
    Answered,
    Entry,
    Note,
    Received,
    Sent,
    Transcript,
)
from responses_ws_conformance.transcript.payloads import NOT_JSON, parse

from tests.cases import Case, load_cases

CASES = list(load_cases())
JUNK: list[Any] = [
    None,
    True,
    -1,
    0,
    10**30,
    1.5,
    "",
    "x",
    "resp_1",
    [],
    [[]],
    [{}],
    ["x"],
    {},
    {"a": [1]},
    {"id": [1]},
    [{"type": {}, "call_id": [1], "id": {}}],
]


def checks_of(role: str) -> list[Check]:
    names = {r.id for r in catalogue().of_role(role)}
    return [check for name, check in load_checks().items() if name in names]


def mangled(value: Any, chance: Random) -> Any:
    """A value in which some members are gone and others are something else."""
    if chance.random() < 0.08:
        return chance.choice(JUNK)
    if isinstance(value, dict):
        return {k: mangled(v, chance) for k, v in value.items() if chance.random() > 0.03}
    return [mangled(v, chance) for v in value] if isinstance(value, list) else value


def spoil(case: Case, kind: type[Sent] | type[Received], chance: Random) -> Evidence:
    """The case with the messages of one side mangled, and what it says over HTTP."""
    whole = case.transcript()

    def spoiled(entry: Entry) -> Entry:
        if isinstance(entry, Answered) and kind is Received:
            return replace(entry, body=spoiled_body(entry.body or "", chance))
        if not isinstance(entry, kind) or not isinstance(entry.payload, dict):
            return entry
        return replace(entry, text=json.dumps(mangled(entry.payload, chance)))

    return Evidence.of(Transcript(whole.header, [spoiled(e) for e in whole.entries]))


def spoiled_body(body: str, chance: Random) -> str:
    """A body, or each event of a stream, mangled where it is JSON."""
    lines: list[str] = []
    for line in body.splitlines():
        head = "data: " if line.startswith("data: ") else ""
        value = parse(line.removeprefix(head))
        is_json = value is not NOT_JSON
        lines.append(f"{head}{json.dumps(mangled(value, chance))}" if is_json else line)
    return "\n".join(lines)


def members(value: Any) -> set[str]:
    """The names of every member at any depth."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    own = set(value) if isinstance(value, dict) else set()
    return own.union(*map(members, inner))


def replaced(value: Any, name: str, junk: Any) -> Any:
    """A value in which each member of a name is something else."""
    if isinstance(value, dict):
        return {k: junk if k == name else replaced(v, name, junk) for k, v in value.items()}
    return [replaced(v, name, junk) for v in value] if isinstance(value, list) else value


def judge_all(checks: list[Check], evidence: Evidence) -> None:
    for check in checks:
        if check.when(evidence):
            assert all(str(outcome) for outcome in check.judge(evidence))


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(CASES), st.integers())
def test_checks_on_servers_take_anything_from_a_server(case: Case, seed: int) -> None:
    judge_all(checks_of("server"), spoil(case, Received, Random(seed)))


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(CASES), st.integers(), st.sampled_from([Sent, Received]))
def test_checks_on_clients_take_anything_from_either_side(
    case: Case, seed: int, kind: type[Sent] | type[Received]
) -> None:
    judge_all(checks_of("client"), spoil(case, kind, Random(seed)))


@pytest.mark.parametrize("junk", [["x"], 7], ids=["list", "number"])
def test_check_takes_any_value_of_any_member_that_its_own_cases_have(junk: Any) -> None:
    """What a server sends; of a client what it sends, and what it was sent."""
    servers = checks_of("server")
    for case in CASES:
        check = load_checks()[case.requirement]
        whole = case.transcript()
        strange = Received if check in servers else Sent | Received
        told = [e.payload for e in whole.entries if isinstance(e, strange)]
        for name in sorted(set().union(*map(members, told))):
            entries = [
                replace(e, text=json.dumps(replaced(e.payload, name, junk)))
                if isinstance(e, strange) and isinstance(e.payload, dict)
                else e
                for e in whole.entries
            ]
            judge_all([check], Evidence.of(Transcript(whole.header, entries)))


def cuts(entries: list[Entry]) -> Iterator[list[Entry]]:
    """The entries without one, without one connection, and without a role or a fact of a mark."""
    yield from ([e for e in entries if e is not gone] for gone in entries)
    for conn in {e.conn for e in entries if not isinstance(e, Note)}:
        yield [e for e in entries if isinstance(e, Note) or e.conn != conn]
    for note in (e for e in entries if isinstance(e, Note)):
        poorer = [replace(note, roles=less) for less in without_one(note.roles)]
        poorer += [replace(note, facts=less) for less in without_one(note.facts)]
        yield from ([less if e is note else e for e in entries] for less in poorer)


def without_one(members: Any) -> list[dict[str, Any]]:
    return [{n: v for n, v in members.items() if n != name} for name in members]


@pytest.mark.parametrize("role", ["server", "client"])
def test_checks_take_a_recording_that_somebody_has_cut(role: str) -> None:
    checks = checks_of(role)
    for case in CASES:
        whole = case.transcript()
        own = [check for check in checks if check.requirement == case.requirement]
        for left in cuts(whole.entries) if own else ():
            judge_all(own, Evidence.of(Transcript(whole.header, left)))


def test_what_a_mark_lacks_is_named() -> None:
    def why(entries: list[Entry]) -> list[str]:
        evidence = Evidence.of(Transcript(case.transcript().header, entries))
        return [o.why for o in check.judge(evidence) if isinstance(o, Undecided)]

    case = next(c for c in CASES if c.requirement == "RWS-LIMIT-004" and c.conforms is True)
    check = load_checks()[case.requirement]
    entries = case.transcript().entries
    assert why(entries) == []
    (note,) = (e for e in entries if isinstance(e, Note))
    (before,) = note.roles["before"]
    cut = [e for e in entries if isinstance(e, Note) or e.conn != before]
    assert why(cut) == [f"{before}, marked in entry {note.n}, is not in the transcript"]
    poorer = replace(note, roles={"before": (before,)})
    assert why([poorer if e is note else e for e in entries]) == [
        f"the mark in entry {note.n} has no single subject"
    ]
