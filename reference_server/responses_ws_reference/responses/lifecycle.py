"""The two state machines of a response stream, as tables.

A *response* is created, may be announced as queued, makes progress and ends once. Each output
*item* is added, filled and done; a message is filled through content parts, a function call
through its arguments, the call of a custom tool through its input. Both machines take the ``type``
of an event as their input: the response machine knows its own lifecycle events and calls everything
else ``OUTPUT``, the item machine knows the events that carry an ``output_index``, except those of a
summary of reasoning.

A pair that is not in a table is illegal, and `advance` says so instead of repairing it.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Final, TypeVar


class ResponseState(Enum):
    """Where a response stands between its first and its last event."""

    ABSENT = "absent"
    CREATED = "created"
    QUEUED = "queued"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    FAILED = "failed"
    INCOMPLETE = "incomplete"


class ItemState(Enum):
    """Where an output item stands between added and done."""

    ABSENT = "absent"
    OPEN = "open"
    PART_OPEN = "part_open"
    PART_FULL = "part_full"
    PART_DONE = "part_done"
    ARGUMENTS_OPEN = "arguments_open"
    ARGUMENTS_FULL = "arguments_full"
    INPUT_OPEN = "input_open"
    INPUT_FULL = "input_full"
    DONE = "done"


OUTPUT: Final = "output"

RESPONSE_TRANSITIONS: Final[Mapping[tuple[ResponseState, str], ResponseState]] = {
    (ResponseState.ABSENT, "response.created"): ResponseState.CREATED,
    (ResponseState.CREATED, "response.queued"): ResponseState.QUEUED,
    (ResponseState.CREATED, "response.in_progress"): ResponseState.IN_PROGRESS,
    (ResponseState.QUEUED, "response.in_progress"): ResponseState.IN_PROGRESS,
    (ResponseState.IN_PROGRESS, OUTPUT): ResponseState.IN_PROGRESS,
    (ResponseState.IN_PROGRESS, "response.completed"): ResponseState.COMPLETED,
    (ResponseState.IN_PROGRESS, "response.failed"): ResponseState.FAILED,
    (ResponseState.IN_PROGRESS, "response.incomplete"): ResponseState.INCOMPLETE,
    # A warm-up generates nothing, so it has no progress to announce.
    (ResponseState.CREATED, "response.completed"): ResponseState.COMPLETED,
}

ITEM_TRANSITIONS: Final[Mapping[tuple[ItemState, str], ItemState]] = {
    (ItemState.ABSENT, "response.output_item.added"): ItemState.OPEN,
    (ItemState.OPEN, "response.content_part.added"): ItemState.PART_OPEN,
    (ItemState.PART_OPEN, "response.output_text.delta"): ItemState.PART_OPEN,
    (ItemState.PART_OPEN, "response.output_text.done"): ItemState.PART_FULL,
    (ItemState.PART_FULL, "response.content_part.done"): ItemState.PART_DONE,
    (ItemState.PART_DONE, "response.content_part.added"): ItemState.PART_OPEN,
    (ItemState.OPEN, "response.function_call_arguments.delta"): ItemState.ARGUMENTS_OPEN,
    (ItemState.OPEN, "response.function_call_arguments.done"): ItemState.ARGUMENTS_FULL,
    (ItemState.ARGUMENTS_OPEN, "response.function_call_arguments.delta"): ItemState.ARGUMENTS_OPEN,
    (ItemState.ARGUMENTS_OPEN, "response.function_call_arguments.done"): ItemState.ARGUMENTS_FULL,
    (ItemState.OPEN, "response.custom_tool_call_input.delta"): ItemState.INPUT_OPEN,
    (ItemState.OPEN, "response.custom_tool_call_input.done"): ItemState.INPUT_FULL,
    (ItemState.INPUT_OPEN, "response.custom_tool_call_input.delta"): ItemState.INPUT_OPEN,
    (ItemState.INPUT_OPEN, "response.custom_tool_call_input.done"): ItemState.INPUT_FULL,
    (ItemState.OPEN, "response.output_item.done"): ItemState.DONE,
    (ItemState.PART_DONE, "response.output_item.done"): ItemState.DONE,
    (ItemState.ARGUMENTS_FULL, "response.output_item.done"): ItemState.DONE,
    (ItemState.INPUT_FULL, "response.output_item.done"): ItemState.DONE,
}

TERMINAL_STATES: Final = frozenset(
    {ResponseState.COMPLETED, ResponseState.FAILED, ResponseState.INCOMPLETE}
)

# The `status` that a response object shows in each state.
STATUSES: Final[Mapping[ResponseState, str]] = {
    ResponseState.CREATED: "in_progress",
    ResponseState.QUEUED: "queued",
    ResponseState.IN_PROGRESS: "in_progress",
    ResponseState.COMPLETED: "completed",
    ResponseState.FAILED: "failed",
    ResponseState.INCOMPLETE: "incomplete",
}

LIFECYCLE_EVENTS: Final = frozenset(given for _, given in RESPONSE_TRANSITIONS if given != OUTPUT)
ITEM_EVENTS: Final = frozenset(given for _, given in ITEM_TRANSITIONS)

State = TypeVar("State", ResponseState, ItemState)


class IllegalTransition(Exception):
    """The server was about to send an event that its own state forbids."""

    def __init__(self, state: Enum, given: str) -> None:
        super().__init__(f"{given} is illegal in state {state.name}")


def advance(table: Mapping[tuple[State, str], State], state: State, given: str) -> State:
    """The state that follows, by the table."""
    try:
        return table[state, given]
    except KeyError:
        raise IllegalTransition(state, given) from None
