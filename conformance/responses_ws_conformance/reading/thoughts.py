"""Thoughts: the texts of reasoning items, raw or summed up, and the events that carry them.

A raw text stands in a content part, and each owner has names of its own for its events. A summary
has parts of its own, known by their ``summary_index``, with names that both owners share.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from responses_ws_conformance.reading.exchanges import Exchange
from responses_ws_conformance.reading.items import PART_ADDED, PART_DONE, Item, Kind, items_of
from responses_ws_conformance.reading.wholes import Whole, streamed, whole_of
from responses_ws_conformance.transcript import Received
from responses_ws_conformance.transcript.payloads import integer


@dataclass(frozen=True, slots=True)
class Form:
    """One form in which reasoning is shown: its events, and where its item holds the text."""

    text: Kind
    added: str
    done: str
    index: str
    member: str

    @property
    def deltas_and_done(self) -> tuple[str, str]:
        """The types of the events that hold the text itself."""
        return (self.text.delta, self.text.done)


OF_OPEN_RESPONSES: Final = Form(
    Kind("response.reasoning.delta", "response.reasoning.done", "text"),
    *(PART_ADDED, PART_DONE, "content_index", "content"),
)
OF_OPENAI: Final = Form(
    Kind("response.reasoning_text.delta", "response.reasoning_text.done", "text"),
    *(PART_ADDED, PART_DONE, "content_index", "content"),
)
SUMMARY: Final = Form(
    Kind("response.reasoning_summary_text.delta", "response.reasoning_summary_text.done", "text"),
    "response.reasoning_summary_part.added",
    "response.reasoning_summary_part.done",
    *("summary_index", "summary"),
)
RAW: Final = (OF_OPEN_RESPONSES, OF_OPENAI)
FORMS: Final = (*RAW, SUMMARY)


@dataclass(slots=True, eq=False)
class Thought:
    """One part of a reasoning item: a raw text or a part of its summary, and its events."""

    item: Item
    form: Form
    index: int
    events: list[Received] = field(default_factory=list)

    @property
    def place(self) -> str:
        """Where it stands, for a report."""
        return f"output_index {self.item.index}, {self.form.index} {self.index}"

    @property
    def text_events(self) -> list[Received]:
        """Its deltas and the done event of its text."""
        return [e for e in self.events if e.type in self.form.deltas_and_done]

    def of_type(self, kind: str) -> Received | None:
        """Its first event of a type."""
        return next((e for e in self.events if e.type == kind), None)

    def wholes(self) -> Iterator[Whole]:
        """What calls its text whole: its done event, its part's, and its item where it shows it."""
        done = whole_of(self.events, self.form.text)
        if done is not None:
            yield done
        part = self.of_type(self.form.done)
        if part is not None:
            yield Whole(part, _text_of(part.payload.get("part")))
        shown = self.item.final.get(self.form.member)
        # Raw reasoning may be gone from the item; its summary is a member that is always there.
        if self.item.done is not None and isinstance(shown, list) and (shown or self.is_summary):
            value = shown[self.index] if 0 <= self.index < len(shown) else None
            yield Whole(self.item.done, _text_of(value))

    @property
    def is_summary(self) -> bool:
        """True for a part of a summary."""
        return self.form is SUMMARY


def thoughts(exchange: Exchange) -> Iterator[Thought]:
    """Every part of the reasoning of a response of which the text was sent in events."""
    for item in items_of(exchange):
        for form in FORMS:
            parts: dict[int, Thought] = {}
            for event in item.events:
                index = integer(event.payload.get(form.index))
                if index is not None:
                    thought = parts.setdefault(index, Thought(item, form, index))
                    if event.type in (form.added, form.done, *form.deltas_and_done):
                        thought.events.append(event)
            yield from (thought for thought in parts.values() if thought.text_events)


def streamed_thoughts(exchange: Exchange) -> Iterator[tuple[str, Whole]]:
    """The joined deltas of every part of the reasoning, and what its done event says."""
    for thought in thoughts(exchange):
        yield from streamed(thought.events, thought.form.text)


def _text_of(part: Any) -> str | None:
    text = part.get("text") if isinstance(part, dict) else None
    return text if isinstance(text, str) else None
