"""Fixtures that several tests share: the real server, the real SDK and the built site."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from tests import http_client, server_process

# A case that fails says what differs, as a test module does.
pytest.register_assert_rewrite("tests.attribution")

ROOT = Path(__file__).parent.parent
KEY = "test-key"


@pytest.fixture(scope="session")
def reference_server() -> Iterator[str]:
    """The WebSocket URL of a reference server in a process of its own."""
    command = [sys.executable, "-m", "responses_ws_reference", "--port", "0", "--levers"]
    command += ["--api-key-env", "RWS_TEST_KEY", "--model", "rws-reference"]
    process = subprocess.Popen(
        command, env={**os.environ, "RWS_TEST_KEY": KEY}, stdout=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout is not None
        yield process.stdout.readline().strip().removeprefix("listening on ")
        process.terminate()


@pytest.fixture(scope="module", params=[(), ("--http",)], ids=["websockets", "asgi"])
def server(request: pytest.FixtureRequest) -> Iterator[server_process.Server]:
    """One server on each shell, that many tests maltreat; at the end it must have kept quiet."""
    with server_process.serving("--levers", *request.param) as running:
        yield running
        assert running.stop() == ""


@pytest.fixture(scope="module")
def client() -> Iterator[http_client.Client]:
    """A client of one server that speaks HTTP too and has levers, for many tests."""
    with http_client.serving(offers_levers=True) as running:
        yield running


@pytest.fixture(scope="session")
def sdk_python(pytestconfig: pytest.Config) -> Path:
    """A Python with the current OpenAI SDK and this project, in an environment of its own."""
    folder = pytestconfig.cache.mkdir("openai-sdk")
    python = folder / "bin" / "python"
    ready = folder / "ready"
    with FileLock(folder.with_suffix(".lock")):  # workers that run side by side share it
        wanted = (ROOT / "pyproject.toml").read_text("utf-8")
        if not ready.exists() or ready.read_text("utf-8") != wanted:
            venv.create(folder, with_pip=True, clear=True)
            install = [python, "-m", "pip", "install", "-q", "openai[realtime]", "-e", str(ROOT)]
            subprocess.run(install, check=True, capture_output=True, text=True)
            ready.write_text(wanted, "utf-8")
    return python


@pytest.fixture(scope="session")
def ask_sdk(sdk_python: Path) -> Callable[..., dict[str, Any]]:
    """Runs a script with the SDK against a server, and gives what it prints."""

    def ask(script: str, url: str, *arguments: str, key: str = KEY) -> dict[str, Any]:
        base_url = url.replace("ws://", "http://").removesuffix("/responses")
        done = subprocess.run(
            [sdk_python, ROOT / "tests" / "sdk" / script, *arguments, base_url],
            env={**os.environ, "OPENAI_API_KEY": key},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        told: dict[str, Any] = json.loads(done.stdout)
        return told

    return ask


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The docs site, built as it is published."""
    folder = tmp_path_factory.mktemp("site")
    program = Path(sys.executable).with_name("mkdocs")
    done = subprocess.run(
        [program, "build", "--strict", "--quiet", "--site-dir", folder],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder
