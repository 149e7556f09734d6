"""A log as HTML: time, connection, direction, lane and frame of each entry, violations in place.

The site uses it too. Whatever stands in an entry came from somewhere else and is escaped, a long
message is cut: the transcript has it whole.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from typing import Final

from responses_ws_conformance.terminal import frame, safe
from responses_ws_conformance.transcript import (
    Answered,
    Entry,
    Message,
    Note,
    Opened,
    Requested,
    Sent,
)

LINE_LENGTH: Final = 200
# Of what is longer the beginning is shown, so that no message can swell the page.
SHOWN_LENGTH: Final = 100_000
# Members that say what a message is about, which in the message stand behind ids and numbers.
TELLING: Final = ("delta", "text", "arguments", "refusal", "input")
GIST_LENGTH: Final = 40
DIRECTION: Final = re.compile(r"[→←] ")
EXCHANGE: Final = re.compile(r"e(\d+)")
ENTRY: Final = r"entry \1"
OUR_SIDE: Final = ("sent", "requested")
THEIR_SIDE: Final = ("received", "answered")


@dataclass(frozen=True, slots=True)
class Violation:
    """What is wrong with an entry; ``name`` is its anchor, where links lead to it."""

    expected: str
    actual: str
    path: str | None = None
    requirement: str | None = None
    name: str | None = None


Violations = Mapping[int, Sequence[Violation]]


def resource(name: str) -> str:
    """A file beside this one: ``logs.css`` and ``logs.js`` belong to every page with a log.

    The colours in the style sheet are variables that the page defines.
    """
    return files("responses_ws_conformance.reports").joinpath(name).read_text("utf-8")


def log(entries: Iterable[Entry], violations: Violations) -> Iterator[str]:
    """The lines of a list, in the order of the entries."""
    yield '<ol class="frames">'
    for entry in entries:
        yield _row(entry, violations.get(entry.n, ()))
    yield "</ol>"


def printable(text: str) -> str:
    """The text with its lines; other control characters, which could hide something, replaced."""
    return "".join(c if c.isprintable() or c == "\n" else "�" for c in text)


def _row(entry: Entry, violations: Sequence[Violation]) -> str:
    kind = "sent" if isinstance(entry, Sent) else entry.kind
    hit = " hit" if violations else ""
    conn = "" if isinstance(entry, Note) else entry.conn
    return "".join(
        [
            f'<li class="{kind}{hit}"><span class="n">{entry.n}</span>',
            f'<span class="t">{entry.t:.3f}</span><span class="c">{escape(conn)}</span>',
            _direction(kind),
            f'<div class="f">{_lane(entry)}{_content(entry)}</div>',
            *(_violation(each) for each in violations),
            "</li>",
        ]
    )


def _direction(kind: str) -> str:
    if kind in OUR_SIDE:
        return '<span class="d" role="img" aria-label="sent">→</span>'
    if kind in THEIR_SIDE:
        return '<span class="d" role="img" aria-label="received">←</span>'
    return '<span class="d"></span>'


def _lane(entry: Entry) -> str:
    payload = entry.payload if isinstance(entry, Message) else None
    lane = payload.get("stream_id") if isinstance(payload, dict) else None
    return f'<span class="lane">lane {escape(safe(str(lane), limit=40))}</span> ' if lane else ""


def _content(entry: Entry) -> str:
    if isinstance(entry, Note):
        return f"<span>{escape(_noted(entry))}</span>"
    line, whole = _line(entry), _whole(entry)
    if whole is None:
        return f"<code>{line}</code>"
    return f"<details><summary><code>{line}</code></summary><pre>{escape(whole)}</pre></details>"


def _line(entry: Entry) -> str:
    """The entry in one line: the type and the gist of a message stand first, whatever it is."""
    if isinstance(entry, Message) and isinstance(entry.payload, dict) and entry.text is not None:
        kind = entry.payload.get("type")
        shown = f"<b>{escape(safe(kind, limit=80))}</b> " if isinstance(kind, str) else ""
        return shown + _gist(entry.payload) + escape(safe(entry.text, limit=LINE_LENGTH))
    # The connection and the direction have columns of their own.
    text = frame(entry).removeprefix(getattr(entry, "conn", "")).strip()
    return escape(DIRECTION.sub("", text, count=1))


def _gist(payload: Mapping[str, object]) -> str:
    for name in TELLING:
        value = payload.get(name)
        if isinstance(value, str):
            text = json.dumps(value, ensure_ascii=False)
            return f"<i>{escape(safe(text, limit=GIST_LENGTH))}</i> "
    return ""


def _whole(entry: Entry) -> str | None:
    """What opens behind the line; None where the line is all there is."""
    match entry:
        case Message() if entry.text is not None:
            return _shown(entry.text)
        case Requested() | Answered() if entry.body is not None:
            return _shown(entry.body)
        case Opened():
            names = (*entry.request_headers, ("", ""), *entry.response_headers)
            headers = "\n".join(f"{name}: {value}" if name else "" for name, value in names)
            return _shown(f"{headers}\n\n{entry.body or ''}".strip()) or None
    return None


def _shown(text: str) -> str:
    if len(text) <= SHOWN_LENGTH:
        return printable(text)
    return (
        f"{printable(text[:SHOWN_LENGTH])}\n… {len(text)} characters; the transcript has them all"
    )


def _noted(note: Note) -> str:
    """What the scenario knew: above all which exchange is the subject and which the control."""
    about = f"noted for {note.requirement}" if note.requirement else f"noted: {note.note}"
    roles = [
        f"{role} is {', '.join(EXCHANGE.sub(ENTRY, name) for name in names)}"
        for role, names in note.roles.items()
        if names
    ]
    facts = [f"{name}: {json.dumps(value)}" for name, value in note.facts.items()]
    return safe("; ".join([about, *roles, *facts]), limit=LINE_LENGTH)


def _violation(violation: Violation) -> str:
    anchor = f' id="{escape(violation.name)}" tabindex="-1"' if violation.name else ""
    name = escape(violation.requirement or "")
    link = f'<a href="#{name}">{name}</a> ' if name else ""
    where = f" at <code>{escape(safe(violation.path))}</code>" if violation.path else ""
    return (
        f'<p class="mark"{anchor}>{link}expected {escape(safe(violation.expected, limit=400))}; '
        f"seen {escape(safe(violation.actual, limit=400))}{where}</p>"
    )
