"""Pulling a lever: the HTTP call and the command that a profile offers for what no client can do.

Whatever goes wrong here is the profile's fault, or that of the machine, and never the target's:
it is ``LeverFailed``, and what was to be provoked stays untestable. What a command prints is not
kept; only where it fails the end of it says why.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
from pathlib import Path
from typing import IO, Final
from urllib.parse import urlsplit

from responses_ws_conformance.profile import HttpCall, Lever

LONGEST_OUTPUT: Final = 300


class LeverFailed(Exception):
    """A lever could not be pulled; the message says why."""


def pull(lever: Lever, *, ca_file: Path | None = None) -> None:
    """Make the call, then run the command, each within the lever's time; raises LeverFailed."""
    if lever.http is not None:
        _call(lever.http, lever.within, ca_file)
    if lever.command:
        _run(lever.command, lever.within, lever.folder)


def describe(lever: Lever) -> dict[str, str]:
    """What pulling a lever does, without its secrets: no query, no arguments."""
    acts: dict[str, str] = {}
    if lever.http is not None:
        acts["http"] = f"{lever.http.method} {_bare(lever.http.url)}"
    if lever.command:
        acts["command"] = lever.command[0]
    return acts


def _call(call: HttpCall, within: float, ca_file: Path | None) -> None:
    what = f"{call.method} {_bare(call.url)}"
    parts = urlsplit(call.url)
    host = parts.hostname or ""
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        context = ssl.create_default_context(cafile=ca_file)
        connection = http.client.HTTPSConnection(host, parts.port, timeout=within, context=context)
    else:
        connection = http.client.HTTPConnection(host, parts.port, timeout=within)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    # The timeout above is for each silence; a server that says a little all the time has none.
    is_late = threading.Event()
    patience = threading.Timer(within, _hang_up, (connection, is_late))
    patience.start()
    try:
        connection.request(call.method, path, headers=dict(call.headers))
        answer = connection.getresponse()
        status, body = answer.status, answer.read(LONGEST_OUTPUT)
    except (OSError, http.client.HTTPException, ValueError) as problem:
        if not is_late.is_set() and not isinstance(problem, TimeoutError):
            raise LeverFailed(f"{what}: {problem or type(problem).__name__}") from None
        is_late.set()
    finally:
        patience.cancel()
        connection.close()
    if is_late.is_set():
        raise LeverFailed(f"{what}: no answer within {within:g} s")
    if not 200 <= status < 300:
        said = " ".join(body.decode("utf-8", "replace").split())
        raise LeverFailed(f"{what}: status {status}" + (f": {said}" if said else ""))


def _hang_up(connection: http.client.HTTPConnection, is_late: threading.Event) -> None:
    is_late.set()
    if connection.sock is not None:
        with contextlib.suppress(OSError):
            connection.sock.shutdown(socket.SHUT_RDWR)


def _run(command: tuple[str, ...], within: float, folder: Path | None) -> None:
    # A file and not a pipe: a server that the command starts may keep its output open for ever.
    with tempfile.TemporaryFile() as output:
        try:
            process = subprocess.Popen(
                command,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as problem:
            raise LeverFailed(f"{command[0]}: {problem.strerror or problem}") from None
        try:
            code = process.wait(within)
        except subprocess.TimeoutExpired:
            _kill(process)
            why = f"not over within {within:g} s{_end_of(output)}"
            raise LeverFailed(f"{command[0]}: {why}") from None
        if code != 0:
            raise LeverFailed(f"{command[0]}: ended with {code}{_end_of(output)}")


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End the command and what it has started."""
    if hasattr(os, "killpg"):
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.wait()


def _end_of(output: IO[bytes]) -> str:
    size = output.seek(0, os.SEEK_END)
    output.seek(max(0, size - LONGEST_OUTPUT))
    said = " ".join(output.read().decode("utf-8", "replace").split())
    return f": {said}" if said else ""


def _bare(url: str) -> str:
    return url.partition("?")[0]
