"""The state tables of a response and of an item, pair by pair."""

from __future__ import annotations

from enum import Enum
from itertools import product
from typing import Any

import pytest
from responses_ws_reference.responses.lifecycle import (
    ITEM_TRANSITIONS,
    RESPONSE_TRANSITIONS,
    STATUSES,
    TERMINAL_STATES,
    IllegalTransition,
    ItemState,
    ResponseState,
    advance,
)

TABLES: dict[str, tuple[Any, type[Enum]]] = {
    "response": (RESPONSE_TRANSITIONS, ResponseState),
    "item": (ITEM_TRANSITIONS, ItemState),
}
PAIRS = [
    (name, state, given)
    for name, (table, states) in TABLES.items()
    for state, given in product(states, sorted({given for _, given in table}))
]


@pytest.mark.parametrize(("name", "state", "given"), PAIRS)
def test_a_pair_is_in_the_table_or_illegal(name: str, state: Enum, given: str) -> None:
    """There is no third way."""
    table, _ = TABLES[name]
    if (state, given) in table:
        assert advance(table, state, given) is table[state, given]
    else:
        with pytest.raises(IllegalTransition, match=given):
            advance(table, state, given)


def test_nothing_follows_an_end() -> None:
    """Terminal states of a response and the done state of an item have no way out."""
    left = {state for state, _ in RESPONSE_TRANSITIONS} | {state for state, _ in ITEM_TRANSITIONS}
    assert not left & {*TERMINAL_STATES, ItemState.DONE}


@pytest.mark.parametrize("name", TABLES)
def test_every_state_is_reached(name: str) -> None:
    """A state without a way in would be a mistake in the table."""
    table, states = TABLES[name]
    assert {*table.values()} == {*states} - {states["ABSENT"]}


def test_every_state_but_absence_has_a_status() -> None:
    """What a response shows in each state is written down."""
    assert {*STATUSES} == {*ResponseState} - {ResponseState.ABSENT}
