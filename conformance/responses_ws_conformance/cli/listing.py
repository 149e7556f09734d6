"""What is known about a requirement: for ``rws list`` and ``rws explain``."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Any

from responses_ws_conformance.catalogue import Requirement
from responses_ws_conformance.catalogue.faults import faults_of
from responses_ws_conformance.checks import load_checks
from responses_ws_conformance.scenarios import load_scenarios


def row(requirement: Requirement) -> dict[str, Any]:
    """A requirement with its evidence, checks, scenarios and faults, as JSON."""
    check = load_checks().get(requirement.id)
    scenarios = [s.name for s in load_scenarios().values() if requirement.id in s.exercises]
    return {
        "id": requirement.id,
        "level": requirement.level.value,
        "role": requirement.role,
        "feature": requirement.feature,
        "also": requirement.also,
        "dialect": requirement.dialect,
        "condition": requirement.condition,
        "lever": requirement.lever,
        "since": requirement.since,
        "not_judged": requirement.not_judged,
        "text": requirement.text,
        "url": requirement.url,
        "evidence": [
            {"kind": e.kind, "source": e.source, "url": e.url} for e in requirement.evidence
        ],
        "checks": [check.name] if check else [],
        "scenarios": scenarios,
        "faults": list(faults_of(requirement.id)),
    }


def entry(about: dict[str, Any]) -> Iterator[str]:
    """A row of ``rws list`` as text: the sentence, and what stands behind it."""
    yield f"{about['id']:16} {about['level']:10} {about['feature']}"
    yield from _wrapped(about["text"], "    ")
    kinds = ", ".join(dict.fromkeys(e["kind"] for e in about["evidence"]))
    yield f"    evidence: {kinds}"
    yield f"    checks: {', '.join(about['checks']) or 'none'}"
    yield f"    scenarios: {', '.join(about['scenarios']) or 'none'}"


def explanation(requirement: Requirement) -> Iterator[str]:
    """Everything about one requirement, as text for a terminal."""
    about = row(requirement)
    features = " with ".join(requirement.features) or requirement.feature
    yield f"{requirement.id}  {requirement.level.value}  {features}"
    yield from _wrapped(requirement.text, "  ")
    yield f"  {requirement.url}"
    for name in ("condition", "dialect", "lever", "not_judged"):
        value = getattr(requirement, name)
        if value is not None:
            yield f"  {name.replace('_', ' ')}: {value}"
    if requirement.explanation:
        yield ""
        yield from _wrapped(requirement.explanation, "  ")
    yield ""
    yield "evidence"
    for e in requirement.evidence:
        yield f"  {e.kind}: {e.source} {e.url or ''}".rstrip()
    check = load_checks().get(requirement.id)
    yield "check"
    yield f"  {check.name} ({check.kind}): {check.summary}" if check else "  none"
    yield "scenarios"
    for name in about["scenarios"]:
        yield f"  {name}: {load_scenarios()[name].summary}"
    yield "faults that prove it"
    for name, fault in faults_of(requirement.id).items():
        yield f"  {name}: {fault['summary']}"


def _wrapped(text: str, indent: str) -> Iterator[str]:
    for paragraph in text.split("\n\n"):
        yield from textwrap.wrap(paragraph, 96, initial_indent=indent, subsequent_indent=indent)
