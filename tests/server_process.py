"""The reference server in a process of its own, as its command starts it."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from websockets.sync.client import ClientConnection, connect

from tests.turns import DEADLINE

KEY = "a-key-for-tests"


@dataclass
class Server:
    """A server in a process of its own."""

    process: subprocess.Popen[str]
    url: str
    is_asgi: bool = False

    def connect(self, **options: Any) -> ClientConnection:
        headers = {"Authorization": f"Bearer {KEY}", **options.pop("headers", {})}
        return connect(self.url, additional_headers=headers, close_timeout=DEADLINE, **options)

    def get(self, path: str = "/v1/responses", **headers: str) -> Any:
        """A plain HTTP request and its answer: status and parsed body."""
        host = self.url.removeprefix("ws://").partition("/")[0]
        with contextlib.closing(http.client.HTTPConnection(host, timeout=DEADLINE)) as client:
            client.request("GET", path, headers=headers)
            answer = client.getresponse()
            kind = answer.getheader("Content-Type")
            assert kind == "application/json", kind
            return answer.status, json.loads(answer.read())

    def stop(self, number: signal.Signals = signal.SIGTERM) -> str:
        """Everything that was said on stderr until the process ended with 0."""
        self.process.send_signal(number)
        _, said = self.process.communicate(timeout=DEADLINE)
        assert self.process.returncode == 0, said
        return said


@contextlib.contextmanager
def serving(*options: str) -> Iterator[Server]:
    """A server that was started with these options; it is killed afterwards."""
    command = [sys.executable, "-m", "responses_ws_reference", "--api-key-env", "RWS_KEY", *options]
    process = subprocess.Popen(
        command,
        env={**os.environ, "RWS_KEY": KEY},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line.startswith("listening on ws://127.0.0.1:"), line
            yield Server(process, line.split()[-1], "--http" in options)
        finally:
            process.kill()
