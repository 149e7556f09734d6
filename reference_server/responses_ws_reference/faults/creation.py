"""Faults of reading a ``response.create`` and of what its response shows of it."""

from __future__ import annotations

from dataclasses import replace

from responses_ws_reference.faults.registry import (
    LIFECYCLE,
    TERMINAL,
    Fault,
    on_incoming,
    register,
    replace_policy,
    rewrite_events,
)
from responses_ws_reference.messages.creates import Create
from responses_ws_reference.messages.effects import CloseConnection, Event
from responses_ws_reference.messages.refusals import Refusal
from responses_ws_reference.seams.hooks import Hooks, Incoming, Link, Reply, Sendings
from responses_ws_reference.session.store import Snapshot

CREATE = "response.create"


def _refused(code: str, message: str, param: str) -> Reply:
    return Reply((Refusal(code, message, param).event(),))


# Input


@on_incoming("RWS-CREATE-001", on=CREATE)
def string_input_is_lost(event: Event, link: Link) -> Incoming | Reply:
    """An input that is a string is accepted, but the model sees an empty message."""
    return {**event, "input": " "} if isinstance(event.get("input"), str) else event


@on_incoming(
    "RWS-CREATE-002",
    "RWS-WARM-001",
    "RWS-WARM-011",
    "RWS-LANE-003",
    "RWS-LANE-004",
    "RWS-REASON-007",
    "RWS-COMPACT-001",
    "RWS-INJECT-007",
    on=CREATE,
)
def lone_message_is_refused(event: Event, link: Link) -> Incoming | Reply:
    """Without a chain to store or continue, an array of one message is refused."""
    match event:
        case {"previous_response_id": str()}:
            return event
        case {"input": [_], "store": False}:
            return _refused("invalid_type", "'input' is a string.", "input")
    return event


@on_incoming("RWS-CREATE-002", on=CREATE)
def content_has_parts(event: Event, link: Link) -> Incoming | Reply:
    """A message whose content is a string is refused: a server knows the form of its own client."""
    match event:
        case {"input": [{"content": str()}, *_]}:
            return _refused("invalid_type", "'content' is an array of parts.", "input[0].content")
    return event


# What the response shows


@rewrite_events("RWS-CREATE-003", "RWS-STEER-025", on=LIFECYCLE)
def tools_are_not_listed(event: Event, link: Link) -> Sendings:
    """The response lists no tools."""
    event["response"]["tools"] = []
    return event


@rewrite_events("RWS-CREATE-004", on=LIFECYCLE)
def metadata_is_lost(event: Event, link: Link) -> Sendings:
    """The response has no metadata."""
    event["response"]["metadata"] = {}
    return event


@rewrite_events("RWS-CREATE-014", on=LIFECYCLE)
def store_is_always_true(event: Event, link: Link) -> Sendings:
    """The response says that it is stored, whatever its create said."""
    event["response"]["store"] = True
    return event


# Models


@rewrite_events("RWS-CREATE-005", "RWS-ERROR-009", on="error")
def unknown_model_closes(event: Event, link: Link) -> Sendings:
    """A refused model costs the connection."""
    if event["error"]["code"] != "model_not_found":
        return event
    return [event, CloseConnection(1008, "model switch")]


@on_incoming("RWS-CREATE-005", on=CREATE)
def unknown_model_crashes(event: Event, link: Link) -> Incoming | Reply:
    """A name of a model that the server does not have breaks the connection."""
    if not str(event.get("model", "")).startswith("no-such-model"):
        return event
    return Reply((CloseConnection(1011, "internal error"),))


@on_incoming("RWS-CREATE-013", on=CREATE)
def missing_model_crashes(event: Event, link: Link) -> Incoming | Reply:
    """A create without a model breaks the connection."""
    return event if "model" in event else Reply((CloseConnection(1011, "KeyError: 'model'"),))


@on_incoming("RWS-CREATE-013", on=CREATE)
def missing_model_closes(event: Event, link: Link) -> Incoming | Reply:
    """A create without a model is refused, and costs the connection."""
    if "model" in event:
        return event
    refusal = Refusal("missing_required_parameter", "Missing parameter: 'model'.", "model")
    return Reply((refusal.event(), CloseConnection(1008, "no model")))


# Continuations


@on_incoming("RWS-CREATE-006", on=CREATE)
def null_is_no_id(event: Event, link: Link) -> Incoming | Reply:
    """A previous_response_id that is null is called invalid."""
    if event.get("previous_response_id", "") is not None:
        return event
    return _refused("invalid_type", "The id is a string.", "previous_response_id")


def _note_the_newest(sending: Event | CloseConnection, link: Link) -> Sendings:
    if isinstance(sending, dict) and sending["type"] in TERMINAL:
        link.memory["newest"] = sending["response"]["id"]
    return sending


