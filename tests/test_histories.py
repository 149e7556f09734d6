"""Histories: what stands behind a create, in chains and where chains fork."""

from __future__ import annotations

import json
from typing import Any

from responses_ws_conformance.reading.attribution import Reading
from responses_ws_conformance.reading.histories import CALL, Responses
from responses_ws_conformance.transcript import Entry, Received, Sent

DEEPER_THAN_A_STACK = 1_500
STATES = ("created", "completed")


def read(parents: list[int | None]) -> tuple[Reading, Responses]:
    """Responses that put out one call each; each continues the one with that index, or none."""
    entries: list[Entry] = []
    for place, parent in enumerate(parents):
        ask: dict[str, Any] = {"type": "response.create", "input": f"ask {place}"}
        if parent is not None:
            ask["previous_response_id"] = f"resp_{parent}"
        call = {"type": "function_call", "call_id": f"call_{place}"}
        response = {"id": f"resp_{place}", "output": [call]}
        events = [{"type": f"response.{name}", "response": response} for name in STATES]
        n = len(entries)
        entries.append(Sent(n, 0.0, "c1", "text", json.dumps(ask)))
        for i, event in enumerate(events, start=1):
            entries.append(Received(n + i, 0.0, "c1", "text", json.dumps(event)))
    reading = Reading(entries)
    return reading, Responses.of(reading)


def test_chain_holds_each_item_once() -> None:
    length = 50
    reading, responses = read([None, *range(length - 1)])
    assert Responses.of(reading) is responses
    histories = [responses.behind(create) for create in reading]
    assert [history.length for history in histories] == [2 * n for n in range(length)]
    threads = {id(history.thread): history.thread for history in histories}
    assert [len(thread.items) for thread in threads.values()] == [2 * length]


def test_fork_has_what_it_continues_and_nothing_beside_it() -> None:
    reading, responses = read([None, 0, 1, 0, 3, 1])
    chains = [[i.get("call_id") for i in responses.behind(x).items][1::2] for x in reading]
    expected = [[], [0], [0, 1], [0], [0, 3], [0, 1]]
    assert chains == [[f"call_{n}" for n in numbers] for numbers in expected]
    for create, numbers in zip(reading, expected, strict=True):
        history = responses.behind(create)
        known = [n for n in range(6) if history.kinds((CALL, f"call_{n}"))]
        assert known == numbers
        assert history.is_whole


def test_every_turn_may_be_a_fork() -> None:
    """Two creates continue each response of a chain, and the second one is gone on with."""
    twice = [2 * n for n in range(DEEPER_THAN_A_STACK) for _ in range(2)]
    reading, responses = read([None, *twice])
    last = responses.behind(list(reading)[-1])
    assert len(last.items) == 2 * DEEPER_THAN_A_STACK
    assert last.kinds((CALL, "call_0")) == ["function_call"]


def test_what_is_lost_is_not_whole() -> None:
    reading, responses = read([7, 0])
    assert [responses.behind(create).is_whole for create in reading] == [False, False]
