"""One self-contained HTML file: summary, filters, findings, and the wire log of each scenario.

Everything that a target sent is escaped. Without scripts the page still shows all; the script only
filters. Long logs stay quick because the browser lays out only the part that is seen.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from itertools import groupby
from typing import Any, Final

from responses_ws_conformance.report import around
from responses_ws_conformance.reports.logs import Violation, Violations, log, resource
from responses_ws_conformance.requirements import catalogue
from responses_ws_conformance.scenarios import load_scenarios
from responses_ws_conformance.terminal import safe
from responses_ws_conformance.transcript import Note, Transcript

ORDER: Final = ("fail", "error", "warn", "untestable", "unseen", "skip", "pass")
BROKEN: Final = ("fail", "warn")
OPEN: Final = ("fail", "error")
NAMED: Final = 12
KINDS_SHOWN: Final = 5
PLACES_SHOWN: Final = 20
CODE: Final = re.compile(r"`([^`]+)`")

Row = dict[str, Any]
Logs = Mapping[str, Transcript]


def html(report: Row, transcripts: Sequence[Transcript]) -> str:
    """The report as HTML; findings are marked in the logs of the transcripts."""
    page = resource("page.html")
    logs = {str(t.path or ""): t for t in _in_order(report, transcripts)}
    for name, text in (
        ("style", resource("logs.css")),
        ("script", resource("logs.js")),
        ("target", escape(safe(report["target"]))),
        ("verdict", "\n".join(_verdict(report))),
        ("facts", "\n".join(_facts(report))),
        ("chapters", "\n".join(_chapters(report))),
        ("filters", "\n".join(_filters(report))),
        ("requirements", "\n".join(_requirements(report, logs))),
        ("logs", "\n".join(_logs(logs, _violations(report)))),
    ):
        page = page.replace(f"<!-- {name} -->", text)
    return page


def _in_order(report: Row, transcripts: Sequence[Transcript]) -> list[Transcript]:
    """The transcripts of the report's scenarios, in the order in which they were recorded."""
    place = {name: number for number, name in enumerate(report["scenarios"])}
    own = [t for t in transcripts if t.header.scenario in place]
    return sorted(own, key=lambda t: (place[t.header.scenario], t.header.attempt))


def _verdict(report: Row) -> Iterator[str]:
    """What a reader has to know first, in sentences."""
    counts = report["summary"]
    judged = counts["pass"] + counts["fail"] + counts["warn"]
    kind, broken = ("fail", counts["fail"]) if counts["fail"] else ("pass", "none")
    yield f'<p class="lead {kind}">Broken: {broken}, of {judged} requirements that were judged.</p>'
    yield from _named(report, "fail")
    for verdict, about in (
        ("warn", "a SHOULD that is broken"),
        ("untestable", "owed, but could not be judged"),
        ("error", "where the suite itself broke: please report it"),
    ):
        if counts[verdict]:
            badge = f'<span class="verdict {verdict}">{counts[verdict]} {verdict}</span>'
            yield f"<p>{badge} {about}</p>"
            yield from _named(report, verdict) if verdict == "warn" else ()
    if report["stopped"]:
        yield f'<p class="lead fail">Stopped: {escape(safe(report["stopped"], limit=1000))}</p>'
    for probe in report["probes"]:
        if probe["fooled"]:
            what = escape(safe(probe["what"]))
            yield f"<p>This target accepted an invented {what}: read its passes with care.</p>"
    for shown in report["unclaimed"]:
        feature, seen = escape(shown["feature"]), escape(safe(shown["seen"], limit=300))
        yield f"<p>Not judged, because the profile does not claim {feature}: {seen}</p>"
    for waiver in report["waivers"]:
        reason = escape(safe(waiver["reason"], limit=300))
        until = f" until {escape(waiver['expires'])}" if "expires" in waiver else ""
        yield f"<p>Known and waived{until}: "
        yield f"{_local(waiver['id'])}, {reason}</p>"
    for each in report["discrepancies"]:
        yield f'<p class="lead fail">Baseline: {escape(safe(each["sentence"], limit=1000))}</p>'
    if report["dropped"]:
        names = ", ".join(escape(name) for name in report["dropped"])
        yield f"<p>Not recorded, because they cost too many turns: {names}</p>"


