"""The HTML report: a stranger finds cause, sentence and frames of each red mark."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape, unescape
from pathlib import Path
from typing import Any

import kill_matrix
import pytest
from responses_ws_conformance.catalogue import catalogue
from responses_ws_conformance.checks import Finding
from responses_ws_conformance.reports.html import html
from responses_ws_conformance.reports.report import Report
from responses_ws_conformance.runner import Run, plan
from responses_ws_conformance.transcript import Header, Received, Transcript
from responses_ws_conformance.verdict import Judgement, Located, Verdict
from responses_ws_conformance.verdict.likeness import MORE, likeness
from responses_ws_reference.faults import FAULTS
from responses_ws_reference.server import running_server

from tests.reporting import conversation, event, recorded

PAGE = Path(kill_matrix.ROOT, "conformance/responses_ws_conformance/reports/page.html")
TEXTS = ("ink", "quiet", "pass", "fail", "warn", "link")
BELOW_TEXTS = {"paper": TEXTS, "hit": ("ink", "quiet", "fail"), "ours": ("ink", "quiet", "fail")}
# One fault for each kind of cause: a wrong event, a missing one, a wrong memory, a wrong handshake,
# a frame that is no JSON, a lane mixed up.
SHOWN = (
    "ends-twice",
    "failure-evicts-nothing",
    "unknown-id-meets-silence",
    "any-key-is-welcome",
    "a-lane-is-a-conversation",
)


def colours(text: str) -> dict[str, str]:
    """The variables of a style sheet that are colours."""
    return dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", text))


def luminance(colour: str) -> float:
    channels = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    red, green, blue = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """The ratio of two colours as WCAG defines it."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_texts_stand_out_from_what_is_behind_them(scheme: str) -> None:
    light, _, dark = PAGE.read_text("utf-8").partition("prefers-color-scheme: dark")
    found = colours(dark if scheme == "dark" else light)
    for ground, texts in BELOW_TEXTS.items():
        for text in texts:
            assert contrast(found[text], found[ground]) >= 4.5, (text, ground)


def test_contrast_is_what_wcag_says() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def rows(page: str) -> Iterator[tuple[str, str]]:
    """The part of the page about each requirement."""
    for part in page.split('<details class="requirement" id="')[1:]:
        yield part.partition('"')[0], part.partition("<h2>")[0]


@pytest.mark.parametrize("name", SHOWN)
def test_a_red_mark_explains_itself(name: str, tmp_path: Path) -> None:
    fault = FAULTS[name]
    report, transcripts = recorded(name, fault.breaks, tmp_path)
    judgements = report.judgements
    page = html(report.as_json(), transcripts)
    shown = dict(rows(page))
    red = [j for j in judgements if j.verdict in (Verdict.FAIL, Verdict.WARN)]
    assert {j.requirement.id for j in red} >= set(fault.breaks)
    for judgement in red:
        part, requirement = shown[judgement.requirement.id], judgement.requirement
        text = unescape(re.sub("<[^>]+>", "", part))
        assert requirement.text.replace("`", "") in text
        assert f'href="{requirement.url}"' in part
        assert requirement.evidence[0].source in text
        assert f"rws run --only {requirement.id}" in text
        first = judgement.findings[0]
        assert first.finding.expected[:150] in text
        assert escape(first.transcript.header.scenario) in part
        excerpt = part.partition('<ol class="frames">')[2].partition("</ol>")[0]
        assert excerpt.count(" hit") == 1, "the violation in its place, among its frames"
        assert f'<span class="n">{first.finding.at}</span>' in excerpt
        anchor = re.search(rf'href="#(at-{requirement.id}-\d+)"', part)
        assert anchor is not None
        assert page.count(f'id="{anchor[1]}"') == 1


def test_each_log_has_time_direction_lane_and_frame(tmp_path: Path) -> None:
    with running_server(kill_matrix.server_config()) as server:
        profile = kill_matrix.profile_of(server.url, features=["lanes"])
        run = Run(profile, plan(profile, only=["RWS-LANE-002"]), tmp_path)
        run.record_all()
    judgements = kill_matrix.judge_recordings(run.evidence, catalogue().of_role("server"))
    page = html(
        Report.of_run(run, judgements, again="").as_json(), [e.transcript for e in run.evidence]
    )
    logs = page.partition("<h2>Wire logs</h2>")[2]
    entries = sum(len(e.transcript.entries) for e in run.evidence)
    assert logs.count('<li class="') == entries
    assert re.search(r'class="t">\d+\.\d{3}<', logs)
    assert logs.count('aria-label="sent"') > 1
    assert logs.count('aria-label="received"') > 1
    assert 'class="lane">lane ' in logs
    assert "<b>response.completed</b>" in logs
    deltas = re.findall(r"<b>response\.output_text\.delta</b> (<i>&quot;.+?&quot;</i>)?", logs)
    assert deltas
    assert all(deltas), "what a delta says stands before its ids"


