"""The HTML report: a stranger finds cause, sentence and frames of each red mark."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape, unescape
from pathlib import Path

import kill_matrix
import pytest
from responses_ws_conformance.report import Report
from responses_ws_conformance.reports.html import html
from responses_ws_conformance.requirements import catalogue
from responses_ws_conformance.runner import Run, plan
from responses_ws_conformance.transcript import Header, Received, Transcript
from responses_ws_conformance.verdict import Verdict
from responses_ws_reference.faults import FAULTS
from responses_ws_reference.server import running_server

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
    with running_server(kill_matrix.server_config(fault=name)) as server:
        features = kill_matrix.features_of(fault)
        (dialect, *_) = kill_matrix.dialects_of(fault)
        profile = kill_matrix.profile_of(server.url, dialect=dialect, features=features)
        run = Run(profile, plan(profile, only=fault.breaks), tmp_path)
        run.record_all()
    judgements = kill_matrix.judge_recordings(run.evidence, catalogue().of_role("server"))
    report = Report.of_run(run, judgements, again="rws run --only {id}")
    page = html(report.as_json(), [e.transcript for e in run.evidence])
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
