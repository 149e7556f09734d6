"""Scripts: a conversation as Python that needs nothing but the library websockets.

What a target sent stands in a script as a literal only, and only where the symptom needs it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from importlib.resources import files
from string import Template
from typing import Final

from responses_ws_conformance.reproduction.frames import (
    ENDS,
    OPENED,
    SILENCE,
    Frame,
    at,
    of_transcript,
)
from responses_ws_conformance.reproduction.looks import Look
from responses_ws_conformance.reproduction.sayings import literal, sayings
from responses_ws_conformance.transcript import Transcript

TEMPLATE: Final = "reproduce.py.txt"
# The functions that some steps call, left out where none does.
MEANS: Final = {
    "dial(": "sockets.py.txt",
    "say(": "says.py.txt",
    "ask(": "http.py.txt",
    "told(": "lanes.py.txt",
}
MOST_LINES: Final = 59
PATIENCE: Final = 20.0  # seconds
VARIABLES: Final = {"AUTH": "RWS_API_KEY", "AUTH_2": "RWS_SECOND_API_KEY"}
AUTH: Final = '{} = {{"Authorization": "Bearer " + os.environ.get("{}", "")}}'
UNDECIDED: Final = "cannot say: this script has no look that shows it; rws replay judges it"


def script(
    transcript: Transcript,
    *,
    title: str,
    url: str,
    found: str,
    symptom: Look | None,
    wrong: Sequence[Frame] = (),
    right: Sequence[Frame] = (),
    patience: float = PATIENCE,
) -> str:
    """The script that holds a conversation and says whether its violation shows.

    ``wrong`` are frames of the target, ``right`` those of a server that does it right. Raises
    Unsayable.
    """
    recorded = of_transcript(transcript)
    texts = {
        "title": title,
        "url": ascii(url),
        "ends": _tuple(ENDS),
        "look": symptom.source() if symptom is not None else "None",
        "recorded": literal(symptom.seen(wrong)) if symptom is not None else "...",
        "right": literal(symptom.seen(right)) if symptom is not None else "...",
        "vain_then": str(max(map(_waited_in_vain, (recorded, wrong)))),
        "vain_right": str(_waited_in_vain(right)),
        "accepted": ascii([f.turn[0] for f in right or recorded if _is_accepted(f)]),
        "fixed": ascii(f"FIXED {title}: no longer as recorded, but as a right server does"),
        "failed": ascii(f"FAILED {title}: {found}"),
        "other": ascii(
            f"OTHER {title}: neither as recorded nor as expected; rws replay judges it"
            if symptom is not None
            else f"OTHER {title}: {UNDECIDED}"
        ),
    }
    steps = list(sayings(transcript, recorded))
    parts = [file for call, file in MEANS.items() if any(call in s for s in steps)]
    means = "".join(map(_part_of_it, parts)).rstrip("\n")
    texts |= {
        "means": Template(means).substitute(patience=f"{patience:g}"),
        "auth": "\n".join(_auth(steps)),
    }
    template = Template(_part_of_it(TEMPLATE))
    room = MOST_LINES - template.substitute(texts, steps="").count("\n") + 1
    lines = "\n".join(f"    {line}" for line in _packed(steps, room))
    text = template.substitute(texts, steps=lines)
    compile(text, TEMPLATE, "exec")
    return text


def _waited_in_vain(frames: Sequence[Frame]) -> int:
    return sum(frame.type == SILENCE for frame in frames)


def _is_accepted(frame: Frame) -> bool:
    """True for a handshake that leads to a WebSocket: a refusal of it decides nothing else."""
    return frame.type == OPENED and at(frame.value, "status") == 101


def _auth(steps: Sequence[str]) -> Iterator[str]:
    for name, variable in VARIABLES.items():
        if any(re.search(rf"\b{name}\b", step) for step in steps):
            yield AUTH.format(name, variable)


def _part_of_it(name: str) -> str:
    return files(__package__).joinpath(name).read_text("utf-8")


def _packed(lines: list[str], room: int) -> list[str]:
    """The steps in so many lines at most; a wait stands behind what it waits for."""
    joined: list[str] = []
    for line in lines:
        if line.startswith("hear(") and joined:
            joined[-1] += f"; {line}"
        else:
            joined.append(line)
    each = -(-len(joined) // max(1, room))
    return ["; ".join(joined[i : i + each]) for i in range(0, len(joined), max(1, each))]


def _tuple(names: Sequence[str]) -> str:
    return f"({', '.join(map(ascii, names))})"
