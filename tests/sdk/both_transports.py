"""The unmodified OpenAI SDK goes on over HTTP with what it began over a WebSocket.

Prints what it saw as JSON. Argument: the base URL of the server; the key is in OPENAI_API_KEY.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from openai import APIStatusError, OpenAI

MODEL = "reference-model"
RECALL = "What is the code word? Reply with the code word only."


def begun(client: OpenAI) -> Any:
    """The response to a first create over a WebSocket."""
    with client.responses.connect() as connection:
        connection.response.create(
            model=MODEL, input="Remember: the code word is gnu. Reply with: ok"
        )
        events = iter(connection)
        return next(event.response for event in events if event.type == "response.completed")


def main() -> None:
    """One chain over both transports, and what the SDK raises when it is broken."""
    client = OpenAI(base_url=sys.argv[1], max_retries=0)
    first = begun(client)
    turn: dict[str, Any] = {"model": MODEL, "input": RECALL, "previous_response_id": first.id}
    whole = client.responses.create(**turn)
    events = list(client.responses.create(**turn, stream=True))
    kept = client.responses.retrieve(whole.id)
    client.responses.delete(whole.id)
    raised: list[APIStatusError] = []
    for call in (
        lambda: client.responses.retrieve(whole.id),
        lambda: client.responses.create(**{**turn, "previous_response_id": whole.id}),
    ):
        try:
            call()
        except APIStatusError as error:
            raised.append(error)
    gone, refused = raised
    responses = {"websocket": first, "http": whole, "stream": events[-1].response, "kept": kept}
    seen = {
        "texts": {name: response.output_text for name, response in responses.items()},
        "types": [event.type for event in events],
        "gone": [type(gone).__name__, gone.status_code],
        "refused": [type(refused).__name__, refused.code],
    }
    json.dump(seen, sys.stdout)


if __name__ == "__main__":
    main()
