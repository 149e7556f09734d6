"""Faults that only the websockets shell can have: what ASGI gives an application no hold on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

ONLY_ON_WEBSOCKETS: Final[Mapping[str, str]] = {
    "accept-value-is-fixed": "the ASGI stack computes the accept value itself",
    **dict.fromkeys(
        ("abandoned-response-locks-the-account", "close-is-ignored", "hangs-up-on-close"),
        "the ASGI stack does the closing handshake itself",
    ),
    **dict.fromkeys(
        (
            "fragments-are-decoded-one-by-one",
            "fragments-are-lost",
            "fragments-are-messages",
            "fragments-are-refused",
        ),
        "the ASGI stack puts fragments together",
    ),
    **dict.fromkeys(
        ("busy-servers-ignore-pings", "pongs-are-empty", "pongs-are-lost"),
        "the ASGI stack answers pings",
    ),
    **dict.fromkeys(
        (
            "large-messages-are-lost",
            "large-messages-close",
            "too-large-is-a-farewell",
            "too-large-is-a-lost-connection",
        ),
        "ASGI does not show how large a frame is",
    ),
}
