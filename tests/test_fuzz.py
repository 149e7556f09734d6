"""Nothing that a target or a file can contain breaks the suite, and no client breaks the server.

Healthy transcripts are taken apart and put together wrongly; every check has to take what comes of
it. What it then says is not looked at.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from responses_ws_conformance.checks import Evidence, Finding, load_checks
from responses_ws_conformance.cli import main
from responses_ws_conformance.errors import TranscriptError
from responses_ws_conformance.profile import Profile
from responses_ws_conformance.reports import FORMATS
from responses_ws_conformance.reports.report import Report
from responses_ws_conformance.runner import Run, plan
from responses_ws_conformance.scenarios import load_scenarios
from responses_ws_conformance.transcript import Transcript
from responses_ws_conformance.transcript.files import load, read, save
from responses_ws_conformance.transcript.payloads import NOT_JSON
from responses_ws_reference.messages.effects import SendMessage
from responses_ws_reference.responses.engine import ScriptedEngine
from responses_ws_reference.server import running_server
from responses_ws_reference.session.policies import CONFORMING
from responses_ws_reference.session.session import Service, Session
from responses_ws_reference.session.store import Store
from responses_ws_schemas import dialect_schema, explain

from tests.cases import load_cases
from tests.legal_order import Walk
from tests.mutations import MUTATIONS, PLACES, VALUES, Mutation, paths, put

CHECKS = tuple(load_checks().values())
# Between them, their scenarios have chains, calls, refusals, a queue and raw messages.
RECORDED = ("RWS-CHAIN-003", "RWS-CHAIN-012", "RWS-TOOL-005", "RWS-TURN-004", "RWS-FRAME-008")


@cache
def healthy() -> tuple[Transcript, ...]:
    """Transcripts that break nothing: those of the case files, and a few recorded from a server."""
    transcripts = [case.transcript() for case in load_cases() if case.conforms is True]
    with running_server() as server, TemporaryDirectory() as folder:
        profile = Profile(url=server.url, dialect="open-responses")
        run = Run(profile, plan(profile, only=RECORDED), Path(folder))
        run.record_all()
        run.record(load_scenarios()["probes/inventions"])
        recorded = [e.transcript for evidence in run.recordings.values() for e in evidence]
    return tuple(
        Transcript(t.header, [replace(e, t=round(e.t, 6)) for e in t.entries])
        for t in (*transcripts, *recorded)
    )


@pytest.fixture(scope="module", autouse=True)
def _recorded() -> None:
    """What takes its time is done before Hypothesis looks at the clock."""
    healthy()


def mutated(base: int, mutations: list[Mutation]) -> Transcript:
    """One of the healthy transcripts after all that."""
    origin = healthy()[base % len(healthy())]
    transcript = Transcript(origin.header, list(origin.entries))
    for mutate in mutations:
        if transcript.entries:
            mutate(transcript.entries)
    return transcript


def judge(transcript: Transcript) -> None:
    """Let every check have its say."""
    evidence = Evidence.of(transcript)
    known = {entry.n for entry in transcript.entries}
    for check in CHECKS:
        if check.when(evidence):
            for outcome in check.judge(evidence):
                if isinstance(outcome, Finding):
                    assert outcome.at in known, check.name


TRANSCRIPTS = st.builds(mutated, PLACES, st.lists(MUTATIONS, min_size=1, max_size=5))


@settings(deadline=None, max_examples=200, print_blob=True)
@given(transcript=TRANSCRIPTS)
def test_checks_take_whatever_comes(transcript: Transcript) -> None:
    judge(transcript)


@settings(deadline=None, max_examples=100, print_blob=True)
@given(transcript=TRANSCRIPTS)
def test_a_saved_transcript_is_the_same(transcript: Transcript) -> None:
    stream = io.StringIO()
    save(transcript, stream)
    again = read(io.StringIO(stream.getvalue()))
    assert (again.header, again.entries) == (transcript.header, transcript.entries)


@settings(deadline=None, max_examples=15, print_blob=True)
@given(transcript=TRANSCRIPTS)
def test_reports_take_whatever_was_judged(transcript: Transcript) -> None:
    """The whole command, with every form of a report."""
    with TemporaryDirectory() as name, contextlib.redirect_stdout(io.StringIO()) as shown:
        folder = Path(name)
        with folder.joinpath("t.jsonl").open("w", encoding="utf-8") as stream:
            save(transcript, stream)
        forms = [f"--{form}={folder / form}" for form in ("report", *FORMATS)]
        main(["judge", str(folder / "t.jsonl"), *forms])
        report = json.loads(folder.joinpath("report").read_text("utf-8"))
        ElementTree.parse(folder / "junit")
        json.loads(folder.joinpath("sarif").read_text("utf-8"))
        assert all(folder.joinpath(form).read_text("utf-8") for form in FORMATS)
    assert explain("files/report", report) == []
    assert report["summary"]["error"] == 0
    assert all(line.isprintable() for line in shown.getvalue().split("\n"))


@settings(deadline=None, max_examples=120, print_blob=True)
@given(base=PLACES, at=PLACES, where=PLACES, value=VALUES | st.just(NOT_JSON))
def test_a_file_is_read_or_refused(base: int, at: int, where: int, value: Any) -> None:
    stream = io.StringIO()
    save(mutated(base, []), stream)
    lines = stream.getvalue().splitlines()
    line = json.loads(lines[at % len(lines)])
    places = paths(line)
    lines[at % len(lines)] = json.dumps(put(line, places[where % len(places)], value))
    with contextlib.suppress(TranscriptError):
        transcript = read(lines)
        Report.of_transcripts([transcript])


@settings(deadline=None, max_examples=50)
@given(data=st.binary(max_size=50))
def test_a_file_of_any_bytes_is_refused(data: bytes) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder, "bytes.jsonl")
        path.write_bytes(data)
        with pytest.raises(TranscriptError):
            load(path)


CREATE = {
    "type": "response.create",
    "model": "reference-model",
    "input": [
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]},
        {"type": "function_call", "call_id": "call_1", "name": "clock", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "call_1", "output": "noon"},
        {"role": "user", "content": "Call every tool once."},
    ],
    "instructions": "Be brief.",
    "tools": [
        {
            "type": "function",
            "name": "clock",
            "parameters": {
                "type": "object",
                "properties": {"zone": {"type": "string"}, "hours": {"type": "integer"}},
                "required": ["zone"],
            },
        }
    ],
    "tool_choice": {"type": "function", "name": "clock"},
    "text": {"format": {"type": "text"}},
    "metadata": {"run": "1"},
    "max_output_tokens": 16,
    "store": False,
    "previous_response_id": None,
}
MEMBERS = st.lists(st.tuples(PLACES, VALUES | st.just(NOT_JSON)), max_size=3)


def answers(message: str | bytes) -> list[str | bytes]:
    """What a session sends for one message, until it is silent."""
    numbers = itertools.count(1)
    service = Service(
        "reference-model", ScriptedEngine(), CONFORMING, lambda: f"{next(numbers):032x}"
    )
    session = Session(service, Store().shelf(""))
    effects = session.receive(message, now=0.0)
    while session.is_busy:
        effects += session.advance(now=0.0)
    return [effect.data for effect in effects if isinstance(effect, SendMessage)]


def assert_legal(events: list[dict[str, Any]]) -> None:
    """One error event or one response, as both owners' schemas and the order of events have it."""
    of_each_type = {event["type"]: event for event in events}
    for kind, event in of_each_type.items():
        name = f"server_events/{kind}"
        overlays = (dialect_schema(dialect, name) for dialect in ("open-responses", "openai"))
        for schema in (name, *filter(None, overlays)):
            assert explain(schema, event) == [], schema
    walk = Walk()
    assert walk.take_all(events) == []
    assert walk.is_final


@settings(deadline=None, max_examples=100, print_blob=True)
@given(changes=MEMBERS)
def test_any_create_has_a_legal_answer(changes: list[tuple[int, Any]]) -> None:
    create: Any = CREATE
    for where, value in changes:
        places = paths(create)
        create = put(create, places[where % len(places)], value)
    assert_legal([json.loads(data) for data in answers(json.dumps(create))])


@settings(deadline=None, max_examples=100, print_blob=True)
@given(message=st.text() | st.binary() | VALUES.map(json.dumps))
def test_any_message_has_one_error_event_for_an_answer(message: str | bytes) -> None:
    events = [json.loads(data) for data in answers(message)]
    assert [event["type"] for event in events] == ["error"]
    assert_legal(events)
