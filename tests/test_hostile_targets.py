"""Targets that mean harm: the run ends, in bounds, says what was wrong, and nobody is hurt.

Each is met by the real command in a process of its own, whose memory is measured.
"""

from __future__ import annotations

import base64
import html
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote

import pytest
import yaml
from responses_ws_reference.config import ServerConfig
from responses_ws_reference.server import running_server
from websockets.sync.server import ServerConnection

from tests.peers import hostile
from tests.peers.awkward import Manner, Server
from tests.peers.hostile import MARKUP, after_each_message, frame
from tests.stubs import always_an_error, stub

WEIGHED = Path(hostile.__file__).with_name("weighed.py")
SECONDS = 60
MEBIBYTES = 300
CANARY = "sk-canary/0123+456789=abcdef"
TIMING = {"connect": 3, "first_event": 2, "idle": 1, "total": 8, "quiet": 0.2, "close": 0.5}
PROFILE = {"api_key_env": "CANARY", "timing": TIMING, "retries": 1, "backoff": 0.05}
FORMATS = ("report", "html", "junit", "sarif", "summary")
JOBS = 3


@dataclass(frozen=True)
class Target:
    """A target, the exit code that it deserves, what is red, and what the terminal says."""

    serve: Callable[[], AbstractContextManager[str]]
    code: int
    red: frozenset[str] = frozenset()
    says: str = ""
    limits: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """What came of a run."""

    code: int
    seconds: float
    mebibytes: float
    terminal: str
    folder: Path

    @property
    def red(self) -> set[str]:
        rows = json.loads((self.folder / "out/report").read_text("utf-8"))["requirements"]
        return {row["id"] for row in rows if row["verdict"] == "fail"}

    def artefacts(self) -> Iterator[tuple[str, str]]:
        """Everything that the run has left behind."""
        yield "terminal", self.terminal
        for path in sorted(p for p in self.folder.rglob("*") if p.is_file()):
            if path.name != "profile.yaml":
                yield str(path.relative_to(self.folder)), path.read_text("utf-8")


def acting(act: hostile.Hostility) -> Callable[[], AbstractContextManager[str]]:
    return lambda: hostile.hostile(act)


def refusing(refuse: hostile.Refusal) -> Callable[[], AbstractContextManager[str]]:
    return lambda: hostile.hostile(refuse=refuse)


@contextmanager
def faulty(fault: str) -> Iterator[str]:
    """The reference server with a fault."""
    config = ServerConfig(api_keys=(CANARY,), fault=fault)
    with running_server(config) as server:
        yield server.url


@contextmanager
def half_broken() -> Iterator[str]:
    """A server that is right on every second connection and refuses everything on the others."""
    server, numbers = Server(Manner("")), iter(range(10**6))

    def handle(connection: ServerConnection) -> None:
        if next(numbers) % 2:
            always_an_error(connection)
        else:
            server.talk(connection)

    with stub(handle) as url:
        yield url


TARGETS = {
    "endless stream": Target(acting(hostile.endless_stream), 1, says="sent more than 12 MiB"),
    "endless pings": Target(acting(hostile.endless_pings), 4),
    "endless message": Target(acting(hostile.endless_message), 4, says="sent more than 12 MiB"),
    "64 MiB frame": Target(acting(hostile.large_frame), 1),
    "large messages": Target(acting(hostile.large_messages), 4, says="sent more than 12 MiB"),
    "many values": Target(acting(hostile.many_values()), 1, frozenset({"RWS-FRAME-002"})),
    "deep array": Target(acting(hostile.nested("[", "]")), 1, frozenset({"RWS-FRAME-002"})),
    "deep object": Target(acting(hostile.nested('{"a":', "}")), 1, frozenset({"RWS-FRAME-002"})),
    "compression bomb": Target(acting(hostile.compression_bomb()), 1),
    "reserved bits": Target(acting(after_each_message(frame(b"{}", reserved=0x70))), 1),
    "invalid UTF-8": Target(
        acting(after_each_message(frame(b'{"type": "\xff\xfe"}'))), 1, frozenset({"RWS-FRAME-002"})
    ),
    "one byte a second": Target(acting(hostile.one_byte_per_second), 4, says="no answer"),
    "never closes": Target(acting(hostile.never_closes), 4, says="no answer"),
    "ignores closes": Target(lambda: faulty("close-is-ignored"), 1, frozenset({"RWS-CONN-007"})),
    "closes at once": Target(acting(hostile.closes_at_once), 4, says="lost without a close frame"),
    "says goodbye": Target(acting(hostile.says_goodbye_at_once), 1),
    "wrong accept": Target(
        lambda: faulty("accept-value-is-fixed"),
        1,
        frozenset({"RWS-CONN-001"}),
        limits=("--only", "RWS-CONN-001"),
    ),
    "redirect": Target(
        refusing(hostile.redirect("http://169.254.169.254/latest")), 4, says="was redirected"
    ),
    "redirect to a file": Target(refusing(hostile.redirect("file:///etc/passwd")), 4),
    "endless refusal": Target(refusing(hostile.endless_refusal), 4, says="status 403"),
    "endless headers": Target(refusing(hostile.endless_headers), 4),
    "slow handshake": Target(refusing(hostile.slow_handshake), 4, says="within the time limit"),
    "half broken": Target(half_broken, 1),
    "echo of the key": Target(acting(hostile.echo_of(CANARY)), 1, frozenset({"RWS-ERROR-011"})),
}


