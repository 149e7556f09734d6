"""Faults that only the websockets shell can have: what ASGI gives an application no hold on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_FRAMES: Final = "ASGI shows whole messages, but no frames, pings or closing handshakes"
_ACCEPT: Final = "the ASGI stack computes the accept value itself"

ONLY_ON_WEBSOCKETS: Final[Mapping[str, str]] = {
    "accept-value-is-fixed": _ACCEPT,
    **dict.fromkeys(
        (
            "abandoned-response-locks-the-account",
            "busy-servers-ignore-pings",
            "close-is-ignored",
            "fragments-are-lost",
            "fragments-are-messages",
            "fragments-are-refused",
            "hangs-up-on-close",
            "large-messages-are-lost",
            "large-messages-close",
            "pongs-are-empty",
            "pongs-are-lost",
            "too-large-is-a-farewell",
            "too-large-is-a-lost-connection",
        ),
        _FRAMES,
    ),
}
