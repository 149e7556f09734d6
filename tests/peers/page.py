"""Writes the page on implementations from what was kept of their runs.

    python -m tests.peers.page            write spec/reference/implementations.md
    python -m tests.peers.page --check    fail when it is stale

Numbers and verdicts come from ``litellm.json`` and the manners of ``awkward.py``; the sentences
on the violations are written by hand in ``litellm.yaml``.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml
from responses_ws_conformance.catalogue import catalogue

from tests.peers.awkward import MANNERS

HERE: Final = Path(__file__).parent
ROOT: Final = HERE.parents[1]
PAGE: Final = ROOT / "spec" / "reference" / "implementations.md"
TEMPLATE: Final = HERE / "implementations.md"
CAPTURES: Final = ROOT / "tests" / "captures" / "verdicts.yaml"
BROKEN: Final = ("fail", "warn")
VERDICTS: Final = ("pass", "fail", "warn", "unseen", "skip", "untestable")


def outcome() -> dict[str, Any]:
    """What is kept of the latest runs against LiteLLM."""
    document: dict[str, Any] = json.loads((HERE / "litellm.json").read_text("utf-8"))
    return document


def explanations() -> dict[str, dict[str, str]]:
    """The sentence on each violation, and whose it is."""
    rows = yaml.safe_load((HERE / "litellm.yaml").read_text("utf-8"))
    return {row["id"]: row for row in rows}


def violations(document: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """The violated requirements, with the verdict in each run that judged them so."""
    found: dict[str, dict[str, str]] = {}
    for run, result in document["runs"].items():
        for row in result["rows"]:
            if row["verdict"] in BROKEN:
                found.setdefault(row["id"], {})[run] = row["verdict"]
    order = list(catalogue().requirements)
    return dict(sorted(found.items(), key=lambda item: order.index(item[0])))


def recorded() -> set[str]:
    """What is violated in the recorded frames of the same proxy."""
    files = yaml.safe_load(CAPTURES.read_text("utf-8"))["verdicts"]
    frames = [found for name, found in files.items() if name.startswith("server-litellm")]
    return {name for found in frames for verdict in BROKEN for name in found.get(verdict, ())}


def link(name: str) -> str:
    """A requirement, linked."""
    requirement = catalogue().requirements[name]
    return f"[{name}](../{requirement.chapter}.md#{requirement.anchor})"


def counts(document: Mapping[str, Any]) -> Iterator[str]:
    """How much was judged in each run."""
    yield f"| Run | Turns | Seconds | {' | '.join(VERDICTS)} |"
    yield "|---|" + "---:|" * (len(VERDICTS) + 2)
    for run, result in document["runs"].items():
        cells = [result["turns"], result["seconds"], *(result["summary"][v] for v in VERDICTS)]
        yield f"| {run} | {' | '.join(map(str, cells))} |"


def reds(document: Mapping[str, Any]) -> Iterator[str]:
    """Each violation, explained."""
    why, frames = explanations(), recorded()
    yield "| Requirement | Verdict | Runs | Recorded too | Whose | Why |"
    yield "|---|---|---|---|---|---|"
    for name, runs in violations(document).items():
        verdict = next(iter(runs.values()))
        where = "all" if len(runs) == len(document["runs"]) else ", ".join(runs)
        row = why[name]
        too = "yes" if name in frames else ""
        yield f"| {link(name)} | {verdict} | {where} | {too} | {row['whose']} | {row['why']} |"


def unjudged(document: Mapping[str, Any]) -> Iterator[str]:
    """What was owed and could not be judged, and what stands in its way."""
    rows = {
        row["id"]: row["blocked_by"]
        for result in document["runs"].values()
        for row in result["rows"]
        if row["verdict"] == "untestable"
    }
    for root in dict.fromkeys(rows.values()):
        ids = ", ".join(link(name) for name, by in rows.items() if by == root)
        yield f"- {f'under {link(root)}' if root else 'on its own'}: {ids}"


def manners() -> Iterator[str]:
    """The second server's manners, and what they break."""
    yield "| Manner | What it does | Breaks |"
    yield "|---|---|---|"
    for name, manner in MANNERS.items():
        broken = ", ".join(link(each) for each in manner.breaks) or "nothing"
        yield f"| {name} | {manner.summary} | {broken} |"


def page() -> str:
    """The whole page."""
    document = outcome()
    text = TEMPLATE.read_text("utf-8")
    for name, lines in (
        ("counts", counts(document)),
        ("reds", reds(document)),
        ("unjudged", unjudged(document)),
        ("manners", manners()),
        ("version", iter([document["version"]])),
        ("date", iter([document["date"]])),
    ):
        text = text.replace(f"<<{name}>>", "\n".join(lines))
    return text


def main() -> int:
    parser = argparse.ArgumentParser(description="Write the page on implementations.")
    parser.add_argument("--check", action="store_true", help="fail when the page is stale")
    options = parser.parse_args()
    text = page()
    if options.check:
        return 0 if PAGE.exists() and PAGE.read_text("utf-8") == text else 1
    PAGE.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