def _continue_the_newest(message: Incoming, link: Link) -> Incoming | Reply:
    if not isinstance(message, dict) or message.get("previous_response_id", "") is not None:
        return message
    return {**message, "previous_response_id": link.memory.get("newest")}


register(
    Fault(
        "null-continues-the-newest",
        ("RWS-CHAIN-020", "RWS-CREATE-006"),
        "A create with previous_response_id null continues the newest response.",
        Hooks(incoming=_continue_the_newest, outgoing=_note_the_newest),
    )
)


def _without_instructions(create: Create) -> Create:
    fields = {name: value for name, value in create.fields.items() if name != "instructions"}
    return replace(create, fields=fields)


@replace_policy("inherit", "RWS-CREATE-018", "RWS-STEER-025")
def instructions_are_dropped(create: Create, previous: Snapshot) -> Create:
    """A gateway builds the prompt from the input, and from nothing else."""
    return _without_instructions(create)


@replace_policy("inherit", "RWS-CREATE-018", "RWS-STEER-007")
def instructions_are_for_the_first_turn(create: Create, previous: Snapshot) -> Create:
    """The instructions of a continuation are taken for those that the chain began with."""
    return _without_instructions(create) if previous.context else create


@replace_policy("inherit", "RWS-CREATE-007")
def instructions_stick(create: Create, previous: Snapshot) -> Create:
    """A continuation without instructions gets those of the response before."""
    return _with_member_of(previous, create, "instructions")


@replace_policy("inherit", "RWS-CREATE-008")
def tools_stick(create: Create, previous: Snapshot) -> Create:
    """A continuation without tools gets those of the response before."""
    return _with_member_of(previous, create, "tools")


def _with_member_of(previous: Snapshot, create: Create, name: str) -> Create:
    if name in create.fields or name not in previous.create.fields:
        return create
    return replace(create, fields={**create.fields, name: previous.create.fields[name]})


# Settings


@on_incoming("RWS-CREATE-009", "RWS-CREATE-015", on=CREATE)
def token_limit_is_ignored(event: Event, link: Link) -> Incoming | Reply:
    """The response goes on beyond max_output_tokens."""
    return {name: value for name, value in event.items() if name != "max_output_tokens"}


@rewrite_events(
    "RWS-CREATE-009",
    "RWS-ITEM-002",
    "RWS-ITEM-004",
    "RWS-INTR-002",
    on=("response.output_item.done", "response.incomplete"),
)
def token_limit_completes(event: Event, link: Link) -> Sendings:
    """A response that was cut by max_output_tokens calls itself completed."""
    if event["type"] == "response.output_item.done":
        event["item"]["status"] = "completed"
        return event
    response = event["response"]
    for item in response["output"]:
        item["status"] = "completed"
    response |= {"status": "completed", "incomplete_details": None}
    response["completed_at"] = response["created_at"]
    return {**event, "type": "response.completed"}


@rewrite_events("RWS-CREATE-009", "RWS-STEER-004", "RWS-INTR-002", on="response.incomplete")
def token_limit_is_called_length(event: Event, link: Link) -> Sendings:
    """The reason of a response that was cut has the name it has in chat completions."""
    event["response"]["incomplete_details"] = {"reason": "length"}
    return event


@on_incoming("RWS-CREATE-012", on=CREATE)
def truncation_is_unknown(event: Event, link: Link) -> Incoming | Reply:
    """A create with truncation is refused for an unknown member."""
    if "truncation" not in event:
        return event
    return _refused("unknown_parameter", "Unknown parameter: 'truncation'.", "truncation")


# Members of HTTP


def _without_background(message: Incoming, link: Link) -> Incoming | Reply:
    if not isinstance(message, dict) or message.get("background") is not True:
        return message
    return {**message, "background": False}


def _show_background(sending: Event | CloseConnection, link: Link) -> Sendings:
    if isinstance(sending, dict) and sending["type"] in LIFECYCLE:
        sending["response"]["background"] = link.create.get("background") is True
    return sending


register(
    Fault(
        "background-is-offered",
        ("RWS-CREATE-010",),
        "A create with background true is run, and its response says so.",
        Hooks(incoming=_without_background, outgoing=_show_background),
    )
)


@on_incoming("RWS-CREATE-011", on=CREATE)
def stream_is_met_with_silence(event: Event, link: Link) -> Incoming | Reply:
    """A create with stream true gets no answer, as if it were another transport's business."""
    return Reply() if event.get("stream") else event


@on_incoming("RWS-CREATE-011", on=CREATE)
def stream_closes(event: Event, link: Link) -> Incoming | Reply:
    """A create with stream true costs the connection."""
    return Reply((CloseConnection(1003, "use HTTP"),)) if event.get("stream") else event
