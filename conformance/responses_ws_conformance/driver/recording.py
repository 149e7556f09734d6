"""Recording: entries are numbered, masked, kept, read and streamed to disk as they happen."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TextIO

from responses_ws_conformance.reading.attribution import Reading
from responses_ws_conformance.reading.exchanges import Exchange
from responses_ws_conformance.transcript import Entry, Header, Note, Transcript
from responses_ws_conformance.transcript.files import ESCAPING, dump_entry, dump_header
from responses_ws_conformance.transcript.masking import Masker


class Recording:
    """A transcript that grows, with the exchanges in it; a context manager that closes the file."""

    def __init__(
        self,
        header: Header,
        *,
        masker: Masker,
        path: Path | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        header = replace(header, target=masker(header.target), masked=masker.names)
        self.transcript = Transcript(header, path=path)
        self.reading = Reading()
        self._masker = masker
        self._clock = clock
        self._started = clock()
        self._stream: TextIO | None = None
        if path is not None:
            self._stream = path.open("w", encoding="utf-8", errors=ESCAPING)
            self._stream.write(dump_header(header))

    def __enter__(self) -> Recording:
        return self

    def __exit__(self, *_: object) -> None:
        if self._stream is not None:
            self._stream.close()

    def add(self, kind: Callable[..., Entry], **fields: Any) -> Exchange | None:
        """Keep an entry; the exchange it belongs to, None where it belongs to none."""
        for name in ("text", "data", "body", "reason", "failure", "target"):
            if name in fields:
                fields[name] = self._masker(fields[name])
        if "facts" in fields:
            fields["facts"] = {k: self._masker(v) for k, v in fields["facts"].items()}
        for name in ("request_headers", "response_headers"):
            if name in fields:
                fields[name] = self._masker.headers(fields[name])
        t = round(self._clock() - self._started, 6)
        entry = kind(n=len(self.transcript.entries), t=t, **fields)
        self.transcript.entries.append(entry)
        if self._stream is not None:
            self._stream.write(dump_entry(entry))
            self._stream.flush()
        return self.reading.feed(entry)

    def mark(self, requirement: str, roles: Mapping[str, Any], facts: Mapping[str, Any]) -> None:
        """Note that exchanges or connections exercise a requirement."""
        self.add(
            Note,
            note="mark",
            requirement=requirement,
            roles={role: _names(value) for role, value in roles.items()},
            facts=dict(facts),
        )


def _names(value: Any) -> tuple[str, ...]:
    if isinstance(value, list | tuple):
        return tuple(item.name for item in value)
    return (value.name,)
