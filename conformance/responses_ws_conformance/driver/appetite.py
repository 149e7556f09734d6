"""How much a target may say before a run has heard enough of it.

What arrives is kept in memory until it has been judged and reported, so a target that never stops
would take the machine with it. A run of well over a hundred healthy turns needs a few mebibytes.
"""

from __future__ import annotations

import threading
from typing import Final

from responses_ws_conformance.profile import MAX_MESSAGE_BYTES, Profile

# What a frame costs beside its bytes: it is parsed, attributed and kept.
FRAME: Final = 500
# So many messages of the largest size that the profile allows are taken, or as much in small ones.
OF_A_SCENARIO: Final = 3
OF_A_RUN: Final = 16


def most_of(profile: Profile) -> int:
    """The size of a message by which the others are measured: a profile can only raise it."""
    return max(profile.max_message_bytes, MAX_MESSAGE_BYTES)


class Flooded(Exception):
    """A target said more than anybody has asked for."""


class Appetite:
    """What is left of the bytes that may be taken; ``whole`` is that of the run around it."""

    def __init__(self, most: int, whole: Appetite | None = None) -> None:
        self.most = most
        self._left = most
        self._whole = whole
        self._lock = threading.Lock()

    def take(self, size: int) -> None:
        """Count one frame; raises Flooded where it is more than may be taken."""
        with self._lock:
            self._left -= size + FRAME
            is_over = self._left < 0
        if is_over:
            what = "one scenario" if self._whole is not None else "one run"
            raise Flooded(
                f"the target sent more than {self.most / 2**20:.3g} MiB in {what} "
                "(max_message_bytes in the profile raises it)"
            )
        if self._whole is not None:
            self._whole.take(size)
