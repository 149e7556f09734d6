"""What the shell needs of a WebSocket connection, whichever library holds it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Protocol


class Gone(Exception):
    """The other side is no longer there to send to."""


class Socket(Protocol):
    """An open connection; iteration gives the client's messages and ends with the connection."""

    def __aiter__(self) -> AsyncIterator[str | bytes]:
        """The messages of the client, as they come."""

    async def send(self, message: str | bytes) -> None:
        """Send one data message."""

    async def ping(self) -> Any:
        """Send a ping."""

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Say that this is the end."""
