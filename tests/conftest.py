"""Fixtures that several tests share: the real server, the real SDK and the built site."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock

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


@pytest.fixture(scope="session")
def sdk_python(pytestconfig: pytest.Config) -> Path:
    """A Python with the current OpenAI SDK and this project, in an environment of its own."""
    folder = pytestconfig.cache.mkdir("openai-sdk")
    python = folder / "bin" / "python"
    ready = folder / "ready"
    with FileLock(folder.with_suffix(".lock")):  # workers that run side by side share it
        if not ready.exists():
            venv.create(folder, with_pip=True, clear=True)
            install = [python, "-m", "pip", "install", "-q", "openai[realtime]", "-e", str(ROOT)]
            subprocess.run(install, check=True, capture_output=True, text=True)
            ready.touch()
    return python


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
