"""Faults of streamed texts and arguments: their deltas, their ends, and the whole of them."""

from __future__ import annotations

import json

from responses_ws_reference.faults.items import without
from responses_ws_reference.faults.registry import TERMINAL, rewrite_events
from responses_ws_reference.messages.effects import Event
from responses_ws_reference.seams.hooks import Link, Sendings
from responses_ws_reference.seams.numbering import renumbered


def with_a_late_delta(event: Event, link: Link, family: str) -> Sendings:
    """The last delta of a text comes behind the event that calls the text whole."""
    link = link.on_lane(event)
    if event["type"] == f"{family}.delta":
        held, link.memory["held"] = link.memory.get("held"), event
        return renumbered([held] if held else [], link)
    held = link.memory.pop("held", None)
    is_end = event["type"] == f"{family}.done"
    return renumbered([e for e in ((event, held) if is_end else (held, event)) if e], link)


@rewrite_events("RWS-ITEM-016")
def texts_end_twice(event: Event, link: Link) -> Sendings:
    """response.output_text.done is sent twice."""
    is_end = event["type"] == "response.output_text.done"
    return renumbered([event, {**event}] if is_end else [event], link)


@rewrite_events("RWS-ITEM-017")
def arguments_have_no_end(event: Event, link: Link) -> Sendings:
    """The deltas of arguments are followed by the end of their call."""
    return without("response.function_call_arguments.done", event, link)


@rewrite_events("RWS-ITEM-017", "RWS-ITEM-020")
def arguments_end_before_their_last_delta(event: Event, link: Link) -> Sendings:
    """A buffer of one delta is emptied after response.function_call_arguments.done."""
    return with_a_late_delta(event, link, "response.function_call_arguments")


@rewrite_events("RWS-ITEM-020")
def texts_end_before_their_last_delta(event: Event, link: Link) -> Sendings:
    """A buffer of one delta is emptied after response.output_text.done."""
    return with_a_late_delta(event, link, "response.output_text")


@rewrite_events("RWS-ITEM-005", "RWS-ITEM-006", on="response.output_text.delta")
def text_deltas_are_stripped(event: Event, link: Link) -> Sendings:
    """Text deltas lose the space that they begin with."""
    event["delta"] = event["delta"].strip()
    return event


@rewrite_events("RWS-ITEM-005", "RWS-ITEM-006")
def text_deltas_repeat_the_text(event: Event, link: Link) -> Sendings:
    """Each text delta holds the whole text so far."""
    if event["type"] == "response.content_part.added":
        link.memory["text"] = ""
    elif event["type"] == "response.output_text.delta":
        event["delta"] = link.memory["text"] = link.memory["text"] + event["delta"]
    return event


@rewrite_events("RWS-ITEM-005", "RWS-ITEM-006", on="response.output_text.delta")
def text_deltas_are_cut_in_characters(event: Event, link: Link) -> Sendings:
    """A text is cut by bytes, and what is left of a character in a delta is replaced."""
    data = event["delta"].encode()
    halves = (data[: len(data) // 2], data[len(data) // 2 :])
    event["delta"] = "".join(half.decode(errors="replace") for half in halves)
    return event


@rewrite_events("RWS-ITEM-007", on="response.content_part.done")
def part_text_ends_early(event: Event, link: Link) -> Sendings:
    """The text of a finished part lacks its last character."""
    event["part"]["text"] = event["part"]["text"][:-1]
    return event


@rewrite_events("RWS-ITEM-008", "RWS-ITEM-009", on="response.function_call_arguments.delta")
def argument_deltas_are_stripped(event: Event, link: Link) -> Sendings:
    """Argument deltas lose the space that they begin with."""
    event["delta"] = event["delta"].strip()
    return event


@rewrite_events("RWS-ITEM-010", on=("response.output_item.done", *TERMINAL))
def item_arguments_are_written_anew(event: Event, link: Link) -> Sendings:
    """The arguments of a call were parsed and written again before they went into its item."""
    for item in [event["item"]] if "item" in event else event["response"]["output"]:
        if item["type"] == "function_call" and item["status"] == "completed":
            item["arguments"] = json.dumps(json.loads(item["arguments"]), separators=(",", ":"))
    return event
