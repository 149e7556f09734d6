"""Confirming: whether a violation shows once more, and how a server that does it right differs.

Both are found out by holding the conversation: the replay of a shrunk recording is judged by the
check, and the script is run as its reader will run it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise
from pathlib import Path
from typing import Final

from responses_ws_conformance.driver import Unreachable
from responses_ws_conformance.driver.wire import Target
from responses_ws_conformance.escaping import safe
from responses_ws_conformance.profile import Profile
from responses_ws_conformance.reproduction.frames import Frame, of_output, of_transcript
from responses_ws_conformance.reproduction.looks import Look
from responses_ws_conformance.reproduction.outcomes import Outcome, compare
from responses_ws_conformance.reproduction.replays import replay
from responses_ws_conformance.reproduction.sayings import Unsayable
from responses_ws_conformance.reproduction.scripts import PATIENCE, script
from responses_ws_conformance.reproduction.shrinking import Depth, shrink
from responses_ws_conformance.reproduction.symptoms import symptom
from responses_ws_conformance.transcript import Transcript
from responses_ws_conformance.verdict import Judgement, Located

LONGEST: Final = 120.0  # seconds that a script may take
MOST_OUTPUT: Final = 16 * 2**20  # bytes that it may print
KEY: Final = "RWS_API_KEY"
SECOND_KEY: Final = "RWS_SECOND_API_KEY"
TIMES: Final = (
    3  # how often a conversation is held, the recorded one counted, to see what is chance
)
LIMIT: Final = 300  # characters of a finding
LEAST: Final = 10.0  # seconds that a script waits for an answer
FAR_LONGER: Final = 3


class Confirmation(Enum):
    """Whether the target has shown a violation again."""

    SHOWN = "the target showed it again when this was written"
    NOT_SHOWN = "the target did not show it again when this was written"
    NOT_TRIED = "no target was asked when this was written"


@dataclass(frozen=True, slots=True)
class Reproduction:
    """One violation, as short as it is still one; ``script`` is None where ``why`` says so."""

    judgement: Judgement
    located: Located
    transcript: Transcript
    confirmation: Confirmation
    symptom: Look | None = None
    script: str | None = None
    why: str | None = None


def reproduce(
    judgement: Judgement, *, reference: Profile | None, target: Profile | None
) -> Reproduction:
    """Shrink a violation and write its script.

    ``reference`` is a server that does it right, ``target`` the one that violates the requirement
    if it is still there.
    """
    located = min(judgement.findings, key=lambda each: len(each.transcript.entries))
    transcript, confirmation = _confirmed(judgement, located, reference, target)
    requirement, finding = judgement.requirement, located.finding
    where = f" at {finding.path}" if finding.path else ""
    found = safe(f"expected {finding.expected}, seen {finding.actual}{where}", limit=LIMIT)
    patience = _patience(transcript, target) if target is not None else PATIENCE

    def written(
        look: Look | None = None,
        wrong: Sequence[Frame] = (),
        right: Sequence[Frame] = (),
        *,
        patience: float = patience,
    ) -> str:
        return script(
            transcript,
            title=requirement.id,
            url=transcript.header.target,
            found=found,
            symptom=look,
            wrong=wrong,
            right=right,
            patience=patience,
        )

    try:
        rights: list[Sequence[Frame]] = []
        if reference is not None:
            draft = written(patience=reference.timing.first_event)
            rights = [run(draft, reference) for _ in range(TIMES)]
        again: list[Sequence[Frame]] = []
        if target is not None and confirmation is Confirmation.SHOWN:
            again = [run(written(), target) for _ in range(TIMES - 1)]
        marks = [n for n in transcript.notes("mark") if isinstance(n.facts.get("word"), str)]
        words = list(dict.fromkeys(str(n.facts["word"]) for n in marks))
        recorded = of_transcript(transcript)
        is_gone = confirmation is Confirmation.NOT_SHOWN  # then nothing says what would show it
        rights = [] if is_gone else rights
        look = symptom(finding, requirement.text, words, recorded, rights, again)
        text = written(look, again[0] if again else recorded, rights[0] if rights else ())
    except Unsayable as problem:
        return Reproduction(judgement, located, transcript, confirmation, why=str(problem))
    return Reproduction(judgement, located, transcript, confirmation, look, text)


def _patience(transcript: Transcript, target: Profile) -> float:
    """How many seconds a script waits: far longer than the target was ever silent before."""
    times = [entry.t for entry in transcript.entries]
    longest = max((after - before for before, after in pairwise(times)), default=0.0)
    return min(target.timing.first_event, max(LEAST, FAR_LONGER * longest))


def run(text: str, profile: Profile) -> list[Frame]:
    """The frames that a script hears from a target."""
    with tempfile.TemporaryDirectory(prefix="rws-reproduce-") as folder:
        file = Path(folder, "reproduce.py")
        file.write_text(text, "utf-8")
        keys = {KEY: profile.api_key, SECOND_KEY: profile.second_api_key}
        environment = {k: v for k, v in os.environ.items() if k not in keys}
        environment |= {name: key for name, key in keys.items() if key is not None}
        url = Target(profile.url, query=tuple(profile.query.items())).full_url
        with subprocess.Popen(
            [sys.executable, str(file), url],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as process:
            assert process.stdout is not None
            patience = threading.Timer(LONGEST, process.kill)
            patience.start()
            said = process.stdout.read(MOST_OUTPUT)
            patience.cancel()
            process.kill()  # it is over, or has said enough
    return of_output(said.decode("utf-8", "replace"))


def _confirmed(
    judgement: Judgement, located: Located, reference: Profile | None, target: Profile | None
) -> tuple[Transcript, Confirmation]:
    """The shortest recording that the target violates again, and that can be held without.

    What was left out can be what made it a violation, so a server that does it right is asked too.
    """
    name, finding = judgement.requirement.id, located.finding
    tried: dict[int, tuple[Transcript, Confirmation]] = {}
    for depth in (Depth.EXCHANGES, Depth.CONNECTIONS, Depth.NOTES):
        shrunk = shrink(located.transcript, name, finding, depth=depth)
        if len(shrunk.entries) in tried:
            continue
        shows = _shows(shrunk, target)
        if shows is None:
            confirmation = Confirmation.NOT_TRIED
        else:
            confirmation = Confirmation.SHOWN if shows else Confirmation.NOT_SHOWN
        tried[len(shrunk.entries)] = shrunk, confirmation
        if shows is not False and not _shows(shrunk, reference):
            return tried[len(shrunk.entries)]
    return max(tried.values(), key=lambda each: each[1] is Confirmation.SHOWN)


def _shows(transcript: Transcript, profile: Profile | None) -> bool | None:
    """Whether a server violates what a recording violates; None where none can be asked."""
    if profile is None:
        return None
    try:
        repeated = replay(transcript, profile)
    except Unreachable:
        return None
    return compare(transcript, repeated.transcript).outcome is Outcome.FAILED
