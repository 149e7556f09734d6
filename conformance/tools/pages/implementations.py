"""The statements about servers, as a part of the page on implementations.

A statement is a file of ``rws run … --statement`` in ``spec/reference/statements``. What the page
says about one is in the file: nothing is counted again and nothing is written by hand.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import yaml
from responses_ws_conformance.catalogue import catalogue
from responses_ws_schemas import validator_for

from pages.places import ROOT, link, requirement_page

PAGE: Final = "reference/implementations.md"
FOLDER: Final = ROOT / "spec/reference/statements"
VERDICTS: Final = ("pass", "fail", "warn", "unseen", "skip", "untestable", "error")
BROKEN: Final = ("fail", "warn")
INTRODUCTION: Final = """
## Statements

Each is a file that the suite wrote, with digests of what was judged and a command that judges it
again. Only a pass is a pass: what was skipped, unseen or untestable is counted apart.
"""


def statements_text(folder: Path = FOLDER) -> str:
    """The part of the page, in Markdown; empty where there is no statement."""
    paths = sorted(folder.glob("*.yaml"))
    return "\n".join([INTRODUCTION, *_statements(paths)]) if paths else ""


def _statements(paths: Sequence[Path]) -> Iterator[str]:
    for path in paths:
        statement = yaml.safe_load(path.read_text("utf-8"))
        validator_for("files/statement").validate(statement)
        yield from ("", f"### {path.stem}", "", *_ran(statement), "", *_counts(statement), "")
        yield from _broken(statement)
        yield from ("", "```sh", f"{statement['reproduce']['install']}")
        yield from (f"{statement['reproduce']['run']}", "```", "")
        yield link("The statement", f"reference/statements/{path.name}", page=PAGE)


def _ran(statement: Mapping[str, Any]) -> Iterator[str]:
    when = statement["when"]
    suite, spec = statement["suite"]["version"], statement["catalogue"]["spec_version"]
    yield f"- **Target**: `{statement['target']}`, model {statement['model'] or 'by default'}"
    yield f"- **Dialect**: {statement['dialect'] or 'none'}"
    yield f"- **Features**: {', '.join(statement['features']) or 'core only'}"
    yield f"- **Run**: {when['started_at']}, {when['duration_s']:.0f} s, {statement['turns']} turns"
    yield f"- **Suite**: {suite}, specification {spec}"
    if statement["stopped"] is not None:
        yield f"- **Stopped**: {statement['stopped']}"
    if statement["selected"] is not None:
        yield f"- **Selected**: {', '.join(statement['selected'])}"
    for waiver in statement["waivers"]:
        yield f"- **Waived**: {waiver['id']} until {waiver['expires']}: {waiver['reason']}"


def _counts(statement: Mapping[str, Any]) -> Iterator[str]:
    levels = statement["levels"]
    verdicts = [v for v in VERDICTS if any(counts[v] for counts in levels.values())]
    yield f"| Level | {' | '.join(verdicts)} |"
    yield "|---|" + "---:|" * len(verdicts)
    for level, counts in levels.items():
        yield f"| {level} | {' | '.join(str(counts[verdict]) for verdict in verdicts)} |"


def _broken(statement: Mapping[str, Any]) -> Iterator[str]:
    """The requirements that do not hold, with their sentences where this version knows them."""
    known = catalogue().requirements
    rows = [(n, v) for n, v in statement["requirements"].items() if v in BROKEN]
    if not rows:
        yield "Nothing that was judged is broken."
        return
    yield from ("| Broken | Verdict | Sentence |", "|---|---|---|")
    for name, verdict in rows:
        if name in known:
            text = known[name].text.replace("|", "\\|")
            yield f"| {link(name, requirement_page(name), page=PAGE)} | {verdict} | {text} |"
        else:
            yield f"| {name} | {verdict} | |"
