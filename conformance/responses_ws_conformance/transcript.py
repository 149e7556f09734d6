"""The transcript: what happened on the wire, and what the scenario knew about it.

A transcript is a header and a list of entries in the order in which they happened. It is
saved as JSON Lines (schema ``files/transcript``), one line per entry, so that an interrupted
recording is still evidence. Everything right of it is pure.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, TextIO

from responses_ws_schemas import explain

from responses_ws_conformance.errors import TranscriptError
from responses_ws_conformance.payloads import NOT_JSON, parse
from responses_ws_conformance.times import seconds

TRANSCRIPT_VERSION: Final = 1
SCHEMA: Final = "files/transcript"
# JSON can spell half of a surrogate pair, which UTF-8 cannot: in a file it stays an escape.
ESCAPING: Final = "backslashreplace"

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


def dump_header(header: Header) -> str:
    """The header as a JSON line."""
    fields = {name: getattr(header, name) for name in Header.__dataclass_fields__}
    return _line({"rws_transcript": TRANSCRIPT_VERSION, **fields})


def dump_entry(entry: Entry) -> str:
    """One entry as a JSON line; members that hold nothing are left out."""
    line: dict[str, Any] = {"kind": entry.kind}
    for name in type(entry).__dataclass_fields__:
        value = getattr(entry, name)
        if name in ("kind", "payload", "type") or value is None or value in ((), {}):
            continue
        if name == "padding" and not value:
            continue
        if isinstance(value, bytes):
            value = base64.b64encode(value).decode("ascii")
        elif isinstance(value, float):
            value = round(value, 6)
        line[name] = value
    return _line(line)


def save(transcript: Transcript, stream: TextIO) -> None:
    """Write a whole transcript as JSON Lines."""
    stream.write(dump_header(transcript.header))
    stream.writelines(dump_entry(entry) for entry in transcript.entries)


def load(path: Path) -> Transcript:
    """Read a transcript; raises TranscriptError with file and line where it is not one."""
    try:
        with path.open(encoding="utf-8") as stream:
            transcript = read(stream, name=str(path))
    except (OSError, UnicodeDecodeError) as problem:
        raise TranscriptError(f"{path}: {problem}") from None
    transcript.path = path
    return transcript


def read(lines: Iterable[str], *, name: str = "transcript") -> Transcript:
    """Read a transcript from lines; a last line that was cut off is ignored."""
    transcript: Transcript | None = None
    broken: int | None = None
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        if broken is not None:
            raise TranscriptError(f"{name}:{broken}: not a JSON object")
        value = parse(line)
        if not isinstance(value, dict):
            broken = number
            continue
        try:
            if transcript is None:
                transcript = Transcript(_header_from(value))
            else:
                transcript.entries.append(_entry_from(value))
        except ValueError as problem:
            raise TranscriptError(f"{name}:{number}: not a transcript entry: {problem}") from None
    if transcript is None:
        raise TranscriptError(f"{name}: no transcript header (a line with rws_transcript)")
    return transcript


_ENTRY_TYPES: Final[Mapping[str, type[Any]]] = {
    "opened": Opened,
    "sent": Sent,
    "received": Received,
    "closed": Closed,
    "expired": Expired,
    "note": Note,
    "requested": Requested,
    "answered": Answered,
}


def _header_from(value: dict[str, Any]) -> Header:
    version = value.pop("rws_transcript", None)
    if version != TRANSCRIPT_VERSION:
        raise ValueError(f"rws_transcript is {version!r}, this suite reads {TRANSCRIPT_VERSION}")
    _check({"rws_transcript": version, **value})
    for name in ("exercises", "features", "levers", "masked", "selected"):
        if value.get(name) is not None:
            value[name] = tuple(value[name])
    header = Header(**value)
    if header.started_at:
        seconds(header.started_at)
    return header


def _entry_from(value: dict[str, Any]) -> Entry:
    _check(value)
    if "kind" not in value:
        raise ValueError("a second header")
    kind = _ENTRY_TYPES[value.pop("kind")]
    for name in ("request_headers", "response_headers"):
        if name in value:
            value[name] = tuple((k, v) for k, v in value[name])
    if kind is Note and "roles" in value:
        value["roles"] = {role: tuple(names) for role, names in value["roles"].items()}
    if "data" in value:
        value["data"] = base64.b64decode(value["data"], validate=True)
    entry: Entry = kind(**value)
    return entry


def _check(line: dict[str, Any]) -> None:
    """Raise ValueError where a line is not what the schema of transcripts says."""
    for path, message in explain(SCHEMA, line)[:1]:
        raise ValueError(f"{message} at {path}" if path else message)


def _header(headers: Headers, name: str) -> str | None:
    return next((value for key, value in headers if key.lower() == name.lower()), None)


def _line(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n"
