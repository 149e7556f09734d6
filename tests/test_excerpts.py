"""Excerpts: what decides is shown, and messages, values and lines of logs are said in few words."""

from __future__ import annotations

import json
import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from responses_ws_conformance.reports.excerpts import MOST, around
from responses_ws_conformance.reports.gists import gist
from responses_ws_conformance.reports.logs import Violation, log
from responses_ws_conformance.transcript import (
    Closed,
    Entry,
    Message,
    Note,
    Received,
    Requested,
    Sent,
)
from responses_ws_conformance.values import excerpt, present
from responses_ws_conformance.verdict.likeness import MORE

from tests.reporting import conversation, event, recorded

# What has to be seen to understand a violation: the type, the opcode or the text of a message.
DECISIVE = {
    ("stored-id-starts-anew", "RWS-STORE-002"): {
        "Remember: the code word is": 1,
        '"unknown"': 3,
        "What is the code word?": 6,
        '"store": true': 5,
    },
    ("only-the-first-steer-counts", "RWS-STEER-013"): {
        "response.steer.accepted": 3,
        'response.steer"': 5,
        '"input": "What is the code word?': 1,
    },
    ("only-the-first-steer-counts", "RWS-STEER-024"): {'response.steer"': 2},
    ("busy-servers-ignore-pings", "RWS-FRAME-007"): {"ping": 2},
}


@pytest.mark.parametrize(("name", "requirement"), DECISIVE)
def test_an_excerpt_has_what_decides(name: str, requirement: str, tmp_path: Path) -> None:
    report, _ = recorded(name, [requirement], tmp_path)
    (judgement,) = (j for j in report.judgements if j.requirement.id == requirement)
    (located, *_) = judgement.findings
    shown = around(located.transcript, located.finding.at, requirement)
    assert len(shown) <= MOST
    assert [e.n for e in shown] == sorted({e.n for e in shown})
    texts = [e.text or e.opcode for e in shown if isinstance(e, Message)]
    for words, count in DECISIVE[name, requirement].items():
        assert sum(words in text for text in texts) >= count, (words, texts)


def test_an_excerpt_has_the_word_that_was_given_over_http() -> None:
    told = Requested(0, 0.0, "h1", "POST", "/v1/responses", body='{"input": "plum"}')
    asked = [
        Sent(n, n / 10, "c1", "text", text=json.dumps({"type": "response.create"}))
        for n in range(9, 90, 4)
    ]
    done = event(90, {"type": "response.completed", "response": {"id": "resp_1", "output": []}})
    mark = Note(
        91, 9.1, "mark", "RWS-HTTP-008", roles={"recalls": ("e89",)}, facts={"word": "plum"}
    )
    shown = around(conversation(told, *asked, done, mark), done.n, "RWS-HTTP-008")
    assert told in shown
    assert len(shown) <= MOST


GISTS = {
    'code: "x", param: null, message: "Nope."': {
        "type": "error",
        "error": {"message": "Nope.", "type": "t", "param": None, "code": "x"},
    },
    'message: "Nope."': {"type": "error", "message": "Nope."},
    '2 items, the last: "two"': {
        "type": "response.create",
        "input": [
            {"role": "user", "content": "one"},
            {"type": "message", "content": [{"type": "input_text", "text": "two"}]},
        ],
    },
    'function_call_output "12:00"': {
        "type": "response.create",
        "input": [{"type": "function_call_output", "output": "12:00"}],
    },
    'function_call_output "12:00" for call_1': {
        "type": "response.create",
        "input": [{"type": "function_call_output", "output": "12:00", "call_id": "call_1"}],
    },
    '"said", calls get_time, calls null': {
        "type": "response.completed",
        "response": {
            "output": [
                {"type": "message", "content": [{"type": "output_text", "text": "said"}]},
                {"type": "function_call", "name": "get_time"},
                {"type": "custom_tool_call", "name": None},
            ]
        },
    },
    "steered": {
        "type": "response.incomplete",
        "response": {"incomplete_details": {"reason": "steered"}},
    },
    '"one"': {"type": "response.create", "input": "one"},
}


