"""A server that is right for one owner is never red for the other's reasons."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import kill_matrix
import pytest
from responses_ws_conformance.catalogue import catalogue
from responses_ws_conformance.runner import Run, plan
from responses_ws_conformance.scenarios import load_scenarios
from responses_ws_conformance.transcript import Received
from responses_ws_conformance.verdict import Verdict
from responses_ws_reference.server import running_server
from responses_ws_reference.variants.dialects import DIALECTS
from websockets.sync.client import connect

Pair = tuple[str, str | None]
GREEN = (Verdict.PASS, Verdict.SKIP, Verdict.UNSEEN)
SPOKEN = [*DIALECTS]
# The dialect that the server speaks, and the one by which it is judged.
FRIENDLY: list[Pair] = [(spoken, judged) for spoken in SPOKEN for judged in (spoken, None)]
FOREIGN: list[Pair] = [tuple(SPOKEN), tuple(reversed(SPOKEN))]  # type: ignore[list-item]


def record(pair: Pair, folder: Path) -> Run:
    """A whole run against a server that speaks one dialect, with a profile for another.

    Half of them answer as fast as they can, as the command does, and half as in all other tests.
    """
    spoken, judged = pair
    pace = kill_matrix.PACE if judged is None else 0.0
    config = replace(kill_matrix.server_config(), dialect=spoken, pace=pace)
    with running_server(config) as server:
        profile = kill_matrix.profile_of(server.url, dialect=judged)
        profile = replace(profile, timing=kill_matrix.PATIENT)
        run = Run(profile, plan(profile), folder)
        run.record_all()
    return run


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Pair], Run]]:
    """The runs; they are mostly waits, so they overlap."""
    with ThreadPoolExecutor(kill_matrix.JOBS) as pool:
        running: dict[Pair, Future[Run]] = {
            pair: pool.submit(record, pair, tmp_path_factory.mktemp("dialect"))
            for pair in (*FRIENDLY, *FOREIGN)
        }
        yield lambda pair: running[pair].result()


@pytest.mark.parametrize("pair", FRIENDLY, ids=lambda pair: f"{pair[0]} judged by {pair[1]}")
def test_server_of_a_dialect_is_green(pair: Pair, recorded: Callable[[Pair], Run]) -> None:
    others = [j for j in recorded(pair).judgements() if j.verdict not in GREEN]
    assert [(j.requirement.id, j.why, [f.finding.actual for f in j.findings]) for j in others] == []


@pytest.mark.parametrize("pair", FOREIGN, ids=lambda pair: f"{pair[0]} judged by {pair[1]}")
def test_only_the_dialect_is_red_with_the_other(
    pair: Pair, recorded: Callable[[Pair], Run]
) -> None:
    """The dialects do differ, and what one owner demands alone is in his dialect alone."""
    red = [j.requirement for j in recorded(pair).judgements() if j.verdict in kill_matrix.RED]
    assert red
    assert {requirement.dialect for requirement in red} == {pair[1]}


def test_each_dialect_takes_its_freedom(recorded: Callable[[Pair], Run]) -> None:
    sent = {
        spoken: [
            entry.payload
            for attempts in recorded((spoken, spoken)).recordings.values()
            for evidence in attempts
            for entry in evidence.transcript.entries
            if isinstance(entry, Received) and isinstance(entry.payload, dict)
        ]
        for spoken in SPOKEN
    }
    types = {spoken: {event["type"] for event in events} for spoken, events in sent.items()}
    assert types["open-responses"] - types["openai"] == {
        "response.content_part.added",
        "response.content_part.done",
        "response.output_item.added",
        "rws:done",
    }
    errors = {
        spoken: [event["error"] for event in events if event["type"] == "error"]
        for spoken, events in sent.items()
    }
    assert None in {error["code"] for error in errors["openai"]}
    assert None not in {error["code"] for error in errors["open-responses"]}
    assert "invalid_request_error" not in {error["type"] for error in errors["open-responses"]}


def test_command_speaks_a_dialect() -> None:
    command = [sys.executable, "-m", "responses_ws_reference", "--dialect", "openai"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        url = server.stdout.readline().removeprefix("listening on ").strip()
        with connect(url) as connection:
            connection.send(json.dumps({"type": "response.create"}))
            assert json.loads(connection.recv(timeout=5))["error"]["code"] is None
        server.terminate()


def test_scenarios_of_a_dialect_say_so() -> None:
    """A scenario that exercises one dialect only is recorded only where that one is chosen."""
    for scenario in load_scenarios().values():
        dialects = {catalogue().requirements[name].dialect for name in scenario.exercises}
        if len(dialects) == 1:
            assert scenario.dialect in dialects, scenario.name
        assert scenario.dialect is None or scenario.dialect in dialects, scenario.name
