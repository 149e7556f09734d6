"""Captured conversations are judged as recorded, and every violation in them is explained."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from responses_ws_conformance.cli import main
from responses_ws_conformance.transcript import Closed, Expired, Opened, Received, Sent
from responses_ws_conformance.transcript.files import load
from responses_ws_schemas import validator_for

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "tests" / "captures"
TOOLS = ROOT / "conformance" / "tools"


def load_tool(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, TOOLS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


judging = load_tool("judge_captures")
importing = load_tool("import_capture")

CAPTURES = judging.captures()
VERDICTS = judging.read(judging.VERDICTS, {})
DEVIATIONS = judging.read(judging.DEVIATIONS, [])

every_capture = pytest.mark.parametrize("path", CAPTURES, ids=lambda path: path.stem)


def violations() -> Iterator[tuple[str, str]]:
    for file, found in VERDICTS["verdicts"].items():
        for verdict in judging.VIOLATIONS:
            yield from ((file, requirement) for requirement in found.get(verdict, ()))


@every_capture
def test_capture_is_a_transcript(path: Path) -> None:
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    validator = validator_for("files/transcript")
    assert [e.message for line in lines for e in validator.iter_errors(line)] == []
    assert lines[0]["source"] == "captured"
    assert [line["n"] for line in lines[1:]] == list(range(len(lines) - 1))


def test_all_captures_are_recorded() -> None:
    assert list(VERDICTS["verdicts"]) == [path.name for path in CAPTURES]
    assert len(CAPTURES) == 18


@every_capture
def test_verdicts_are_those_on_record(path: Path) -> None:
    again = "run conformance/tools/judge_captures.py and explain what is new"
    assert judging.verdicts_of(path) == VERDICTS["verdicts"][path.name], again


@every_capture
def test_messages_are_valid_or_listed(path: Path) -> None:
    listed = {
        (row["file"], row["schema"], row["pointer"]): row["frames"]
        for row in DEVIATIONS
        if row["file"] == path.name
    }
    assert judging.deviations_of(path) == listed


def test_everything_is_explained_and_nothing_else() -> None:
    assert judging.unexplained(VERDICTS, DEVIATIONS) == []
    explanations = VERDICTS["explanations"]
    for row in explanations:
        assert row["whose"] == "theirs", f"{row['id']}: ours is fixed, not recorded"
        for pattern in row["files"]:
            covered = [f for f, name in violations() if name == row["id"] and fnmatch(f, pattern)]
            assert covered, f"{row['id']} is not broken in {pattern}"


def judge(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    code = main(["judge", *words])
    return code, capsys.readouterr().out


def test_command_judges_clients(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path, report = FOLDER / "client-codex-text.jsonl", tmp_path / "report.json"
    words = ["--role", "client", str(path), "--report", str(report)]
    code, _ = judge(capsys, *words)
    assert code == 0
    code, shown = judge(capsys, *words, "--dialect", "open-responses")
    assert code == 1
    assert "FAIL  RWS-CLIENT-006" in shown
    assert f"again:    rws judge --role client --dialect open-responses {path}" in shown
    assert "not selected" not in shown
    rows = {row["id"]: row for row in json.loads(report.read_text("utf-8"))["requirements"]}
    assert all(name.startswith("RWS-CLIENT-") for name in rows)
    assert rows["RWS-CLIENT-015"]["verdict"] == "unseen"
    assert rows["RWS-CLIENT-015"]["why"] == "the conversation does not contain it"
    assert rows["RWS-CLIENT-020"]["verdict"] == "skip"
    assert rows["RWS-CLIENT-020"]["why"] == "what a client tells its user is not on the wire"


def test_command_judges_no_client_unasked(capsys: pytest.CaptureFixture[str]) -> None:
    code, shown = judge(capsys, str(FOLDER / "client-codex-text.jsonl"))
    assert code == 5, "half a conversation says nothing about a server"
    assert "10-clients" not in shown


def write(path: Path, *lines: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    return path


META = {"meta": {"peer": "some client", "version": "1.2", "role": "client", "scenario": "s"}}


def test_import_of_a_recorded_client(tmp_path: Path) -> None:
    tool = {"type": "function", "name": "<elided>", "parameters": "<elided>"}
    capture = write(
        tmp_path / "client.jsonl",
        META,
        {
            "t": 0,
            "dir": "c2s",
            "kind": "handshake",
            "conn": 1,
            "path": "/p",
            "headers": [["A", "b"]],
        },
        {"t": 1, "dir": "c2s", "kind": "frame", "conn": 1, "frame": {"type": "x", "tools": [tool]}},
        {"t": 2, "dir": "s2c", "kind": "frame", "conn": 1, "frame": {"type": "y"}},
        {"t": 3, "dir": "c2s", "kind": "post", "path": "/p", "frame": {}},
        {"t": 4, "dir": "c2s", "kind": "close", "conn": 1, "code": 1006},
        {"t": 5, "dir": "c2s", "kind": "close", "conn": 2, "code": 1000},
    )
    assert importing.main([str(capture), "--into", str(tmp_path), "--date", "2026-11-22"]) == 0
    transcript = load(tmp_path / "client.jsonl")
    header, (opened, sent, received, lost, closed) = transcript.header, transcript.entries
    assert (header.source, header.target, header.started_at) == (
        "captured",
        "some client 1.2",
        "2026-11-22",
    )
    assert opened == Opened(0, 0.0, "c1", "/p", (("A", "b"),))
    assert isinstance(sent, Sent)
    assert sent.payload["tools"] == [{**tool, "parameters": {}}]
    assert isinstance(received, Received)
    assert received.type == "y"
    assert lost == Closed(3, 4.0, "c1", "lost")
    assert closed == Closed(4, 5.0, "c2", "client", 1000)


def test_import_of_a_probed_server(tmp_path: Path) -> None:
    capture = write(
        tmp_path / "server.jsonl",
        META,
        {"t": 0, "probe": "p", "kind": "handshake-fail", "error": "rejected: HTTP 403"},
        {"t": 1, "probe": "p", "kind": "handshake-fail", "error": "refused"},
        {"t": 2, "probe": "p", "kind": "handshake", "headers": []},
        {"t": 3, "probe": "p", "kind": "c2s-raw", "text": "{bad"},
        {"t": 4, "probe": "p", "kind": "c2s-raw", "text": "b'\\x00'"},
        {"t": 9, "probe": "p", "kind": "timeout"},
        {"t": 9, "probe": "p", "kind": "closed", "code": 1011, "reason": "r"},
    )
    transcript, left_out = importing.import_capture(capture, "")
    assert left_out == 0
    assert transcript.entries == [
        Opened(0, 0.0, "c1", "", status=403),
        Opened(1, 1.0, "c2", "", failure="refused"),
        Opened(2, 2.0, "c3", "", status=101),
        Sent(3, 3.0, "c3", "text", text="{bad"),
        Sent(4, 4.0, "c3", "binary", data=b"\x00"),
        Expired(5, 9.0, "c3", "idle", 5.0, "e4"),
        Closed(6, 9.0, "c3", "server", 1011, "r"),
    ]


@pytest.mark.parametrize(
    "lines",
    [[{"t": 0}], [META, {"t": 0, "kind": "gossip"}], [META, {"kind": "post"}, {"kind": "frame"}]],
    ids=["no meta line", "an unknown kind", "a line without its members"],
)
def test_import_names_the_line_that_is_wrong(
    lines: list[Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capture = write(tmp_path / "broken.jsonl", *lines)
    into = tmp_path / "into"
    into.mkdir()
    assert importing.main([str(capture), "--into", str(into)]) == 1
    assert f"broken.jsonl:{len(lines)}: KeyError" in capsys.readouterr().err
    assert list(into.iterdir()) == []


@pytest.mark.parametrize("date", ["22 Nov 2026", "2026-02-30", "yesterday"])
def test_import_takes_no_date_in_words(
    date: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [str(tmp_path / "any.jsonl"), "--into", str(tmp_path), "--date", date]
    with pytest.raises(SystemExit) as ended:
        importing.main(words)
    assert ended.value.code == 2
    assert f"invalid day value: '{date}'" in capsys.readouterr().err


def test_import_leaves_out_what_has_no_websocket(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capture = write(tmp_path / "http.jsonl", META, {"t": 0, "dir": "c2s", "kind": "post"})
    into = tmp_path / "into"
    into.mkdir()
    assert importing.main([str(capture), "--into", str(into)]) == 0
    assert "no WebSocket in it" in capsys.readouterr().out
    assert list(into.iterdir()) == []
