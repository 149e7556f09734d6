"""Steering and warm-up through the OpenAI SDK; prints what came of them.

Arguments as for ``conversation.py``, which runs in the same environment.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from typing import Any

from openai import AsyncOpenAI, OpenAI
from openai.lib.responses_websocket import ResponsesWebSocketLimits, ResponsesWebSocketSession

LIMITS = ResponsesWebSocketLimits(
    max_lanes=8,
    max_events_per_lane=4096,
    max_events=8192,
    max_bytes_per_lane=16_000_000,
    max_bytes=32_000_000,
    max_response_bytes=None,
)
MODEL = "rws-reference"
STEER = "What is the code word? Reply with the code word only."
FIELDS = {f"field_{n}": {"type": "string"} for n in range(40)}
FORM: Any = {
    "type": "function",
    "name": "fill_in_form",
    "parameters": {"type": "object", "properties": FIELDS, "required": [*FIELDS]},
    "strict": True,
}
LONG: dict[str, Any] = {
    "model": MODEL,
    "store": False,
    "instructions": "The code word is papaya.",
    "input": "Count from 1 to 200.",
}
CALL: dict[str, Any] = {
    **LONG,
    "input": "Use the tool.",
    "tools": [FORM],
    "tool_choice": "required",
}


class Notes:
    """What was seen of one connection, by the name of each event but once."""

    def __init__(self) -> None:
        self.types: list[str] = []
        self.created: list[Any] = []
        self.ended: list[Any] = []
        self.steers: list[dict[str, Any]] = []

    def take(self, event: Any) -> bool:
        """Remember an event; True for the first piece of output of all."""
        is_first = event.type.endswith(".delta") and not any("delta" in t for t in self.types)
        if not self.types or self.types[-1] != event.type:
            self.types.append(event.type)
        if event.type == "response.created":
            self.created.append(event.response)
        if event.type in ("response.completed", "response.incomplete"):
            self.ended.append(event.response)
        if event.type.startswith("response.steer."):
            self.steers.append(event.to_dict())
        return is_first

    def summary(self) -> dict[str, Any]:
        """What the test looks at."""
        return {
            "types": self.types,
            "parents": [response.previous_response_id for response in self.created],
            "ids": [response.id for response in self.created],
            "reasons": [r.incomplete_details and r.incomplete_details.reason for r in self.ended],
            "texts": [response.output_text for response in self.ended],
            "instructions": [response.instructions for response in self.ended],
            "steers": self.steers,
        }


def answer(notes: Notes) -> dict[str, Any]:
    """The create that answers what a steer waits for, from the stubs of its announcement."""
    stubs = notes.steers[-1]["required_input"]
    return {
        "model": MODEL,
        "store": False,
        "previous_response_id": notes.ended[-1].id,
        "input": [{**stub, "output": "done"} for stub in stubs],
        "instructions": "The code word is guava.",
    }


def sync_steering(client: OpenAI, create: dict[str, Any], enough: Callable[[Notes], bool]) -> Notes:
    notes = Notes()
    with client.responses.connect() as connection:
        connection.response.create(**create)
        for event in connection:
            if notes.take(event):
                connection.response.steer(previous_response_id=notes.created[0].id, input=STEER)
            if event.type == "response.steer.pending":
                connection.response.create(**answer(notes))
            if enough(notes):
                break
        connection.response.steer(previous_response_id=notes.created[0].id, input="too late")
        notes.take(connection.recv())
    return notes


async def async_steering(
    client: AsyncOpenAI, create: dict[str, Any], enough: Callable[[Notes], bool]
) -> Notes:
    notes = Notes()
    async with client.responses.connect() as connection:
        await connection.response.create(**create)
        async for event in connection:
            if notes.take(event):
                target = notes.created[0].id
                await connection.response.steer(previous_response_id=target, input=STEER)
            if event.type == "response.steer.pending":
                await connection.response.create(**answer(notes))
            if enough(notes):
                break
        await connection.response.steer(previous_response_id=notes.created[0].id, input="too late")
        notes.take(await connection.recv())
    return notes


def has_successor(notes: Notes) -> bool:
    """True where the second response has ended."""
    return len(notes.ended) == 2


def session(client: OpenAI) -> dict[str, Any]:
    """A warm-up on a lane of a session, a turn that continues it, and a steer to that turn."""
    with (
        client.responses.connect() as connection,
        ResponsesWebSocketSession(connection, limits=LIMITS) as lanes,
    ):
        lane = lanes.lane("warm")
        create = {"type": "response.create", "model": MODEL, "store": False}
        plant = "Remember: the code word is mango. Reply with: ok"
        lane.send({**create, "input": plant, "generate": False})
        warm = lane.get_final_response(timeout=10)
        count = {**create, "input": "Count from 1 to 200.", "previous_response_id": warm.id}
        lane.send(count)
        while (event := lane.recv(timeout=10)).type != "response.output_text.delta":
            if event.type == "response.created":
                target = event.response.id
        lane.send({"type": "response.steer", "previous_response_id": target, "input": STEER})
        seen = [lane.recv(timeout=10)]
        while seen[-1].type != "response.completed":
            seen.append(lane.recv(timeout=10))
        return {
            "warm": [warm.status, warm.output_text, warm.usage and warm.usage.output_tokens],
            "lanes": sorted({event.stream_id for event in seen}),
            "text": seen[-1].response.output_text,
        }


def main() -> None:
    flavour, base_url = sys.argv[1:]
    client = OpenAI(base_url=base_url)
    found: dict[str, Any] = {}
    for name, create in (("long", LONG), ("call", CALL)):
        if flavour == "sync":
            notes = sync_steering(client, create, has_successor)
        else:
            steering = async_steering(AsyncOpenAI(base_url=base_url), create, has_successor)
            notes = asyncio.run(asyncio.wait_for(steering, 30))
        found[name] = notes.summary()
    sys.stdout.write(json.dumps({**found, "session": session(client)}))


if __name__ == "__main__":
    main()
