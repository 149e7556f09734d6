"""One conversation through the unmodified OpenAI SDK; prints what it saw as JSON.

Runs in an environment of its own, since the SDK pins an older websockets. Arguments: the
flavour (sync or async) and the base URL of the server; the key is in OPENAI_API_KEY.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from openai import AsyncOpenAI, OpenAI, OpenAIError
from openai.lib.responses_websocket import (
    ResponsesWebSocketError,
    ResponsesWebSocketLimits,
    ResponsesWebSocketSession,
)
from openai.types.responses import ResponsesServerEvent
from pydantic import TypeAdapter

MODEL = "rws-reference"
TERMINAL = ("response.completed", "response.failed", "response.incomplete", "error")
TOOL: dict[str, Any] = {
    "type": "function",
    "name": "get_time",
    "description": "Tells the time in a city.",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    },
    "strict": True,
}
STRICT: TypeAdapter[Any] = TypeAdapter(ResponsesServerEvent)
TURN = {"model": MODEL, "store": False}


def parsed(connection: Any, data: bytes) -> Any:
    """The SDK's event; raises where its own types do not accept the frame."""
    STRICT.validate_json(data)
    return connection.parse_event(data)


def plan() -> list[Any]:
    """The creates, each made from the last terminal events."""
    return [
        lambda done: {"input": "Remember: the code word is papaya. Reply with: ok"},
        lambda done: {
            "input": "What is the code word? Reply with the code word only.",
            "previous_response_id": done[-1].response.id,
        },
        lambda done: {
            "input": "Use the tool.",
            "tools": [TOOL],
            "tool_choice": {"type": "function", "name": "get_time"},
        },
        lambda done: {
            "previous_response_id": done[-1].response.id,
            "tools": [TOOL],
            "input": [
                {
                    "type": "function_call_output",
                    "call_id": done[-1].response.output[0].call_id,
                    "output": "half past nine",
                }
            ],
        },
    ]


def summary(events: list[list[Any]]) -> dict[str, Any]:
    """What the test looks at."""
    terminals = [turn[-1] for turn in events]
    return {
        "types": [[e.type for e in turn] for turn in events],
        "texts": [t.response.output_text for t in terminals],
        "arguments": json.loads(terminals[2].response.output[0].arguments),
        "ids": [t.response.id for t in terminals],
        "usage": [t.response.usage.total_tokens for t in terminals],
    }


def sync_conversation(client: OpenAI) -> dict[str, Any]:
    events: list[list[Any]] = []
    with client.responses.connect() as connection:
        for step in plan():
            connection.response.create(**TURN, **step([turn[-1] for turn in events]))
            turn: list[Any] = []
            while not turn or turn[-1].type not in TERMINAL:
                turn.append(parsed(connection, connection.recv_bytes()))
            events.append(turn)
        last = events[-1][-1].response.id
        error = second_connection(client, last)
    return {**summary(events), "error": error, "raised": raised(client)}


def second_connection(client: OpenAI, response_id: str) -> dict[str, Any]:
    """A second connection does not know an id of the first one."""
    with client.responses.connect() as connection:
        connection.response.create(**TURN, input="hi", previous_response_id=response_id)
        event = parsed(connection, connection.recv_bytes())
    kind = f"{type(event).__module__.split('.')[0]}.{type(event).__name__}"
    return {"class": kind, "code": event.error.code, "status": event.status}


def raised(client: OpenAI) -> list[str]:
    """The SDK turns an error event into its own exceptions."""
    names: list[str] = []
    with client.responses.connect() as connection:
        connection.response.create(**TURN, input="hi", previous_response_id="resp_unknown")
        try:
            connection.dispatch_events()
        except OpenAIError as error:
            names.append(type(error).__name__)
    limits = ResponsesWebSocketLimits(
        max_lanes=2,
        max_events_per_lane=64,
        max_events=128,
        max_bytes_per_lane=1_000_000,
        max_bytes=2_000_000,
        max_response_bytes=None,
    )
    with (
        client.responses.connect() as connection,
        ResponsesWebSocketSession(connection, limits=limits) as session,
    ):
        session.default.send(
            {
                "type": "response.create",
                **TURN,
                "input": "hi",
                "previous_response_id": "resp_unknown",
            }
        )
        try:
            session.default.get_final_response()
        except ResponsesWebSocketError as error:
            names.append(type(error).__name__)
    return names


async def async_conversation(client: AsyncOpenAI) -> dict[str, Any]:
    events: list[list[Any]] = []
    async with client.responses.connect() as connection:
        for step in plan():
            await connection.response.create(**TURN, **step([turn[-1] for turn in events]))
            turn: list[Any] = []
            while not turn or turn[-1].type not in TERMINAL:
                turn.append(parsed(connection, await connection.recv_bytes()))
            events.append(turn)
        last = events[-1][-1].response.id
        async with client.responses.connect() as second:
            await second.response.create(**TURN, input="hi", previous_response_id=last)
            event = parsed(second, await second.recv_bytes())
    kind = f"{type(event).__module__.split('.')[0]}.{type(event).__name__}"
    error = {"class": kind, "code": event.error.code, "status": event.status}
    return {**summary(events), "error": error}


def main() -> None:
    flavour, base_url = sys.argv[1:]
    if flavour == "sync":
        seen = sync_conversation(OpenAI(base_url=base_url))
    else:
        seen = asyncio.run(async_conversation(AsyncOpenAI(base_url=base_url)))
    sys.stdout.write(json.dumps(seen))


if __name__ == "__main__":
    main()
