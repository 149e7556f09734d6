"""Conversations on several lanes through the sessions of the OpenAI SDK; prints what came of them.

Arguments as for ``conversation.py``, which runs in the same environment.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from openai import AsyncOpenAI, OpenAI
from openai.lib.responses_websocket import (
    AsyncResponsesWebSocketSession,
    ResponsesWebSocketError,
    ResponsesWebSocketLimits,
    ResponsesWebSocketSession,
)

LIMITS = ResponsesWebSocketLimits(
    max_lanes=8,
    max_events_per_lane=512,
    max_events=2048,
    max_bytes_per_lane=4_000_000,
    max_bytes=8_000_000,
    max_response_bytes=None,
)
LANES = ("planner", "research", None)
ASK = "What is the code word? Reply with the code word only."


def create(text: str, previous: str | None = None) -> dict[str, Any]:
    """A create without its lane, which the session adds."""
    event = {"type": "response.create", "model": "rws-reference", "store": False, "input": text}
    return event if previous is None else {**event, "previous_response_id": previous}


def plant(lane: str | None) -> dict[str, Any]:
    return create(f"Remember: the code word is word-of-{lane or 'nobody'}. Reply with: ok")


def sync_lanes(client: OpenAI) -> dict[str, Any]:
    with (
        client.responses.connect() as connection,
        ResponsesWebSocketSession(connection, limits=LIMITS) as session,
    ):
        lanes = {name: session.lane(name) if name else session.default for name in LANES}
        for name, lane in lanes.items():
            lane.send(plant(name))
        roots = {name: lane.get_final_response(timeout=10) for name, lane in lanes.items()}
        for name, lane in lanes.items():
            lane.send(create(ASK, roots[name].id))
        recalled = {name: lane.get_final_response(timeout=10) for name, lane in lanes.items()}

        planner, critic = lanes["planner"], session.lane("critic")
        newest = recalled["planner"].id
        critic.send(create(ASK, newest))
        seen = [critic.recv(timeout=10)]
        while seen[-1].type != "response.in_progress":
            seen.append(critic.recv(timeout=10))
        planner.send(create("Count from 1 to 30.", newest))
        fork = critic.get_final_response(timeout=10)
        long = planner.get_final_response(timeout=10)

        critic.send(create("hi", "resp_unknown"))
        try:
            critic.get_final_response(timeout=10)
        except ResponsesWebSocketError as problem:
            error = problem.event
        return summary(recalled, seen, fork, long, error)


async def async_lanes(client: AsyncOpenAI) -> dict[str, Any]:
    async with (
        client.responses.connect() as connection,
        AsyncResponsesWebSocketSession(connection, limits=LIMITS) as session,
    ):
        lanes = {name: session.lane(name) if name else session.default for name in LANES}
        for name, lane in lanes.items():
            await lane.send(plant(name))
        roots = {name: await lane.get_final_response() for name, lane in lanes.items()}
        for name, lane in lanes.items():
            await lane.send(create(ASK, roots[name].id))
        recalled = {name: await lane.get_final_response() for name, lane in lanes.items()}

        planner, critic = lanes["planner"], session.lane("critic")
        newest = recalled["planner"].id
        await critic.send(create(ASK, newest))
        seen = [await critic.recv()]
        while seen[-1].type != "response.in_progress":
            seen.append(await critic.recv())
        await planner.send(create("Count from 1 to 30.", newest))
        fork, long = await asyncio.gather(critic.get_final_response(), planner.get_final_response())

        await critic.send(create("hi", "resp_unknown"))
        try:
            await critic.get_final_response()
        except ResponsesWebSocketError as problem:
            error = problem.event
        return summary(recalled, seen, fork, long, error)


def summary(
    recalled: dict[str | None, Any], seen: list[Any], fork: Any, long: Any, error: Any
) -> dict[str, Any]:
    """What the test looks at."""
    return {
        "recalled": {name or "": response.output_text for name, response in recalled.items()},
        "barrier": [[event.type, event.stream_id] for event in seen],
        "fork": fork.output_text,
        "long": long.output_text,
        "parents": [fork.previous_response_id, long.previous_response_id],
        "error": [error.error.code, error.stream_id],
    }


def main() -> None:
    flavour, base_url = sys.argv[1:]
    if flavour == "sync":
        seen = sync_lanes(OpenAI(base_url=base_url))
    else:
        seen = asyncio.run(asyncio.wait_for(async_lanes(AsyncOpenAI(base_url=base_url)), 30))
    sys.stdout.write(json.dumps(seen))


if __name__ == "__main__":
    main()
