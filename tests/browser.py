"""A headless Chromium, driven over its DevTools protocol with the client of ``websockets``.

    with browser() as chromium:
        chromium.open("file:///tmp/report.html")
        chromium.run("document.title")

Tests that need one skip where no Chromium is installed, and say so.
"""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Any

import pytest
from websockets.sync.client import ClientConnection, connect

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
PROGRAM = next(filter(None, map(shutil.which, PROGRAMS)), None)
# The second half keeps it from asking its makers for anything while it runs.
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-dev-shm-usage"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--disable-quic", "--no-default-browser-check"),
)
DEADLINE = 60.0
WIDE = (1280, 900)
PHONE = (390, 844)

needs_browser = pytest.mark.skipif(PROGRAM is None, reason="no Chromium is installed")


class Browser:
    """One tab of a browser, and what its console said."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.console: list[str] = []
        self.events: list[dict[str, Any]] = []
        self.number = 0
        self.session: str | None = None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self.session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """The result of a command."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session is not None:
            message["sessionId"] = self.session
        self.connection.send(json.dumps(message))
        while True:
            answer = self._receive()
            if answer.get("id") == self.number:
                assert "error" not in answer, answer
                result: dict[str, Any] = answer["result"]
                return result

    def _receive(self) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self.connection.recv(timeout=DEADLINE))
        match answer.get("method"):
            case "Runtime.exceptionThrown":
                self.console.append(json.dumps(answer["params"]["exceptionDetails"]))
            case "Runtime.consoleAPICalled" if answer["params"]["type"] in ("error", "warning"):
                self.console.append(json.dumps(answer["params"]["args"]))
            case "Log.entryAdded" if answer["params"]["entry"]["level"] in ("error", "warning"):
                self.console.append(json.dumps(answer["params"]["entry"]))
            case str():
                self.events.append(answer)
        return answer

    def look(self, *, dark: bool = False, size: tuple[int, int] = WIDE) -> None:
        """What the reader's device prefers, and how large it is."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        width, height = size
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=size == PHONE,
        )

    def open(self, url: str) -> None:
        """Load a page and wait until it is there; or go to another place on the same page."""
        self.events.clear()
        if "loaderId" not in self.call("Page.navigate", url=url):
            return
        until = time.monotonic() + DEADLINE
        while not any(e["method"] == "Page.loadEventFired" for e in self.events):
            assert time.monotonic() < until, f"{url} does not load"
            self._receive()

    def run(self, script: str) -> Any:
        """The value of an expression on the page."""
        answer = self.call(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def wait(self, script: str) -> None:
        """Until an expression on the page is true: what a link does there comes after the click."""
        until = f"performance.now() + {1000 * DEADLINE / 2}"
        look = f"() => ({script}) || performance.now() > until ? done() : setTimeout(look, 10)"
        self.run(f"new Promise(done => {{ const until = {until}; const look = {look}; look(); }})")
        assert self.run(script), f"never true: {script}"

    def press(self, key: str) -> None:
        """Press a key and let it go."""
        text = {"Enter": "\r", "Space": " "}.get(key, key if len(key) == 1 else "")
        name = {"Space": " "}.get(key, key)
        code = {"Tab": 9, "Enter": 13, "Space": 32}.get(key, ord(key[0].upper()))
        for kind in ("keyDown", "keyUp"):
            self.call(
                "Input.dispatchKeyEvent",
                type=kind,
                key=name,
                code=key,
                windowsVirtualKeyCode=code,
                **({"text": text} if kind == "keyDown" and text else {}),
            )

    def screenshot(self, path: Path, *, whole: bool = False) -> None:
        """Keep what is seen as a PNG file; the whole page where it is long."""
        data = self.call("Page.captureScreenshot", captureBeyondViewport=whole)["data"]
        path.write_bytes(base64.b64decode(data))


@contextmanager
def browser() -> Iterator[Browser]:
    """A browser with a profile of its own, which is gone afterwards."""
    assert PROGRAM is not None
    # Chromium goes on writing into its profile while it ends.
    with TemporaryDirectory(prefix="rws-browser-", ignore_cleanup_errors=True) as folder:
        command = [PROGRAM, *FLAGS, "--remote-debugging-port=0"]
        command += [f"--user-data-dir={folder}", "about:blank"]
        with subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            address = _address(process)
            # What it says later would fill the pipe and stop it.
            drain = Thread(target=process.communicate)
            drain.start()
            try:
                with connect(address, max_size=None, compression=None) as connection:
                    yield Browser(connection)
            finally:
                process.terminate()
                drain.join()


def _address(process: subprocess.Popen[str]) -> str:
    """The address of the DevTools, which Chromium prints once it listens."""
    assert process.stderr is not None
    said = []
    for line in process.stderr:
        said.append(line)
        if "DevTools listening on " in line:
            return line.partition("DevTools listening on ")[2].strip()
    raise AssertionError(f"Chromium did not start: {''.join(said)}")