def _named(report: Row, verdict: str) -> Iterator[str]:
    """The sentences of one verdict, each with the way to its findings."""
    rows = [row for row in report["requirements"] if row["verdict"] == verdict]
    if rows:
        yield "<ul>"
        for row in rows[:NAMED]:
            yield f"<li>{_local(row['id'])} {_prose(row['text'])}</li>"
        if len(rows) > NAMED:
            yield f"<li>and {len(rows) - NAMED} more</li>"
        yield "</ul>"


def _facts(report: Row) -> Iterator[str]:
    facts = {
        "Model": report["model"] or "the server's default",
        "Dialect": report["dialect"] or "none claimed",
        "Features": ", ".join(report["features"]) or "core only",
        "Suite": f"{report['suite_version']}, specification {report['spec_version']}",
        "Command": report["command"],
        "Run": f"{report['started_at']}, {report['duration_s']:.1f} s, {report['turns']} turns",
    }
    if report["selected"] is not None:
        facts["Selected"] = ", ".join(report["selected"])
    for name, value in facts.items():
        yield f"<dt>{name}</dt><dd>{escape(safe(value, limit=1000))}</dd>"


def _chapters(report: Row) -> Iterator[str]:
    verdicts = [verdict for verdict, n in report["summary"].items() if n]
    head = "".join(f'<th scope="col">{verdict}</th>' for verdict in verdicts)
    yield f'<tr><th scope="col">Chapter</th>{head}</tr>'
    for chapter, group in groupby(report["requirements"], key=lambda row: row["chapter"]):
        seen = [row["verdict"] for row in group]
        cells = "".join(f"<td>{seen.count(verdict) or '·'}</td>" for verdict in verdicts)
        yield f'<tr><th scope="row">{escape(chapter)}</th>{cells}</tr>'
    totals = "".join(f"<td>{report['summary'][verdict]}</td>" for verdict in verdicts)
    yield f'<tr class="all"><th scope="row">all</th>{totals}</tr>'


def _filters(report: Row) -> Iterator[str]:
    """A box for each verdict that there is, and a list of the chapters."""
    yield "<fieldset><legend>Verdicts</legend>"
    for verdict in ORDER:
        if count := report["summary"][verdict]:
            box = f'<input type="checkbox" name="verdict" value="{verdict}" checked>'
            yield f"<label>{box} {verdict} ({count})</label>"
    yield '</fieldset><label>Chapter <select name="chapter"><option value="">all</option>'
    for chapter in dict.fromkeys(row["chapter"] for row in report["requirements"]):
        yield f"<option>{escape(chapter)}</option>"
    yield "</select></label>"


def _requirements(report: Row, logs: Logs) -> Iterator[str]:
    rows = report["requirements"]
    for row in sorted(rows, key=lambda row: ORDER.index(row["verdict"])):
        verdict, name = row["verdict"], escape(row["id"])
        is_open = " open" if verdict in OPEN else ""
        yield (
            f'<details class="requirement" id="{name}" data-verdict="{verdict}"'
            f' data-chapter="{escape(row["chapter"])}"{is_open}>'
        )
        badge = f'<span class="verdict {verdict}">{verdict}</span>'
        yield f"<summary>{badge} <b>{name}</b> {_prose(row['text'])}</summary>"
        dialect = f", dialect {escape(row['dialect'])}" if row["dialect"] else ""
        yield f"<p>{row['level']}, {escape(row['feature'])}{dialect}."
        yield f'<a href="{escape(row["url"])}">All about it</a></p>'
        if verdict in BROKEN:
            yield from _reasons(row)
        if row["why"]:
            yield f"<p>{escape(safe(row['why'], limit=1000))}</p>"
        if row["blocked_by"]:
            yield f"<p>Not judged because of {_local(row['blocked_by'])}.</p>"
        yield from _findings(row, logs)
        blocked = [_local(r["id"]) for r in rows if r["blocked_by"] == row["id"]]
        if blocked:
            yield f"<p>Not judged because of this: {', '.join(blocked)}.</p>"
        if row["findings"]:
            yield f"<p>Again: <code>{escape(safe(row['again'], limit=1000))}</code></p>"
        names = [name for name in row["scenarios"] if _recorded(name, logs)]
        if names:
            yield f"<p>Judged in: {', '.join(_local(n, f'log-{n}') for n in names)}.</p>"
        yield "</details>"


