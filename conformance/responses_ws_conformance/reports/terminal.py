"""The report as text for a terminal; nothing that a target sent can steer the terminal."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from typing import Final

from responses_ws_conformance.escaping import LINE_LENGTH, safe
from responses_ws_conformance.reports.excerpts import around
from responses_ws_conformance.reports.report import Report
from responses_ws_conformance.transcript import (
    Answered,
    Closed,
    Entry,
    Expired,
    Message,
    Note,
    Opened,
    Requested,
    Sent,
)
from responses_ws_conformance.verdict import Judgement, Located, Verdict
from responses_ws_conformance.verdict.likeness import likeness, parted

FINDINGS_SHOWN: Final = 3
MORE_SHOWN: Final = 10
ENDS: Final = {
    "client": "closed by the client",
    "server": "closed by the server",
    "lost": "lost",
    "failed": "failed by the client, because the frames are broken",
}
COLUMNS: Final = (
    Verdict.PASS,
    Verdict.FAIL,
    Verdict.WARN,
    Verdict.UNSEEN,
    Verdict.SKIP,
    Verdict.UNTESTABLE,
    Verdict.ERROR,
)


def warnings(report: Report) -> Iterator[str]:
    """What a reader has to know before the first green."""
    for probe in report.probes:
        if probe.is_fooled:
            yield f"this target accepted an invented {probe.what}: read its greens with care"
        elif probe.is_accepted:
            yield f"note: this target served an invented {probe.what}"


def summary(report: Report) -> Iterator[str]:
    """The table of verdicts by chapter, with a line of totals and the names of what is broken."""
    shown = [v for v in COLUMNS if v in (Verdict.PASS, Verdict.FAIL) or report.count(v)]
    head = "".join(f"{v.value:>12}" for v in shown)
    yield f"{'':24}{head}"
    for chapter, group in groupby(report.judgements, key=lambda j: j.requirement.chapter):
        row = list(group)
        cells = "".join(f"{sum(j.verdict is v for j in row) or '·':>12}" for v in shown)
        yield f"{chapter:24}{cells}"
    totals = "".join(f"{report.count(v):>12}" for v in shown)
    yield f"{'all':24}{totals}"
    reasons = Counter(j.why for j in report.judgements if j.verdict is Verdict.SKIP)
    for why, count in reasons.items():
        yield f"skip: {count}, {safe(why)}"
    yield from unclaimed(report)
    for verdict in (Verdict.UNSEEN, Verdict.FAIL, Verdict.WARN):
        ids = [j.requirement.id for j in report.judgements if j.verdict is verdict]
        if ids:
            yield f"{verdict.value}: {', '.join(ids)}"
    for entry in report.baseline.used(report.judgements):
        yield safe(f"known and waived: {entry.id}, {entry.reason}")


def unclaimed(report: Report) -> Iterator[str]:
    """The layers that the target showed and does not claim."""
    for sighting in report.unclaimed:
        yield f"seen and not judged: {sighting.feature} ({safe(sighting.seen)})"


def details(report: Report) -> Iterator[str]:
    """Everything that is not a pass: violations in full, the rest folded under its cause."""
    for judgement in report.judgements:
        if judgement.verdict in (Verdict.FAIL, Verdict.WARN):
            yield ""
            yield from violation(report, judgement)
    broken = [j for j in report.judgements if j.verdict is Verdict.ERROR]
    for judgement in broken:
        yield ""
        yield f"ERROR {judgement.requirement.id}: the suite broke: {safe(judgement.why)}"
    yield from _untestable(report)


def violation(report: Report, judgement: Judgement) -> Iterator[str]:
    """One violated requirement: sentence, findings with their frames, how to see it again."""
    requirement = judgement.requirement
    yield f"{judgement.verdict.value.upper()}  {requirement.id}"
    yield f"  {requirement.text}"
    yield f"  {requirement.url}"
    kinds = _kinds(judgement)
    shown: Located | None = None
    for first, *others in kinds[:FINDINGS_SHOWN]:
        yield ""
        yield from _located(first, requirement.id, after=shown)
        shown = first
        if others:
            yield f"  … and the same {len(others)} more times"
        if any(parted(each.finding.actual)[1] for each in (first, *others)):
            yield "  … and more that are not listed"
    more = kinds[FINDINGS_SHOWN:]
    if more:
        yield ""
        yield f"  … and {len(more)} other findings (the report file has them whole):"
        for first, *_ in more[:MORE_SHOWN]:
            yield safe(f"    {_seen(first)}")
    blocked = [
        j.requirement.id
        for j in report.judgements
        if j.verdict is Verdict.UNTESTABLE and _root(report, j) == requirement.id
    ]
    if blocked:
        yield f"  not judged because of this: {len(blocked)} ({', '.join(blocked)})"
    yield f"  again:    {report.rerun(requirement.id)}"


def _kinds(judgement: Judgement) -> list[list[Located]]:
    """The findings, those together that say the same of different frames."""
    kinds: dict[tuple[str, str, str], list[Located]] = {}
    for located in judgement.findings:
        finding = located.finding
        kind = likeness(finding.expected, finding.actual, finding.path)
        kinds.setdefault(kind, []).append(located)
    return list(kinds.values())


def _seen(located: Located) -> str:
    finding = located.finding
    where = f" at {finding.path}" if finding.path else ""
    return f"{safe(parted(finding.actual)[0], limit=400)}{safe(where)}"


def _located(located: Located, requirement: str, *, after: Located | None) -> Iterator[str]:
    """A finding, with its frames unless the finding before it has shown them."""
    finding, transcript = located.finding, located.transcript
    yield f"  expected: {safe(finding.expected, limit=400)}"
    yield f"  seen:     {_seen(located)}"
    if after and (after.transcript, after.finding.at) == (transcript, finding.at):
        yield "  in:       the same entry"
        return
    yield f"  in:       {transcript.header.scenario}, entry {finding.at}"
    if transcript.path is not None:
        yield f"  file:     {transcript.path}"
    last: Entry | None = None
    wire = [e for e in transcript.entries if not isinstance(e, Note)]
    for entry in around(transcript, finding.at, requirement):
        if last is not None and any(last.n < e.n < entry.n for e in wire):
            yield "       ⋮"
        last = entry
        pointer = ">" if entry.n == finding.at else " "
        yield f"  {pointer} {entry.n:>4} {entry.t:8.3f}  {frame(entry)}"


def frame(entry: Entry) -> str:
    """An entry as one line: direction, connection and what it was."""
    match entry:
        case Message():
            arrow = "→" if isinstance(entry, Sent) else "←"
            if entry.opcode == "text" and entry.text is not None:
                body = entry.text
            else:
                body = f"{entry.opcode} {_bytes(entry.data or b'')}"
            return safe(f"{entry.conn} {arrow} {split(entry)}{body}")
        case Opened():
            return safe(f"{entry.conn} GET {entry.target}: {_came(entry)}")
        case Requested():
            return safe(f"{entry.conn} → {entry.method} {entry.target} {entry.body or ''}")
        case Answered():
            return safe(f"{entry.conn} ← {_came(entry)} {entry.body or ''}")
        case Closed():
            code = "no code" if entry.code is None else f"code {entry.code}"
            return safe(f"{entry.conn} {ENDS[entry.side]}, {code} {entry.reason}".rstrip())
        case Expired():
            return f"{entry.conn} waited {entry.limit:g} s ({entry.clock})"
        case Note():
            return safe(f"note {json.dumps(dict(entry.facts))}")


def split(message: Message) -> str:
    """In how many fragments a message went, where that is more than one."""
    return f"({message.fragments} fragments) " if message.fragments > 1 else ""


def _came(entry: Opened | Answered) -> str:
    """What came of a request."""
    return entry.failure or ("no answer" if entry.status is None else f"HTTP {entry.status}")


def _bytes(data: bytes) -> str:
    """Bytes as a JSON string where they are text, as hexadecimal digits otherwise."""
    try:
        return json.dumps(data.decode("utf-8"), ensure_ascii=False)
    except UnicodeDecodeError:
        return f"{len(data)} bytes: {data[:LINE_LENGTH].hex(' ')}"


def _root(report: Report, judgement: Judgement) -> str | None:
    """The violation under which an unjudged requirement is folded, however many stand between."""
    said = {j.requirement.id: j for j in report.judgements}
    passed: set[str | None] = set()
    while judgement.verdict is Verdict.UNTESTABLE:
        passed.add(judgement.requirement.id)
        if judgement.by not in said or judgement.by in passed:
            return None
        judgement = said[judgement.by]
    is_broken = judgement.verdict in (Verdict.FAIL, Verdict.WARN)
    return judgement.requirement.id if is_broken else None


def _untestable(report: Report) -> Iterator[str]:
    rows = [j for j in report.judgements if j.verdict is Verdict.UNTESTABLE]
    loose = [j for j in rows if _root(report, j) is None]
    if not loose:
        return
    yield ""
    yield f"Owed but not judged: {len(loose)}"
    keyed = sorted(loose, key=lambda j: (j.cause.value if j.cause else "", j.by or "", j.why))
    for (cause, by, why), group in groupby(
        keyed, key=lambda j: (j.cause.value if j.cause else "", j.by, j.why)
    ):
        ids = ", ".join(j.requirement.id for j in group)
        blame = f" by {by}" if by else ""
        yield f"  {cause}{blame}: {safe(why, limit=300)}"
        yield f"    {ids}"