def meet(target: Target, folder: Path) -> Outcome:
    """Run the command against a target, in a folder of its own."""
    for name in ("home", "tmp", "here"):
        (folder / name).mkdir()
    (folder / "profile.yaml").write_text(yaml.safe_dump(PROFILE), "utf-8")
    peak = folder / "peak"
    command = [sys.executable, WEIGHED, peak, sys.executable]
    command += ["-m", "responses_ws_conformance.cli", "run"]
    options = ["--profile", "../profile.yaml", "--output", "../out", *target.limits]
    options += [word for name in FORMATS for word in (f"--{name}", f"../out/{name}")]
    places = {"HOME": "../home", "TMPDIR": "../tmp", "PYTHONDONTWRITEBYTECODE": "1"}
    with target.serve() as url:
        started = time.monotonic()
        process = subprocess.Popen(
            [*command, url, *options],
            cwd=folder / "here",
            env={**os.environ, **places, "CANARY": CANARY},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        killer = threading.Timer(2 * SECONDS, os.killpg, (process.pid, signal.SIGKILL))
        killer.start()
        assert process.stdout is not None
        terminal = process.stdout.read().decode()
        code = process.wait()
        process.stdout.close()
        killer.cancel()
        seconds = time.monotonic() - started
    return Outcome(code, seconds, int(peak.read_text("utf-8")) / 1024, terminal, folder)


@pytest.fixture(scope="module")
def outcome_of(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], Outcome]]:
    """The outcome of a target. All that the selected tests ask for are met side by side."""
    own = (item for item in request.session.items if item.path == request.path)
    asked = [item.callspec.params for item in own if hasattr(item, "callspec")]
    names = dict.fromkeys(params["name"] for params in asked if params.get("name") in TARGETS)
    with ThreadPoolExecutor(JOBS) as pool:
        running: dict[str, Future[Outcome]] = {
            name: pool.submit(meet, TARGETS[name], tmp_path_factory.mktemp("hostile"))
            for name in names
        }
        yield lambda name: running[name].result()
        pool.shutdown(cancel_futures=True)


every_target = pytest.mark.parametrize("name", TARGETS)


@every_target
def test_run_ends_in_bounds_and_with_the_right_code(
    name: str, outcome_of: Callable[[str], Outcome]
) -> None:
    target, outcome = TARGETS[name], outcome_of(name)
    assert outcome.code == target.code, outcome.terminal[-2000:]
    assert outcome.seconds < SECONDS
    assert outcome.mebibytes < MEBIBYTES
    assert outcome.red >= target.red
    assert target.says in outcome.terminal
    assert "Traceback" not in outcome.terminal
    assert " error " not in outcome.terminal.splitlines()[-1]


@every_target
def test_nothing_is_written_outside_the_report_folder(
    name: str, outcome_of: Callable[[str], Outcome]
) -> None:
    folder = outcome_of(name).folder
    written = [path for path in folder.rglob("*") if path.is_file()]
    outside = {path for path in written if folder / "out" not in path.parents}
    assert outside == {folder / "profile.yaml", folder / "peak"}  # which are our own
    assert {path.name for path in (folder / "out").iterdir()} == {*FORMATS, "transcripts"}


@pytest.mark.parametrize("name", ["half broken"])
def test_half_of_the_scenarios_fail_and_all_are_recorded(
    name: str, outcome_of: Callable[[str], Outcome]
) -> None:
    outcome = outcome_of(name)
    recorded = {path.name.split(".")[0] for path in (outcome.folder / "out/transcripts").iterdir()}
    assert len(recorded) > 25
    assert len(outcome.red) >= 5


@every_target
def test_terminal_and_page_are_not_steered(name: str, outcome_of: Callable[[str], Outcome]) -> None:
    outcome = outcome_of(name)
    assert re.findall(r"[^\n\x20-\x7e\xa0-\U0010ffff]", outcome.terminal) == []
    page = (outcome.folder / "out/html").read_text("utf-8")
    assert MARKUP not in page
    assert "<img" not in page
    assert page.count("<script") == 1
    summary = (outcome.folder / "out/summary").read_text("utf-8")
    assert "<script" not in summary
    assert "\x1b" not in summary


def spellings(secret: str) -> dict[str, str]:
    """A secret as it may stand in a text, whatever the text is in."""
    raw = secret.encode()
    cores = {f"base64 at {n}": base64.b64encode(bytes(n) + raw)[4:-4].decode() for n in range(3)}
    return {
        "plain": secret,
        "hexadecimal": raw.hex(),
        "percent": "".join(f"%{byte:02x}" for byte in raw),
        "JSON": "".join(f"\\u{byte:04x}" for byte in raw),
        "URL": quote(secret, safe=""),
        **cores,
    }


def seen_through(text: str) -> Iterator[str]:
    """A text, and what is in it when its escapes and its encoded bytes are undone."""
    yield text
    yield unquote(text)
    yield html.unescape(text)
    yield re.sub(r"\\+u([0-9a-fA-F]{4})", lambda m: chr(int(m[1], 16)), text)
    for data in re.findall(r'"data":"([^"]+)"', text):
        yield base64.b64decode(data).decode("latin-1")


@every_target
def test_key_is_in_no_artefact(name: str, outcome_of: Callable[[str], Outcome]) -> None:
    found = [
        (where, spelling)
        for where, text in outcome_of(name).artefacts()
        for view in seen_through(text)
        for spelling, secret in spellings(CANARY).items()
        if secret in view
    ]
    assert found == []


def test_the_search_would_find_the_key() -> None:
    told = json.dumps({"data": base64.b64encode(f"x{CANARY}".encode()).decode()})
    for text in (*spellings(CANARY).values(), told.replace(" ", ""), quote(CANARY)):
        views = [*seen_through(text)]
        assert any(s in view for view in views for s in spellings(CANARY).values()), text
