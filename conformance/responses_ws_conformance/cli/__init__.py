"""The command ``rws``. Each module here has one command, or a few that belong together.

A command module adds its parsers and sets ``command`` to the function that runs them: options in,
exit code out.
"""

from __future__ import annotations

import argparse
import io
import os
import runpy
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from responses_ws_conformance import __version__
from responses_ws_conformance.cli import (
    baselines,
    comparing,
    drafts,
    judging,
    replaying,
    reporting,
    reproducing,
    running,
    showing,
    statements,
)
from responses_ws_conformance.cli.complaints import complain
from responses_ws_conformance.cli.options import Commands
from responses_ws_conformance.errors import CannotStart, ConformanceError, TranscriptError
from responses_ws_conformance.reports.report import ExitCode

__all__ = ["main", "parser"]

COMMANDS: Final = (
    running,
    drafts,
    showing,
    judging,
    reporting,
    baselines,
    statements,
    replaying,
    reproducing,
    comparing,
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code."""
    options, unknown = parser().parse_known_args(argv)
    if unknown:  # said with the usage of the command, not with that of rws
        options.parser.error(f"unrecognized arguments: {' '.join(unknown)}")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal that knows no arrows gets escapes
            stream.reconfigure(errors="backslashreplace")
    try:
        if options.extension is not None:
            _extend(options.extension)
        return int(options.command(options))
    except (CannotStart, TranscriptError) as problem:
        complain(str(problem))
        return ExitCode.INFRASTRUCTURE
    except ConformanceError as problem:
        complain(f"the suite broke: {problem}")
        return ExitCode.SUITE_BROKE
    except BrokenPipeError:  # the reader of our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.INTERRUPTED
    except OSError as problem:
        complain(f"{problem.filename or 'output'}: {problem.strerror}")
        return ExitCode.INFRASTRUCTURE
    except KeyboardInterrupt:
        complain("interrupted")
        return ExitCode.INTERRUPTED
    except Exception as problem:  # an exit code of 1 would be a verdict
        traceback.print_exc()
        complain(f"the suite broke, please report it: {problem}")
        return ExitCode.SUITE_BROKE


def parser() -> argparse.ArgumentParser:
    """The options of every subcommand."""
    top = argparse.ArgumentParser(
        prog="rws", description="Checks servers of the Responses API over WebSocket."
    )
    top.add_argument("--version", action="version", version=f"rws {__version__}")
    commands = Commands(top.add_subparsers(required=True, metavar="COMMAND"))
    for module in COMMANDS:
        module.add(commands)
    return top


def _extend(path: Path) -> None:
    """Run a vendor's file, which registers requirements, scenarios and checks."""
    if not path.is_file():
        raise CannotStart(f"no such extension file: {path}")
    try:
        runpy.run_path(str(path))
    except Exception as problem:  # whatever it is, it is the file that has to be mended
        calls = traceback.extract_tb(problem.__traceback__)
        lines = [call.lineno for call in calls if call.filename == str(path)]
        where = f"{path}:{lines[-1]}" if lines else str(path)
        raise CannotStart(f"{where}: {type(problem).__name__}: {problem}") from None
