"""Faults of output items and their parts: identity, lifecycle and showings."""

from __future__ import annotations

from typing import Any

from responses_ws_reference.faults.registry import TERMINAL, rewrite_events
from responses_ws_reference.messages.effects import Event
from responses_ws_reference.seams.hooks import Link, Sendings
from responses_ws_reference.seams.numbering import renumbered

ITEM_EVENTS = ("response.output_item.added", "response.output_item.done")


def without(kind: str, event: Event, link: Link) -> Sendings:
    """All events of a response but those of one type."""
    return [] if event["type"] == kind else renumbered([event], link)


def _messages(event: Event) -> list[dict[str, Any]]:
    """The message items that an event shows."""
    shown = [event["item"]] if "item" in event else event.get("response", {}).get("output", [])
    return [item for item in shown if item["type"] == "message"]


@rewrite_events("RWS-ITEM-001")
def items_are_not_announced(event: Event, link: Link) -> Sendings:
    """response.output_item.added is never sent."""
    return without("response.output_item.added", event, link)


@rewrite_events("RWS-ITEM-001")
def item_ends_before_its_part(event: Event, link: Link) -> Sendings:
    """response.content_part.done comes after response.output_item.done."""
    link = link.on_lane(event)
    if event["type"] == "response.content_part.done":
        link.memory["part"] = event
        return []
    is_end = event["type"] == "response.output_item.done"
    part = link.memory.pop("part", None) if is_end else None
    return renumbered([event, part] if part else [event], link)


@rewrite_events("RWS-ITEM-002", "RWS-STEER-005")
def messages_stay_open(event: Event, link: Link) -> Sendings:
    """A message that comes first is never done; its response completes all the same."""
    is_end = event["type"] == "response.output_item.done" and "multi_agent" not in link.create
    is_first = is_end and event["output_index"] == 0
    return [] if is_first and _messages(event) else renumbered([event], link)


@rewrite_events("RWS-ITEM-015")
def calls_have_a_part(event: Event, link: Link) -> Sendings:
    """A function call has an empty content part, like a message."""
    if event["type"] != "response.output_item.added" or event["item"]["type"] != "function_call":
        return renumbered([event], link)
    place = {"item_id": event["item"]["id"], "output_index": event["output_index"]}
    part = {
        "sequence_number": 0,
        **place,
        "content_index": 0,
        "part": {"type": "output_text", "text": "", "annotations": [], "logprobs": []},
    }
    added = {"type": "response.content_part.added", **part}
    done = {"type": "response.content_part.done", **part}
    return renumbered([event, added, done], link)


@rewrite_events("RWS-ITEM-016", "RWS-ITEM-001")
def items_end_twice(event: Event, link: Link) -> Sendings:
    """response.output_item.done is sent twice, so that a client runs each call twice."""
    is_end = event["type"] == "response.output_item.done" and "multi_agent" not in link.create
    return renumbered([event, {**event}] if is_end else [event], link)


@rewrite_events("RWS-ITEM-018", on="response.output_item.added")
def call_ids_are_given_anew(event: Event, link: Link) -> Sendings:
    """A call is added with a call_id of the gateway and done with the one from upstream."""
    if "call_id" in event["item"]:
        event["item"]["call_id"] += "_gateway"
    return event


@rewrite_events("RWS-ITEM-018", on="response.output_item.added")
def added_calls_have_a_placeholder(event: Event, link: Link) -> Sendings:
    """As long as its arguments are not there a call has a name that says nothing."""
    if event["item"]["type"] == "function_call":
        event["item"]["name"] = "function"
    return event


@rewrite_events("RWS-ITEM-018", on="response.output_item.added")
def functions_begin_as_custom_tools(event: Event, link: Link) -> Sendings:
    """A call is added as one of a custom tool and done as one of a function."""
    item = event["item"]
    if item["type"] != "function_call":
        return event
    kept = {name: value for name, value in item.items() if name != "arguments"}
    return {**event, "item": {**kept, "type": "custom_tool_call", "input": ""}}


@rewrite_events("RWS-ITEM-019", on=("response.output_item.done", *TERMINAL))
def calls_are_in_progress_until_their_output(event: Event, link: Link) -> Sendings:
    """A call that has come is in progress, because nobody has answered it."""
    for item in [event["item"]] if "item" in event else event["response"]["output"]:
        if item["type"] == "function_call" and item["status"] == "completed":
            item["status"] = "in_progress"
    return event