def _recorded(scenario: str, logs: Logs) -> bool:
    return any(t.header.scenario == scenario for t in logs.values())


def _prose(text: str) -> str:
    """A sentence of the specification; what stands in ticks is code."""
    return CODE.sub(r"<code>\1</code>", escape(text))


def _local(text: str, anchor: str | None = None) -> str:
    return f'<a href="#{escape(anchor or text)}">{escape(text)}</a>'


def _reasons(row: Row) -> Iterator[str]:
    """Why the sentence is there and who says so, where this is still our sentence."""
    known = catalogue().requirements.get(row["id"])
    if known is None or known.text != row["text"]:
        return
    for paragraph in filter(None, known.explanation.split("\n\n")):
        yield f"<p>{_prose(paragraph)}</p>"
    sources = ", ".join(
        f'{e.kind} (<a href="{escape(e.url)}">{escape(e.source)}</a>)'
        if e.url
        else f"{e.kind} ({escape(e.source)})"
        for e in known.evidence
    )
    yield f"<p>Who says so: {sources}.</p>"


def _findings(row: Row, logs: Logs) -> Iterator[str]:
    """The findings, those together that say the same of different frames."""
    kinds: dict[tuple[str, str, str | None], list[tuple[int, Row]]] = {}
    for number, finding in enumerate(row["findings"]):
        kind = finding["expected"], finding["actual"], finding["path"]
        kinds.setdefault(kind, []).append((number, finding))
    for place, same in enumerate(kinds.values()):
        number, finding = same[0]
        yield '<div class="finding"><dl>'
        yield f"<dt>Expected</dt><dd>{escape(safe(finding['expected'], limit=1000))}</dd>"
        yield f"<dt>Seen</dt><dd>{escape(safe(finding['actual'], limit=1000))}"
        if finding["path"]:
            yield f" at <code>{escape(finding['path'])}</code>"
        places = [_place(row, n, f) for n, f in same[:PLACES_SHOWN]]
        more = f", and {len(same) - PLACES_SHOWN} more" if len(same) > PLACES_SHOWN else ""
        yield f"</dd><dt>In</dt><dd>{', '.join(places)}{more}</dd></dl>"
        transcript = logs.get(finding["transcript"] or "")
        if transcript is not None and place < KINDS_SHOWN:
            yield from _excerpt(transcript, finding)
        yield "</div>"


def _place(row: Row, number: int, finding: Row) -> str:
    where = f"{finding['scenario']}, entry {finding['entry']}"
    return _local(where, f"at-{row['id']}-{number}")


def _excerpt(transcript: Transcript, finding: Row) -> Iterator[str]:
    """The frames that lead to a finding."""
    violation = Violation(finding["expected"], finding["actual"], finding["path"])
    yield from log(around(transcript, finding["entry"]), {finding["entry"]: [violation]})


def _violations(report: Row) -> dict[str, dict[int, list[Violation]]]:
    """The findings by transcript file and entry."""
    found: dict[str, dict[int, list[Violation]]] = {}
    for row in report["requirements"]:
        for number, finding in enumerate(row["findings"]):
            entries = found.setdefault(finding["transcript"] or "", {})
            entries.setdefault(finding["entry"], []).append(
                Violation(
                    finding["expected"],
                    finding["actual"],
                    finding["path"],
                    requirement=row["id"],
                    name=f"at-{row['id']}-{number}",
                )
            )
    return found


def _logs(logs: Logs, violations: Mapping[str, Violations]) -> Iterator[str]:
    for name, transcript in logs.items():
        header, hits = transcript.header, violations.get(name, {})
        count = sum(map(len, hits.values()))
        again = f", attempt {header.attempt}" if header.attempt > 1 else ""
        anchor = f' id="log-{escape(header.scenario)}"' if header.attempt == 1 else ""
        red = f' <span class="verdict fail">{count} marked</span>' if count else ""
        frames = sum(not isinstance(entry, Note) for entry in transcript.entries)
        yield f'<details class="log"{anchor}{" open" if hits else ""}>'
        yield f"<summary><b>{escape(header.scenario)}</b>{again}, {frames} entries{red}</summary>"
        known = load_scenarios().get(header.scenario)
        if known is not None:
            yield f"<p>{_prose(known.summary)}</p>"
        yield f"<p><code>{escape(name)}</code></p>"
        yield from log(transcript.entries, hits)
        yield "</details>"
