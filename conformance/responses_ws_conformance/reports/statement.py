"""The conformance statement: what was judged, of whom, with what, and how to judge it again.

YAML (schema ``files/statement``). Each number in it comes from the report, each verdict can be
judged again from the transcripts that it names, and nothing that was not judged is a pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import yaml

from responses_ws_conformance.reports.digests import catalogue_digest, file_digest, suite_digest
from responses_ws_conformance.transcript import Transcript

STATEMENT_VERSION: Final = 1
DISTRIBUTION: Final = "responses-ws-conformance"
LEVELS: Final = ("MUST", "SHOULD")


def statement(report: dict[str, Any], transcripts: Sequence[Transcript]) -> str:
    """The statement as YAML."""
    text: str = yaml.safe_dump(
        stated(report, transcripts), sort_keys=False, allow_unicode=True, width=100
    )
    return text


def stated(report: dict[str, Any], transcripts: Sequence[Transcript]) -> dict[str, Any]:
    """The statement that a report and its transcripts amount to."""
    return {
        "rws_statement": STATEMENT_VERSION,
        "suite": {"version": report["suite_version"], "digest": suite_digest()},
        "catalogue": {"spec_version": report["spec_version"], "digest": catalogue_digest()},
        "target": report["target"],
        "model": report["model"],
        "dialect": report["dialect"],
        "features": report["features"],
        "profile": report["profile"],
        "when": {"started_at": report["started_at"], "duration_s": report["duration_s"]},
        "turns": report["turns"],
        "stopped": report["stopped"],
        "selected": report["selected"],
        "dropped": report["dropped"],
        "levels": levels(report["requirements"], report["summary"]),
        "waivers": report["waivers"],
        "invented_things_accepted": [p["what"] for p in report["probes"] if p["fooled"]],
        "seen_and_not_judged": [row["feature"] for row in report["unclaimed"]],
        "requirements": {row["id"]: row["verdict"] for row in report["requirements"]},
        "reproduce": {
            "install": f"pip install {DISTRIBUTION}=={report['suite_version']}",
            "run": report["command"],
            "verify": "rws statement verify FILE --transcripts FOLDER",
        },
        "transcripts": digests(report, transcripts),
    }


def levels(rows: Sequence[dict[str, Any]], verdicts: Sequence[str]) -> dict[str, dict[str, int]]:
    """How many requirements of each level have each verdict; NOT forms count with their level."""
    return {
        level: {
            verdict: sum(
                row["verdict"] == verdict and row["level"].startswith(level) for row in rows
            )
            for verdict in verdicts
        }
        for level in LEVELS
    }


def digests(report: dict[str, Any], transcripts: Sequence[Transcript]) -> dict[str, str]:
    """The digest of each transcript of the report, by the name of its file."""
    own = (t.path for t in transcripts if t.header.scenario in report["scenarios"])
    paths = [path for path in own if path is not None and path.is_file()]
    return {path.name: file_digest(path) for path in sorted(paths, key=lambda path: path.name)}
