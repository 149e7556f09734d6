"""A transcript as HTML: one line for each entry, the whole message behind it.

Violations stand under the entry that shows them. What the scenario noted is shown too, because it
says which exchange is the subject and which the control.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from html import escape
from typing import Final

from responses_ws_conformance.checks import Finding
from responses_ws_conformance.payloads import NOT_JSON
from responses_ws_conformance.terminal import frame
from responses_ws_conformance.transcript import (
    Entry,
    Message,
    Note,
    Opened,
    Received,
    Sent,
    Transcript,
)

ENTRY_NAME: Final = re.compile(r"e(\d+)")
AS_ENTRY: Final = r"entry \1"


def wire_log(transcript: Transcript, findings: Sequence[Finding] = ()) -> str:
    """The log as a list whose numbers are those of the entries."""
    rows = (_row(entry, [f for f in findings if f.at == entry.n]) for entry in transcript.entries)
    return '<ol class="rws-frames" start="0">\n' + "\n".join(rows) + "\n</ol>"


def _row(entry: Entry, findings: Sequence[Finding]) -> str:
    kind = "sent" if isinstance(entry, Sent) else entry.kind
    classes = f"{kind} hit" if findings else kind
    parts = [f'<li class="{classes}" value="{entry.n}">', _entry(entry)]
    for finding in findings:
        where = f" at <code>{escape(finding.path)}</code>" if finding.path else ""
        parts.append(
            f'<p class="mark">Expected {escape(finding.expected)}; '
            f"seen {escape(finding.actual)}{where}.</p>"
        )
    return "".join([*parts, "</li>"])


def _entry(entry: Entry) -> str:
    if isinstance(entry, Note):
        return f"<span>{escape(_noted(entry))}</span>"
    line = f"<code>{escape(frame(entry))}</code>"
    whole = "\n".join(_whole(entry))
    if not whole:
        return line
    return f"<details><summary>{line}</summary><pre>{escape(whole)}</pre></details>"


def _whole(entry: Entry) -> Iterator[str]:
    if isinstance(entry, Message) and entry.payload is not NOT_JSON:
        yield json.dumps(entry.payload, indent=2, ensure_ascii=False)
    elif isinstance(entry, Sent | Received) and entry.text is not None:
        yield entry.text
    elif isinstance(entry, Opened):
        yield from (f"{name}: {value}" for name, value in entry.request_headers)
        yield from (f"{name}: {value}" for name, value in entry.response_headers)


def _noted(note: Note) -> str:
    roles = [
        f"{role}: {', '.join(ENTRY_NAME.sub(AS_ENTRY, name) for name in names)}"
        for role, names in note.roles.items()
    ]
    facts = [f"{name}: {json.dumps(value)}" for name, value in note.facts.items()]
    return f"noted by the scenario ({note.note}): " + "; ".join([*roles, *facts])
