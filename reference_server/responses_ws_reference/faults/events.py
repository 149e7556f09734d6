"""Faults of a response's events: their order, their end, their numbers and their members."""

from __future__ import annotations

from typing import Final

from responses_ws_reference.faults.registry import (
    LIFECYCLE,
    TERMINAL,
    replace_policy,
    rewrite_events,
)
from responses_ws_reference.messages.effects import Event
from responses_ws_reference.seams.hooks import Link, Sendings

# Members that Open Responses demands of each response and OpenAI's types do not.
SETTINGS: Final = (
    "completed_at",
    "truncation",
    "text",
    "top_p",
    "presence_penalty",
    "frequency_penalty",
    "top_logprobs",
    "temperature",
    "reasoning",
    "max_tool_calls",
    "service_tier",
    "safety_identifier",
    "prompt_cache_key",
)


def _swapped(first: Event, second: Event) -> list[Event]:
    """Two events in the other order, each with the number of its new place."""
    numbers = first["sequence_number"], second["sequence_number"]
    second["sequence_number"], first["sequence_number"] = numbers
    return [second, first]


# Order


@rewrite_events(
    "RWS-EVENT-001",
    on=("response.created", "response.in_progress"),
)
def progress_comes_before_creation(event: Event, link: Link) -> Sendings:
    """response.in_progress is sent before response.created."""
    link = link.on_lane(event)
    is_first = event["response"].get("previous_response_id") is None
    if event["type"] == "response.created" and is_first and link.create.get("generate", True):
        link.memory["created"] = event
        return []
    created = link.memory.pop("created", None)
    return event if created is None else _swapped(created, event)


@rewrite_events("RWS-EVENT-002", on="response.created")
def is_completed_when_created(event: Event, link: Link) -> Sendings:
    """The response in response.created has the status it will have in the end."""
    event["response"]["status"] = "completed"
    return event


@rewrite_events("RWS-EVENT-003")
def queued_after_progress(event: Event, link: Link) -> Sendings:
    """response.queued is sent after response.in_progress."""
    link = link.on_lane(event)
    if "sequence_number" not in event:
        return event
    if event["type"] == "response.created":
        link.memory["more"] = 0
    event["sequence_number"] += link.memory["more"]
    if event["type"] != "response.in_progress":
        return event
    link.memory["more"] = 1
    queued = {
        **event,
        "type": "response.queued",
        "sequence_number": event["sequence_number"] + 1,
        "response": {**event["response"], "status": "queued"},
    }
    return [event, queued]


@rewrite_events("RWS-EVENT-023")
def creation_is_a_heartbeat(event: Event, link: Link) -> Sendings:
    """response.created is sent again, as a sign of life."""
    link = link.on_lane(event)
    if "sequence_number" not in event:
        return event
    if event["type"] == "response.created":
        link.memory["created"], link.memory["more"] = event, 0
    event["sequence_number"] += link.memory["more"]
    if event["type"] != "response.in_progress":
        return event
    link.memory["more"] = 1
    number = event["sequence_number"]
    again = {**link.memory["created"], "sequence_number": number}
    return [again, {**event, "sequence_number": number + 1}]


@rewrite_events("RWS-EVENT-023")
def creation_comes_twice_with_two_ids(event: Event, link: Link) -> Sendings:
    """Two layers announce a response of the default lane, each with an id of its own."""
    if event["type"] != "response.in_progress" or "stream_id" in event:
        return event
    response = {**event["response"], "id": f"{event['response']['id']}_outer"}
    return [{**event, "type": "response.created", "response": response}, event]


@rewrite_events("RWS-EVENT-004")
def progress_comes_after_the_first_item(event: Event, link: Link) -> Sendings:
    """response.in_progress is sent after the first response.output_item.added."""
    link = link.on_lane(event)
    if event["type"] == "response.in_progress":
        link.memory["progress"] = event
        return []
    progress = link.memory.pop("progress", None)
    if progress is None:
        return event
    is_item = event["type"] == "response.output_item.added"
    return _swapped(progress, event) if is_item else [progress, event]


# End


@rewrite_events("RWS-EVENT-005", on=TERMINAL)
def ends_twice(event: Event, link: Link) -> Sendings:
    """The terminal event is sent twice, the second time with the next number."""
    return [event, {**event, "sequence_number": event["sequence_number"] + 1}]


@rewrite_events("RWS-EVENT-005", on=TERMINAL)
def never_ends(event: Event, link: Link) -> Sendings:
    """The terminal event is not sent."""
    return []


@rewrite_events("RWS-EVENT-006", on=("response.completed", "response.incomplete"))
def talks_after_the_end(event: Event, link: Link) -> Sendings:
    """A response.in_progress follows the terminal event, as a keepalive that came too late."""
    late = {
        **event,
        "type": "response.in_progress",
        "sequence_number": event["sequence_number"] + 1,
        "response": {**event["response"], "status": "in_progress"},
    }
    return [event, late]


@rewrite_events("RWS-EVENT-007", on=TERMINAL)
def ends_under_another_id(event: Event, link: Link) -> Sendings:
    """The terminal event has the id that the response has upstream."""
    event["response"]["id"] = event["response"]["id"].replace("resp_", "upstream_")
    return event


