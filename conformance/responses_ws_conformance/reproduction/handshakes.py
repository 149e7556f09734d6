"""Handshakes: what a recorded one needs from whoever repeats it, since secrets are masked."""

from __future__ import annotations

from enum import Enum, auto
from typing import Final

from responses_ws_conformance.transcript import Headers, Opened, Transcript

# What a client library sets by itself, and the key.
OWN: Final = frozenset({"authorization", "connection", "host", "origin", "upgrade", "user-agent"})
WEBSOCKET: Final = "sec-websocket-"
MASK: Final = "[secret"
NAMED: Final = f"{MASK}: "
SECOND_KEY: Final = f"{NAMED}second_api_key]"


class Credentials(Enum):
    """Whose key a handshake carries."""

    NONE = auto()
    KEY = auto()
    SECOND_KEY = auto()
    INVENTED = auto()


def credentials_of(transcript: Transcript, opened: Opened) -> Credentials:
    """The key of a handshake. Where no secret is named, as in an old recording, it is the key."""
    value = opened.request_header("Authorization")
    if value is None:
        return Credentials.NONE
    if value == SECOND_KEY:
        return Credentials.SECOND_KEY
    openings = [e for e in transcript.entries if isinstance(e, Opened)]
    known = [(e.request_header("Authorization") or "").startswith(NAMED) for e in openings]
    is_known = value.startswith(NAMED) or not any(known)
    return Credentials.KEY if is_known else Credentials.INVENTED


def extra_headers(headers: Headers) -> tuple[dict[str, str], list[str]]:
    """The headers that a client has to add, and the names of those that are masked."""
    own = {n: v for n, v in headers if n.lower() not in OWN and not n.lower().startswith(WEBSOCKET)}
    masked = [name for name, value in own.items() if MASK in value]
    return {name: value for name, value in own.items() if name not in masked}, masked
