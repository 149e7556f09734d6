"""Judges LiteLLM's proxy in managed mode, in front of the scripted model of ``upstream.py``.

    python -m venv litellm && litellm/bin/pip install 'litellm[proxy]==1.106.2'
    python -m tests.peers.litellm --litellm litellm/bin/litellm
    python -m tests.peers.litellm --litellm litellm/bin/litellm --write

Everything is on loopback, and transcripts and reports go to ``--output``. With ``--write`` the
outcome is kept in ``litellm.json``, from which the page of the site is made (``page.py``), and the
statements go to ``spec/reference/statements``, which the page shows too.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from responses_ws_conformance import cli
from responses_ws_conformance.reports.report import ExitCode

from tests.peers.upstream import server

KEY: Final = "sk-rws-litellm-0123456789"
MODEL: Final = "managed-text"
DIALECTS: Final = ("core", "open-responses", "openai")
OUTCOME: Final = Path(__file__).with_suffix(".json")
STATEMENTS: Final = Path(__file__).parents[2] / "spec/reference/statements"
START_LIMIT: Final = 120.0
SHORTEST_LIFE: Final = 60  # seconds; the shortest that LiteLLM can be told


@contextmanager
def scripted_model(log: Path) -> Iterator[str]:
    """The base URL of the upstream."""
    with server(log=log) as http:
        thread = threading.Thread(target=http.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{http.server_address[1]}/v1"
        http.shutdown()
        thread.join()


def config(upstream: str) -> dict[str, Any]:
    """The configuration of the proxy; JSON is YAML too."""
    through = {"model": "hosted_vllm/test-model", "api_base": upstream, "api_key": "sk-upstream"}
    return {
        "model_list": [{"model_name": MODEL, "litellm_params": through}],
        "general_settings": {
            "master_key": KEY,
            "responses_websocket_session_limit_seconds": SHORTEST_LIFE,
        },
        "litellm_settings": {"telemetry": False, "drop_params": True},
    }


@contextmanager
def proxy(program: Path, upstream: str, folder: Path) -> Iterator[int]:
    """The port of a running proxy; its log is in the folder."""
    settings = folder / "config.yaml"
    settings.write_text(json.dumps(config(upstream), indent=2), "utf-8")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    env = {**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_TELEMETRY": "False"}
    command = [program, "--config", settings, "--host", "127.0.0.1", "--port", str(port)]
    with (folder / "litellm.log").open("wb") as log:
        process = subprocess.Popen(command, env=env, stdout=log, stderr=log, cwd=folder)
        try:
            wait_until_ready(process, port)
            yield port
        finally:
            process.terminate()
            process.wait(30)


def wait_until_ready(process: subprocess.Popen[bytes], port: int) -> None:
    """Return when the proxy answers; SystemExit where it does not come up."""
    until = time.monotonic() + START_LIMIT
    while process.poll() is None and time.monotonic() < until:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/health/liveliness", timeout=5).close()
            return
        except (urllib.error.URLError, OSError):
            threading.Event().wait(0.5)
    raise SystemExit("LiteLLM did not start: see litellm.log")


def profile(port: int, folder: Path, *, waits: bool) -> Path:
    """A profile file for the proxy; one that ``waits`` sees the end of a connection's life."""
    path = folder / ("profile-that-waits.yaml" if waits else "profile.yaml")
    members: dict[str, Any] = {
        "url": f"ws://127.0.0.1:{port}/v1/responses",
        "model": MODEL,
        "api_key_env": "LITELLM_KEY",
        "features": ["warmup"],
    }
    if waits:
        members["levers"] = {"lifetime": {"within": SHORTEST_LIFE + 5}}
    path.write_text(json.dumps(members, indent=2), "utf-8")
    return path


def version_of(program: Path) -> str:
    """The version of the proxy."""
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    found = re.search(r"\d+\.\d+\.\d+\S*", done.stdout)
    return found[0] if found else "unknown"


def judge(dialect: str, settings: Path, folder: Path) -> dict[str, Any]:
    """Run the suite in a dialect; what the page tells of it."""
    report = folder / f"{dialect}.json"
    words = ["run", "--profile", settings.name, "--report", report.name]
    words += ["--output", dialect, "--statement", f"{dialect}.yaml"]
    words += [] if dialect == "core" else ["--dialect", dialect]
    with chdir(folder):  # The statement has the command, which names no folder of ours then.
        code = cli.main(words)
    if code not in (ExitCode.OK, ExitCode.VIOLATION, ExitCode.NOT_ALL_JUDGED):
        raise SystemExit(code)
    return outcome(json.loads(report.read_text("utf-8")))


def outcome(report: dict[str, Any]) -> dict[str, Any]:
    """What the page tells of a report: how much, and what is not as it was meant to be."""
    rows = [r for r in report["requirements"] if r["verdict"] in ("fail", "warn", "untestable")]
    return {
        "turns": report["turns"],
        "seconds": round(report["duration_s"]),
        "summary": report["summary"],
        "rows": [
            {
                "id": row["id"],
                "verdict": row["verdict"],
                "blocked_by": row["blocked_by"],
                "findings": len(row["findings"]),
                "seen": row["findings"][0]["actual"] if row["findings"] else row["why"],
            }
            for row in rows
        ],
    }


def main() -> int:
    parser = argparse.ArgumentParser(description="Judge LiteLLM's proxy in managed mode.")
    parser.add_argument("--litellm", type=Path, required=True, help="the program litellm")
    parser.add_argument("--output", type=Path, help="folder for what is recorded")
    parser.add_argument("--write", action="store_true", help=f"write {OUTCOME.name}")
    options = parser.parse_args()
    program = options.litellm.absolute()
    folder = (options.output or Path(tempfile.mkdtemp(prefix="rws-litellm-"))).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    os.environ["LITELLM_KEY"] = KEY
    found: dict[str, Any] = {}
    with (
        scripted_model(folder / "upstream.jsonl") as upstream,
        proxy(program, upstream, folder) as port,
    ):
        for dialect in DIALECTS:
            settings = profile(port, folder, waits=dialect == DIALECTS[0])
            found[dialect] = judge(dialect, settings, folder)
    if options.write:
        today, version = datetime.now(UTC).date().isoformat(), version_of(program)
        document = {"version": version, "date": today, "runs": found}
        OUTCOME.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", "utf-8")
        STATEMENTS.mkdir(exist_ok=True)
        for dialect in DIALECTS:
            text = (folder / f"{dialect}.yaml").read_text("utf-8")
            (STATEMENTS / f"litellm-{version}-{dialect}.yaml").write_text(text, "utf-8")
    print(f"\nrecorded in {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
