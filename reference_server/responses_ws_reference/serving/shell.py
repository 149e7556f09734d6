"""The asyncio shell: it carries out what sessions ask for, in order, and decides nothing."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Final

from websockets.exceptions import ConnectionClosed

from responses_ws_reference.messages.effects import (
    CloseConnection,
    Effect,
    SendMessage,
    SendPing,
    StartTurn,
)
from responses_ws_reference.seams.seams import Conversation
from responses_ws_reference.serving.reference import Reference
from responses_ws_reference.serving.sockets import Gone, Socket

Clock = Callable[[], float]

# How long a busy session that has nothing to say is left alone, in seconds.
STANDSTILL: Final = 0.002

log: Final = logging.getLogger("responses_ws_reference")


async def run_connection(reference: Reference, connection: Socket, session: Conversation) -> None:
    """Serve one connection to its end; whatever breaks, breaks this one only."""
    shell = ConnectionShell(connection, session, clock=reference.now, pace=reference.config.pace)
    reference.panel.watch(connection, shell.expire)
    try:
        await shell.run()
    except Exception:
        log.exception("a connection broke the server")
        await connection.close(1011, "internal error")
    finally:
        reference.panel.forget(connection)


class ConnectionShell:
    """Runs one session on one WebSocket connection."""

    def __init__(
        self, connection: Socket, session: Conversation, *, clock: Clock, pace: float
    ) -> None:
        self._connection = connection
        self._session = session
        self._clock = clock
        self._pace = pace
        # A session speaks in the order of its steps; the lock keeps it so on the wire.
        self._turnstile = asyncio.Lock()
        self._tasks: asyncio.TaskGroup
        self._advancing: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Serve the connection until it is closed."""
        try:
            async with asyncio.TaskGroup() as tasks:
                self._tasks = tasks
                expiry = tasks.create_task(self._expire())
                await self._step(self._session.open)
                async for message in self._connection:
                    await self._step(self._session.receive, message)
                expiry.cancel()
                if self._advancing is not None:
                    self._advancing.cancel()
        except* (ConnectionClosed, Gone):
            pass
        finally:
            self._session.close()

    async def expire(self) -> None:
        """The life of the connection ends now, however much of it was left."""
        with contextlib.suppress(ConnectionClosed, Gone):
            await self._step(self._session.tick, now=self._session.expires_at)

    async def _advance(self) -> None:
        pace = self._pace
        while self._session.is_busy:
            # Always yields, so that messages of the client get in between two events.
            await asyncio.sleep(pace)
            has_moved = await self._step(self._session.advance)
            pace = self._pace if has_moved else max(self._pace, STANDSTILL)
        self._advancing = None

    async def _expire(self) -> None:
        while (expires_at := self._session.expires_at) is not None:
            await asyncio.sleep(max(0.0, expires_at - self._clock()))
            await self._step(self._session.tick)

    async def _step(
        self, step: Callable[..., list[Effect]], *given: str | bytes, now: float | None = None
    ) -> bool:
        """True where there was something to carry out."""
        async with self._turnstile:
            effects = step(*given, now=self._clock() if now is None else now)
            for effect in effects:
                await self._carry_out(effect)
        return bool(effects)

    async def _carry_out(self, effect: Effect) -> None:
        match effect:
            case SendMessage(data):
                await self._connection.send(data)
            case SendPing():
                await self._connection.ping()
            case CloseConnection(code, reason):
                await self._connection.close(code, reason)
            case StartTurn() if self._advancing is None:
                self._advancing = self._tasks.create_task(self._advance())
