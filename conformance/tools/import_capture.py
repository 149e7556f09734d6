"""A capture of a conversation becomes a transcript that ``rws judge`` reads.

    python conformance/tools/import_capture.py CAPTURE.jsonl… --into FOLDER [--date 2026-11-22]

A capture is JSON Lines: one line about the peer (``meta``), then handshakes, messages and closes in
the order of arrival. Two dialects of it are read: peers that were recorded by a server say ``dir``
and ``conn`` on each line; probes of a server say ``c2s`` or ``s2c`` and open a connection with each
handshake. What is not WebSocket (``post``) is left out.

Captures are sanitised. A text that was cut stays as it is; an object or array that was replaced by
the word ``<elided>`` becomes an empty one, because what stood there was right in type.
"""

from __future__ import annotations

import argparse
import ast
import json
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Final

from responses_ws_conformance.transcript import (
    Closed,
    Entry,
    Expired,
    Header,
    Headers,
    Opened,
    Received,
    Sent,
    Transcript,
)
from responses_ws_conformance.transcript.files import save

ELIDED: Final = "<elided>"
STAND_INS: Final[dict[str, Any]] = {"parameters": {}, "tools": []}
ABNORMAL: Final = 1006
REFUSED: Final = re.compile(r"HTTP (\d{3})$")

Line = dict[str, Any]


class CaptureError(Exception):
    """A file is not a capture; the message says where."""


class Importer:
    """Turns the lines of one capture into entries."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.left_out = 0
        self._connections = 0
        self._latest: dict[str, str] = {}  # the last message of the client, by connection

    def take(self, line: Line) -> None:
        """Take the next line."""
        reader = READERS.get(line["kind"])
        if reader is None:
            raise KeyError(line["kind"])
        reader(self, line)

    def add(self, kind: Callable[..., Entry], line: Line, conn: str, **fields: Any) -> None:
        """Keep an entry."""
        entry = kind(n=len(self.entries), t=float(line["t"]), conn=conn, **fields)
        if isinstance(entry, Sent):
            self._latest[conn] = f"e{entry.n}"
        self.entries.append(entry)

    def conn_of(self, line: Line) -> str:
        """The connection that a line is about: it says so, or it is the one opened last."""
        return f"c{line.get('conn', self._connections)}"

    def _open(self, line: Line) -> str:
        self._connections += 1
        return self.conn_of(line)

    def handshake(self, line: Line) -> None:
        """An opening handshake of which the capture has one half."""
        headers, conn = headers_of(line), self._open(line)
        if line.get("dir") == "c2s":
            self.add(Opened, line, conn, target=line["path"], request_headers=headers)
        else:
            half = {"request_headers": (), "response_headers": headers}
            self.add(Opened, line, conn, target="", status=101, **half)

    def refused_handshake(self, line: Line) -> None:
        """An opening handshake that failed; the status stands in the words of a library."""
        status = REFUSED.search(line["error"])
        outcome = {"status": int(status[1])} if status else {"failure": line["error"]}
        self.add(Opened, line, self._open(line), target="", request_headers=(), **outcome)

    def message(self, line: Line) -> None:
        """A message of the client or of the server."""
        kind = Received if line["kind"] == "s2c" or line.get("dir") == "s2c" else Sent
        text = json.dumps(restored(line["frame"]), ensure_ascii=False, separators=(",", ":"))
        self.add(kind, line, self.conn_of(line), opcode="text", text=text)

    def raw_message(self, line: Line) -> None:
        """A message of the client that is not a JSON object; bytes are in Python's notation."""
        text, conn = line["text"], self.conn_of(line)
        if text.startswith(("b'", 'b"')):
            self.add(Sent, line, conn, opcode="binary", data=ast.literal_eval(text))
        else:
            self.add(Sent, line, conn, opcode="text", text=text)

    def close(self, line: Line) -> None:
        """The end of a connection; without a code, or with 1006, there was no close frame."""
        code = line["code"]
        side = "client" if line.get("dir") == "c2s" else "server"
        if code in (None, ABNORMAL):
            side, code = "lost", None
        reason = line.get("reason") or ""
        self.add(Closed, line, self.conn_of(line), side=side, code=code, reason=reason)

    def timeout(self, line: Line) -> None:
        """The recorder had waited in vain since the entry before."""
        conn = self.conn_of(line)
        waited = round(float(line["t"]) - self.entries[-1].t, 3)
        fields = {"clock": "idle", "limit": waited, "exchange": self._latest.get(conn)}
        self.add(Expired, line, conn, **fields)

    def leave_out(self, line: Line) -> None:
        """What is no part of a WebSocket conversation."""
        self.left_out += 1


READERS: Final[dict[str, Callable[[Importer, Line], None]]] = {
    "handshake": Importer.handshake,
    "handshake-fail": Importer.refused_handshake,
    "frame": Importer.message,
    "c2s": Importer.message,
    "s2c": Importer.message,
    "c2s-raw": Importer.raw_message,
    "close": Importer.close,
    "closed": Importer.close,
    "timeout": Importer.timeout,
    "post": Importer.leave_out,
}


def headers_of(line: Line) -> Headers:
    """The headers of a handshake line."""
    return tuple((str(name), str(value)) for name, value in line["headers"])


def restored(value: Any, name: str = "") -> Any:
    """A value in which what was elided whole has its type again."""
    if value == ELIDED:
        return STAND_INS.get(name, value)
    if isinstance(value, dict):
        return {key: restored(member, key) for key, member in value.items()}
    return [restored(member) for member in value] if isinstance(value, list) else value


def lines_of(path: Path) -> Iterator[Line]:
    """The lines of a capture."""
    for number, text in enumerate(path.read_text("utf-8").splitlines(), start=1):
        value = json.loads(text)
        if not isinstance(value, dict):
            raise CaptureError(f"{path}:{number}: not an object")
        yield value


def import_capture(path: Path, begun: str) -> tuple[Transcript, int]:
    """The transcript of a capture, and how many of its lines were left out."""
    header, importer = Header(scenario=path.stem), Importer()
    for number, line in enumerate(lines_of(path), start=1):
        try:
            if number == 1:
                meta = line["meta"]
                peer = f"{meta['peer']} {meta['version']}"
                header = Header(meta["scenario"], source="captured", target=peer, started_at=begun)
            else:
                importer.take(line)
        except (KeyError, TypeError, ValueError) as problem:
            raise CaptureError(f"{path}:{number}: {type(problem).__name__} {problem}") from None
    return Transcript(header, importer.entries), importer.left_out


def day(text: str) -> str:
    """A day as a transcript spells it; raises ValueError where the text is none."""
    return date.fromisoformat(text).isoformat()


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Turn captures into transcripts.")
    parser.add_argument("captures", nargs="+", type=Path)
    parser.add_argument("--into", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--date", type=day, help="the day of the capture")
    options = parser.parse_args(argv)
    for path in options.captures:
        try:
            transcript, left_out = import_capture(path, options.date or "")
        except CaptureError as problem:
            print(problem, file=sys.stderr)
            return 1
        if not transcript.entries:
            print(f"{path.name}: no WebSocket in it, not imported")
            continue
        with (options.into / path.name).open("w", encoding="utf-8") as stream:
            save(transcript, stream)
        print(f"{path.name}: {len(transcript.entries)} entries, {left_out} lines left out")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