@rewrite_events("RWS-ITEM-019", on="response.completed")
def last_snapshot_is_an_early_one(event: Event, link: Link) -> Sendings:
    """The items of a completed response have the status in_progress."""
    for item in event["response"]["output"]:
        item["status"] = "in_progress"
    return event


@rewrite_events("RWS-ITEM-003")
def indexes_count_from_one(event: Event, link: Link) -> Sendings:
    """The first output item has the index 1."""
    if "output_index" in event:
        event["output_index"] += 1
    return event


@rewrite_events("RWS-ITEM-003", "RWS-TOOL-007")
def indexes_are_always_zero(event: Event, link: Link) -> Sendings:
    """Every output item has the index 0, the second call of a response too."""
    if "output_index" in event:
        event["output_index"] = 0
    return event


@rewrite_events("RWS-ITEM-004")
def parts_are_not_announced(event: Event, link: Link) -> Sendings:
    """response.content_part.added is never sent."""
    return without("response.content_part.added", event, link)


@rewrite_events("RWS-ITEM-004")
def parts_stay_open(event: Event, link: Link) -> Sendings:
    """response.content_part.done is never sent."""
    return without("response.content_part.done", event, link)


@rewrite_events("RWS-ITEM-007", "RWS-ITEM-012", on="response.output_item.done")
def done_messages_are_empty(event: Event, link: Link) -> Sendings:
    """A message is done as it was added, without its text."""
    for message in _messages(event):
        message["content"] = []
    return event


@rewrite_events("RWS-ITEM-011", on="response.output_text.delta")
def deltas_name_another_item(event: Event, link: Link) -> Sendings:
    """The item id in text deltas belongs to no item."""
    event["item_id"] = "msg_of_somebody_else"
    return event


@rewrite_events("RWS-ITEM-011", "RWS-INTR-004", "RWS-INTR-005", "RWS-COMPACT-004")
def item_ids_are_new_each_time(event: Event, link: Link) -> Sendings:
    """Until an item is done each of its events gives it another id."""
    salt = str(event.get("sequence_number"))
    if "item_id" in event:
        event["item_id"] += salt
    elif event["type"] == "response.output_item.added":
        event["item"]["id"] += salt
    return event


@rewrite_events("RWS-ITEM-012", on=TERMINAL)
def terminal_output_has_new_ids(event: Event, link: Link) -> Sendings:
    """The items of the terminal event have other ids than those that were done."""
    for item in event["response"]["output"]:
        item["id"] += "_final"
    return event


@rewrite_events("RWS-ITEM-012", on=TERMINAL)
def terminal_output_starts_with_a_greeting(event: Event, link: Link) -> Sendings:
    """The terminal output holds a message that no event has shown."""
    for message in _messages(event)[:1]:
        event["response"]["output"].insert(0, {**message, "id": "msg_greeting"})
    return event


@rewrite_events("RWS-EVENT-019", "RWS-ITEM-013", on=(*ITEM_EVENTS, *TERMINAL))
def messages_are_the_users(event: Event, link: Link) -> Sendings:
    """The messages of a response have the role user."""
    for message in _messages(event):
        message["role"] = "user"
    return event


@rewrite_events("RWS-EVENT-015", "RWS-ITEM-013", on="response.output_item.added")
def added_messages_have_no_content(event: Event, link: Link) -> Sendings:
    """An added message has no content array yet."""
    for message in _messages(event):
        del message["content"]
    return event


@rewrite_events("RWS-ITEM-014")
def another_item_follows_the_cut(event: Event, link: Link) -> Sendings:
    """After the message that the token limit cut off comes a whole one."""
    if event["type"] != "response.incomplete" or not _messages(event):
        return renumbered([event], link)
    output = event["response"]["output"]
    index = len(output)
    item = {**_messages(event)[-1], "id": "msg_afterword", "status": "completed", "content": []}
    output.append(item)
    at = {**{n: v for n, v in event.items() if n != "response"}, "output_index": index}
    added = {**at, "type": ITEM_EVENTS[0], "item": {**item, "status": "in_progress"}}
    return renumbered([added, {**at, "type": ITEM_EVENTS[1], "item": item}, event], link)
