"""Calls: HTTP requests beside the WebSocket, and what came of each.

The answer to a call is read as an exchange too, as a client of the WebSocket would have seen it:
the events of a stream are its events, a response object is its terminal event, a refusal is its
``error`` event. So one check serves both ways to ask. A call belongs to no connection, and what is
demanded of WebSockets is not judged on it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from responses_ws_conformance.reading.exchanges import Exchange
from responses_ws_conformance.transcript import Answered, Closed, Expired, Received, Requested, Sent
from responses_ws_conformance.transcript.payloads import NOT_JSON, parse

# Fewer than those of Python, which finds the end of a line in the middle of a JSON text.
LINE_END: Final = re.compile(r"\r\n|\n|\r")


@dataclass(slots=True, eq=False)
class Call:
    """One HTTP request and its answer. ``name`` is unique in its transcript, and its exchange's."""

    name: str
    requested: Requested
    exchange: Exchange
    answered: Answered | None = None
    expired: Expired | None = None

    @classmethod
    def of(cls, entry: Requested) -> Call:
        """A call that waits for its answer."""
        name = f"e{entry.n}"
        sent = Sent(entry.n, entry.t, entry.conn, "text", text=entry.body or "")
        return cls(name, entry, Exchange(name, entry.conn, "", sent))

    @property
    def status(self) -> int | None:
        """The status of the answer, None where there is none."""
        return self.answered.status if self.answered is not None else None

    @property
    def payload(self) -> Any:
        """The JSON value of the body of the answer, NOT_JSON where it is none."""
        return parse(self.answered.body) if self.answered is not None else NOT_JSON

    @property
    def last(self) -> int:
        """The number of the last entry that belongs to the call."""
        ends = [e.n for e in (self.answered, self.expired) if e is not None]
        return max([self.requested.n, *ends])

    @property
    def is_stream(self) -> bool:
        """True where the answer is a stream of events."""
        kind = self.answered.response_header("Content-Type") if self.answered is not None else None
        return (kind or "").partition(";")[0].strip().lower() == "text/event-stream"

    def take(self, entry: Answered | Expired) -> None:
        """Take what came of the request."""
        if isinstance(entry, Expired):
            self.expired = self.exchange.expired = entry
            return
        self.answered = entry
        for event in self._events(entry):
            if event.type == "error" and self.exchange.error is None:
                self.exchange.error = event
            else:
                self.exchange.add(event)
        if entry.failure is not None:
            self.exchange.closed = Closed(entry.n, entry.t, entry.conn, "lost")

    def _events(self, entry: Answered) -> Iterator[Received]:
        if entry.status is None:
            return
        if self.is_stream and entry.status < 300:
            texts = list(data_of(entry.body or ""))
        else:
            texts = [json.dumps(self._event(entry.status))]
        for text in texts:
            event = Received(entry.n, entry.t, entry.conn, "text", text=text)
            if isinstance(event.payload, dict):
                yield event

    def _event(self, status: int) -> Any:
        """The event that a body stands for; None where it stands for none."""
        body = self.payload if isinstance(self.payload, dict) else {}
        if status >= 300:
            return {"type": "error", "status": status, "error": body.get("error")}
        if body.get("object") != "response":
            return None
        return {"type": f"response.{body.get('status', 'completed')}", "response": body}


def data_of(body: str) -> Iterator[str]:
    """What stands behind ``data:`` in each event of a stream, its end mark left out."""
    lines: list[str] = []
    for line in (*LINE_END.split(body), ""):
        if line.startswith("data:"):
            lines.append(line.removeprefix("data:").removeprefix(" "))
        elif not line and lines:
            text, lines = "\n".join(lines), []
            if text.strip() != "[DONE]":
                yield text
