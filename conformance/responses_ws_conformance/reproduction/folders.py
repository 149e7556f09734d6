"""Folders: transcript, script and page of a violation, for somebody who has never seen the suite.

Nothing that a target sent names a file, and on the page it stands in code spans only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from responses_ws_conformance.escaping import safe
from responses_ws_conformance.reproduction.confirming import Reproduction
from responses_ws_conformance.transcript import Entry, Message
from responses_ws_conformance.transcript.files import ESCAPING, save

SCRIPT: Final = "reproduce.py"
TRANSCRIPT: Final = "transcript.jsonl"
PAGE: Final = "README.md"
LIMIT: Final = 1000  # characters
UNNAMED: Final = re.compile(r"[^A-Za-z0-9_-]")


def write(found: Reproduction, parent: Path) -> Path:
    """Write the folder of a violation, named by its requirement; the folder."""
    folder = parent / UNNAMED.sub("_", found.judgement.requirement.id)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / TRANSCRIPT).open("w", encoding="utf-8", errors=ESCAPING) as stream:
        save(found.transcript, stream)
    if found.script is not None:
        (folder / SCRIPT).write_text(found.script, "utf-8")
    else:
        (folder / SCRIPT).unlink(missing_ok=True)
    text = "\n".join(page(found)) + "\n"
    (folder / PAGE).write_text(text, "utf-8", errors=ESCAPING)
    return folder


def page(found: Reproduction) -> Iterator[str]:
    """The page as lines of Markdown."""
    requirement, finding = found.judgement.requirement, found.located.finding
    header = found.transcript.header
    yield f"# {requirement.id}"
    yield ""
    yield f"> {requirement.text}"
    yield ""
    yield f"<{requirement.url}>"
    yield ""
    yield f"- Expected: {code(finding.expected)}"
    yield f"- Seen: {code(finding.actual)}" + (f" at {code(finding.path)}" if finding.path else "")
    yield f"- In: entry {finding.at} of `{TRANSCRIPT}`, from the scenario {code(header.scenario)}"
    yield f"- Target: {code(header.target)}, recorded {code(header.started_at)}"
    yield f"- Confirmed: {found.confirmation.value}"
    whole, left = (_messages(t.entries) for t in (found.located.transcript, found.transcript))
    yield f"- Shrunk: {left} of {whole} messages are left; the entries keep their numbers"
    yield ""
    yield "## See it again"
    yield ""
    yield from _script(found)
    yield ""
    yield "With the suite, whose check judges what comes:"
    yield ""
    yield "```console"
    yield f"rws replay {TRANSCRIPT} --to URL --api-key-env VARIABLE"
    yield "```"


def code(text: str) -> str:
    """A code span of one line that holds any text."""
    shown = safe(text, limit=LIMIT)
    fence = "`" * (1 + max(map(len, re.findall("`+", shown)), default=0))
    return f"{fence} {shown} {fence}" if "`" in shown else f"`{shown or ' '}`"


def _script(found: Reproduction) -> Iterator[str]:
    if found.script is None:
        yield f"There is no script: {code(found.why or '')}."
        return
    yield "The script needs the library websockets and nothing of the suite; the key is a variable:"
    yield ""
    yield "```console"
    yield f"RWS_API_KEY=... python {SCRIPT} URL"
    yield "```"
    yield ""
    if found.symptom is None:
        yield "It shows the frames and cannot decide by itself whether the violation is among them."
        return
    yield "It ends with 1 where the violation shows, with 0 where a right answer comes instead, and"
    yield "with 2 where neither does. What it looks at:"
    yield ""
    yield f"    {safe(found.symptom.source(), limit=LIMIT)}"


def _messages(entries: Sequence[Entry]) -> int:
    return sum(isinstance(e, Message) and e.is_data for e in entries)
