"""The top of the HTML report: what a reader has to know before the first finding."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from typing import Final

from responses_ws_conformance.reports.markup import Row, local, prose, said
from responses_ws_conformance.verdict.likeness import parted

NAMED: Final = 12
# Of what is neither whole nor broken, and why nobody has to do anything about it.
REST: Final = {"unseen": "unseen", "skip": "skipped"}


def verdict(report: Row) -> Iterator[str]:
    """What came out, in sentences."""
    counts = report["summary"]
    yield _headline(counts)
    yield from _named(report, "fail")
    for name, about in (
        ("warn", "a recommendation (SHOULD) that is not followed"),
        ("untestable", "owed, but could not be judged"),
        ("error", "where the suite itself broke: please report it"),
    ):
        if counts[name]:
            badge = f'<span class="count {name}">{counts[name]} {name}</span>'
            yield f"<p>{badge}: {about}</p>"
            yield from _named(report, name) if name == "warn" else ()
    yield from _rest(report)
    if report["stopped"]:
        yield f'<p class="lead fail">Stopped: {said(report["stopped"])}</p>'
    for probe in report["probes"]:
        if probe["fooled"]:
            what = said(probe["what"], limit=160)
            yield f"<p>This target accepted an invented {what}: read its passes with care.</p>"
    for shown in report["unclaimed"]:
        feature, seen = said(shown["feature"]), said(shown["seen"], limit=300)
        yield f"<p>Not judged, because the profile does not claim {feature}: {seen}</p>"
    for waiver in report["waivers"]:
        reason = said(waiver["reason"], limit=300)
        until = f" until {said(waiver['expires'])}" if "expires" in waiver else ""
        yield f"<p>Known and waived{until}: "
        yield f"{local(waiver['id'])}, {reason}</p>"
    for each in report["discrepancies"]:
        yield f'<p class="lead fail">Baseline: {said(each["sentence"])}</p>'
    if report["dropped"]:
        names = ", ".join(map(said, report["dropped"]))
        yield f"<p>Not recorded, because they cost too many turns: {names}</p>"


def _headline(counts: Row) -> str:
    judged, broken = counts["pass"] + counts["fail"] + counts["warn"], counts["fail"]
    if not judged:
        return '<p class="lead">No requirement was judged</p>'
    kind, number = ("fail", broken) if broken else ("pass", "None")
    of = f"of {judged} judged requirements" if broken else f"of the {judged} judged requirements"
    verb = "are" if broken > 1 else "is"
    return f'<p class="lead {kind}">{number} {of} {verb} broken</p>'


def _named(report: Row, name: str) -> Iterator[str]:
    """The sentences of one verdict, each with the way to its findings."""
    rows = [row for row in report["requirements"] if row["verdict"] == name]
    if not rows:
        return
    first: dict[str, str] = {}
    yield "<ul>"
    for row in rows[:NAMED]:
        seen = parted(row["findings"][0]["actual"])[0] if row["findings"] else ""
        same = first.setdefault(seen, row["id"]) if seen else row["id"]
        also = f" <i>(the same was seen for {local(same)})</i>" if same != row["id"] else ""
        yield f"<li>{local(row['id'])} {prose(row['text'])}{also}</li>"
    if len(rows) > NAMED:
        yield f"<li>and {len(rows) - NAMED} more</li>"
    yield "</ul>"


def _rest(report: Row) -> Iterator[str]:
    """What was not judged, and why it did not have to be."""
    lines = []
    for name, word in REST.items():
        if count := report["summary"][name]:
            rows = [row for row in report["requirements"] if row["verdict"] == name]
            whys = Counter(row["why"] for row in rows if row["why"])
            reasons = "; ".join(
                said(why if n == count else f"{n} because {why}") for why, n in whys.most_common()
            )
            lines.append(f"<li>{count} {word}{f': {reasons}' if reasons else ''}</li>")
    if lines:
        yield f'<ul class="quiet">{"".join(lines)}</ul>'


def facts(report: Row) -> Iterator[str]:
    """What was judged, and with what."""
    known = {
        "Model": report["model"] or "the server's default",
        "Dialect": report["dialect"] or "none claimed",
        "Features": ", ".join(report["features"]) or "core only",
        "Suite": f"{report['suite_version']}, specification {report['spec_version']}",
        "Command": report["command"],
        "Run": f"{report['started_at']}, {report['duration_s']:.1f} s, {report['turns']} turns",
    }
    if report["selected"] is not None:
        known["Selected"] = ", ".join(report["selected"])
    for name, value in known.items():
        yield f"<dt>{name}</dt><dd>{said(value)}</dd>"


def chapters(report: Row) -> Iterator[str]:
    """The rows of the table of verdicts by chapter."""
    names = [name for name, n in report["summary"].items() if n]
    head = "".join(f'<th scope="col">{name}</th>' for name in names)
    yield f'<tr><th scope="col">Chapter</th>{head}</tr>'
    for chapter, group in groupby(report["requirements"], key=lambda row: row["chapter"]):
        seen = [row["verdict"] for row in group]
        cells = "".join(f"<td>{seen.count(name) or '·'}</td>" for name in names)
        yield f'<tr><th scope="row">{said(chapter)}</th>{cells}</tr>'
    totals = "".join(f"<td>{report['summary'][name]}</td>" for name in names)
    yield f'<tr class="all"><th scope="row">all</th>{totals}</tr>'
