"""Findings in the HTML report: what was expected, what was seen, where, and the frames."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from responses_ws_conformance.reports.excerpts import around
from responses_ws_conformance.reports.logs import Violation, log
from responses_ws_conformance.reports.markup import Row, local, said
from responses_ws_conformance.transcript import Transcript
from responses_ws_conformance.verdict.likeness import likeness, parted

KINDS_SHOWN: Final = 5
PLACES_SHOWN: Final = 20

Logs = Mapping[str, Transcript]
Numbered = tuple[int, Row]


def findings(row: Row, logs: Logs) -> Iterator[str]:
    """The findings of a requirement, those together that say the same of different frames."""
    kinds: dict[tuple[str, str, str], list[Numbered]] = {}
    for number, finding in enumerate(row["findings"]):
        kind = likeness(finding["expected"], finding["actual"], finding["path"])
        kinds.setdefault(kind, []).append((number, finding))
    for place, same in enumerate(kinds.values()):
        _, finding = same[0]
        yield '<div class="finding"><dl>'
        yield f"<dt>Expected</dt><dd>{said(finding['expected'])}</dd>"
        yield f"<dt>Seen</dt><dd>{said(parted(finding['actual'])[0])}"
        if finding["path"]:
            yield f" at <code>{said(finding['path'])}</code>"
        yield f"</dd><dt>In</dt><dd>{_places(row['id'], same, logs)}</dd></dl>"
        if any(parted(f["actual"])[1] for _, f in same):
            yield "<p>There are more that are not listed.</p>"
        transcript = logs.get(finding["transcript"] or "")
        if transcript is not None and place < KINDS_SHOWN:
            violation = Violation(finding["expected"], finding["actual"], finding["path"])
            near = around(transcript, finding["entry"], row["id"])
            yield from log(near, {finding["entry"]: [violation]})
        yield "</div>"


def _places(requirement: str, same: Sequence[Numbered], logs: Logs) -> str:
    """How often it was seen, and where; each place once."""
    places: dict[tuple[str | None, int], str] = {}
    for number, finding in same:
        transcript = logs.get(finding["transcript"] or "")
        attempt = transcript.header.attempt if transcript is not None else 1
        again = f", attempt {attempt}" if attempt > 1 else ""
        where = f"{finding['scenario']}{again}, entry {finding['entry']}"
        link = local(where, f"at-{requirement}-{number}")
        places.setdefault((finding["transcript"], finding["entry"]), link)
    often = f"{len(same)} times, " if len(same) > 1 else ""
    often += "first in " if len(places) > 1 else ""
    left = len(places) - PLACES_SHOWN
    more = [f"and {left} more"] if left > 0 else []
    return often + "; ".join([*list(places.values())[:PLACES_SHOWN], *more])


def violations(report: Row) -> dict[str, dict[int, list[Violation]]]:
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
