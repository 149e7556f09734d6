"""Faults of reading a ``response.create`` and of what its response shows of it."""

from __future__ import annotations

from dataclasses import replace

from responses_ws_reference.creates import Create
from responses_ws_reference.effects import Event
from responses_ws_reference.faults.registry import on_incoming, replace_policy
from responses_ws_reference.hooks import Incoming, Link, Reply
from responses_ws_reference.refusals import Refusal
from responses_ws_reference.store import Snapshot


@on_incoming("RWS-CREATE-001", on="response.create")
def string_input_is_refused(event: Event, link: Link) -> Incoming | Reply:
    """An input that is a string is called invalid."""
    if not isinstance(event.get("input"), str):
        return event
    return Reply((Refusal("invalid_type", "'input' is an array.", "input").event(),))


@replace_policy("inherit", "RWS-CREATE-007")
def instructions_stick(create: Create, previous: Snapshot) -> Create:
    """A continuation without instructions gets those of the response before."""
    if create.instructions is not None or previous.create.instructions is None:
        return create
    return replace(create, fields={**create.fields, "instructions": previous.create.instructions})
