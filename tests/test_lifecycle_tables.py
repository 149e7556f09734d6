"""Three readings of the order of events agree: the tables as data, the server's and the suite's.

The reference server does not read ``lifecycle.json``. What its own tables allow, the data allows
without a requirement broken; what the data allows and the server never does is listed here. The
suite's checks accept every walk through the data, and notice what a step of it breaks.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import responses_ws_schemas as schemas
from responses_ws_conformance.catalogue import catalogue
from responses_ws_conformance.checks import Evidence, Finding, load_checks
from responses_ws_conformance.transcript import Header, Received, Sent, Transcript
from responses_ws_reference.responses.lifecycle import (
    ITEM_TRANSITIONS,
    OUTPUT,
    RESPONSE_TRANSITIONS,
    STATUSES,
    TERMINAL_STATES,
    ItemState,
    ResponseState,
)

from tests.cases import call_stream, message_stream
from tests.legal_order import MACHINES, TABLES, IllegalStep, Walk, events_of

PUBLISHED = schemas.event_types()

# What the data allows and the server never does, because nothing in it gives an occasion: its
# model does not fail before it works, nothing waits once created, and a part follows a part.
NOT_DONE: dict[str, set[tuple[str, str]]] = {
    "response": {
        ("CREATED", "response.failed"),
        ("CREATED", "response.incomplete"),
        ("IN_PROGRESS", "response.in_progress"),
        ("QUEUED", "response.completed"),
        ("QUEUED", "response.failed"),
        ("QUEUED", "response.incomplete"),
        ("QUEUED", "response.queued"),
    },
    "item": {
        ("PART_FULL", "response.content_part.added"),
        ("PART_OPEN", "response.content_part.added"),
        ("PART_OPEN", "response.content_part.done"),
    },
}


def rows(machine: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = TABLES[machine]["transitions"]
    return found


def is_legal(walk: Walk, events: list[dict[str, Any]]) -> bool:
    """True where events can follow without breaking anything."""
    try:
        return not walk.take_all(events)
    except IllegalStep:
        return False


def test_tables_follow_their_schema() -> None:
    assert schemas.explain("files/lifecycle", schemas.lifecycle()) == []


def test_tables_are_data_and_no_schema() -> None:
    assert "lifecycle" not in schemas.names()


@pytest.mark.parametrize("machine", MACHINES)
def test_table_is_whole(machine: str) -> None:
    table = TABLES[machine]
    used = {row["from"] for row in rows(machine)} | {row["to"] for row in rows(machine)}
    assert used == set(table["states"])
    assert {table["initial"], *table["final"]} <= used
    reached = {table["initial"]}
    while more := {row["to"] for row in rows(machine) if row["from"] in reached} - reached:
        reached |= more
    assert reached == used
    stuck = used - {row["from"] for row in rows(machine)}
    assert stuck <= set(table["final"]), "a state that is not final has a way out"


@pytest.mark.parametrize("machine", MACHINES)
def test_table_is_deterministic(machine: str) -> None:
    steps = [(r["from"], r.get("on"), r.get("within")) for r in rows(machine) if "owed" not in r]
    assert len(steps) == len(set(steps))


@pytest.mark.parametrize("machine", MACHINES)
def test_table_speaks_of_published_events(machine: str) -> None:
    assert events_of(machine) <= PUBLISHED
    others = [kind for other in MACHINES if other != machine for kind in events_of(other)]
    assert events_of(machine).isdisjoint(others)


@pytest.mark.parametrize("machine", MACHINES)
def test_broken_requirements_do_not_bind_everybody(machine: str) -> None:
    known = catalogue().requirements
    for row in rows(machine):
        if "breaks" in row:
            requirement = known[row["breaks"]]
            assert requirement.dialect is not None or not requirement.level.is_fatal


Events = list[dict[str, Any]]


def response_input(given: str, walk: Walk) -> Events:
    """An input of the server's response machine as events; output is one more whole item."""
    index = sum(len(place) == 1 for place in walk.states)
    kinds = [f"response.output_item.{end}" for end in ("added", "done")]
    return [{"type": k, "output_index": index} for k in (kinds if given == OUTPUT else [given])]


