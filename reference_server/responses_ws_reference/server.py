"""Puts a server together: configuration, seams and a shell on a listening socket."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

from responses_ws_reference.config import ServerConfig
from responses_ws_reference.messages.handshake import PATH
from responses_ws_reference.seams.hooks import Tally
from responses_ws_reference.serving.reference import Reference, compose


@dataclass(frozen=True, slots=True)
class Running:
    """A server that listens."""

    url: str
    tally: Tally

    @property
    def faults_fired(self) -> int:
        """How often the configured fault changed something so far."""
        return self.tally.count


@contextlib.asynccontextmanager
async def serve(config: ServerConfig) -> AsyncIterator[Running]:
    """Listen until the context ends; then connections are told so and closed."""
    if config.http:
        # Needs the extra [http], which a server without HTTP does without.
        from responses_ws_reference.serving.asgi import listen
    else:
        from responses_ws_reference.serving.websockets_shell import listen
    seams, tally = compose(config)
    async with listen(Reference(config, seams)) as port:
        host = f"[{config.host}]" if ":" in config.host else config.host
        yield Running(f"ws://{host}:{port}{PATH}", tally)


@contextlib.contextmanager
def running_server(config: ServerConfig | None = None) -> Iterator[Running]:
    """A server in a thread of its own, for tests."""
    started: concurrent.futures.Future[Running] = concurrent.futures.Future()
    stop: concurrent.futures.Future[None] = concurrent.futures.Future()

    async def main() -> None:
        async with serve(config or ServerConfig()) as running:
            started.set_result(running)
            await asyncio.wrap_future(stop)

    def run() -> None:
        try:
            asyncio.run(main())
        except BaseException as error:
            if started.done():
                raise
            started.set_exception(error)

    thread = threading.Thread(target=run, name="reference-server", daemon=True)
    thread.start()
    try:
        yield started.result(timeout=10)
    finally:
        stop.set_result(None)
        thread.join(timeout=10)
