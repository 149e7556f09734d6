"""The clients of a reference session: they play the shell too, and write down what happens.

Whatever comes is compared with the oracle at once. The transcript is one of the suite.
"""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

from responses_ws_conformance.transcript import (
    Closed,
    Header,
    Opened,
    Received,
    Sent,
    Transcript,
)
from responses_ws_reference.messages.effects import CloseConnection, Effect, SendMessage, StartTurn
from responses_ws_reference.session.session import Session

from tests.oracle import Answered, Asks, Create, Facts, Finished, Line, Refused, calls_in

DIALECT = "open-responses"
LIMIT = "websocket_connection_limit_reached"
TERMINAL = {f"response.{status}": status for status in ("completed", "failed", "incomplete")}
TOOLS = [{"type": "function", "name": name, "parameters": {}} for name in ("clock", "weather")]


def message(text: str) -> dict[str, Any]:
    return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}


class Peer:
    """A client, its connection and the shell of the server, in one."""

    def __init__(
        self, name: str, session: Session, line: Line, record: Recorder, *, expires_at: float
    ) -> None:
        self.name = name
        self.session = session
        self.line = line
        self.latest: str | None = None
        self.expires_at = expires_at
        self.is_open = True
        self.is_advancing = False
        self._record = record
        self._running: tuple[Create, Answered] | None = None

    @property
    def is_idle(self) -> bool:
        """True where the server owes this client nothing."""
        return self._running is None and not self.line.waiting

    def create(self, create: Create) -> None:
        """Send a create; what comes at once is read."""
        text = json.dumps(create.message)
        if not self.is_idle and not self.line.ways.queues:
            self.disturb(text)
            self.line.refuse(create)
            return
        self.line.waiting.append(create)
        self._record(Sent, self.name, text)
        self._carry_out(self.session.receive(text, now=self._record.now))

    def disturb(self, data: str | bytes) -> None:
        """Send what is taken by nobody; an error event comes back at once."""
        self._record(Sent, self.name, data)
        (effect,) = self.session.receive(data, now=self._record.now)
        assert isinstance(effect, SendMessage)
        error = json.loads(self._record(Received, self.name, effect.data))
        assert error["type"] == "error"
        assert error["error"]["code"]

    def advance(self) -> None:
        """One turn of the shell's loop, which ends where the session is no longer busy."""
        self.is_advancing = self.session.is_busy
        if self.is_advancing:
            effects = self.session.advance(now=self._record.now)
            assert effects, "a busy session has something to say"
            self._carry_out(effects)

    def tick(self) -> None:
        """The shell's timer; it does nothing before its time."""
        effects = self.session.tick(now=self._record.now)
        if self._record.now < self.expires_at:
            assert effects == []
            return
        word, close = effects
        assert isinstance(word, SendMessage)
        assert isinstance(close, CloseConnection)
        error = json.loads(self._record(Received, self.name, word.data))
        assert error["error"]["code"] == LIMIT
        self._record.closed(self.name, "server", close.code)
        self.is_open = False
        assert self.session.receive('{"type": "response.create"}', now=self._record.now) == []
        assert self.session.advance(now=self._record.now) == []

    def disconnect(self) -> None:
        """The client goes, whatever is running."""
        self.session.close()
        self._record.closed(self.name, "client", 1000)
        self.is_open = False

    def _carry_out(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case SendMessage(data):
                    self._hear(json.loads(self._record(Received, self.name, data)))
                case StartTurn():
                    self.is_advancing = True
                case CloseConnection():
                    raise AssertionError("nothing but the clock closes a connection")
        # Otherwise nobody would ever advance it.
        assert self.is_advancing or not self.session.is_busy
        assert self.session.is_busy is not self.is_idle

    def _hear(self, event: dict[str, Any]) -> None:
        if self._running is None:
            create = self.line.waiting.popleft()
            expected = self.line.expect(create)
            if isinstance(expected, Refused):
                assert event["type"] == "error", (create, event)
                assert not expected.codes or event["error"]["code"] in expected.codes, create
                self.line.refuse(create)
                return
            assert event["type"] == "response.created", (create, event)
            assert event["response"]["previous_response_id"] == create.previous
            self._running = (create, expected)
            self.latest = event["response"]["id"]
        elif event["type"] in TERMINAL:
            self._conclude(*self._running, event["response"])
            self._running = None

    def _conclude(self, create: Create, expected: Answered, response: dict[str, Any]) -> None:
        assert response["id"] == self.latest
        assert response["status"] == expected.status
        contents = [item["content"] for item in response["output"] if item["type"] == "message"]
        text = "".join(part["text"] for content in contents for part in content)
        assert expected.text in (None, text), create
        calls = calls_in(response["output"])
        assert len(calls) == (len(TOOLS) if create.asks is Asks.CALLS else 0)
        finished = Finished(response["id"], expected.context + calls)
        self.line.conclude(create, finished)
        self._record.finished(create, finished, response["output"])


class Recorder:
    """The clock, the transcript, and what all clients together know of finished responses."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.transcript = Transcript(
            Header("states", dialect=DIALECT, features=("auth", "compaction"))
        )
        self.ids: list[str] = []
        self.chains: dict[str, tuple[list[dict[str, Any]], Facts]] = {}

    def __call__(self, kind: type[Sent] | type[Received], conn: str, data: str | bytes) -> Any:
        n = len(self.transcript.entries)
        if isinstance(data, bytes):
            entry = kind(n, self.now, conn, "binary", data=data)
        else:
            entry = kind(n, self.now, conn, "text", text=data)
        self.transcript.entries.append(entry)
        response = entry.payload.get("response") if isinstance(entry.payload, dict) else None
        if entry.type == "response.created" and isinstance(response, dict):
            self.ids.append(response["id"])
        return data

    def opened(self, conn: str) -> None:
        n = len(self.transcript.entries)
        key = base64.b64encode(conn.encode().rjust(16))
        accept = hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
        offer = {"Upgrade": "websocket", "Connection": "Upgrade"}
        self.transcript.entries.append(
            Opened(
                n,
                self.now,
                conn,
                "/v1/responses",
                request_headers=(*offer.items(), ("Sec-WebSocket-Key", key.decode())),
                status=101,
                response_headers=(
                    *offer.items(),
                    ("Sec-WebSocket-Accept", base64.b64encode(accept).decode()),
                ),
            )
        )

    def closed(self, conn: str, side: Any, code: int) -> None:
        n = len(self.transcript.entries)
        self.transcript.entries.append(Closed(n, self.now, conn, side, code))

    def finished(self, create: Create, finished: Finished, output: list[dict[str, Any]]) -> None:
        """Keep the whole conversation up to here, so that it can be replayed."""
        before = self.chains[create.previous][0] if create.previous else []
        given = create.message["input"]
        items = [message(given)] if isinstance(given, str) else given
        self.chains[finished.id] = ([*before, *items, *output], finished.context)