def item_input(given: str, walk: Walk) -> Events:
    """An input of the server's item machine as an event; parts follow each other."""
    parts = sum(len(place) == 2 for place in walk.states)
    is_new = given == "response.content_part.added" or parts == 0
    return [{"type": given, "output_index": 0, "content_index": parts if is_new else parts - 1}]


SERVER: dict[str, tuple[Any, Any, Walk, Callable[[str, Walk], Events]]] = {
    "response": (RESPONSE_TRANSITIONS, ResponseState.ABSENT, Walk(), response_input),
    "item": (ITEM_TRANSITIONS, ItemState.ABSENT, Walk({(): "in_progress"}), item_input),
}


def steps(machine: str) -> Iterator[tuple[Any, str, Walk, bool]]:
    """Every input in every state of the server's machine, beside where the data then stands.

    Yields the server's state, the input, the walk through the data and whether the data allows
    the input without a requirement broken.
    """
    table, start, first, as_events = SERVER[machine]
    rest, seen = [(start, first)], set()
    while rest:
        state, walk = rest.pop()
        key = (state, frozenset((len(place), where) for place, where in walk.states.items()))
        if key in seen:
            continue
        seen.add(key)
        for given in {given for _, given in table}:
            following = walk.copy()
            allowed = is_legal(following, as_events(given, walk))
            yield state, given, walk, allowed
            if allowed and (state, given) in table:
                rest.append((table[state, given], following))


@pytest.mark.parametrize("machine", SERVER)
def test_server_does_only_what_the_data_allows(machine: str) -> None:
    table = SERVER[machine][0]
    taken = [(state, given, allowed) for state, given, _, allowed in steps(machine)]
    assert {(s, g) for s, g, _ in taken if (s, g) in table} == set(table)
    assert [(s, g) for s, g, allowed in taken if (s, g) in table and not allowed] == []


@pytest.mark.parametrize("machine", SERVER)
def test_what_the_server_never_does_is_known(machine: str) -> None:
    table = SERVER[machine][0]
    missed = {(s.name, g) for s, g, _, allowed in steps(machine) if allowed and (s, g) not in table}
    assert missed == NOT_DONE[machine]


def test_server_ends_where_the_data_ends() -> None:
    for state, _, walk, _ in steps("response"):
        assert (state in TERMINAL_STATES) is walk.is_final
    for state, _, walk, _ in steps("item"):
        assert (state is ItemState.DONE) is (walk.state((0,)) in TABLES["output_item"]["final"])


def test_server_shows_a_status_that_the_data_knows() -> None:
    for state, _, walk, _ in steps("response"):
        shown = TABLES["response"]["states"][walk.state()].get("status")
        assert (STATUSES[state] in shown) if state in STATUSES else shown is None


@pytest.mark.parametrize(
    "stream",
    [message_stream("resp_1", "hi", {}), call_stream("resp_1", "call_1", "get_time", "{}", {})],
    ids=["message", "call"],
)
def test_streams_of_the_case_files_are_legal(stream: Iterator[dict[str, Any]]) -> None:
    walk = Walk()
    assert walk.take_all(stream) == []
    assert walk.is_final


# The requirements about order and nothing else, which is all that these walks show.
OF_RESPONSES = tuple(f"RWS-EVENT-{number:03}" for number in (1, 3, 4, 5, 6, 23, 24))
OF_ITEMS = tuple(f"RWS-ITEM-{number:03}" for number in (1, 2, 4, 15, 16, 17))
CHECKS = load_checks()
# The names that only one owner gives to reasoning events add nothing to the others.
WALKED = [
    kind
    for machine in MACHINES
    for kind in sorted(events_of(machine))
    if not kind.startswith("response.reasoning")
]


