"""Verifying a statement: everything in it that the transcripts can prove is worked out again.

Pure, like all judging. Each difference is a sentence. What only the run itself could know, such as
the rest of the profile, is a claim and stays one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from responses_ws_conformance import __version__
from responses_ws_conformance.catalogue import catalogue
from responses_ws_conformance.reports.digests import catalogue_digest, file_digest, suite_digest
from responses_ws_conformance.reports.report import Report
from responses_ws_conformance.reports.statement import stated
from responses_ws_conformance.runner.planning import offered
from responses_ws_conformance.transcript import Header, Transcript
from responses_ws_conformance.transcript.times import is_within

# What every transcript of a run says alike.
SHARED: Final = ("target", "model", "dialect", "features", "levers", "selected", "suite_version")
# What transcripts prove of a statement, as it stands there.
PROVEN: Final = (
    "target",
    "model",
    "dialect",
    "features",
    "turns",
    "selected",
    "invented_things_accepted",
    "seen_and_not_judged",
)
BROKEN: Final = ("fail", "warn")


def disagreements(statement: Mapping[str, Any], transcripts: Sequence[Transcript]) -> Iterator[str]:
    """What a statement says and its transcripts do not."""
    listed = statement["transcripts"]
    own = [t for t in transcripts if _name(t) in listed]
    if len(own) > 1 and not any(t.path and file_digest(t.path) == listed[_name(t)] for t in own):
        header = own[0].header
        yield (
            "not one file is as it was judged: these are the transcripts of another run, "
            f"of {header.target}, begun {header.started_at}"
        )
        return
    yield from _files(listed, transcripts)
    if not own:
        return
    own = [_as_judged(t, statement) for t in own]
    yield from _strangers(own)
    yield from _gaps(statement, own)
    yield from _times(statement["when"], own)
    yield from _versions(statement)
    yield from _claims(statement, own[0].header)
    role = catalogue().role_of(statement["requirements"])
    fresh = stated(Report.of_transcripts(own, role=role).as_json(), own)
    for name in PROVEN:
        if statement[name] != fresh[name]:
            yield f"{name}: it says {statement[name]!r}, the transcripts say {fresh[name]!r}"
    verdicts = fresh["requirements"]
    for identifier in sorted({*verdicts, *statement["requirements"]}):
        said, found = (v.get(identifier, "nothing") for v in (statement["requirements"], verdicts))
        if said != found:
            yield f"{identifier}: it says {said}, the transcripts say {found}"
    for level, counts in fresh["levels"].items():
        for verdict, number in counts.items():
            said = statement["levels"][level][verdict]
            if said != number:
                yield f"{level} {verdict}: it counts {said}, the transcripts {number}"
    for waiver in statement["waivers"]:
        if verdicts.get(waiver["id"]) not in BROKEN:
            yield f"{waiver['id']}: it is waived, and not violated"


def _as_judged(transcript: Transcript, statement: Mapping[str, Any]) -> Transcript:
    """What was captured need not say by which dialect it was judged."""
    header = transcript.header
    if header.source == "captured":
        header = replace(header, dialect=statement["dialect"])
    return replace(transcript, header=header)


def other_suite(statement: Mapping[str, Any]) -> Iterator[str]:
    """How the suite that made a statement differs from this one."""
    version = statement["suite"]["version"]
    if statement["suite"]["digest"] != suite_digest():
        yield f"made with another suite than this one: {version}, {statement['suite']['digest']}"
    if statement["catalogue"]["digest"] != catalogue_digest():
        yield "made with other requirements than these (an extension has to be named again)"


def _files(listed: Mapping[str, str], transcripts: Sequence[Transcript]) -> Iterator[str]:
    found = {_name(t): t.path for t in transcripts}
    for name, digest in listed.items():
        path = found.get(name)
        if path is None:
            yield f"{name}: it is listed, and not there"
        elif file_digest(path) != digest:
            yield f"{name}: it is not the file that was judged, its digest is another"
    for name in sorted(found.keys() - listed.keys()):
        yield f"{name}: it is there, and not listed"


def _strangers(transcripts: Sequence[Transcript]) -> Iterator[str]:
    first = transcripts[0].header
    for transcript in transcripts[1:]:
        for name in SHARED:
            here, there = (getattr(header, name) for header in (first, transcript.header))
            if here != there:
                yield f"{_name(transcript)}: {name} is {there!r}, elsewhere it is {here!r}"


def _gaps(statement: Mapping[str, Any], transcripts: Sequence[Transcript]) -> Iterator[str]:
    """What a run would have recorded and nobody shows."""
    if transcripts[0].header.source == "captured":
        return
    attempts: dict[str, set[int]] = {}
    for transcript in transcripts:
        attempts.setdefault(transcript.header.scenario, set()).add(transcript.header.attempt)
    for name, numbers in attempts.items():
        for number in sorted(set(range(1, max(numbers))) - numbers):
            yield f"{name}: attempt {number} is not there"
    if statement["selected"] is None and statement["stopped"] is None:
        for name in _due(transcripts[0].header):
            if name not in attempts:
                yield f"{name}: the scenario is not there, and nothing was left out"


def _due(claims: Header) -> list[str]:
    return [s.name for s in offered(claims.dialect, claims.features, claims.levers)]


def _versions(statement: Mapping[str, Any]) -> Iterator[str]:
    suite, spec = statement["suite"], statement["catalogue"]
    rows = (
        ("suite", suite["version"], __version__, suite["digest"] == suite_digest()),
        (
            "specification",
            spec["spec_version"],
            catalogue().spec_version,
            spec["digest"] == catalogue_digest(),
        ),
    )
    for name, said, own, is_ours in rows:
        if is_ours and said != own:
            yield f"{name}: it says version {said}, and the digest is that of {own}"


def _claims(statement: Mapping[str, Any], header: Header) -> Iterator[str]:
    """What the statement says twice, or a transcript says too."""
    profile = statement["profile"] or {}
    said = {
        "url": statement["target"].partition("?")[0],
        "model": statement["model"],
        "dialect": statement["dialect"],
        "features": [name for name in statement["features"] if name != "auth"],
    }
    for name, value in said.items():
        if profile.get(name, value) != value:
            yield f"profile {name}: it says {profile[name]!r}, elsewhere {value!r}"
    levers = set(profile.get("levers", header.levers))
    if not levers <= set(header.levers):
        yield f"profile levers: the transcripts know none named {min(levers - {*header.levers})}"


def _times(when: Mapping[str, Any], transcripts: Sequence[Transcript]) -> Iterator[str]:
    for transcript in transcripts:
        begun = transcript.header.started_at
        if not is_within(begun, when["started_at"], when["duration_s"]):
            yield f"{_name(transcript)}: begun {begun}, not in the run"


def _name(transcript: Transcript) -> str:
    return (transcript.path or Path()).name
