"""The state tables of ``lifecycle.json`` as a page: each one drawn, and in words.

A drawing has a column for each state and a row for each kind of step: a dot where the step can
start, an arrow to where it leads. Nothing has to be laid out, so every table can be drawn.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any, Final

from responses_ws_schemas import lifecycle

from pages.places import link, requirement_page

PATH: Final = "reference/lifecycle.md"
COLUMN: Final = 80
ROW: Final = 30
HEAD: Final = 44
LETTER: Final = 6.7
INTRODUCTION: Final = """\
What a response, its output items and their content parts go through, from the file
[`lifecycle.json`](../schemas/files/lifecycle.md) that the suite judges by. The reference server has
a table of its own, and a test compares the two. What no row allows is illegal.

In a drawing each column is a state and each row a kind of step: it starts at a dot and leads to the
arrow, and a ring is a step that stays. A state with a double frame is final.
"""

Step = tuple[str, tuple[str, ...], str]


def lifecycle_page() -> dict[str, str]:
    """The Markdown of the page, by its path."""
    lines = ["---", "title: Lifecycle", "hide: [toc]", "---", "", "# Lifecycle", "", INTRODUCTION]
    for name, machine in lifecycle().items():
        lines += _machine(name, machine)
    return {PATH: "\n".join(lines)}


def _machine(name: str, machine: Mapping[str, Any]) -> Iterator[str]:
    title = name.replace("_", " ").capitalize()
    yield from ("", f"## {title}", "", machine["about"], "", drawing(name, machine), "")
    yield from ("| State | Means | `status` |", "|---|---|---|")
    for state, about in machine["states"].items():
        status = ", ".join(f"`{each}`" for each in about.get("status", ()))
        yield f"| {state} | {about['about']} | {status} |"
    yield from ("", "| From | Step | To | Breaks |", "|---|---|---|---|")
    for row in machine["transitions"]:
        breaks = row.get("breaks")
        fault = link(breaks, requirement_page(breaks), page=PATH) if breaks else ""
        owed = "".join(f", each {what} {state}" for what, state in row.get("owed", {}).items())
        yield f"| {row['from']} | {_step(row)}{owed} | {row['to']} | {fault} |"


def _step(row: Mapping[str, Any]) -> str:
    return f"`{row['on']}`" if "on" in row else f"an event of the {row['within'].replace('_', ' ')}"


def steps(machine: Mapping[str, Any]) -> list[Step]:
    """The legal steps: those with one name and one aim together, whatever state they start in."""
    starts: dict[tuple[str, str], list[str]] = {}
    for row in machine["transitions"]:
        if "breaks" not in row:
            starts.setdefault((_step(row).strip("`"), row["to"]), []).append(row["from"])
    return [(label, tuple(places), to) for (label, to), places in starts.items()]


def drawing(name: str, machine: Mapping[str, Any]) -> str:
    """The table as SVG that takes its colours from the page, with a text for those who hear it."""
    states, found = list(machine["states"]), steps(machine)
    left = 24 + LETTER * max(len(label) for label, _, _ in found)
    width, height = left + COLUMN * len(states), HEAD + ROW * len(found) + 8
    centre = {state: left + COLUMN * (n + 0.5) for n, state in enumerate(states)}
    words = ". ".join(f"{label}: from {' or '.join(s)} to {to}" for label, s, to in found)
    parts = [
        '<div class="rws-diagram" tabindex="0" role="group" aria-label="Drawing, can be scrolled">',
        f'<svg viewBox="0 0 {width:.0f} {height}" width="{width:.0f}" height="{height}" role="img"'
        f' aria-labelledby="{name}-title {name}-text">',
        f'<title id="{name}-title">Lifecycle of a {escape(name.replace("_", " "))}</title>',
        f'<desc id="{name}-text">{escape(words)}.</desc>',
    ]
    for state, x in centre.items():
        parts += _state(state, x, height, is_final=state in machine["final"])
    for place, (label, starts, to) in enumerate(found):
        y = HEAD + ROW * (place + 0.5)
        parts.append(f'<text class="event" x="0" y="{y + 4:.0f}">{escape(label)}</text>')
        parts += _arrow([centre[start] for start in starts], centre[to], y)
    return "\n".join([*parts, "</svg>", "</div>"])


def _state(state: str, x: float, height: int, *, is_final: bool) -> Iterator[str]:
    yield f'<line class="life" x1="{x:.0f}" x2="{x:.0f}" y1="30" y2="{height}"/>'
    for inset in (0, 3) if is_final else (0,):
        yield (
            f'<rect x="{x - COLUMN / 2 + 2 + inset:.0f}" y="{4 + inset}" rx="5"'
            f' width="{COLUMN - 4 - 2 * inset}" height="{26 - 2 * inset}"/>'
        )
    yield f'<text class="state" x="{x:.0f}" y="21">{escape(state)}</text>'


def _arrow(starts: list[float], to: float, y: float) -> Iterator[str]:
    others = [x for x in starts if x != to]
    if to in starts:
        yield f'<circle class="stay" cx="{to:.0f}" cy="{y:.0f}" r="8"/>'
    for side in (1, -1):
        reach = [x for x in others if (to - x) * side > 0]
        if not reach:
            continue
        first = min(reach, key=lambda x: x * side)
        tip = to - side * (9 if to in starts else 1)
        yield f'<line class="way" x1="{first:.0f}" x2="{tip - side * 6:.0f}" y1="{y}" y2="{y}"/>'
        back = tip - side * 8
        yield f'<path class="tip" d="M{tip:.0f} {y}L{back:.0f} {y - 4}L{back:.0f} {y + 4}z"/>'
    yield from (f'<circle class="start" cx="{x:.0f}" cy="{y:.0f}" r="4"/>' for x in others)