def event(kind: str, number: int, item: str = "message") -> dict[str, Any]:
    """An event with no more in it than the order needs."""
    if kind == "error":
        return {"type": kind, "sequence_number": number, "error": {"code": "c", "message": "m"}}
    place = {"item_id": "item_1", "output_index": 0, "content_index": 0}
    if kind in events_of("response"):
        place = {"response": {"id": "resp_1"}}
    elif kind in events_of("output_item"):
        place = {"output_index": 0, "item": {"type": item, "id": "item_1"}}
    return {"type": kind, "sequence_number": number, **place}


def walks() -> Iterator[tuple[list[str], frozenset[str]]]:
    """For every state that a response with one item can end in, and all that can be broken on the
    way there, one way: its events and what they break."""
    rest: deque[tuple[list[str], Walk, frozenset[str]]] = deque([([], Walk(), frozenset())])
    seen = set()
    while rest:
        path, walk, broken = rest.popleft()
        key = (frozenset(walk.states.items()), broken)
        if key in seen:
            continue
        seen.add(key)
        if walk.is_final:
            yield path, broken
        for kind in WALKED:
            following = walk.copy()
            try:
                breaks = following.take(event(kind, 0))
            except IllegalStep:
                continue
            rest.append(([*path, kind], following, broken.union(breaks)))


def findings(path: list[str]) -> set[str]:
    """The requirements that the suite finds broken in a conversation with these events."""
    transcript = Transcript(Header(scenario="walk"))
    create = json.dumps({"type": "response.create", "input": "hi"})
    transcript.entries.append(Sent(0, 0.0, "c1", "text", text=create))
    item = "function_call" if any("arguments" in kind for kind in path) else "message"
    for n, kind in enumerate(path, start=1):
        text = json.dumps(event(kind, n - 1, item))
        transcript.entries.append(Received(n, 0.0, "c1", "text", text=text))
    evidence = Evidence.of(transcript)
    return {
        name
        for name in (*OF_RESPONSES, *OF_ITEMS)
        if CHECKS[name].when(evidence)
        and any(isinstance(outcome, Finding) for outcome in CHECKS[name].judge(evidence))
    }


def test_suite_accepts_what_the_data_allows() -> None:
    allowed = [path for path, broken in walks() if not broken]
    assert len(allowed) > 20
    assert {tuple(path): found for path in allowed if (found := findings(path))} == {}


def test_suite_notices_what_a_step_breaks() -> None:
    assert [path for path, broken in walks() if broken and not findings(path)] == []


# What no row allows and none of these requirements forbids, by where and what: a part whose text is
# whole and grows on is judged by its sum (RWS-ITEM-005, RWS-ITEM-008), a refused create by what
# its scenario knows (RWS-ERROR-010), and nobody says what the two kinds of text are to each other.
TEXT = "response.output_text"
REFUSAL = "response.refusal"
UNGOVERNED = {
    **{state: {"error"} for state in ("broken_off", "completed", "failed", "incomplete")},
    "text": {f"{REFUSAL}.delta", f"{REFUSAL}.done"},
    "refusal": {f"{TEXT}.annotation.added", f"{TEXT}.delta", f"{TEXT}.done"},
    "full": {f"{TEXT}.delta", f"{REFUSAL}.delta", f"{REFUSAL}.done"},
    "called": {"response.function_call_arguments.delta"},
}


def missteps() -> Iterator[tuple[str, list[str]]]:
    """For every state that breaks nothing, each event that no row allows there; one way each."""
    rest: deque[tuple[list[str], Walk]] = deque([([], Walk())])
    seen = set()
    while rest:
        path, walk = rest.popleft()
        key = frozenset(walk.states.items())
        if key in seen or walk.state() == "refused":
            continue
        seen.add(key)
        for kind in (kind for kind in WALKED if "custom" not in kind):
            following = walk.copy()
            try:
                is_legal = not following.take(event(kind, 0))
            except IllegalStep as step:
                yield str(step).rpartition(" ")[2], [*path, kind]
            else:
                rest += [([*path, kind], following)] if is_legal else []


def test_suite_notices_what_no_row_allows() -> None:
    silent: dict[str, set[str]] = {}
    for state, path in missteps():
        if not findings(path):
            silent.setdefault(state, set()).add(path[-1])
    assert silent == UNGOVERNED
