"""Frames: a conversation as the script of a reproducer sees it, without the suite.

Each frame has its *turn*: the connection, the lane that it names, and how many answers had ended
there before it. What is no event has a type in parentheses: the handshake ``(opened)``, a pong,
silence, and the end of the connection.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from responses_ws_conformance.payloads import parse
from responses_ws_conformance.transcript import (
    Closed,
    Entry,
    Expired,
    Opened,
    Received,
    Transcript,
)

OPENED: Final = "(opened)"
CLOSED: Final = "(closed)"
SILENCE: Final = "(silence)"
PONG: Final = "(pong)"
NO_EVENT: Final = "(no event)"
# How the types of frames end that end a turn, or answer a command; an error by another name does.
ENDS: Final = (
    "response.completed",
    "response.incomplete",
    ".failed",
    ".accepted",
    "inject.created",
    "error",
    CLOSED,
    SILENCE,
)
BEGIN: Final = "response.created"

Turn = tuple[str, str, int]


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame; ``n`` is the number of its entry, None where it was not taken from a recording."""

    turn: Turn
    value: Any
    n: int | None = None

    @property
    def type(self) -> str:
        """The event type, or the name in parentheses of what is no event."""
        return str(self.value["type"])


def of_transcript(transcript: Transcript) -> list[Frame]:
    """The frames of a recording."""
    entries = [(entry.n, entry.conn, _value(entry)) for entry in _wire(transcript.entries)]
    return list(_in_turns((n, conn, value) for n, conn, value in entries if value is not None))


def of_output(text: str) -> list[Frame]:
    """The frames that a script has printed."""
    rows: list[tuple[None, str, Any]] = []
    for line in text.splitlines():
        conn, _, shown = line.partition(" ")
        value = parse(shown)
        if isinstance(value, dict) and isinstance(value.get("type"), str):
            rows.append((None, conn, value))
    return list(_in_turns(rows))


def at(value: Any, *path: str | int) -> Any:
    """The value at a path, ``(absent)`` where there is none."""
    try:
        return at(value[path[0]], *path[1:]) if path else value
    except (LookupError, TypeError):
        return "(absent)"


def came(frames: Iterable[Frame], turn: Turn, kind: str | None = None) -> list[Any]:
    """What came in a turn, or what of one type."""
    return [f.value for f in frames if f.turn == turn and kind in (None, f.type)]


def _in_turns(rows: Iterable[tuple[int | None, str, Any]]) -> Iterator[Frame]:
    ended: Counter[tuple[str, str]] = Counter()
    for n, conn, value in rows:
        lane = conn, str(value.get("stream_id") or "")
        yield Frame((*lane, ended[lane]), value, n)
        ended[lane] += value["type"].endswith(ENDS)


def _wire(entries: Iterable[Entry]) -> Iterator[Opened | Received | Closed | Expired]:
    return (e for e in entries if isinstance(e, Opened | Received | Closed | Expired))


def _value(entry: Opened | Received | Closed | Expired) -> dict[str, Any] | None:
    match entry:
        case Opened():
            body = str((entry.body or "").encode())
            return {"type": OPENED, "status": entry.status, "body": body}
        case Closed():
            lost = 1006 if entry.side in ("lost", "failed") else 1005
            return {"type": CLOSED, "code": int(entry.code or lost)}
        case Expired():
            return {"type": SILENCE}
        case Received(opcode="pong"):
            return {"type": PONG}
        case Received(is_data=False):
            return None
    return (
        entry.payload if entry.type is not None and entry.opcode == "text" else {"type": NO_EVENT}
    )
