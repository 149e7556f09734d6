"""Comparisons: two servers that do the same show no difference, others show where they part."""

from __future__ import annotations

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import kill_matrix
import pytest
from responses_ws_conformance.reports.report import ExitCode
from responses_ws_conformance.reproduction.comparing import Difference, compare
from responses_ws_conformance.transcript import (
    Closed,
    Entry,
    Header,
    Note,
    Opened,
    Received,
    Sent,
    Transcript,
)
from responses_ws_conformance.transcript.files import save
from responses_ws_reference.server import running_server

from tests.reproduction import PROFILE, record, rws, target

Recordings = dict[str, Transcript]


@pytest.fixture(scope="module")
def twice(tmp_path_factory: pytest.TempPathFactory) -> tuple[Recordings, Recordings]:
    """Everything, recorded from two servers that are the same."""

    def recorded(folder: Path) -> Recordings:
        with target() as profile:
            return record(profile, folder)

    with ThreadPoolExecutor(2) as pool:
        folders = [tmp_path_factory.mktemp("recorded") for _ in range(2)]
        left, right = pool.map(recorded, folders)
    return left, right


def _messages(transcript: Transcript) -> int:
    return sum(isinstance(entry, Sent) for entry in transcript.entries)


def test_servers_that_do_the_same_do_not_differ(twice: tuple[Recordings, Recordings]) -> None:
    """Ids, times, invented words and names of tools are no difference."""
    left, right = twice
    assert left.keys() == right.keys()
    # A few ask again, for something longer, where the machine was too slow to see what happens.
    alike = [name for name in left if _messages(left[name]) == _messages(right[name])]
    assert len(left) - len(alike) <= 3
    assert compare([(left[name], right[name]) for name in alike]) == {}


def _recorded_with(folder: Path, only: str, **options: str) -> Recordings:
    with running_server(kill_matrix.server_config(**options)) as server:
        profile = kill_matrix.profile_of(server.url, dialect=kill_matrix.DEFAULT_DIALECT)
        return record(profile, folder, only)


def test_difference_names_what_it_touches(
    twice: tuple[Recordings, Recordings], tmp_path: Path
) -> None:
    name = "chaining/eviction"
    broken = _recorded_with(tmp_path, "RWS-CHAIN-012", fault="failure-evicts-nothing")
    found = compare([(twice[0][name], broken[name])])
    answer = Difference(
        "the answer to a response.create",
        "an error event with status 400, code previous_response_not_found",
        "completed",
    )
    assert list(found[answer].requirements) == ["RWS-CHAIN-012"]
    verdict = Difference("the verdict about RWS-CHAIN-012", "pass", "fail")
    assert list(found[verdict].scenarios) == [name]


def test_difference_touches_all_that_an_exchange_is_there_for() -> None:
    names = ["RWS-CHAIN-001", "RWS-CHAIN-002"]
    marks = [Note(90 + i, 0.0, "mark", name, {"subject": ("e11",)}) for i, name in enumerate(names)]

    def marked(*types: str) -> Transcript:
        conversation = _conversation([("hello there", types)])
        return replace(conversation, entries=[*conversation.entries, *marks])

    whole, failed = marked("response.created", "response.completed"), marked("response.failed")
    found = compare([(whole, failed)])
    answer = next(d for d in found if d.where == "the answer to a response.create")
    assert found[answer].requirements.keys() >= set(names)


def test_events_are_aligned(twice: tuple[Recordings, Recordings], tmp_path: Path) -> None:
    """An event that is left out is one difference, and shifts no other."""
    name = "creation/string-input"
    terse = _recorded_with(tmp_path, "RWS-CREATE-001", variant="terse")
    found = compare([(twice[0][name], terse[name])])
    assert [(d.where, d.left, d.right) for d in found] == [
        ("the events after response.created", "response.in_progress", "nothing"),
        ("the verdict about RWS-EVENT-004", "pass", "warn"),
    ]


