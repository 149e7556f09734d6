"""Makes the events of one response, one at a time, in the only order that the tables allow."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, Final, TypeAlias

from responses_ws_reference.messages.calls import CallKey, answered, called
from responses_ws_reference.messages.effects import Event
from responses_ws_reference.messages.items import Item
from responses_ws_reference.responses import drafts
from responses_ws_reference.responses.drafts import Draft
from responses_ws_reference.responses.engine import Breakdown, Completion
from responses_ws_reference.responses.lifecycle import (
    ITEM_EVENTS,
    ITEM_TRANSITIONS,
    LIFECYCLE_EVENTS,
    OUTPUT,
    RESPONSE_TRANSITIONS,
    STATUSES,
    TERMINAL_STATES,
    ItemState,
    ResponseState,
    advance,
)

# An output item is there, and the first of its text or arguments, but not the last.
_EVENTS_BEFORE_A_BREAKDOWN: Final = 3
# What the model says further, once its calls have been answered: it is given all that the response
# has added to the conversation, and how many tokens it has written.
GoOn: TypeAlias = Callable[[tuple[Item, ...], int], Completion]


class ResponseStream:
    """The event stream of one response, from ``response.created`` to its terminal event.

    ``number`` gives the sequence number for the count of earlier events, ``identify`` makes the
    ids of items and calls. Events are made when they are asked for, so the state here is never
    ahead of what was sent. With ``go_on`` the response does not end with its calls: it waits until
    their outputs have been injected.
    """

    def __init__(
        self,
        response: dict[str, Any],
        completion: Completion | None,
        usage: dict[str, Any],
        *,
        number: Callable[[int], int],
        identify: Callable[[str], str],
        go_on: GoOn | None = None,
    ) -> None:
        self.response = response
        self._completion = completion
        self._usage = _with_thought(usage, completion)
        self._number = number
        self._identify = identify
        self._go_on = go_on
        self._owed: dict[CallKey, None] = {}
        self._added: list[Item] = []
        self._injected: list[Item] = []
        self._is_quiet = False
        self._state = ResponseState.ABSENT
        self._items: list[ItemState] = []
        self._is_to_stop = False
        self._was_stopped = False
        self._open: dict[int, str] = {}
        self._count = 0
        self._deltas = 0
        self._now = 0.0
        self._events = self._all_events()

    @property
    def is_finished(self) -> bool:
        """True once the terminal event was made."""
        return self._state in TERMINAL_STATES

    @property
    def is_waiting(self) -> bool:
        """True while there is nothing to say before the calls have been answered."""
        return self._is_quiet and bool(self._owed)

    @property
    def owed(self) -> tuple[CallKey, ...]:
        """The calls whose outputs can be injected."""
        return tuple(self._owed) if self._go_on is not None else ()

    @property
    def added(self) -> tuple[Item, ...]:
        """What the response has added to the conversation: its output, and what was injected."""
        return (*self._added, *self._injected)

    def next_event(self, *, now: float) -> Event | None:
        """The next event of the response, None where it begins to wait."""
        self._now = now
        return next(self._events)

    def stop_at_boundary(self) -> None:
        """Let the response say no more than the output item that it is at, or that comes first."""
        self._is_to_stop = True

    def interrupt(self) -> None:
        """Let the response end with its next events, without the output item that it is at."""
        self._owed.clear()
        self._events = self._last_events()

    def inject(self, outputs: Iterable[Item]) -> None:
        """Take outputs of calls; with the last that is owed the response can go on."""
        for output in outputs:
            if call := answered(output):
                del self._owed[call]
            self._injected.append(output)

    def aside(self, kind: str, members: Event) -> Event:
        """An event about the response that is no step of it; it shares the numbers."""
        return self._numbered(kind, members)

    def _all_events(self) -> Iterator[Event | None]:
        yield self._lifecycle("response.created")
        if self._completion is None:
            yield self._terminal("response.completed")
            return
        yield self._lifecycle("response.in_progress")
        if self._completion.breakdown is not None:
            yield from islice(self._outputs(self._completion), _EVENTS_BEFORE_A_BREAKDOWN)
            yield from self._break_down(self._completion.breakdown)
            return
        yield from self._outputs(self._completion)
        while self._go_on is not None and self._has_called():
            self._is_quiet = True
            while self._owed:
                yield None
            self._is_quiet = False
            completion = self._resumed(self._go_on)
            yield from self._outputs(completion)
            if completion.breakdown is not None:
                yield from self._break_down(completion.breakdown)
                return
        reason = self._why_incomplete()
        if reason is not None:
            self.response["incomplete_details"] = {"reason": reason}
            yield self._terminal("response.incomplete")
        else:
            yield self._terminal("response.completed")

    def _has_called(self) -> bool:
        """True where the newest outputs were calls, and none of them was cut short."""
        is_cut = self._why_incomplete() is not None
        return not is_cut and bool(self._owed or self._injected)

    def _resumed(self, go_on: GoOn) -> Completion:
        """What follows the outputs that were injected, which stand behind their calls from now."""
        self._added += self._injected
        self._injected.clear()
        completion = go_on(tuple(self._added), self._usage["output_tokens"])
        self._usage = _with_more(self._usage, completion)
        return completion

    def _last_events(self) -> Iterator[Event]:
        """The end of a response that is interrupted."""
        if self._state is ResponseState.CREATED:
            yield self._lifecycle("response.in_progress")
        for index, item_id in self._open.items():
            at = {"response_id": self.response["id"], "item_id": item_id, "output_index": index}
            yield self._event("response.output_item.interrupted", at)
        written = self._deltas
        total = self._usage["input_tokens"] + written
        self._usage = {**self._usage, "output_tokens": written, "total_tokens": total}
        self.response["incomplete_details"] = {"reason": "interrupted"}
        yield self._terminal("response.incomplete")

    def _why_incomplete(self) -> str | None:
        """A response that waits for outputs is complete, whatever else it was going to say."""
        output = self.response["output"]
        if output and output[-1].get("status") == "incomplete":
            return "max_output_tokens"
        waits = any("call_id" in item for item in output)
        return "steered" if self._was_stopped and not waits else None

    def _outputs(self, completion: Completion) -> Iterator[Event]:
        if completion.compaction is not None:
            yield from self._item(drafts.compaction(completion.compaction, self._identify))
        if completion.thought is not None:
            yield from self._item(drafts.reasoning(completion.thought, self._identify))
        last = len(completion.outputs) - 1
        for place, output in enumerate(completion.outputs):
            is_cut = completion.is_cut_short and place == last
            status = "incomplete" if is_cut else "completed"
            yield from self._item(drafts.output(output, self._identify, status=status))
            # Behind the last item a response that was not stopped before has said all.
            self._was_stopped |= self._is_to_stop and place < last
            if self._was_stopped:
                return

    def _item(self, events: Iterable[Draft]) -> Iterator[Event]:
        """The events of one more output item, each as far as the tables allow it."""
        index = len(self._items)
        self._items.append(ItemState.ABSENT)
        for kind, members in events:
            if kind in ITEM_EVENTS:
                self._items[index] = advance(ITEM_TRANSITIONS, self._items[index], kind)
            if kind == "response.output_item.added":
                self._open[index] = members["item"]["id"]
            elif kind == "response.output_item.done":
                self._finish(index, members["item"])
            yield self._event(kind, {"output_index": index, **members})

    def _finish(self, index: int, item: Item) -> None:
        """An output item is done: it is part of the conversation, and perhaps a call that waits."""
        self.response["output"].append(item)
        self._added.append(item)
        if call := called(item):
            self._owed[call] = None
        del self._open[index]
        self._was_stopped = self._is_to_stop

    def _break_down(self, breakdown: Breakdown) -> Iterator[Event]:
        error = {"code": breakdown.code, "message": breakdown.message}
        if breakdown.is_announced:
            details = {"type": breakdown.kind, **error, "param": None}
            yield self._event("error", {"error": details})
        self.response["error"] = error
        yield self._terminal("response.failed")

    def _terminal(self, kind: str) -> Event:
        self.response["usage"] = self._usage
        self.response["completed_at"] = int(self._now) if kind == "response.completed" else None
        return self._lifecycle(kind)

    def _lifecycle(self, kind: str) -> Event:
        event = self._event(kind, {})
        self.response["status"] = STATUSES[self._state]
        return {**event, "response": {**self.response, "output": list(self.response["output"])}}

    def _event(self, kind: str, members: Event) -> Event:
        given = kind if kind in LIFECYCLE_EVENTS else OUTPUT
        self._state = advance(RESPONSE_TRANSITIONS, self._state, given)
        return self._numbered(kind, members)

    def _numbered(self, kind: str, members: Event) -> Event:
        event = {"type": kind, "sequence_number": self._number(self._count), **members}
        self._count += 1
        self._deltas += kind.endswith(".delta")
        return event


def _with_thought(usage: dict[str, Any], completion: Completion | None) -> dict[str, Any]:
    """The token counts with those of the thought, which is output too."""
    if completion is None or completion.thought is None:
        return usage
    thought = len(completion.thought.tokens)
    return {
        **usage,
        "output_tokens": usage["output_tokens"] + thought,
        "output_tokens_details": {
            "reasoning_tokens": usage["output_tokens_details"]["reasoning_tokens"] + thought
        },
        "total_tokens": usage["total_tokens"] + thought,
    }


def _with_more(usage: dict[str, Any], completion: Completion) -> dict[str, Any]:
    """The token counts with those of what was said after the calls had been answered."""
    written = sum(len(output.tokens) for output in completion.outputs)
    more = {name: usage[name] + written for name in ("output_tokens", "total_tokens")}
    return _with_thought({**usage, **more}, completion)
