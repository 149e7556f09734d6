"""A log as HTML: time, connection, direction, lane and frame of each entry, violations in place.

The site uses it too. Whatever stands in an entry came from somewhere else and is escaped, a long
message is cut: the transcript has it whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from typing import Any, Final

from responses_ws_conformance.escaping import safe
from responses_ws_conformance.reports.gists import gist, shown
from responses_ws_conformance.reports.terminal import frame, split
from responses_ws_conformance.transcript import (
    Answered,
    Entry,
    Message,
    Note,
    Opened,
    Requested,
    Sent,
)
from responses_ws_conformance.transcript.payloads import NOT_JSON
from responses_ws_conformance.verdict.likeness import parted

LINE_LENGTH: Final = 200
# Of what is longer the beginning is shown, so that no message can swell the page.
SHOWN_LENGTH: Final = 100_000
GIST_LENGTH: Final = 100
VALUE_LENGTH: Final = 80
DIRECTION: Final = re.compile(r"[→←] ")
EXCHANGE: Final = re.compile(r"e(\d+)")
NUMBER: Final = r"\1"
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
    """The lines of a list, in the order of the entries; a line stands where numbers are skipped."""
    yield '<ol class="frames">'
    last: int | None = None
    for entry in entries:
        if last is not None and entry.n > last + 1:
            yield _gap(entry.n - last - 1)
        last = entry.n
        yield _row(entry, violations.get(entry.n, ()))
    yield "</ol>"


def printable(text: str) -> str:
    """The text with its lines; other control characters, which could hide something, replaced."""
    return "".join(c if c.isprintable() or c == "\n" else "�" for c in text)


def _gap(count: int) -> str:
    return f'<li class="gap">⋯ {count} {"entry" if count == 1 else "entries"}</li>'


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
            *(_violation(each, entry) for each in violations),
            "</li>",
        ]
    )


def _direction(kind: str) -> str:
    if kind in OUR_SIDE:
        return '<span class="d" role="img" aria-label="sent">→</span>'
    if kind in THEIR_SIDE:
        return '<span class="d" role="img" aria-label="received">←</span>'
    if kind == "closed":
        return '<span class="d" role="img" aria-label="closed">✕</span>'
    return '<span class="d"></span>'


def _lane(entry: Entry) -> str:
    payload = entry.payload if isinstance(entry, Message) else None
    lane = payload.get("stream_id") if isinstance(payload, dict) else None
    if not lane:
        return ""
    name = lane if isinstance(lane, str) else shown(lane)
    return f'<span class="lane">lane {escape(safe(name, limit=40))}</span> '


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
        name = f"<b>{escape(safe(kind, limit=80))}</b> " if isinstance(kind, str) else ""
        about = escape(safe(gist(entry.payload), limit=GIST_LENGTH))
        about = f"<i>{about}</i> " if about else ""
        return split(entry) + name + about + escape(safe(entry.text, limit=LINE_LENGTH))
    # The connection and the direction have columns of their own.
    text = frame(entry).removeprefix(getattr(entry, "conn", "")).strip()
    return escape(DIRECTION.sub("", text, count=1))


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
    facts = {name: v if isinstance(v, str) else shown(v) for name, v in note.facts.items()}
    match note.note:
        case "mark":
            about = f"for {note.requirement}"
        case "probe":
            about = f"asks for an invented {facts.pop('what', 'value')}"
        case "lever":
            about = f"the lever {facts.pop('lever', '')} is pulled"
        case "blocked":
            about = f"the scenario could not go on ({facts.pop('cause', 'blocked')})"
        case "broken":
            about = "the suite broke"
    why = [facts.pop("why")] if "why" in facts else []
    by = [f"because of {facts.pop('by')}"] if "by" in facts else []
    roles = [
        f"{role} {', '.join(EXCHANGE.sub(NUMBER, name) for name in names)}"
        for role, names in note.roles.items()
        if names
    ]
    details = "; ".join([*why, *by, *roles, *(f"{name} {fact}" for name, fact in facts.items())])
    return safe(f"{about}: {details}" if details else about, limit=LINE_LENGTH)


def _violation(violation: Violation, entry: Entry) -> str:
    anchor = f' id="{escape(violation.name)}" tabindex="-1"' if violation.name else ""
    name = escape(violation.requirement or "")
    link = f'<a href="#{name}">{name}</a> ' if name else ""
    where = f" at <code>{_place(violation.path, entry)}</code>" if violation.path else ""
    seen, _ = parted(violation.actual)
    return (
        f'<p class="mark"{anchor}>{link}expected {escape(safe(violation.expected, limit=400))}; '
        f"seen {escape(safe(seen, limit=400))}{where}</p>"
    )


def _place(path: str, entry: Entry) -> str:
    """A place in a message, with what stands there."""
    value = _at(entry.payload, path) if isinstance(entry, Message) else NOT_JSON
    stands = "" if value is NOT_JSON else f": {safe(shown(value), limit=VALUE_LENGTH)}"
    return escape(safe(path) + stands)


def _at(value: Any, path: str) -> Any:
    """What a JSON pointer leads to, NOT_JSON where that is nothing."""
    for name in path.split("/")[1:]:
        name = name.replace("~1", "/").replace("~0", "~")
        if isinstance(value, list) and name in map(str, range(len(value))):
            value = value[int(name)]
        elif isinstance(value, dict) and name in value:
            value = value[name]
        else:
            return NOT_JSON
    return value
