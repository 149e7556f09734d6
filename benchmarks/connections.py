"""Memory of the reference server for each connection that is open and idle."""

from __future__ import annotations

import asyncio
import contextlib
import resource
from collections.abc import Callable

from processes import listening
from rows import Row, Rows
from websockets.asyncio.client import connect

CONNECTIONS = 1_000
AT_ONCE = 50


def rows() -> Rows:
    """What the server grows by, shared out among the connections."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 4 * CONNECTIONS), most))
    with listening() as server:
        before = server.resident
        after = asyncio.run(grown(server.url, lambda: server.resident))
    each = (after - before) * 1024 / CONNECTIONS
    yield Row(f"each of {CONNECTIONS:,} idle connections", each, "KB")


async def grown(url: str, resident: Callable[[], float]) -> float:
    """The memory while all of them are open."""
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(0, CONNECTIONS, AT_ONCE):
            opened = [stack.enter_async_context(connect(url)) for _ in range(AT_ONCE)]
            await asyncio.gather(*opened)
        return resident()
