"""Numbers for hooks that add events to a response or leave some out."""

from __future__ import annotations

from responses_ws_reference.messages.effects import Event
from responses_ws_reference.seams.hooks import Link


def renumbered(events: list[Event], link: Link) -> list[Event]:
    """The events of a response with numbers that rise by one from its creation on.

    Several responses can run at once, each on its lane.
    """
    for event in events:
        if "sequence_number" not in event:
            continue
        memory = link.on_lane(event).memory
        if event["type"] == "response.created":
            memory["number"] = 0
        event["sequence_number"] = memory.setdefault("number", 0)
        memory["number"] += 1
    return events
