"""The transcript: what happened on the wire, and what the scenario knew about it.

A transcript is a header and a list of entries in the order in which they happened. Everything
right of it is pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from responses_ws_conformance.transcript.payloads import NOT_JSON, parse

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Opened:
    """An opening handshake: the request we sent and the HTTP response to it.

    ``failure`` says why there is no response (refused, no such host, TLS); then ``status`` is
    None. ``method`` is GET; ``upgrade`` is False for a plain HTTP request.
    """

    n: int
    t: float
    conn: str
    target: str
    request_headers: Headers = ()
    status: int | None = None
    response_headers: Headers = ()
    body: str | None = None
    failure: str | None = None
    upgrade: bool = True
    kind: Literal["opened"] = "opened"

    def response_header(self, name: str) -> str | None:
        """The value of a response header, None where it is absent."""
        return _header(self.response_headers, name)

    def request_header(self, name: str) -> str | None:
        """The value of a request header, None where it is absent."""
        return _header(self.request_headers, name)


@dataclass(frozen=True, slots=True)
class Message:
    """A message or control frame; ``text`` as it was on the wire, ``data`` where it is not text.

    ``payload`` is the JSON value of a text message, NOT_JSON otherwise; ``type`` is the event
    type in it, None where it has none.
    """

    n: int
    t: float
    conn: str
    opcode: Literal["text", "binary", "ping", "pong"]
    text: str | None = None
    data: bytes | None = None
    fragments: int = 1
    payload: Any = field(init=False, compare=False, repr=False)
    type: str | None = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        payload = parse(self.text) if self.opcode == "text" else NOT_JSON
        kind = payload.get("type") if isinstance(payload, dict) else None
        object.__setattr__(self, "payload", payload)
        object.__setattr__(self, "type", kind if isinstance(kind, str) else None)

    @property
    def is_data(self) -> bool:
        """True for a text or binary message."""
        return self.opcode in ("text", "binary")


@dataclass(frozen=True, slots=True)
class Sent(Message):
    """What the client sent. ``padding`` is how many spaces stood before its last character, which
    make a message large and are left out of ``text``."""

    padding: int = 0
    kind: Literal["sent"] = "sent"


@dataclass(frozen=True, slots=True)
class Received(Message):
    """What the server sent."""

    kind: Literal["received"] = "received"


@dataclass(frozen=True, slots=True)
class Closed:
    """The end of a connection.

    ``side`` is who began it: ``client``, ``server``, or ``lost`` where the transport ended
    without a close frame, ``failed`` where we ended it because the frames broke RFC 6455.
    ``code`` is the one the server sent (``failed``: the one we sent), None where there is none,
    and 1006 where the transport ended and our close frame had not been answered.
    """

    n: int
    t: float
    conn: str
    side: Literal["client", "server", "lost", "failed"]
    code: int | None = None
    reason: str = ""
    kind: Literal["closed"] = "closed"


@dataclass(frozen=True, slots=True)
class Expired:
    """A wait that ran out. ``clock`` names the limit, ``limit`` is in seconds."""

    n: int
    t: float
    conn: str
    clock: Literal["first-event", "idle", "total", "quiet", "close", "pong"]
    limit: float
    exchange: str | None = None
    kind: Literal["expired"] = "expired"


@dataclass(frozen=True, slots=True)
class Note:
    """An annotation: what the scenario knows and a stranger could not see.

    ``note`` is ``mark`` (these exchanges exercise ``requirement``; ``roles`` maps a role to
    exchange or connection names; ``facts`` holds the rest), ``probe`` (the exchange asks for
    something invented, ``facts`` has ``what``), ``lever`` (what follows on the ``connection`` is
    provoked by the profile's lever; ``facts`` has its name and what was done), ``blocked`` (the
    scenario could not go on; ``facts`` has ``cause``, ``by`` and ``why``) or ``broken`` (the
    suite's own mistake).
    """

    n: int
    t: float
    note: Literal["mark", "probe", "lever", "blocked", "broken"]
    requirement: str | None = None
    roles: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    kind: Literal["note"] = "note"


@dataclass(frozen=True, slots=True)
class Requested:
    """An HTTP request beside the WebSocket; ``conn`` names it and its answer, and nothing else."""

    n: int
    t: float
    conn: str
    method: Literal["GET", "POST", "DELETE"]
    target: str
    request_headers: Headers = ()
    body: str | None = None
    kind: Literal["requested"] = "requested"


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of an HTTP request; ``body`` is the text as it came, a stream of events too.

    ``failure`` says why there is no answer, or not the whole of it; without one ``status`` is None.
    """

    n: int
    t: float
    conn: str
    status: int | None = None
    response_headers: Headers = ()
    body: str | None = None
    failure: str | None = None
    kind: Literal["answered"] = "answered"

    def response_header(self, name: str) -> str | None:
        """The value of a response header, None where it is absent."""
        return _header(self.response_headers, name)


Entry = Opened | Sent | Received | Closed | Expired | Note | Requested | Answered


@dataclass(frozen=True, slots=True)
class Header:
    """The first line: where the transcript is from and what the target claims.

    ``source`` is ``recorded`` by this suite or ``captured`` by somebody else. ``masked`` names the
    secrets that are masked in every message. ``selected`` is the list of requirement ids that the
    run was limited to, None for all.
    """

    scenario: str
    attempt: int = 1
    source: Literal["recorded", "captured"] = "recorded"
    exercises: tuple[str, ...] = ()
    target: str = ""
    model: str | None = None
    dialect: str | None = None
    features: tuple[str, ...] = ()
    levers: tuple[str, ...] = ()
    masked: tuple[str, ...] = ()
    selected: tuple[str, ...] | None = None
    suite_version: str = ""
    spec_version: str = ""
    started_at: str = ""


@dataclass(slots=True)
class Transcript:
    """A header and its entries; grows while a scenario is recorded."""

    header: Header
    entries: list[Entry] = field(default_factory=list)
    path: Path | None = None

    def received(self, conn: str | None = None) -> Iterator[Received]:
        """Data messages from the server, of one connection or of all."""
        for entry in self.entries:
            if isinstance(entry, Received) and entry.is_data and conn in (None, entry.conn):
                yield entry

    def notes(self, note: str) -> Iterator[Note]:
        """Annotations of one kind."""
        return (e for e in self.entries if isinstance(e, Note) and e.note == note)

    def of_connection(self, conn: str) -> Iterator[Entry]:
        """Entries of one connection."""
        return (e for e in self.entries if not isinstance(e, Note) and e.conn == conn)


def _header(headers: Headers, name: str) -> str | None:
    return next((value for key, value in headers if key.lower() == name.lower()), None)
