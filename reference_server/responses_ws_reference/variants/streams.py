"""Other streams: what comes between the events of a response, and what is left out of them."""

from __future__ import annotations

import copy
from typing import Any, Final

from responses_ws_reference.messages.effects import CloseConnection, Event
from responses_ws_reference.seams.hooks import Hooks, Link, Sendings
from responses_ws_reference.seams.numbering import renumbered
from responses_ws_reference.variants.registry import OPENAI, TERMINAL, register, rewriting

SETUP: Final = (
    "response.output_item.added",
    "response.content_part.added",
    "response.content_part.done",
)
# What a client gave comes back as it was: nothing may be added to it.
_THE_CLIENTS_OWN: Final = ("metadata", "tools", "tool_choice")


def _is_delta(event: Event) -> bool:
    return bool(event["type"].endswith(".delta"))


def _with_notes(sending: Event | CloseConnection, link: Link) -> Sendings:
    """A note before each response, and one in the middle that takes part in its numbering."""
    if isinstance(sending, CloseConnection) or "sequence_number" not in sending:
        return sending
    link = link.on_lane(sending)
    note = {"type": "rws:note", "sequence_number": 0, "text": "a vendor's own event"}
    if sending["type"] == "response.created":
        return [note, *renumbered([sending], link)]
    if sending["type"] == "response.output_item.added":
        return renumbered([note, sending], link)
    return renumbered([sending], link)


def _with_bare_notes(event: Event, link: Link) -> list[Event]:
    """Rate limits before each response and a keepalive in its middle, neither of them numbered."""
    if event["type"] == "response.created":
        return [{"type": "codex.rate_limits", "primary": {"used_percent": 12}}, event]
    if event["type"] == "response.output_item.added":
        return [{"type": "keepalive"}, event]
    return [event]


def _with_more_members(event: Event, link: Link) -> list[Event]:
    return [_extended(event)]


def _extended(value: Any) -> Any:
    """Each object with a member that nobody has published."""
    if isinstance(value, list):
        return [_extended(member) for member in value]
    if not isinstance(value, dict):
        return value
    kept = {
        name: member if name in _THE_CLIENTS_OWN else _extended(member)
        for name, member in value.items()
    }
    return {**kept, "x_rws": {"why": ["because", None, 1.5, True]}}


def _with_empty_deltas(event: Event, link: Link) -> list[Event]:
    return [{**event, "delta": ""}, event, {**event, "delta": ""}] if _is_delta(event) else [event]


def _without_deltas(event: Event, link: Link) -> list[Event]:
    return [] if _is_delta(event) else [event]


def _padded(event: Event, link: Link) -> list[Event]:
    """Deltas of one length on the wire, whatever they say."""
    if not _is_delta(event):
        return [event]
    return [{**event, "obfuscation": "x" * (-len(event["delta"]) % 16)}]


def _with_heartbeats(event: Event, link: Link) -> list[Event]:
    """response.in_progress once more after each delta, as some servers show that they live."""
    if event["type"] == "response.in_progress":
        link.memory["progress"] = event
    return [event, copy.deepcopy(link.memory["progress"])] if _is_delta(event) else [event]


def _without_output(event: Event, link: Link) -> list[Event]:
    if event["type"] in TERMINAL:
        event["response"]["output"] = []
    return [event]


def _queued_first(event: Event, link: Link) -> list[Event]:
    if event["type"] != "response.created":
        return [event]
    queued = {**event, "response": {**event["response"], "status": "queued"}}
    return [queued, {**queued, "type": "response.queued"}]


def _without_progress(event: Event, link: Link) -> list[Event]:
    return [] if event["type"] == "response.in_progress" else [event]


def _without_setup(event: Event, link: Link) -> list[Event]:
    return [] if event["type"] in SETUP else [event]


register(
    "vendor-events",
    "Events of the server's own name space come before and within each response.",
    Hooks(outgoing=_with_notes),
)
register(
    "bare-vendor-events",
    "Events without a prefix or a number come before and within each response.",
    rewriting(_with_bare_notes),
    dialects=(OPENAI,),
)
register(
    "extra-members",
    "Every object has a member that nobody has published.",
    rewriting(_with_more_members),
)
register(
    "empty-deltas",
    "An empty delta comes before and after each other one.",
    rewriting(_with_empty_deltas),
)
register(
    "no-deltas",
    "Texts and arguments come whole, without deltas.",
    rewriting(_without_deltas),
)
register(
    "padding",
    "Deltas carry padding that hides how long they are.",
    rewriting(_padded),
)
register(
    "heartbeats",
    "response.in_progress is repeated while the model works.",
    rewriting(_with_heartbeats),
)
register(
    "queued-first",
    "Each response is queued before it makes progress, and says so.",
    rewriting(_queued_first),
)
register(
    "empty-output",
    "The last event of a response does not repeat its items; each came before.",
    rewriting(_without_output),
)
register(
    "terse",
    "response.in_progress is never sent.",
    rewriting(_without_progress),
    warns=("RWS-EVENT-004",),
)
register(
    "no-setup-events",
    "Neither items nor their parts are announced; the finished items come all the same.",
    rewriting(_without_setup),
    dialects=(OPENAI,),
)
