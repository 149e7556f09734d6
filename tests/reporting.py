"""What the tests of reports and of excerpts share: faults as recorded, and entries by hand."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import kill_matrix
from responses_ws_conformance.catalogue import catalogue
from responses_ws_conformance.reports.report import Report
from responses_ws_conformance.runner import Run, plan
from responses_ws_conformance.transcript import Entry, Header, Received, Transcript
from responses_ws_reference.faults import FAULTS
from responses_ws_reference.server import running_server


def recorded(name: str, only: Sequence[str], folder: Path) -> tuple[Report, list[Transcript]]:
    """What a fault of the reference server looks like to the scenarios of some requirements."""
    fault = FAULTS[name]
    with running_server(kill_matrix.server_config(fault=name)) as server:
        features = kill_matrix.features_of(fault)
        (dialect, *_) = kill_matrix.dialects_of(fault)
        profile = kill_matrix.profile_of(server.url, dialect=dialect, features=features)
        run = Run(profile, plan(profile, only=only), folder)
        run.record_all()
    judgements = kill_matrix.judge_recordings(run.evidence, catalogue().of_role("server"))
    report = Report.of_run(run, judgements, again="rws run --only {id}")
    return report, [e.transcript for e in run.evidence]


def conversation(*entries: Entry) -> Transcript:
    """A transcript with these entries."""
    transcript = Transcript(Header(scenario="core/turn", target="ws://x"), [*entries])
    transcript.path = Path("turn.jsonl")
    return transcript


def event(n: int, payload: Any) -> Received:
    """An event of the server as an entry."""
    return Received(n=n, t=n / 10, conn="c1", opcode="text", text=json.dumps(payload))
