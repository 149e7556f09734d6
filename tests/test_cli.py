"""The command ``rws``, as a user runs it: in a subprocess, from an empty folder."""

from __future__ import annotations

import json
import os
import signal
import ssl
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import trustme
from responses_ws_conformance.reports.report import ExitCode
from responses_ws_schemas import explain
from websockets.sync.server import ServerConnection

from tests.cases import message_stream
from tests.stubs import always_an_error, answering, dead_port, overloaded, refuse, silent, stub


@dataclass(frozen=True)
class Done:
    """A finished command."""

    code: int
    out: str
    err: str
    seconds: float
    report: dict[str, Any] | None

    def verdicts(self) -> dict[str, str]:
        assert self.report is not None
        return {row["id"]: row["verdict"] for row in self.report["requirements"]}


@pytest.fixture
def rws(tmp_path: Path):
    """Runs ``rws`` and reads the report that it wrote."""

    def run(*arguments: str, env: dict[str, str] | None = None, timeout: float = 60) -> Done:
        command = [sys.executable, "-m", "responses_ws_conformance.cli", *arguments]
        report = tmp_path / "report.json"
        if arguments[0] in ("run", "judge"):
            command += ["--report", str(report)]
        started = time.monotonic()
        done = subprocess.run(
            command,
            cwd=tmp_path,
            env={**os.environ, **(env or {})},
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        seconds = time.monotonic() - started
        written = json.loads(report.read_text("utf-8")) if report.exists() else None
        if written is not None:
            assert explain("files/report", written) == []
        assert "Traceback" not in done.stderr
        return Done(done.returncode, done.stdout, done.stderr, seconds, written)

    return run


def test_embedded_default_is_green(rws: Any) -> None:
    done = rws("run")
    assert done.code == ExitCode.OK, done.out
    assert done.report["summary"]["fail"] == done.report["summary"]["untestable"] == 0
    assert done.report["summary"]["pass"] >= 60


def test_judge_says_what_the_run_said(rws: Any, tmp_path: Path) -> None:
    ran = rws("run")
    files = sorted(str(p) for p in (tmp_path / "rws-report" / "transcripts").iterdir())
    judged = rws("judge", *files)
    assert judged.code == ran.code
    assert judged.verdicts() == ran.verdicts()


def test_smoke_is_short(rws: Any) -> None:
    done = rws("run", "--smoke")
    assert done.code == ExitCode.OK, done.out
    assert len(done.report["scenarios"]) == 3
    assert "not selected" in done.out


def test_only_records_what_it_needs(rws: Any) -> None:
    done = rws("run", "--only", "RWS-CHAIN-005")
    assert done.code == ExitCode.OK, done.out
    assert list(done.verdicts()) == ["RWS-CHAIN-005"]
    assert done.report["scenarios"] == ["probes/inventions"]


def test_dead_port_ends_at_once(rws: Any) -> None:
    url = dead_port()
    done = rws("run", url)
    assert done.code == ExitCode.INFRASTRUCTURE
    assert done.err.strip() == f"rws: {url}: connection refused"
    assert done.seconds < 10


def test_refused_upgrade_shows_status_and_body(rws: Any) -> None:
    with stub(silent, gate=refuse) as url:
        done = rws("run", url)
    assert done.code == ExitCode.INFRASTRUCTURE
    assert "status 403" in done.err
    assert "This key is not allowed here." in done.err
    assert len(done.err.splitlines()) == 1


def test_refusal_cannot_steer_the_terminal(rws: Any) -> None:
    body = b"<html>\x1b]0;owned\x07\x1b[2J" + b"<p>\r\n" * 1000
    with answering(b"HTTP/1.1 403 No\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)) as url:
        done = rws("run", url)
    assert done.code == ExitCode.INFRASTRUCTURE
    assert "status 403" in done.err
    assert "\\x1b[2J" in done.err
    assert all(c.isprintable() for c in done.err.rstrip("\n"))


def test_silent_target_is_infrastructure(rws: Any) -> None:
    with stub(silent) as url:
        done = rws("run", url)
    assert done.code == ExitCode.INFRASTRUCTURE
    assert "timing" in done.err
    assert done.seconds < 60


def test_untrusted_certificate_is_infrastructure(rws: Any) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    with stub(silent, ssl=context) as url:
        done = rws("run", url)
    assert done.code == ExitCode.INFRASTRUCTURE
    assert "TLS failed" in done.err
    assert len(done.err.splitlines()) == 1


def test_overloaded_target_is_infrastructure(rws: Any) -> None:
    with stub(overloaded) as url:
        done = rws("run", url)
    assert done.code == ExitCode.INFRASTRUCTURE
    assert "server_is_overloaded" in done.err


def test_target_that_refuses_everything_is_red_and_no_negative_is_green(rws: Any) -> None:
    with stub(always_an_error) as url:
        done = rws("run", url)
    verdicts = done.verdicts()
    assert done.code == ExitCode.VIOLATION
    assert verdicts["RWS-CREATE-001"] == "fail"
    negative = ("RWS-CHAIN-005", "RWS-CHAIN-007", "RWS-CHAIN-009", "RWS-CHAIN-012", "RWS-TOOL-006")
    assert {verdicts[name] for name in negative} == {"untestable"}


def test_interrupted_run_is_reported_and_judged_again_alike(rws: Any, tmp_path: Path) -> None:
    """Ctrl-C in the middle of a scenario: exit 2, and what was recorded counts."""
    report = tmp_path / "report.json"
    begun = threading.Event()

    def slow(connection: ServerConnection) -> None:
        for number, message in enumerate(connection):
            create = json.loads(message)
            for event in message_stream(f"resp_{number}_{id(connection)}", "ok", create):
                connection.send(json.dumps(event))
                if "tools" in create:
                    begun.set()
                    connection.recv()

    with stub(slow) as url:
        command = [sys.executable, "-m", "responses_ws_conformance.cli", "run", url]
        process = subprocess.Popen(
            [*command, "--report", str(report)],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert begun.wait(30)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    assert process.returncode == ExitCode.INTERRUPTED, err
    assert err.strip() == "rws: interrupted"
    before = {row["id"]: row["verdict"] for row in json.loads(report.read_text())["requirements"]}
    assert "pass" in before.values()
    files = sorted(str(p) for p in (tmp_path / "rws-report" / "transcripts").iterdir())
    assert rws("judge", *files).verdicts() == before


def test_only_transcripts_make_room(rws: Any, tmp_path: Path) -> None:
    folder = tmp_path / "rws-report" / "transcripts"
    folder.mkdir(parents=True)
    (folder / "mine.jsonl").write_text('{"not": "a transcript"}\n')
    (folder / "old--one.1.jsonl").write_text('{"rws_transcript":1,"scenario":"old/one"}\n')
    assert rws("run", "--only", "RWS-FRAME-012").code == ExitCode.OK
    assert sorted(p.name for p in folder.iterdir()) == ["framing--binary.1.jsonl", "mine.jsonl"]


def test_output_that_cannot_be_written_is_known_before_the_run(rws: Any, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for words in (["run", "--output"], ["run", "--html"], ["init", dead_port(), "--output"]):
        done = rws(*words, "file/inside")
        assert done.code == ExitCode.INFRASTRUCTURE
        assert done.err.startswith("rws: file")
        assert (done.out, len(done.err.splitlines())) == ("", 1)


def test_folder_of_the_report_is_made(rws: Any, tmp_path: Path) -> None:
    assert rws("run", "--only", "RWS-FRAME-012", "--html", "a/b/page.html").code == ExitCode.OK
    assert (tmp_path / "a" / "b" / "page.html").stat().st_size > 0


def test_key_in_the_url_is_not_shown(rws: Any) -> None:
    key = "sk-canary-0123456789"
    done = rws("run", f"{dead_port()}?k={key}", "--api-key-env", "K", env={"K": key})
    assert done.code == ExitCode.INFRASTRUCTURE
    assert key not in done.out + done.err + json.dumps(done.report)


def test_what_is_not_judged_says_why(rws: Any) -> None:
    done = rws("run", dead_port(), "--only", "RWS-LIMIT-001")
    assert done.code == ExitCode.NOTHING_JUDGED
    assert "skip: 1, the profile offers no lever lifetime" in done.out


BAD_INPUT = {
    "a baseline that is not there": (["run", "--plan", "--baseline", "no.yaml"], "no.yaml"),
    "a report in no form": (["report", "nowhere.json"], "nothing to write: name a file with"),
    "a replay to nowhere": (["replay", "nowhere.jsonl"], "--to URL"),
    "a fragment": (["run", "ws://127.0.0.1:1/#x"], "no fragment"),
    "a requirement of clients": (["run", "--only", "RWS-CLIENT-001"], "--role client"),
    "a model without a server": (["run", "--model", "m"], "give its URL"),
    "a key with a line break": (["run", "ws://127.0.0.1:1/", "--api-key-env", "BROKEN"], "BROKEN"),
    "not a WebSocket URL": (["run", "https://example.org"], "not a WebSocket URL"),
    "a host with an empty label": (["run", "ws://localhost..:9/"], "not a WebSocket URL"),
    "a label that is too long": (["run", f"ws://{'a' * 64}.example/"], "not a WebSocket URL"),
    "a host that no header takes": (["run", "ws://a\x01b/"], "not a WebSocket URL"),
    "unknown id": (["run", "--only", "RWS-NOPE-001"], "no requirement is named RWS-NOPE-001"),
    "missing variable": (["run", "ws://127.0.0.1:1/", "--api-key-env", "NOT_SET"], "NOT_SET"),
    "missing profile": (["run", "--profile", "nowhere.yaml"], "nowhere.yaml"),
    "unknown id to explain": (["explain", "RWS-NOPE-001"], "RWS-NOPE-001"),
    "missing transcript": (["judge", "nowhere.jsonl"], "nowhere.jsonl"),
}


@pytest.mark.parametrize("name", BAD_INPUT)
def test_bad_input_is_one_clear_line(rws: Any, name: str) -> None:
    arguments, message = BAD_INPUT[name]
    done = rws(*arguments, env={"BROKEN": "sk-0123456789\n"})
    assert done.code == ExitCode.INFRASTRUCTURE
    assert message in done.err
    assert len(done.err.splitlines()) == 1


BAD_FILES = {
    "a report that is empty": ("", ["baseline", "write"], "not a report: Expecting value"),
    "a report that is a transcript": ("{}\n{}", ["reproduce"], "rws run --report FILE writes one"),
    "a report that has no bottom": ("[" * 100_000, ["report", "--html", "x"], "not a report"),
    "a transcript that is a report": ('{"rws_report": 1}', ["judge"], "not a transcript entry"),
    "a transcript of many lines": ("{\n}\n", ["judge"], "not a transcript: a line is one JSON"),
    "a transcript that is no text": ("\udcff", ["judge"], "not a transcript: 'utf-8' codec"),
    "a baseline that is a report": ("a: 1", ["run", "--plan", "--baseline"], "not a baseline: /"),
    "an extension that breaks": ("\n1 / 0", ["list", "--extension"], "f:2: ZeroDivisionError: "),
    "an extension that is no Python": ("[", ["list", "--extension"], "f: SyntaxError: "),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_bad_file_is_named_with_what_is_wrong(rws: Any, tmp_path: Path, name: str) -> None:
    text, arguments, message = BAD_FILES[name]
    (tmp_path / "f").write_text(text, "utf-8", errors="surrogateescape")
    done = rws(*arguments, "f")
    assert done.code == ExitCode.INFRASTRUCTURE
    assert "rws: f" in done.err
    assert message in done.err
    assert len(done.err.splitlines()) == 1


def test_what_no_option_is_called_is_said_by_the_command(rws: Any) -> None:
    done = rws("judge", "t.jsonl", "--output", "x")
    assert done.code == ExitCode.INTERRUPTED
    assert "rws judge: error: unrecognized arguments: --output x" in done.err


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--max-turns", "0", "a whole number from 1 on is needed, not '0'"),
        ("--jobs", "many", "a whole number from 1 on is needed, not 'many'"),
        ("--spec-version", "9", "a version such as 0.1 is needed, not '9'"),
    ],
)
def test_value_of_an_option_is_explained(rws: Any, option: str, value: str, message: str) -> None:
    done = rws("run", option, value)
    assert done.code == ExitCode.INTERRUPTED
    assert f"argument {option}: {message}" in done.err


def test_folder_is_judged_like_its_files(rws: Any, tmp_path: Path) -> None:
    ran = rws("run", "--only", "RWS-FRAME-012")
    judged = rws("judge", "rws-report/transcripts", "--html", "new/r.html")
    assert judged.code == ran.code
    assert judged.verdicts() == ran.verdicts()
    assert (tmp_path / "new" / "r.html").is_file(), "its folder is made"
    (tmp_path / "empty").mkdir()
    assert "no transcripts" in rws("judge", "empty").err


@pytest.mark.parametrize(
    ("target", "again"),
    [
        ("ws://h/v1?a=1; rm -r x", "rws run 'ws://h/v1?a=1; rm -r x' --only RWS-FRAME-012"),
        ("", "rws judge t.jsonl"),
    ],
)
def test_recorded_target_is_no_part_of_a_command(
    rws: Any, tmp_path: Path, target: str, again: str
) -> None:
    header = {"rws_transcript": 1, "scenario": "s", "source": "captured", "target": target}
    (tmp_path / "t.jsonl").write_text(json.dumps(header) + "\n")
    rows = rws("judge", "t.jsonl").report["requirements"]
    assert [row["again"] for row in rows if row["id"] == "RWS-FRAME-012"] == [again]


@pytest.mark.parametrize("proxy", ["http://127.0.0.1:99999", "http://a..b:3128", "http://"])
def test_proxy_that_has_no_address_is_named(rws: Any, tmp_path: Path, proxy: str) -> None:
    (tmp_path / "p.yaml").write_text(f"proxy: {proxy}")
    done = rws("run", "ws://127.0.0.1:1/", "--profile", "p.yaml")
    assert done.code == ExitCode.INFRASTRUCTURE
    assert "proxy: not an HTTP URL" in done.err


@pytest.mark.parametrize("text", ["22 Nov 2026", "2026-99-99", "2026-11-22T25:00:00", "0000-01-01"])
def test_transcript_of_no_known_time_is_named(rws: Any, tmp_path: Path, text: str) -> None:
    header = {"rws_transcript": 1, "scenario": "s", "source": "captured", "started_at": text}
    (tmp_path / "t.jsonl").write_text(json.dumps(header) + "\n")
    done = rws("judge", "t.jsonl")
    assert done.code == ExitCode.INFRASTRUCTURE
    assert "t.jsonl:1: not a transcript entry: " in done.err
    assert text in done.err


BAD_PROFILES = {
    "model: 7": "/model",
    "url: ws://127.0.0.1:1/\nfeatures: [telepathy]": "/features/0",
    "url: ws://127.0.0.1:1/\ntiming: {idle: -1}": "/timing/idle",
    "- a list": "mapping",
    "url: [": "not YAML",
    "url: ws://127.0.0.1:1/\n1: 2": "the name 1",
    "url: ws://127.0.0.1:1/\nheaders: {1: x}": "the name 1",
    f"url: {'[' * 5000}": "too deep",
}


@pytest.mark.parametrize("text", BAD_PROFILES)
def test_bad_profile_names_file_and_member(rws: Any, tmp_path: Path, text: str) -> None:
    (tmp_path / "p.yaml").write_text(text)
    done = rws("run", "--profile", "p.yaml")
    assert done.code == ExitCode.INFRASTRUCTURE
    assert "p.yaml" in done.err
    assert BAD_PROFILES[text] in done.err


def test_list_has_every_requirement(rws: Any) -> None:
    done = rws("list", "--json")
    catalogue = json.loads(done.out)
    assert explain("files/catalogue", catalogue) == []
    rows = catalogue["requirements"]
    assert len(rows) >= 60
    assert all(row["evidence"] for row in rows)
    judged = [row for row in rows if row["role"] == "server" and row["not_judged"] is None]
    assert all(row["checks"] and row["scenarios"] for row in judged)


def test_explain_shows_text_checks_and_faults(rws: Any) -> None:
    done = rws("explain", "RWS-CHAIN-005")
    assert done.code == ExitCode.OK
    for word in ("previous_response_not_found", "check", "fault", "probes/inventions"):
        assert word in done.out