@rewrite_events("RWS-EVENT-008", on=TERMINAL)
def status_stands_still(event: Event, link: Link) -> Sendings:
    """The response in the terminal event is still in progress by its status."""
    event["response"]["status"] = "in_progress"
    return event


@rewrite_events("RWS-EVENT-025", on="response.completed")
def completes_with_an_error(event: Event, link: Link) -> Sendings:
    """A completed response has the error of an attempt that was made again."""
    event["response"]["error"] = {"code": "server_error", "message": "The first try failed."}
    return event


@rewrite_events("RWS-EVENT-025", on="response.completed")
def completes_incompletely(event: Event, link: Link) -> Sendings:
    """A completed response says why it is incomplete."""
    event["response"]["incomplete_details"] = {"reason": "max_output_tokens"}
    return event


@rewrite_events("RWS-EVENT-026", on=TERMINAL)
def is_created_at_its_end(event: Event, link: Link) -> Sendings:
    """Each event takes the time of its own making for that of the response."""
    event["response"]["created_at"] += 2
    return event


@rewrite_events("RWS-EVENT-009")
def fails_without_a_reason(event: Event, link: Link) -> Sendings:
    """The first response of each connection fails, and its error is null."""
    if event["type"] == "response.created":
        name = event["response"]["id"]
        link.memory["response"] = event["response"]
        link.memory["fails"] = link.memory.setdefault("first", name) == name
        return event
    if not link.memory.get("fails") or event["type"] == "response.in_progress":
        return event
    if event["type"] != "response.output_item.added":
        return []
    failed = {**link.memory["response"], "status": "failed"}
    number = event["sequence_number"]
    return {"type": "response.failed", "sequence_number": number, "response": failed}


@rewrite_events("RWS-EVENT-010", "RWS-STEER-004", "RWS-INTR-002", on="response.incomplete")
def incomplete_without_a_reason(event: Event, link: Link) -> Sendings:
    """incomplete_details is null in response.incomplete."""
    event["response"]["incomplete_details"] = None
    return event


# Numbers


@rewrite_events("RWS-EVENT-011", "RWS-EVENT-015", on="response.output_text.delta")
def deltas_are_not_numbered(event: Event, link: Link) -> Sendings:
    """Text deltas have no sequence_number."""
    del event["sequence_number"]
    return event


@replace_policy("number", "RWS-EVENT-012")
def first_number_is_repeated(count: int) -> int:
    """response.created and response.in_progress have the same number."""
    return max(count - 1, 0)


@replace_policy("number", "RWS-EVENT-013")
def numbers_have_gaps(count: int) -> int:
    """Sequence numbers go up by two."""
    return 2 * count


@replace_policy("number", "RWS-EVENT-013")
def numbers_start_at_one(count: int) -> int:
    """The first sequence number of a response is 1."""
    return count + 1


@rewrite_events("RWS-EVENT-013", "RWS-EVENT-014")
def numbers_count_the_connection(event: Event, link: Link) -> Sendings:
    """Sequence numbers go on from response to response of a connection."""
    if "sequence_number" in event:
        event["sequence_number"] = link.memory["next"] = link.memory.get("next", -1) + 1
    return event


# Members


@rewrite_events("RWS-EVENT-015", on=LIFECYCLE)
def parallel_tool_calls_are_not_shown(event: Event, link: Link) -> Sendings:
    """The response does not say whether tools may be called in parallel."""
    del event["response"]["parallel_tool_calls"]
    return event


@rewrite_events("RWS-EVENT-015", "RWS-EVENT-016", on=LIFECYCLE)
def times_are_texts(event: Event, link: Link) -> Sendings:
    """created_at is a string of digits."""
    event["response"]["created_at"] = str(event["response"]["created_at"])
    return event


@rewrite_events("RWS-EVENT-016", on=LIFECYCLE)
def settings_are_not_given_back(event: Event, link: Link) -> Sendings:
    """The response object is short, as OpenAI's types allow."""
    members = event["response"].items()
    event["response"] = {name: value for name, value in members if name not in SETTINGS}
    return event


@rewrite_events("RWS-EVENT-017", on="response.in_progress")
def json_keepalive(event: Event, link: Link) -> Sendings:
    """A keepalive is sent as an event without a prefix."""
    return [event, {"type": "keepalive"}]


@rewrite_events("RWS-EVENT-018", on="response.in_progress")
def vendor_events_are_not_numbered(event: Event, link: Link) -> Sendings:
    """An event with a vendor prefix has no sequence_number."""
    return [event, {"type": "rws:keepalive"}]


@rewrite_events("RWS-EVENT-019", on=("response.output_text.delta", "response.output_text.done"))
def logprobs_are_left_out(event: Event, link: Link) -> Sendings:
    """Text events have no logprobs, as Open Responses allows."""
    del event["logprobs"]
    return event


@rewrite_events("RWS-EVENT-019", on=TERMINAL)
def cache_writes_are_not_counted(event: Event, link: Link) -> Sendings:
    """The usage does not say how many tokens were written to the prompt cache."""
    del event["response"]["usage"]["input_tokens_details"]["cache_write_tokens"]
    return event
