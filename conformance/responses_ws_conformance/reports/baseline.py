"""The baseline: failures that a vendor knows of, with a reason for each.

A baseline file (schema ``files/baseline``) lists requirement ids. Listed and failing is expected;
everything else that differs from the list is a *discrepancy*, each with a sentence of its own:
unlisted and failing, listed and passing (stale), expired, an unknown id, another failure than the
one that was expected.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import yaml
from responses_ws_schemas import explain

from responses_ws_conformance.catalogue import catalogue
from responses_ws_conformance.errors import ProfileError
from responses_ws_conformance.verdict import Judgement, Verdict
from responses_ws_conformance.yaml_files import read_yaml

TO_BE_WRITTEN: Final = "TODO: say why, and what is being done about it"


@dataclass(frozen=True, slots=True)
class KnownFailure:
    """One entry. ``expect`` is a text that each finding's ``actual`` contains."""

    id: str
    reason: str
    link: str | None = None
    expires: date | None = None
    expect: str | None = None


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """A difference between the baseline and a run, as a sentence that says what to do."""

    id: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Baseline:
    """The known failures of a target; an empty one expects that nothing fails."""

    entries: tuple[KnownFailure, ...] = ()

    @property
    def ids(self) -> frozenset[str]:
        """The requirements that are known to fail."""
        return frozenset(entry.id for entry in self.entries)

    def discrepancies(
        self, judgements: Sequence[Judgement], *, strict: bool = False, today: date | None = None
    ) -> list[Discrepancy]:
        """How the verdicts differ from what is listed, in the order of the spec, then the list."""
        found = [
            Discrepancy(j.requirement.id, f"{j.requirement.id} fails and is not in the baseline")
            for j in judgements
            if is_failure(j, strict=strict) and j.requirement.id not in self.ids
        ]
        by_id = {j.requirement.id: j for j in judgements}
        for entry in self.entries:
            found += self._check(entry, by_id.get(entry.id), today or date.today())
        return found

    def used(self, judgements: Sequence[Judgement]) -> list[KnownFailure]:
        """The entries that cover a violation."""
        broken = {j.requirement.id for j in judgements if is_failure(j, strict=True)}
        return [entry for entry in self.entries if entry.id in broken]

    def _check(
        self, entry: KnownFailure, judgement: Judgement | None, today: date
    ) -> Iterator[Discrepancy]:
        if entry.expires is not None and entry.expires < today:
            yield Discrepancy(
                entry.id,
                f"{entry.id}: its baseline entry expired on {entry.expires}: "
                "repair what it is about, or give it a later date",
            )
        if judgement is None:
            return  # not selected in this run
        if judgement.verdict is Verdict.PASS:
            yield Discrepancy(
                entry.id, f"{entry.id} passes: take its entry out of the baseline (it is stale)"
            )
        elif entry.expect is not None and judgement.findings:
            others = [
                x.finding.actual for x in judgement.findings if entry.expect not in x.finding.actual
            ]
            if others:
                yield Discrepancy(
                    entry.id,
                    f"{entry.id} fails in another way than the baseline expects: {others[0]!r} "
                    f"instead of {entry.expect!r}",
                )


NO_BASELINE: Final = Baseline()


def is_failure(judgement: Judgement, *, strict: bool = False) -> bool:
    """True where a verdict counts as a failure."""
    return judgement.verdict is Verdict.FAIL or (strict and judgement.verdict is Verdict.WARN)


def load_baseline(path: Path) -> Baseline:
    """Read a baseline; raises ProfileError that names file and member, or the unknown id."""
    raw = read_yaml(path, error=ProfileError)
    problems = explain("files/baseline", raw)
    if problems:
        pointer, message = problems[0]
        raise ProfileError(f"{path}: not a baseline: {pointer or '/'}: {message}")
    entries = tuple(_entry(path, row) for row in raw["known_failures"])
    known = catalogue().requirements
    seen: set[str] = set()
    for entry in entries:
        if entry.id not in known:
            raise ProfileError(f"{path}: no requirement is named {entry.id} (rws list shows all)")
        if entry.id in seen:
            raise ProfileError(f"{path}: {entry.id} is listed twice")
        seen.add(entry.id)
    return Baseline(entries)


def write_baseline(entries: Iterable[KnownFailure]) -> str:
    """A baseline as YAML."""
    rows = {"known_failures": [row(entry) for entry in entries]}
    text: str = yaml.safe_dump(rows, sort_keys=False, allow_unicode=True)
    return text


def row(entry: KnownFailure) -> dict[str, str]:
    """An entry as a baseline has it."""
    values = {name: getattr(entry, name) for name in KnownFailure.__dataclass_fields__}
    return {name: str(value) for name, value in values.items() if value is not None}


def known_from_report(report: dict[str, Any], *, strict: bool = False) -> list[KnownFailure]:
    """An entry for each failure in a report (its JSON); the reasons are to be written by hand."""
    failing = ("fail", "warn") if strict else ("fail",)
    return [
        KnownFailure(id=row["id"], reason=TO_BE_WRITTEN)
        for row in report["requirements"]
        if row["verdict"] in failing
    ]


def pruned(baseline: Baseline, report: dict[str, Any]) -> list[KnownFailure]:
    """The entries of a baseline without those that pass in a report."""
    passing = {row["id"] for row in report["requirements"] if row["verdict"] == "pass"}
    return [entry for entry in baseline.entries if entry.id not in passing]


def _entry(path: Path, row: dict[str, Any]) -> KnownFailure:
    try:
        expires = date.fromisoformat(str(row["expires"])) if "expires" in row else None
    except ValueError:
        raise ProfileError(f"{path}: {row['id']}: not a date: {row['expires']}") from None
    return KnownFailure(row["id"], row["reason"], row.get("link"), expires, row.get("expect"))
