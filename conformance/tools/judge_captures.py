"""What the suite says about the captured conversations in ``tests/captures``, written to its files.

    python conformance/tools/judge_captures.py            write verdicts.yaml and deviations.yaml
    python conformance/tools/judge_captures.py --check    fail when one of them is stale

The verdicts and the places of deviations are generated; the sentences beside them are written by
hand and kept. What has no sentence yet is printed. Each requirement is judged in its own dialect.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, Final

import yaml
from responses_ws_conformance.runner import judge_transcripts
from responses_ws_conformance.transcript import Sent
from responses_ws_conformance.transcript.files import load
from responses_ws_conformance.verdict import Verdict
from responses_ws_schemas import dialect_schema, explain, names

FOLDER: Final = Path(__file__).resolve().parents[2] / "tests" / "captures"
VERDICTS: Final = "verdicts.yaml"
DEVIATIONS: Final = "deviations.yaml"
DIALECTS: Final = (None, "open-responses", "openai")
NOT_JUDGED: Final = (Verdict.UNSEEN, Verdict.SKIP)
VIOLATIONS: Final = ("fail", "warn", "error")
UNEXPLAINED: Final = ""

Place = tuple[str, str, str]


def captures() -> list[Path]:
    """Every imported capture; its name begins with the role of the peer."""
    return sorted(FOLDER.glob("*.jsonl"))


def role_of(path: Path) -> str:
    """Whose conversation it is: the recorded peer is the one to judge."""
    return path.name.partition("-")[0]


def verdicts_of(path: Path) -> dict[str, list[str]]:
    """The requirements that a capture settles, by verdict."""
    transcript = load(path)
    header = transcript.header
    found: dict[str, list[str]] = {}
    for dialect in DIALECTS:
        transcript.header = replace(header, dialect=dialect)
        for judgement in judge_transcripts([transcript], role=role_of(path)):
            requirement, verdict = judgement.requirement, judgement.verdict
            if requirement.dialect == dialect and verdict not in NOT_JUDGED:
                found.setdefault(verdict.value, []).append(requirement.id)
    return {verdict: sorted(ids) for verdict, ids in sorted(found.items())}


def deviations_of(path: Path) -> dict[Place, list[int]]:
    """Where client messages break a schema: the entries by file, schema and JSON Pointer."""
    found: dict[Place, list[int]] = {}
    for entry in load(path).entries:
        if isinstance(entry, Sent) and entry.is_data:
            for schema, pointer in dict.fromkeys(_breaks(entry)):
                found.setdefault((path.name, schema, pointer), []).append(entry.n)
    return found


def _breaks(message: Sent) -> Iterator[tuple[str, str]]:
    name = f"client_events/{message.type}"
    if not isinstance(message.payload, dict):
        yield "none: no JSON object", ""
    elif name not in names():
        yield "none: no client event", "/type"
    else:
        overlay = dialect_schema("open-responses", name)
        core = {pointer for pointer, _ in explain(name, message.payload)}
        yield from ((name, pointer) for pointer in sorted(core))
        for pointer, _ in explain(overlay, message.payload) if overlay is not None else ():
            if pointer not in core:
                yield overlay or "", pointer


def explanation(explanations: Sequence[Mapping[str, Any]], requirement: str, file: str) -> str:
    """The sentence about a violation, empty where there is none."""
    for row in explanations:
        if row["id"] == requirement and any(fnmatch(file, pattern) for pattern in row["files"]):
            return str(row["why"])
    return UNEXPLAINED


def verdicts_text(written: Mapping[str, Any]) -> str:
    """verdicts.yaml with fresh verdicts and the explanations as they are."""
    document = {
        "verdicts": {path.name: verdicts_of(path) for path in captures()},
        "explanations": written["explanations"],
    }
    head = "# conformance/tools/judge_captures.py writes `verdicts`; `explanations` is ours.\n"
    return head + _dump(document)


def deviations_text(written: Sequence[Mapping[str, Any]]) -> str:
    """deviations.yaml with fresh places and their sentences as they are."""
    known = {(row["file"], row["schema"], row["pointer"]): row["what"] for row in written}
    rows = [
        {
            "file": place[0],
            "schema": place[1],
            "pointer": place[2],
            "frames": frames,
            "what": known.get(place, UNEXPLAINED),
        }
        for path in captures()
        for place, frames in deviations_of(path).items()
    ]
    head = "# Written by conformance/tools/judge_captures.py; `what` is written by hand.\n"
    return head + _dump(rows)


def _dump(value: Any) -> str:
    text: str = yaml.safe_dump(
        value, sort_keys=False, default_flow_style=None, width=100, allow_unicode=True
    )
    return text


def unexplained(verdicts: Mapping[str, Any], deviations: Sequence[Mapping[str, Any]]) -> list[str]:
    """Violations and deviations about which nobody has written a sentence."""
    missing = [
        f"{file}: {requirement}"
        for file, found in verdicts["verdicts"].items()
        for verdict in VIOLATIONS
        for requirement in found.get(verdict, ())
        if explanation(verdicts["explanations"], requirement, file) == UNEXPLAINED
    ]
    places = (f"{row['file']}: {row['schema']} at {row['pointer']!r}" for row in deviations)
    return missing + [
        place for place, row in zip(places, deviations, strict=True) if row["what"] == UNEXPLAINED
    ]


def read(name: str, default: Any) -> Any:
    """A data file of the folder, the default where it is not there."""
    path = FOLDER / name
    return yaml.safe_load(path.read_text("utf-8")) if path.exists() else default


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Judge the captured conversations.")
    parser.add_argument("--check", action="store_true", help="fail when a file is stale")
    options = parser.parse_args(argv)
    wanted = {
        VERDICTS: verdicts_text(read(VERDICTS, {"explanations": []})),
        DEVIATIONS: deviations_text(read(DEVIATIONS, [])),
    }
    stale = [
        name
        for name, text in wanted.items()
        if not (FOLDER / name).exists() or (FOLDER / name).read_text("utf-8") != text
    ]
    for name in stale:
        if not options.check:
            (FOLDER / name).write_text(wanted[name], "utf-8")
        print(f"{'stale' if options.check else 'written'}: {name}")
    loose = unexplained(yaml.safe_load(wanted[VERDICTS]), yaml.safe_load(wanted[DEVIATIONS]))
    for line in loose:
        print(f"not explained: {line}")
    return 1 if loose or (stale and options.check) else 0


if __name__ == "__main__":
    sys.exit(main())