def test_what_was_left_out_or_known_is_said_first() -> None:
    received = Received(n=0, t=0.0, conn="c1", opcode="text", text="{}")
    transcript = Transcript(Header(scenario="core/turn", target="ws://x"), [received])
    report = Report.of_transcripts([transcript]).as_json()
    report |= {
        "stopped": "<b>gone</b>",
        "dropped": ["turns/queue"],
        "unclaimed": [{"feature": "lanes", "seen": "stream_id in an event"}],
        "waivers": [{"id": "RWS-CHAIN-012", "reason": "Next <week>.", "expires": "2026-12-31"}],
        "probes": [{"what": "model", "expected": "an error", "seen": "a response", "fooled": True}],
    }
    head = html(report, [transcript]).partition("<h2>")[0]
    for words in (
        "Stopped: &lt;b&gt;gone",
        "cost too many turns: turns/queue",
        "does not claim lanes: stream_id in an event",
        "waived until 2026-12-31",
        "Next &lt;week&gt;.",
        "accepted an invented model",
    ):
        assert words in head


def at_random(number: int) -> str:
    return f"resp_{number:024x} for sequence_number {number}"


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        (f"seen {at_random(7)}", f"seen {at_random(8)}", True),
        ("the item msg_ab12cd34ef56", "the item msg_99fe00aa11bb", True),
        ("3 answers without it", "4 answers without it", True),
        (f"no index 4{MORE}", "no index 5", True),
        ("status 404", "status 500", False),
        ("a close with code 1000", "a close with code 1011", False),
        ("response_already_completed", "previous_response_not_found", False),
        ("response.completed", "response.failed", False),
    ],
)
def test_findings_are_alike_but_for_ids_and_numbers(one: str, other: str, alike: bool) -> None:
    assert (likeness("x", one, "/output/0") == likeness("x", other, "/output/1")) is alike


def reported(transcript: Transcript, found: dict[str, list[Finding]], passed: int = 1) -> Any:
    """The JSON of a report with these findings by requirement, and a few that pass."""
    known = catalogue().requirements
    judged = [
        Judgement(known[name], Verdict.FAIL, tuple(Located(f, transcript) for f in findings))
        for name, findings in found.items()
    ]
    others = [row for name, row in known.items() if name not in found]
    judged += [Judgement(row, Verdict.PASS) for row in others[:passed]]
    judged.append(Judgement(others[-1], Verdict.SKIP, why="the profile does not claim <http>"))
    return Report("ws://x", tuple(judged), started_at="", duration=0.0).as_json()


def test_a_flood_is_one_finding_with_its_places() -> None:
    events = [event(n, {"type": "response.output_text.delta"}) for n in range(40)]
    transcript = conversation(*events)
    flood = [Finding(n, "another id", f"seen {at_random(n)}") for n in range(30)]
    flood += [Finding(29, "another id", f"seen {at_random(30)}{MORE}")]
    page = html(reported(transcript, {"RWS-EVENT-003": flood}), [transcript])
    part = dict(rows(page))["RWS-EVENT-003"]
    assert part.count('<div class="finding">') == 1
    assert "31 times, first in <a" in part
    assert part.count("core/turn, entry ") == 20, "each place once, and no more than are read"
    assert "; and 10 more" in part
    assert part.count("There are more that are not listed.") == 1
    assert MORE not in page


def test_a_sentence_says_where_it_is_broken_and_where_not() -> None:
    broken = conversation(event(0, {}))
    whole = Transcript(Header(scenario="core/other", target="ws://x"), [event(0, {})])
    whole.path = Path("other.jsonl")
    report = reported(broken, {"RWS-EVENT-003": [Finding(0, "an id", "none")]})
    (row,) = (r for r in report["requirements"] if r["id"] == "RWS-EVENT-003")
    report["scenarios"] = row["scenarios"] = ["core/turn", "core/other"]
    part = dict(rows(html(report, [broken, whole])))["RWS-EVENT-003"]
    text = re.sub("<[^>]+>", "", part)
    assert "Broken in: core/turn." in text
    assert "Not broken in: core/other." in text


@pytest.mark.parametrize(
    ("broken", "headline"),
    [
        (0, "None of the 3 judged requirements is broken"),
        (1, "1 of 4 judged requirements is broken"),
        (2, "2 of 5 judged requirements are broken"),
    ],
)
def test_headline_counts(broken: int, headline: str) -> None:
    transcript = conversation(event(0, {}))
    names = ("RWS-EVENT-003", "RWS-TURN-001")[:broken]
    found = {name: [Finding(0, name, "the connection was closed")] for name in names}
    page = html(reported(transcript, found, passed=3), [transcript])
    head, _, rest = page.partition("<h2 ")
    assert f">{headline}</p>" in head
    assert "<li>1 skipped: the profile does not claim &lt;http&gt;</li>" in head
    assert head.count("the same was seen for") == max(0, broken - 1)
    ticked = re.findall(r'value="(\w+)" checked', rest)
    assert ticked == (["fail"] if broken else ["skip", "pass"])
