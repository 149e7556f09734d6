"""Transcripts in files, and back.

A transcript is saved as JSON Lines (schema ``files/transcript``), one line per entry, so that an
interrupted recording is still evidence.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final, TextIO

from responses_ws_schemas import explain

from responses_ws_conformance.errors import TranscriptError
from responses_ws_conformance.transcript import (
    Answered,
    Closed,
    Entry,
    Expired,
    Header,
    Note,
    Opened,
    Received,
    Requested,
    Sent,
    Transcript,
)
from responses_ws_conformance.transcript.payloads import parse
from responses_ws_conformance.transcript.times import seconds

TRANSCRIPT_VERSION: Final = 1
SCHEMA: Final = "files/transcript"
NO_HEADER: Final = "it begins with no header (a line with rws_transcript)"
# JSON can spell half of a surrogate pair, which UTF-8 cannot: in a file it stays an escape.
ESCAPING: Final = "backslashreplace"


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


def files_in(path: Path) -> list[Path]:
    """The transcripts of a folder by name; the path itself where it is no folder."""
    return sorted(path.glob("*.jsonl")) if path.is_dir() else [path]


def load(path: Path) -> Transcript:
    """Read a transcript; raises TranscriptError with file and line where it is not one."""
    try:
        with path.open(encoding="utf-8") as stream:
            transcript = read(stream, name=str(path))
    except OSError as problem:
        raise TranscriptError(f"{path}: {problem.strerror}") from None
    except UnicodeDecodeError as problem:
        raise TranscriptError(f"{path}: not a transcript: {problem}") from None
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
            raise TranscriptError(f"{name}:{broken}: not a transcript: a line is one JSON object")
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
        raise TranscriptError(f"{name}: not a transcript: {NO_HEADER}")
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
    if version is None:
        raise ValueError(NO_HEADER)
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


def _line(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n"
