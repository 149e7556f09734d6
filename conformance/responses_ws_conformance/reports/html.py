"""One self-contained HTML file: summary, filters, findings, and the wire log of each scenario.

Everything that a target sent is escaped. Without scripts the page still shows all; the script only
filters. Long logs stay quick because the browser lays out only the part that is seen.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from importlib.resources import files
from itertools import groupby
from typing import Any, Final

from responses_ws_conformance.terminal import frame, safe
from responses_ws_conformance.transcript import (
    Answered,
    Entry,
    Message,
    Note,
    Requested,
    Sent,
    Transcript,
)

RED: Final = ("fail", "error", "warn")

Marks = Mapping[tuple[str, int], list[tuple[str, dict[str, Any]]]]


def html(report: dict[str, Any], transcripts: Sequence[Transcript]) -> str:
    """The report as HTML; findings are marked in the logs of the transcripts."""
    page = files("responses_ws_conformance.reports").joinpath("page.html").read_text("utf-8")
    for name, text in (
        ("target", escape(safe(report["target"]))),
        ("facts", "\n".join(_facts(report))),
        ("chapters", "\n".join(_chapters(report))),
        ("requirements", "\n".join(_requirements(report))),
        ("logs", "\n".join(_logs(_in_order(report, transcripts), _marks(report)))),
    ):
        page = page.replace(f"<!-- {name} -->", text)
    return page


def _in_order(report: dict[str, Any], transcripts: Sequence[Transcript]) -> list[Transcript]:
    """The transcripts of the report's scenarios, in the order in which they were recorded."""
    place = {name: number for number, name in enumerate(report["scenarios"])}
    own = [t for t in transcripts if t.header.scenario in place]
    return sorted(own, key=lambda t: (place[t.header.scenario], t.header.attempt))


def _facts(report: dict[str, Any]) -> Iterator[str]:
    facts = {
        "Model": report["model"] or "the server's default",
        "Dialect": report["dialect"] or "none claimed",
        "Features": ", ".join(report["features"]) or "core only",
        "Suite": f"{report['suite_version']}, specification {report['spec_version']}",
        "Run": f"{report['started_at']}, {report['duration_s']:.1f} s, {report['turns']} turns",
    }
    if report["stopped"]:
        facts["Stopped"] = report["stopped"]
    for name, value in facts.items():
        yield f"<dt>{name}</dt><dd>{escape(safe(value, limit=1000))}</dd>"


def _chapters(report: dict[str, Any]) -> Iterator[str]:
    verdicts = [verdict for verdict, n in report["summary"].items() if n]
    head = "".join(f'<th scope="col">{verdict}</th>' for verdict in verdicts)
    yield f'<tr><th scope="col">Chapter</th>{head}</tr>'
    for chapter, group in groupby(report["requirements"], key=lambda row: row["chapter"]):
        seen = [row["verdict"] for row in group]
        cells = "".join(f"<td>{seen.count(verdict) or '·'}</td>" for verdict in verdicts)
        yield f'<tr><th scope="row">{escape(chapter)}</th>{cells}</tr>'
    totals = "".join(f"<td>{report['summary'][verdict]}</td>" for verdict in verdicts)
    yield f'<tr class="all"><th scope="row">all</th>{totals}</tr>'


def _requirements(report: dict[str, Any]) -> Iterator[str]:
    for row in sorted(report["requirements"], key=lambda row: row["verdict"] not in RED):
        verdict = row["verdict"]
        is_open = " open" if verdict in ("fail", "error") else ""
        yield f'<details class="requirement" id="{row["id"]}" data-verdict="{verdict}"{is_open}>'
        badge = f'<span class="verdict {verdict}">{verdict}</span>'
        yield f"<summary>{badge} <code>{row['id']}</code> {escape(row['text'])}</summary>"
        yield f'<p>{row["level"]}, {escape(row["feature"])}. <a href="{escape(row["url"])}">'
        yield "The sentence in the specification</a></p>"
        if row["why"]:
            yield f"<p>{escape(safe(row['why'], limit=1000))}</p>"
        if row["blocked_by"]:
            root = escape(row["blocked_by"])
            yield f'<p>Not judged because of <a href="#{root}"><code>{root}</code></a>.</p>'
        for number, finding in enumerate(row["findings"]):
            yield from _finding(finding, f"{row['id']}-{number}")
        if row["findings"]:
            yield f"<p>Again: <code>{escape(safe(row['again'], limit=1000))}</code></p>"
        yield "</details>"


def _finding(finding: dict[str, Any], name: str) -> Iterator[str]:
    where = f"{finding['scenario']}, entry {finding['entry']}"
    yield '<dl class="finding">'
    yield f"<dt>Expected</dt><dd>{escape(safe(finding['expected'], limit=1000))}</dd>"
    yield f"<dt>Seen</dt><dd>{escape(safe(finding['actual'], limit=1000))}"
    if finding["path"]:
        yield f" at <code>{escape(finding['path'])}</code>"
    yield f'</dd><dt>In</dt><dd><a href="#at-{name}">{escape(where)}</a></dd></dl>'


def _marks(report: dict[str, Any]) -> Marks:
    """The findings by transcript file and entry."""
    marks: dict[tuple[str, int], list[tuple[str, dict[str, Any]]]] = {}
    for row in report["requirements"]:
        for number, finding in enumerate(row["findings"]):
            place = (finding["transcript"] or "", finding["entry"])
            marks.setdefault(place, []).append((f"{row['id']}-{number}", finding))
    return marks


def _logs(transcripts: Sequence[Transcript], marks: Marks) -> Iterator[str]:
    for transcript in transcripts:
        name = str(transcript.path or "")
        hits = {entry: found for (path, entry), found in marks.items() if path == name}
        header = transcript.header
        again = f", attempt {header.attempt}" if header.attempt > 1 else ""
        red = f' <span class="verdict fail">{len(hits)}</span>' if hits else ""
        yield f'<details class="log"{" open" if hits else ""}>'
        yield f"<summary>{escape(header.scenario)}{again}{red}</summary>"
        yield f"<p><code>{escape(name)}</code></p>"
        yield '<ol class="frames">'
        for entry in transcript.entries:
            if not isinstance(entry, Note):
                yield from _row(entry, hits.get(entry.n, []))
        yield "</ol></details>"


def _row(entry: Entry, hits: Sequence[tuple[str, dict[str, Any]]]) -> Iterator[str]:
    kind = "sent" if isinstance(entry, Sent) else entry.kind
    classes = f"{kind} hit" if hits else kind
    line = escape(frame(entry))
    full = entry.text if isinstance(entry, Message) else None
    full = entry.body if isinstance(entry, Requested | Answered) else full
    yield f'<li class="{classes}" value="{entry.n}"><span class="time">{entry.t:.3f}</span> '
    if full is not None and len(full) > len(line) - 6:
        whole = escape("".join(c if c.isprintable() or c == "\n" else "�" for c in full))
        yield f"<details><summary>{line}</summary><pre>{whole}</pre></details>"
    else:
        yield f"<code>{line}</code>"
    for name, finding in hits:
        identifier, text = name.rpartition("-")[0], escape(safe(finding["actual"], limit=300))
        yield f'<p class="mark" id="at-{name}"><a href="#{identifier}">{identifier}</a>: {text}</p>'
    yield "</li>"
