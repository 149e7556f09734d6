"""A WebSocket server that answers each message with the frames that a file has for it."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from websockets.asyncio.server import ServerConnection, serve


async def main(frames: dict[str, list[str]]) -> None:
    """Serve until the process is ended."""

    async def answer(connection: ServerConnection) -> None:
        async for message in connection:
            for frame in frames[str(message)]:
                await connection.send(frame)
                await asyncio.sleep(0)

    async with serve(answer, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        print(f"listening on ws://127.0.0.1:{port}", flush=True)
        await server.serve_forever()


asyncio.run(main(json.loads(Path(sys.argv[1]).read_text("utf-8"))))
