"""Builds the events of one response, one at a time, in the only order the tables allow."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, Final

from responses_ws_reference.effects import Event
from responses_ws_reference.engine import Breakdown, Call, Completion, Message
from responses_ws_reference.lifecycle import (
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


class ResponseStream:
    """The event stream of one response, from ``response.created`` to its terminal event.

    ``number`` gives the sequence number for the count of earlier events, ``identify`` makes the
    ids of items and calls. Events are made when they are asked for, so the state here is never
    ahead of what was sent.
    """

    def __init__(
        self,
        response: dict[str, Any],
        completion: Completion | None,
        usage: dict[str, Any],
        *,
        number: Callable[[int], int],
        identify: Callable[[str], str],
    ) -> None:
        self.response = response
        self._completion = completion
        self._usage = usage
        self._number = number
        self._identify = identify
        self._state = ResponseState.ABSENT
        self._items: list[ItemState] = []
        self._count = 0
        self._now = 0.0
        self._events = self._all_events()

    @property
    def is_finished(self) -> bool:
        """True once the terminal event was made."""
        return self._state in TERMINAL_STATES

    def next_event(self, *, now: float) -> Event:
        """The next event of the response."""
        self._now = now
        return next(self._events)

    def aside(self, kind: str, members: Event) -> Event:
        """An event about the response that is no step of it; it shares the numbers."""
        return self._numbered(kind, members)

    def _all_events(self) -> Iterator[Event]:
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
        if self._completion.is_cut_short:
            self.response["incomplete_details"] = {"reason": "max_output_tokens"}
            yield self._terminal("response.incomplete")
        else:
            yield self._terminal("response.completed")

    def _outputs(self, completion: Completion) -> Iterator[Event]:
        last = len(completion.outputs) - 1
        for index, output in enumerate(completion.outputs):
            is_cut = completion.is_cut_short and index == last
            status = "incomplete" if is_cut else "completed"
            match output:
                case Message(tokens):
                    yield from self._message(index, tokens, status)
                case Call(name, tokens):
                    yield from self._call(index, name, tokens, status)

    def _break_down(self, breakdown: Breakdown) -> Iterator[Event]:
        error = {"code": breakdown.code, "message": breakdown.message}
        if breakdown.is_announced:
            details = {"type": breakdown.kind, **error, "param": None}
            yield self._event("error", {"error": details})
        self.response["error"] = error
        yield self._terminal("response.failed")

    def _message(self, index: int, tokens: tuple[str, ...], status: str) -> Iterator[Event]:
        item: dict[str, Any] = {
            "type": "message",
            "id": self._identify("msg"),
            "status": "in_progress",
            "role": "assistant",
            "content": [],
        }
        text = "".join(tokens)
        part = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
        at = {"item_id": item["id"], "output_index": index, "content_index": 0}
        yield self._item_event("response.output_item.added", index, {"item": item})
        yield self._item_event("response.content_part.added", index, {**at, "part": part})
        for token in tokens:
            delta = {**at, "delta": token, "logprobs": []}
            yield self._item_event("response.output_text.delta", index, delta)
        done = {**at, "text": text, "logprobs": []}
        yield self._item_event("response.output_text.done", index, done)
        part = {**part, "text": text}
        yield self._item_event("response.content_part.done", index, {**at, "part": part})
        item = {**item, "status": status, "content": [part]}
        self.response["output"].append(item)
        yield self._item_event("response.output_item.done", index, {"item": item})

    def _call(self, index: int, name: str, tokens: tuple[str, ...], status: str) -> Iterator[Event]:
        item = {
            "type": "function_call",
            "id": self._identify("fc"),
            "call_id": self._identify("call"),
            "name": name,
            "arguments": "",
            "status": "in_progress",
        }
        arguments = "".join(tokens)
        at = {"item_id": item["id"], "output_index": index}
        yield self._item_event("response.output_item.added", index, {"item": item})
        for token in tokens:
            delta = {**at, "delta": token}
            yield self._item_event("response.function_call_arguments.delta", index, delta)
        done = {**at, "arguments": arguments}
        yield self._item_event("response.function_call_arguments.done", index, done)
        item = {**item, "status": status, "arguments": arguments}
        self.response["output"].append(item)
        yield self._item_event("response.output_item.done", index, {"item": item})

    def _terminal(self, kind: str) -> Event:
        self.response["usage"] = self._usage
        self.response["completed_at"] = int(self._now) if kind == "response.completed" else None
        return self._lifecycle(kind)

    def _lifecycle(self, kind: str) -> Event:
        event = self._event(kind, {})
        self.response["status"] = STATUSES[self._state]
        return {**event, "response": {**self.response, "output": list(self.response["output"])}}

    def _item_event(self, kind: str, index: int, members: Event) -> Event:
        if index == len(self._items):
            self._items.append(ItemState.ABSENT)
        self._items[index] = advance(ITEM_TRANSITIONS, self._items[index], kind)
        return self._event(kind, {"output_index": index, **members})

    def _event(self, kind: str, members: Event) -> Event:
        given = kind if kind in LIFECYCLE_EVENTS else OUTPUT
        self._state = advance(RESPONSE_TRANSITIONS, self._state, given)
        return self._numbered(kind, members)

    def _numbered(self, kind: str, members: Event) -> Event:
        event = {"type": kind, "sequence_number": self._number(self._count), **members}
        self._count += 1
        return event
