"""Frames: a conversation as the script of a reproducer sees it, without the suite.

Each frame has its *turn*: the connection, the lane that it names, and how many answers had ended
there before it. What is no event has a type in parentheses: the handshake ``(opened)``, a pong,
silence, the end of the connection, and over HTTP the ``(body)``, and the status and media type of
what was ``(answered)``. A stream over HTTP is its events.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from email.message import Message as Headers
from typing import Any, Final

from responses_ws_conformance.reproduction.steps import BODY
from responses_ws_conformance.transcript import (
    Answered,
    Closed,
    Expired,
    Note,
    Opened,
    Received,
    Requested,
    Sent,
    Transcript,
)
from responses_ws_conformance.transcript.payloads import parse

OPENED: Final = "(opened)"
CLOSED: Final = "(closed)"
SILENCE: Final = "(silence)"
PONG: Final = "(pong)"
NO_EVENT: Final = "(no event)"
ANSWERED: Final = "(answered)"
ABSENT: Final = "(absent)"
DATA: Final = "data: "
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
    wire = [e for e in transcript.entries if not isinstance(e, Note | Sent | Requested)]
    return list(_in_turns((e.n, e.conn, value) for e in wire for value in _values(e)))


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
    """The value at a path, ``ABSENT`` where there is none."""
    try:
        return at(value[path[0]], *path[1:]) if path else value
    except (LookupError, TypeError):
        return ABSENT


def came(frames: Iterable[Frame], turn: Turn, kind: str | None = None) -> list[Any]:
    """What came in a turn, or what of one type."""
    return [f.value for f in frames if f.turn == turn and kind in (None, f.type)]


def _in_turns(rows: Iterable[tuple[int | None, str, Any]]) -> Iterator[Frame]:
    ended: Counter[tuple[str, str]] = Counter()
    for n, conn, value in rows:
        lane = conn, str(value.get("stream_id") or "")
        yield Frame((*lane, ended[lane]), value, n)
        ended[lane] += value["type"].endswith(ENDS)


def _values(entry: Opened | Received | Closed | Expired | Answered) -> Iterator[dict[str, Any]]:
    match entry:
        case Opened(upgrade=True):
            body = str((entry.body or "").encode())
            yield {"type": OPENED, "status": entry.status, "body": body}
        case Opened() | Answered():
            yield from map(_event, _pieces(entry.body or ""))
            headers = Headers()
            headers["Content-Type"] = entry.response_header("Content-Type") or ""
            yield {
                "type": ANSWERED,
                "status": entry.status,
                "media": headers.get_content_type(),
            }
        case Closed():
            lost = 1006 if entry.side in ("lost", "failed") else 1005
            yield {"type": CLOSED, "code": int(entry.code or lost)}
        case Expired():
            yield {"type": SILENCE}
        case Received(opcode="pong"):
            yield {"type": PONG}
        case Received(is_data=True):
            yield _event(entry.text if entry.opcode == "text" else None)


def _pieces(body: str) -> list[str]:
    """The events of a stream, or a body as the one event that it is not."""
    data = [line.removeprefix(DATA) for line in body.split("\n") if line.startswith(DATA)]
    return data or [f'{{"type": "{BODY}", "body": {body}}}']


def _event(text: str | None) -> dict[str, Any]:
    value = parse(text)
    is_event = isinstance(value, dict) and isinstance(value.get("type"), str)
    return value if is_event else {"type": NO_EVENT}
