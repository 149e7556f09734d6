"""What a session asks its shell to do. The shell decides nothing; it carries these out in order."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, TypeAlias

Event: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class SendMessage:
    """One data message to the client: text where ``data`` is a ``str``, else binary."""

    data: str | bytes


@dataclass(frozen=True, slots=True)
class SendPing:
    """A WebSocket ping, which says that the connection is alive."""


@dataclass(frozen=True, slots=True)
class CloseConnection:
    """Close the connection with this code."""

    code: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class StartTurn:
    """The session is busy: advance it until it no longer is."""


Effect: TypeAlias = SendMessage | SendPing | CloseConnection | StartTurn


def send_event(event: Event) -> SendMessage:
    """One server event is one JSON object in one text message."""
    return SendMessage(json.dumps(event, ensure_ascii=False, separators=(",", ":")))
