"""``rws init``: drafts the profile of a target from what it does."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from responses_ws_conformance.cli.options import OUTPUT, Commands, add_target, profile_of
from responses_ws_conformance.drafting import draft, look, sound
from responses_ws_conformance.drafting.soundings import SOUNDINGS
from responses_ws_conformance.errors import CannotStart
from responses_ws_conformance.reports.report import ExitCode
from responses_ws_conformance.reports.writing import find_room
from responses_ws_conformance.yaml_files import read_yaml


def add(commands: Commands) -> None:
    """The parser."""
    init = commands.add("init", init_command, about="draft a profile from a few harmless turns")
    init.add_argument("url", help="wss://host/v1/responses")
    add_target(init)
    init.add_argument("--output", type=Path, metavar="FILE", help="default: standard output")


def init_command(options: argparse.Namespace) -> int:
    """``rws init``."""
    if options.output is not None and options.output.exists():
        raise CannotStart(f"{options.output}: it is there already")
    profile = profile_of(options, options.url)
    if options.output is not None:
        find_room(options.output)
    kept = read_yaml(options.profile) if options.profile else {}
    turns = sum(s.turns for s in SOUNDINGS.values())
    print(f"{profile.target}: {turns} turns at most", file=sys.stderr, flush=True)
    folder = OUTPUT / "init"
    folder.mkdir(parents=True, exist_ok=True)
    seen = look(sound(profile, folder))
    variable = options.api_key_env or kept.get("api_key_env")
    text = draft(profile, seen, key_variable=variable, kept=kept)
    if options.output is None:
        print(text, end="")
        return ExitCode.OK
    options.output.write_text(text, "utf-8")
    claimed = ", ".join(seen.signs) or "nothing beyond the core"
    print(f"{options.output}: claims {claimed}; read it before you believe it")
    return ExitCode.OK
