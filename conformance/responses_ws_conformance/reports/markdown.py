"""A summary in Markdown, for the page of a CI job."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any, Final

from responses_ws_conformance.catalogue import catalogue
from responses_ws_conformance.escaping import safe

SHOWN: Final = 50
MARKUP: Final = str.maketrans({c: f"&#{ord(c)};" for c in "\\`*_{}[]<>|#!&"})


def markdown(report: dict[str, Any]) -> str:
    """The report as Markdown."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: dict[str, Any]) -> Iterator[str]:
    counts = {verdict: n for verdict, n in report["summary"].items() if n}
    role = catalogue().role_of(row["id"] for row in report["requirements"])
    of = " of a client" if role == "client" else ""
    name = f": {_code(report['target'])}" if report["target"] else ""
    yield f"## Responses WebSocket conformance{of}{name}"
    yield ""
    yield ", ".join(f"**{n}** {verdict}" for verdict, n in counts.items())
    if report["stopped"]:
        yield ""
        yield f"Stopped: {_text(report['stopped'])}"
    if report["unclaimed"]:
        yield ""
        yield f"Seen and not judged: {', '.join(row['feature'] for row in report['unclaimed'])}"
    if report["discrepancies"]:
        yield ""
        yield from (f"- Baseline: {_text(each['sentence'])}" for each in report["discrepancies"])
    known = {waiver["id"]: waiver["reason"] for waiver in report["waivers"]}
    red = [row for row in report["requirements"] if row["verdict"] in ("fail", "warn", "error")]
    if red:
        yield ""
        yield "| | Requirement | Seen |"
        yield "|---|---|---|"
        for row in red[:SHOWN]:
            seen = row["findings"][0]["actual"] if row["findings"] else row["why"]
            name = f"[{row['id']}]({row['url']})<br>{row['text']}"
            reason = f", known: {_text(known[row['id']])}" if row["id"] in known else ""
            yield f"| {row['verdict']}{reason} | {name} | {_text(seen)} |"
        if len(red) > SHOWN:
            yield f"| | … and {len(red) - SHOWN} more | |"
    yield ""
    yield "| Chapter | " + " | ".join(counts) + " |"
    yield "|---|" + "---:|" * len(counts)
    for chapter, group in groupby(report["requirements"], key=lambda row: row["chapter"]):
        verdicts = [row["verdict"] for row in group]
        cells = " | ".join(str(verdicts.count(verdict) or "·") for verdict in counts)
        yield f"| {chapter} | {cells} |"
    yield ""
    yield (
        f"Suite {report['suite_version']}, specification {report['spec_version']}, "
        f"{report['turns']} turns in {report['duration_s']:.1f} s, {report['started_at']}."
    )


def _text(value: str) -> str:
    """Text in which nothing is markup, on one line."""
    return safe(" ".join(value.split()), limit=300).translate(MARKUP)


def _code(value: str) -> str:
    return f"<code>{_text(value)}</code>"
