"""The embedded default: the reference server, started and stopped in a subprocess.

The suite never imports the reference server; it knows its command and the line that it prints.
Where the extra ``http`` is installed the server answers HTTP too, and the layer is claimed.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Final

from responses_ws_conformance.errors import CannotStart
from responses_ws_conformance.profile import Lever, Limits, Profile

MODEL: Final = "rws-reference"
KEY_VARIABLE: Final = "RWS_EMBEDDED_API_KEY"
SECOND_KEY_VARIABLE: Final = "RWS_EMBEDDED_SECOND_API_KEY"
FEATURES: Final = frozenset(
    {
        "compaction",
        "custom-tools",
        "inject",
        "interrupt",
        "lanes",
        "reasoning",
        "steering",
        "storage",
        "warmup",
    }
)
MESSAGE_BYTES: Final = 16 * 2**20
# What the extra [http] installs, for the suite and for the server: with it HTTP is served too.
HTTP_LIBRARIES: Final = ("urllib3", "starlette", "uvicorn")
READY: Final = "listening on "
START_TIMEOUT: Final = 15.0
# The handshake headers that give a connection a short life, or trouble in its third turn.
LEVERS: Final = {
    "lifetime": {"RWS-Lifetime": "0.4"},
    "failure": {"RWS-Failure": "3"},
    "refusal-5xx": {"RWS-Refusal-5xx": "3"},
    "overload": {"RWS-Overload": "3"},
    "restart": {"RWS-Restart": "3"},
}


@contextmanager
def embedded_target(
    model: str = MODEL, *, pace: float | None = None, http: bool = True, auth: bool = True
) -> Iterator[Profile]:
    """The profile of a reference server that lives as long as the block; raises CannotStart.

    ``pace`` is the time in seconds between two events of a response. Without ``http`` it speaks
    WebSocket alone, whatever is installed; without ``auth`` it asks nobody for a key.
    """
    key, second = secrets.token_urlsafe(16), secrets.token_urlsafe(16)
    command = [sys.executable, "-m", "responses_ws_reference", "--port", "0", "--levers"]
    if auth:
        command += ["--api-key-env", KEY_VARIABLE, "--api-key-env", SECOND_KEY_VARIABLE]
    command += ["--model", model]
    command += ["--pace", str(pace)] if pace is not None else []
    serves_http = http and all(map(find_spec, HTTP_LIBRARIES))
    command += ["--http"] if serves_http else []
    process = subprocess.Popen(
        command,
        env={**os.environ, KEY_VARIABLE: key, SECOND_KEY_VARIABLE: second},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        url = _wait_until_ready(process)
        http_url = url.replace("ws://", "http://").removesuffix("/responses")
        yield Profile(
            url=url,
            http_url=http_url if serves_http else None,
            model=model,
            dialect="open-responses",
            levers={name: Lever(10.0, headers=headers) for name, headers in LEVERS.items()},
            features=FEATURES | ({"http"} if serves_http else set()),
            api_key=key if auth else None,
            second_api_key=second if auth else None,
            limits=Limits(message_bytes=MESSAGE_BYTES),
            secrets={"api_key": key, "second_api_key": second},
        )
    finally:
        process.terminate()
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()


def _wait_until_ready(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    patience = threading.Timer(START_TIMEOUT, process.kill)
    patience.start()
    line = process.stdout.readline().strip()
    patience.cancel()
    if not line.startswith(READY):
        raise CannotStart("the embedded reference server did not start; run rws-server to see why")
    return line.removeprefix(READY)
