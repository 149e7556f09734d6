"""The badge of a statement: a self-contained SVG that says no more than the statement does."""

from __future__ import annotations

from html import escape
from importlib.resources import files
from typing import Any, Final

# White text on each of these has a contrast of more than 4.5 to 1.
GREEN: Final = "#1a7f37"
RED: Final = "#b42318"
GREY: Final = "#5f6670"
LETTER: Final = 6.6  # pixels; the text is fitted to its length, whatever font is there
PADDING: Final = 7
LAYERS_SHOWN: Final = 2


def badge(statement: dict[str, Any]) -> str:
    """The badge as SVG."""
    label, (message, colour) = _label(statement), said(statement)
    left, right = (round(len(text) * LETTER) for text in (label, message))
    split, width = left + 2 * PADDING, left + right + 4 * PADDING
    values = {
        "width": width,
        "split": split,
        "inner": width - split - 3,
        "colour": colour,
        "label": label,
        "label_length": left,
        "message": message,
        "message_at": split + PADDING,
        "message_length": right,
        "description": description(statement),
    }
    drawing = files("responses_ws_conformance.reports").joinpath("badge.svg").read_text("utf-8")
    return drawing.format_map({name: escape(str(value)) for name, value in values.items()})


def said(statement: dict[str, Any]) -> tuple[str, str]:
    """What a badge says, and in which colour: failures first, then what was not judged."""
    must = statement["levels"]["MUST"]
    if must["fail"]:
        return f"{must['fail']} failing", RED
    is_part = statement["selected"] is not None or statement["stopped"] is not None
    if is_part or must["untestable"] or must["error"]:
        return "not fully judged", GREY
    if not must["pass"]:
        return "nothing judged", GREY
    return f"{must['pass']}/{must['pass']} MUST", GREEN


def description(statement: dict[str, Any]) -> str:
    """What a badge says to those who ask: every count, and what was waived."""
    counts = [
        f"{level}: " + ", ".join(f"{n} {verdict}" for verdict, n in found.items() if n)
        for level, found in statement["levels"].items()
    ]
    layers = _layers(statement)
    if layers:
        counts.append(f"Layers: {', '.join(layers)}")
    waived = len(statement["waivers"])
    if waived:
        counts.append(f"Waived by a baseline: {waived}")
    if statement["invented_things_accepted"]:
        counts.append("Accepts what was invented")
    about = f"{statement['target']}, {statement['when']['started_at'][:10]}"
    return f"{'. '.join(counts)}. {about}, suite {statement['suite']['version']}."


def _label(statement: dict[str, Any]) -> str:
    layers = _layers(statement)
    if len(layers) > LAYERS_SHOWN:
        layers = [f"{len(layers)} layers"]
    return " + ".join([f"RWS {statement['catalogue']['spec_version']} core", *layers])


def _layers(statement: dict[str, Any]) -> list[str]:
    return [name for name in statement["features"] if name != "auth"]
