"""The creates of a whole run: how many there are, how fast they follow, how many there may be."""

from __future__ import annotations

import threading


class Pace:
    """Counts creates, of all connections together, and holds the least time between two.

    ``limit`` is the most that may be sent, None where nobody has set one. Scenarios that are
    recorded side by side share one pace.
    """

    def __init__(self, *, interval: float = 0.0, limit: int | None = None) -> None:
        self.interval = interval
        self.limit = limit
        self.sent = 0
        self._next: float | None = None
        self._lock = threading.Lock()

    @property
    def left(self) -> float:
        """How many creates may still be sent."""
        return float("inf") if self.limit is None else self.limit - self.sent

    def take(self, now: float) -> float | None:
        """Count one create; the time at which it may be sent, None where no more are allowed."""
        with self._lock:
            if self.left < 1:
                return None
            self.sent += 1
            when = now if self._next is None else max(now, self._next)
            self._next = when + self.interval
            return when
