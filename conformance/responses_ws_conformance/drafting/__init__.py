"""Drafting a profile: what a target showed in the soundings, as YAML that says why.

A draft is for a person to read. What was not seen is not claimed, and said so with what came
instead; nothing in it is a verdict.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import yaml
from responses_ws_schemas import dialect_schema, explain

from responses_ws_conformance.catalogue import catalogue
from responses_ws_conformance.checks import Evidence
from responses_ws_conformance.checks.answers import describe
from responses_ws_conformance.checks.http import describe_call
from responses_ws_conformance.drafting.soundings import CORE, PREFIX, SOUNDINGS
from responses_ws_conformance.errors import CannotStart
from responses_ws_conformance.escaping import safe
from responses_ws_conformance.profile import DIALECTS, Profile, Timing
from responses_ws_conformance.runner import Run
from responses_ws_conformance.runner.planning import Plan
from responses_ws_conformance.verdict import Verdict
from responses_ws_conformance.verdict.judging import judge_recordings
from responses_ws_conformance.verdict.sightings import SIGNS

HTTP_LIBRARY: Final = "urllib3"
# What a draft says itself; the rest of a profile is kept as it is.
DRAFTED: Final = frozenset({"url", "http_url", "model", "api_key_env", "dialect", "features"})
# How many times as slow as what was seen a target may be.
PATIENCE: Final = 4


@dataclass(frozen=True, slots=True)
class Seen:
    """What the soundings showed: by feature the sign of it, or what came instead of one."""

    signs: Mapping[str, str]
    instead: Mapping[str, str]
    dialects: Mapping[str, str | None]
    model: str | None
    slowest: float
    limits: Mapping[str, str]


def sound(profile: Profile, folder: Path) -> list[Evidence]:
    """Record all soundings; raises CannotStart where there is no healthy turn."""
    base = profile.url.partition("?")[0].removesuffix("/responses")
    profile = replace(profile, http_url=profile.http_url or base.replace("ws", "http", 1))
    has_http = find_spec(HTTP_LIBRARY) is not None
    scenarios = [s for name, s in SOUNDINGS.items() if name != "http" or has_http]
    run = Run(profile, Plan((), tuple(scenarios)), folder)
    run.record_all(scenarios[:1])
    problem = run.stopped or _blocked(run.evidence[-1])
    if problem is not None:
        raise CannotStart(f"no healthy turn: {problem}")
    run.record_all(scenarios[1:])
    return run.evidence


def _blocked(evidence: Evidence) -> str | None:
    return next((str(n.facts["why"]) for n in evidence.transcript.notes("blocked")), None)


def look(recordings: Sequence[Evidence]) -> Seen:
    """Read what the soundings brought to light."""
    by_name = {e.transcript.header.scenario.removeprefix(f"{PREFIX}/"): e for e in recordings}
    signs: dict[str, str] = {}
    instead: dict[str, str] = {}
    for feature in SOUNDINGS:
        if feature == CORE:
            continue
        evidence = by_name.get(feature)
        sign = next(SIGNS[feature](evidence), None) if evidence is not None else None
        if sign is not None:
            signs[feature] = sign
        else:
            instead[feature] = _instead(evidence)
    core = by_name[CORE]
    return Seen(
        signs=signs,
        instead=instead,
        dialects={
            dialect: _strange_to(dialect, core) or _owed_to(dialect, recordings, signs)
            for dialect in DIALECTS
        },
        model=next((x.response.get("model") for x in core.responses), None),
        slowest=max(_waits(recordings), default=0.0),
        limits=_limits(core),
    )


def _instead(evidence: Evidence | None) -> str:
    if evidence is None:
        return "not tried (it needs the extra http)"
    stopped = next((str(n.facts["why"]) for n in evidence.transcript.notes("broken")), None)
    calls = list(evidence.reading.calls.values())
    if stopped is None and calls:
        return describe_call(calls[-1])
    if stopped is not None or not evidence.exchanges:
        return stopped or _blocked(evidence) or "not tried"
    return describe(evidence.exchanges[-1])


def _strange_to(dialect: str, evidence: Evidence) -> str | None:
    """What an owner of the protocol would miss in the events, None where nothing."""
    for event in evidence.received:
        schema = dialect_schema(dialect, f"server_events/{event.type}")
        problems = explain(schema, event.payload) if schema is not None else []
        if problems:
            return f"{event.type}{problems[0][0]}: {problems[0][1]}"
    return None


def _owed_to(dialect: str, recordings: Sequence[Evidence], features: Iterable[str]) -> str | None:
    """What only one owner demands and the events break, None where they break nothing of it."""
    claims = replace(recordings[0].transcript.header, dialect=dialect, features=tuple(features))
    as_claimed = [replace(e, transcript=replace(e.transcript, header=claims)) for e in recordings]
    demands = [r for r in catalogue().of_role("server") if r.dialect == dialect]
    for judgement in judge_recordings(as_claimed, demands):
        if judgement.verdict is Verdict.FAIL:
            return f"{judgement.requirement.id}: {judgement.findings[0].finding.actual}"
    return None


def _waits(recordings: Iterable[Evidence]) -> Iterator[float]:
    """Seconds from a create to its first event."""
    for evidence in recordings:
        for exchange in evidence.responses:
            yield exchange.events[0].t - exchange.sent.t


def _limits(evidence: Evidence) -> dict[str, str]:
    """The headers of the opening handshake that speak of limits."""
    opened = [view.opened for view in evidence.connections if view.opened is not None]
    return {
        name.lower(): value
        for each in opened
        for name, value in each.response_headers
        if "limit" in name.lower()
    }


def draft(
    profile: Profile,
    seen: Seen,
    *,
    key_variable: str | None,
    kept: Mapping[str, Any] | None = None,
) -> str:
    """The profile as YAML with comments; ``kept`` are members of the one that it was seen with."""
    how_to_talk = {name: value for name, value in (kept or {}).items() if name not in DRAFTED}
    return "\n".join(_lines(profile, seen, key_variable, how_to_talk)) + "\n"


def _lines(
    profile: Profile, seen: Seen, key_variable: str | None, kept: Mapping[str, Any]
) -> Iterator[str]:
    yield f"# Drafted by rws init on {date.today()} from what the target did. Read it and correct"
    yield "# it: what is claimed here is owed whole, what is not claimed is not judged."
    yield _member(url=profile.target)
    if profile.model is not None:
        yield _member(model=profile.model)
    else:
        yield f"# The creates named no model; {_said(seen.model)} answered."
    if key_variable is not None:
        yield _member(api_key_env=key_variable)
    if kept:
        yield _member(**kept)
    yield ""
    yield from _dialect(seen)
    yield ""
    yield from _features(profile, seen)
    yield ""
    yield from _rest(seen, kept)


def _dialect(seen: Seen) -> Iterator[str]:
    fitting = [dialect for dialect, problem in seen.dialects.items() if problem is None]
    for dialect, problem in seen.dialects.items():
        what = "the events that were seen have all of it" if problem is None else problem
        yield f"# {dialect}: {_said(what)}"
    if not fitting:
        yield "# So neither is claimed."
        return
    if len(fitting) > 1:
        yield "# Both fit; the one that you mean to follow is yours to say."
    yield _member(dialect=fitting[0])


def _features(profile: Profile, seen: Seen) -> Iterator[str]:
    if seen.signs:
        yield "features:"
    for feature, sign in seen.signs.items():
        yield f"  - {feature}  # {_said(sign)}"
    if "http" in seen.signs:
        base = profile.target.partition("?")[0].removesuffix("/responses")
        yield _member(http_url=profile.http_url or base.replace("ws", "http", 1))
    if seen.instead:
        yield "# Tried and not seen:"
    for feature, what in seen.instead.items():
        yield f"#   {feature}: {_said(what)}"
    yield "# Not tried: inject. It needs a model that calls tools while it goes on."


def _rest(seen: Seen, kept: Mapping[str, Any]) -> Iterator[str]:
    for name, value in seen.limits.items():
        yield f"# The handshake says {_said(f'{name}: {value}')}"
    if seen.limits:
        yield "# turn_interval (seconds) keeps a run below a limit of requests."
    yield f"# The slowest first event came after {seen.slowest:.1f} s."
    if seen.slowest * PATIENCE > Timing().first_event and "timing" not in kept:
        yield f"timing:\n  first_event: {seen.slowest * PATIENCE:.0f}"
    if "storage" in seen.signs and "second_api_key_env" not in kept:
        yield "# With the key of another tenant, what one hides from another is judged as well:"
        yield "# second_api_key_env: OTHER_KEY"
    if "lanes" in seen.signs and "limits" not in kept:
        yield "# Where these are not the limits of a connection, say so:"
        yield "# limits: {active_lanes: 16, lane_names: 32}"


def _member(**member: Any) -> str:
    text: str = yaml.safe_dump(member, allow_unicode=True, width=1000)
    return text.rstrip()


def _said(what: object) -> str:
    """One line that ends no comment."""
    return safe(str(what), limit=200)
