"""The unmodified OpenAI SDK answers the calls of a response that waits, as in its owner's guide.

Prints what it saw as JSON. Every event is held to the SDK's own type for it. Argument: the base
URL of the server; the key is in OPENAI_API_KEY.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

from openai import OpenAI

TOOLS = [
    {"type": "function", "name": name, "parameters": {"type": "object", "properties": {}}}
    for name in ("get_alpha", "get_beta")
]
CREATE = {
    "type": "response.create",
    "model": "rws-reference",
    "store": False,
    "input": "Call every tool once.",
    "tools": TOOLS,
    "multi_agent": {"enabled": True},
}


def read(connection: Any) -> Iterator[Any]:
    """The events, each valid by its type."""
    for event in connection:
        type(event).model_validate(event.to_dict(mode="json"))
        yield event


def inject(connection: Any, name: str, call_id: str, output: str) -> None:
    """Give the output of a call to a response."""
    item = {"type": "function_call_output", "call_id": call_id, "output": output}
    connection.send({"type": "response.inject", "response_id": name, "input": [item]})


def run(connection: Any) -> dict[str, Any]:
    """A response whose calls are answered as they come, and an output that comes too late."""
    connection.send(CREATE)
    types: list[str] = []
    messages: list[Any] = []
    name, late = "", None
    for event in read(connection):
        types.append(event.type)
        if event.type == "response.created":
            name = event.response.id
        elif event.type == "response.output_item.done" and event.item.type == "function_call":
            inject(connection, name, event.item.call_id, f"made by {event.item.name}")
        elif event.type == "response.completed":
            messages = [item for item in event.response.output if item.type == "message"]
            inject(connection, name, "call_late", "late")
        elif event.type == "response.inject.failed":
            late = event.to_dict(mode="json")
            break
    text = messages[-1].content[0].text
    return {"id": name, "types": types, "text": text, "late": late}


def main(base_url: str) -> None:
    """With the header that the beta wants."""
    headers = {"OpenAI-Beta": "responses_multi_agent=v1"}
    with OpenAI(base_url=base_url).beta.responses.connect(extra_headers=headers) as connection:
        json.dump(run(connection), sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])
