"""What the tests of levers share: a server to call, a script to run, a lever in a profile."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

PYTHON = sys.executable
SECRET = "a-secret-of-some-length"


@contextmanager
def control(status: int = 204, body: str = "") -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """An HTTP server on loopback that answers everything alike, and what it was asked."""
    asked: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            asked.append({"method": self.command, "path": self.path, **dict(self.headers)})
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Location", "/elsewhere")
            self.end_headers()
            self.wfile.write(body.encode())

        do_GET = do_POST = do_PUT = answer

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", asked
        finally:
            server.shutdown()
            thread.join()


def script(text: str) -> tuple[str, ...]:
    """The command that runs a Python program."""
    return (PYTHON, "-c", text)


def written(folder: Path, name: str, lever: dict[str, Any]) -> Path:
    """The file of a profile that has this lever."""
    path = folder / "profile.yaml"
    levers = {name: {"within": 5, **lever}}
    path.write_text(json.dumps({"url": "ws://127.0.0.1:1/v1/responses", "levers": levers}))
    return path