@pytest.mark.parametrize("expected", GISTS)
def test_gist_says_what_a_message_is_about(expected: str) -> None:
    assert gist(GISTS[expected]) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, "true"),
        (None, "none"),
        ("in_progress", "'in_progress'"),
        (
            {"code": "x", "param": None, "of": [False, "it's"]},
            '{"code": "x", "param": null, "of": [false, "it\'s"]}',
        ),
        ({"a": {"b": {"c": {"d": {"e": 1}}}}}, '{"a": {"b": {"c": {"d": {...}}}}}'),
        (list(range(9)), "[0, 1, 2, 3, 4, 5, ...]"),
        (
            dict.fromkeys("abcdefg"),
            '{"a": null, "b": null, "c": null, "d": null, "e": null, "f": null, ...}',
        ),
        (["x" * 999], f'["{"x" * 200}…"]'),
    ],
)
def test_a_finding_has_values_as_they_are_sent(value: Any, expected: str) -> None:
    assert excerpt(value) == expected
    assert present(value) == ("null" if value is None else expected)


@pytest.mark.parametrize(
    "payload",
    [
        {"type": ["error"], "input": [None]},
        {"type": "error", "error": [1]},
        {"type": "response.create", "input": []},
        {"type": "response.create", "input": [{"type": 1, "content": [None, {"text": 2}]}]},
        {"type": "response.completed", "response": 3},
        {"type": "response.completed", "response": {"output": [None, {"content": 4}]}},
    ],
)
def test_what_has_no_form_has_no_gist(payload: dict[str, Any]) -> None:
    assert gist(payload) == ""


def test_the_lines_of_a_log_are_in_words() -> None:
    """What we know of the wire is said as JSON and in English, never as Python has it."""
    wrong = event(3, {"type": "error", "stream_id": True, "error": {"param": None}})
    roles = {"recalls": ("e36", "e59"), "connection": ("c2",), "controls": ()}
    entries: list[Entry] = [
        Sent(n=0, t=0.0, conn="c1", opcode="ping", data=b"rws idle"),
        Received(n=1, t=0.1, conn="c1", opcode="binary", data=b"\xff\x00"),
        wrong,
        Sent(n=5, t=0.3, conn="c1", opcode="text", text='{"type": "x"}', fragments=3),
        Sent(n=6, t=0.3, conn="c1", opcode="text", text="[]", fragments=2),
        Closed(n=7, t=0.4, conn="c1", side="client"),
        Closed(n=8, t=0.4, conn="c2", side="server", code=1008, reason="no"),
        Note(n=9, t=0.5, note="mark", requirement="RWS-STORE-002", roles=roles),
        Note(n=10, t=0.5, note="blocked", facts={"cause": "time", "why": "no end"}),
        Note(n=11, t=0.5, note="probe", roles={"subject": ("e1",)}, facts={"what": "model"}),
        Note(n=12, t=0.5, note="mark", requirement="RWS-X", facts={"good": True, "bad": None}),
    ]
    marks = {3: [Violation("a param", f"none{MORE}", "/error/param")]}
    lines = [re.sub("<pre>.*?</pre>", "", line) for line in log(entries, marks)]
    text = unescape(re.sub("<[^>]+>", " ", "\n".join(lines)))
    for words in (
        'ping "rws idle"',
        "binary 2 bytes: ff 00",
        "lane true",
        "param: null",
        "seen none at  /error/param: null",
        "⋯ 1 entry",
        "(3 fragments)  x",
        "(2 fragments) []",
        "closed by the client, no code",
        "closed by the server, code 1008 no",
        "for RWS-STORE-002: recalls 36, 59; connection c2",
        "the scenario could not go on (time): no end",
        "asks for an invented model: subject 1",
        "for RWS-X: good true; bad null",
    ):
        assert words in text
    assert text.count("✕") == 2
    assert not re.search(r"\bNone\b|\bTrue\b|b'", text)