def test_member_that_is_missing_is_found_where_it_is(
    twice: tuple[Recordings, Recordings], tmp_path: Path
) -> None:
    name = "framing/binary"
    broken = _recorded_with(tmp_path, "RWS-FRAME-012", fault="errors-lack-a-param")
    found = compare([(twice[0][name], broken[name])])
    missing = [d for d in found if d.where == "/error/param of error"]
    assert [(d.left, d.right) for d in missing] == [("None", "nothing")]
    assert "RWS-ERROR-008" in found[missing[0]].requirements


def test_conversation_that_is_cut_off_differs(twice: tuple[Recordings, Recordings]) -> None:
    whole = twice[0]["chaining/store-false"]
    numbers = [e.n for e in whole.entries if e.kind == "sent"]
    cut = replace(whole, entries=[e for e in whole.entries if e.n < numbers[-1]])
    wheres = [d.where for d in compare([(whole, cut)])]
    assert wheres[0] == "messages of the client"


def test_how_far_a_response_had_come_when_the_client_closed_is_chance() -> None:
    """On one side the response was complete by then, and the client tried once more."""
    whole = ("response.created", "response.completed")
    one = [("long", whole[:1]), ("hi", whole)]
    other = [("long", whole), ("long", whole[:1]), ("hi", whole)]
    assert compare([(_conversation(one), _conversation(other))]) == {}
    longer = _conversation([*other, ("more", whole)])
    wheres = [d.where for d in compare([(_conversation(one), longer)])]
    assert wheres == ["messages of the client", "the opening handshake of c4"]


def _conversation(turns: Sequence[tuple[str, Sequence[str]]]) -> Transcript:
    """Creates with what comes of each, on connections that the client then closes."""
    entries: list[Entry] = []
    for place, (text, types) in enumerate(turns, start=1):
        conn, n = f"c{place}", 10 * place
        ask = {"type": "response.create", "input": text}
        response = {"id": f"resp_{place}"}
        events = [{"type": kind, "response": response} for kind in types]
        entries += [
            Opened(n, 0.0, conn, "/v1/responses", status=101),
            Sent(n + 1, 0.0, conn, "text", json.dumps(ask)),
            *(Received(n + 2 + i, 0.0, conn, "text", json.dumps(e)) for i, e in enumerate(events)),
            Closed(n + 9, 0.0, conn, "client", 1000),
        ]
    return Transcript(Header("captured", source="captured"), entries)


def test_command_compares_files_and_folders(
    twice: tuple[Recordings, Recordings], tmp_path: Path
) -> None:
    for folder, recordings in zip(("a", "b"), twice, strict=True):
        (tmp_path / folder).mkdir()
        for name in ("creation/string-input", "framing/binary"):
            file = tmp_path / folder / f"{name.replace('/', '--')}.jsonl"
            with file.open("w") as stream:
                save(recordings[name], stream)
    (tmp_path / "b" / "framing--binary.jsonl").unlink()
    done = rws(tmp_path, "diff", "a", "b")
    assert (done.returncode, done.stdout) == (
        ExitCode.OK,
        "only in A: framing/binary\n0 differences in 1 scenario\n",
    )
    file = "creation--string-input.jsonl"
    assert rws(tmp_path, "diff", f"a/{file}", f"b/{file}").returncode == ExitCode.OK
    done = rws(tmp_path, "diff", "a/framing--binary.jsonl", f"b/{file}")
    assert done.returncode == ExitCode.INFRASTRUCTURE
    assert "no scenario in common" in done.stderr
    done = rws(tmp_path, "diff", "https://example.org", f"b/{file}")
    assert "not a WebSocket URL" in done.stderr


def test_command_compares_two_targets(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(PROFILE)
    profiles = ["--profile-a", "p.yaml", "--profile-b", "p.yaml", "--only", "RWS-CHAIN-012"]
    with target() as good, target("failure-evicts-nothing") as bad:
        done = rws(tmp_path, "diff", good.url, bad.url, *profiles)
    assert done.returncode == ExitCode.VIOLATION, done.stderr
    first = done.stdout.splitlines()
    assert first[0] == "the answer to a response.create"
    assert first[2] == "  B: completed"
    assert first[4] == "  touches RWS-CHAIN-012"
