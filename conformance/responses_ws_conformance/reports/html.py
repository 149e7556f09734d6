"""One self-contained HTML file: summary, filters, findings, and the wire log of each scenario.

Everything that a target sent is escaped. Without scripts the page still shows all; the script only
filters. Long logs stay quick because the browser lays out only the part that is seen.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Final

from responses_ws_conformance.catalogue import catalogue
from responses_ws_conformance.reports.findings import Logs, findings, violations
from responses_ws_conformance.reports.logs import Violations, log, resource
from responses_ws_conformance.reports.markup import Row, local, prose, said
from responses_ws_conformance.reports.overview import chapters, facts, verdict
from responses_ws_conformance.scenarios import load_scenarios
from responses_ws_conformance.transcript import Note, Transcript

ORDER: Final = ("fail", "error", "warn", "untestable", "unseen", "skip", "pass")
BROKEN: Final = ("fail", "warn")
OPEN: Final = ("fail", "error")
# Where one of these is to be read, the others need not be seen.
PRESSING: Final = ("fail", "error", "warn", "untestable")
FOLDED: Final = ("skip", "pass")
PLACE: Final = re.compile(r"<!-- (\w+) -->")


def html(report: Row, transcripts: Sequence[Transcript]) -> str:
    """The report as HTML; findings are marked in the logs of the transcripts."""
    page = resource("page.html")
    logs = {str(t.path or ""): t for t in _in_order(report, transcripts)}
    texts = {
        "style": resource("logs.css"),
        "script": resource("logs.js"),
        "subject": _subject(report),
        "verdict": "\n".join(verdict(report)),
        "facts": "\n".join(facts(report)),
        "chapters": "\n".join(chapters(report)),
        "filters": "\n".join(_filters(report)),
        "requirements": "\n".join(_requirements(report, logs)),
        "logs": "\n".join(_logs(logs, violations(report))),
    }
    # Joined once: a page is many megabytes, and each replacement would be another one.
    parts = enumerate(PLACE.split(page))
    return "".join(texts[part] if number % 2 else part for number, part in parts)


def _subject(report: Row) -> str:
    """Who was judged; a client has the name of its recording, which may be that of the server."""
    role = catalogue().role_of(row["id"] for row in report["requirements"])
    name = said(report["target"], limit=160)
    if role == "client":
        return f"a client, in a recording of {name}" if name else "a client"
    return name


def _in_order(report: Row, transcripts: Sequence[Transcript]) -> list[Transcript]:
    """The transcripts of the report's scenarios, in the order in which they were recorded."""
    place = {name: number for number, name in enumerate(report["scenarios"])}
    own = [t for t in transcripts if t.header.scenario in place]
    return sorted(own, key=lambda t: (place[t.header.scenario], t.header.attempt))


def _filters(report: Row) -> Iterator[str]:
    """A box for each verdict that there is, and a list of the chapters."""
    is_pressing = any(report["summary"][name] for name in PRESSING)
    yield "<fieldset><legend>Verdicts</legend>"
    for name in ORDER:
        if count := report["summary"][name]:
            ticked = "" if is_pressing and name in FOLDED else " checked"
            box = f'<input type="checkbox" name="verdict" value="{name}"{ticked}>'
            yield f"<label>{box} {name} ({count})</label>"
    yield '</fieldset><label>Chapter <select name="chapter"><option value="">all</option>'
    for chapter in dict.fromkeys(row["chapter"] for row in report["requirements"]):
        yield f"<option>{escape(chapter)}</option>"
    yield "</select></label>"


def _requirements(report: Row, logs: Logs) -> Iterator[str]:
    rows = report["requirements"]
    for row in sorted(rows, key=lambda row: ORDER.index(row["verdict"])):
        kind, name = row["verdict"], escape(row["id"])
        is_open = " open" if kind in OPEN else ""
        yield (
            f'<details class="requirement" id="{name}" data-verdict="{kind}"'
            f' data-chapter="{escape(row["chapter"])}"{is_open}>'
        )
        badge = f'<span class="verdict {kind}">{kind}</span>'
        yield f"<summary>{badge} <h3><b>{name}</b> {prose(row['text'])}</h3></summary>"
        dialect = f", dialect {escape(row['dialect'])}" if row["dialect"] else ""
        yield f"<p>{row['level']}, {escape(row['feature'])}{dialect}."
        yield f'<a href="{escape(row["url"])}">{name} in the specification</a></p>'
        if kind in BROKEN:
            yield from _reasons(row)
        if row["why"]:
            yield f"<p>{said(row['why'])}</p>"
        if row["blocked_by"]:
            yield f"<p>Not judged because of {local(row['blocked_by'])}.</p>"
        yield from findings(row, logs)
        blocked = [local(r["id"]) for r in rows if r["blocked_by"] == row["id"]]
        if blocked:
            yield f"<p>Not judged because of this: {', '.join(blocked)}.</p>"
        if row["findings"]:
            yield f"<p>Run again: <code>{said(row['again'])}</code></p>"
        yield from _judged(row, [name for name in row["scenarios"] if _recorded(name, logs)])
        yield "</details>"


def _judged(row: Row, scenarios: Sequence[str]) -> Iterator[str]:
    """Where a sentence was judged: where it is not broken tells what is."""
    broken = {finding["scenario"] for finding in row["findings"]}
    groups = {
        "Broken in": [name for name in scenarios if name in broken],
        "Not broken in" if broken else "Judged in": [n for n in scenarios if n not in broken],
    }
    for words, names in groups.items():
        if names:
            yield f"<p>{words}: {', '.join(local(n, f'log-{n}') for n in names)}.</p>"


def _recorded(scenario: str, logs: Logs) -> bool:
    return any(t.header.scenario == scenario for t in logs.values())


def _reasons(row: Row) -> Iterator[str]:
    """Why the sentence is there and who says so, where this is still our sentence."""
    known = catalogue().requirements.get(row["id"])
    if known is None or known.text != row["text"]:
        return
    for paragraph in filter(None, known.explanation.split("\n\n")):
        yield f"<p>{prose(paragraph)}</p>"
    sources = ", ".join(
        f'{e.kind} (<a href="{escape(e.url)}">{escape(e.source)}</a>)'
        if e.url
        else f"{e.kind} ({escape(e.source)})"
        for e in known.evidence
    )
    yield f"<p>Who says so: {sources}.</p>"


def _logs(logs: Logs, found: Mapping[str, Violations]) -> Iterator[str]:
    for name, transcript in logs.items():
        header, hits = transcript.header, found.get(name, {})
        count = sum(map(len, hits.values()))
        again = f", attempt {header.attempt}" if header.attempt > 1 else ""
        anchor = f' id="log-{escape(header.scenario)}"' if header.attempt == 1 else ""
        red = f' <span class="count fail">{count} marked</span>' if count else ""
        frames = sum(not isinstance(entry, Note) for entry in transcript.entries)
        size = f"{frames} message{'s' if frames != 1 else ''}"
        yield f'<details class="log"{anchor}{" open" if hits else ""}>'
        yield f"<summary><h3><b>{escape(header.scenario)}</b>{again}, {size}</h3>{red}</summary>"
        known = load_scenarios().get(header.scenario)
        if known is not None:
            yield f"<p>{prose(known.summary)}</p>"
        yield f"<p><code>{escape(name)}</code></p>"
        yield from log(transcript.entries, hits)
        yield "</details>"
