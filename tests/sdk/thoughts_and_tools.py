"""The unmodified OpenAI SDK calls a custom tool, and carries reasoning along by itself.

Prints what it saw as JSON. Every event is held to the SDK's own type for it. Argument: the base
URL of the server; the key is in OPENAI_API_KEY.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from openai import OpenAI

MODEL = "rws-reference"
NOTE = {"type": "custom", "name": "take_note", "description": "Takes down a note in plain text."}
THINKING = {
    "reasoning": {"effort": "low", "summary": "auto"},
    "include": ["reasoning.encrypted_content"],
    "store": False,
}


def turn(connection: Any, **fields: Any) -> list[Any]:
    """The events of one response, each valid by its type."""
    connection.response.create(model=MODEL, **fields)
    events = []
    for event in connection:
        type(event).model_validate(event.to_dict(mode="json"))
        events.append(event)
        if event.type == "error":
            raise SystemExit(f"refused: {event.to_dict()}")
        if event.type == "response.completed":
            break
    return events


def main() -> None:
    """A custom call and its answer, then a conversation that the client keeps."""
    with OpenAI(base_url=sys.argv[1], max_retries=0).responses.connect() as connection:
        force = {"type": "custom", "name": "take_note"}
        asked = turn(connection, input="Use the tool.", tools=[NOTE], tool_choice=force)
        (call,) = asked[-1].response.output
        output = {"type": "custom_tool_call_output", "call_id": call.call_id, "output": "saved"}
        told = turn(
            connection, previous_response_id=asked[-1].response.id, input=[output], tools=[NOTE]
        )
        question = {"role": "user", "content": "Reply with exactly: ready"}
        first = turn(connection, input=[question], **THINKING)
        kept = [item.to_dict(mode="json") for item in first[-1].response.output]
        second = turn(connection, input=[question, *kept, question], **THINKING)
        reasoning = first[-1].response.output[0]
        json.dump(
            {
                "types": [event.type for event in [*asked, *first]],
                "input": call.input,
                "streamed": "".join(e.delta for e in asked if e.type.endswith("input.delta")),
                "told": told[-1].response.output_text,
                "summary": [part.text for part in reasoning.summary],
                "is_sealed": bool(reasoning.encrypted_content),
                "thought": first[-1].response.usage.output_tokens_details.reasoning_tokens,
                "texts": [events[-1].response.output_text for events in (first, second)],
            },
            sys.stdout,
        )


if __name__ == "__main__":
    main()
