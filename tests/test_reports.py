"""Every form of a report says the same, and nothing that a target sent is taken for markup."""

from __future__ import annotations

import html
import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import yaml
from responses_ws_conformance.catalogue import catalogue
from responses_ws_conformance.checks import Cause, Evidence
from responses_ws_conformance.reports import FORMATS
from responses_ws_conformance.reports.report import ExitCode, Report
from responses_ws_conformance.transcript import Header, Received, Sent, Transcript
from responses_ws_conformance.transcript.files import load
from responses_ws_conformance.verdict import Judgement, Verdict
from responses_ws_reference.config import ServerConfig
from responses_ws_reference.server import running_server
from responses_ws_schemas import explain

FAILING = "RWS-CHAIN-012"
NASTY = "<script>alert(1)</script>\x1b[2J\x1b]0;owned\x07 | `x` ](javascript:alert(1)) &amp;"


class Tags(HTMLParser):
    """The tags of a page, and the texts of its verdict badges."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.verdicts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        members = dict(attrs)
        if members.get("class") == "requirement":
            self.verdicts.append(str(members["data-verdict"]))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run against a faulty server with a baseline, in every form."""
    folder = tmp_path_factory.mktemp("reports")
    known = {"id": FAILING, "reason": "It is known.", "expires": "2999-12-31"}
    (folder / "known.json").write_text(json.dumps({"known_failures": [known]}), "utf-8")
    forms = [word for name in FORMATS for word in (f"--{name}", f"r.{name}")]
    with running_server(ServerConfig(fault="failure-evicts-nothing")) as server:
        command = [sys.executable, "-m", "responses_ws_conformance.cli", "run", server.url]
        done = subprocess.run(
            [*command, "--baseline", "known.json", "--report", "r.json", *forms],
            cwd=folder,
            env=dict(os.environ),
            capture_output=True,
            text=True,
            check=False,
        )
    (folder / "r.terminal").write_text(done.stdout, "utf-8")
    return folder


def counts(folder: Path) -> dict[str, dict[str, int]]:
    """How many requirements have each verdict, by the form of the report."""
    report = json.loads((folder / "r.json").read_text("utf-8"))
    junit = ET.parse(folder / "r.junit")
    page = Tags((folder / "r.html").read_text("utf-8"))
    sarif = json.loads((folder / "r.sarif").read_text("utf-8"))
    rules = sarif["runs"][0]["tool"]["driver"]["rules"]
    summary = (folder / "r.summary").read_text("utf-8").splitlines()[2]
    statement = yaml.safe_load((folder / "r.statement").read_text("utf-8"))
    found = {
        "json": [row["verdict"] for row in report["requirements"]],
        "junit": [p.get("value") for p in junit.iter("property") if p.get("name") == "verdict"],
        "html": page.verdicts,
        "sarif": [rule["properties"]["verdict"] for rule in rules],
        "statement": list(statement["requirements"].values()),
    }
    result = {name: {v: seen.count(v) for v in set(seen)} for name, seen in found.items()}
    result["head"] = {v: n for v, n in report["summary"].items() if n}
    pairs = re.findall(r"\*\*(\d+)\*\* (\w+)", summary)
    result["summary"] = {verdict: int(n) for n, verdict in pairs}
    levels = statement["levels"].values()
    result["levels"] = {v: n for v in report["summary"] if (n := sum(each[v] for each in levels))}
    lines = (folder / "r.terminal").read_text("utf-8").splitlines()
    head = next(line.split() for line in lines if line.split()[:2] == ["pass", "fail"])
    (totals,) = (line.split()[1:] for line in lines if line.startswith("all "))
    result["terminal"] = {v: int(n) for v, n in zip(head, totals, strict=True) if n != "0"}
    return result


def test_every_form_agrees_on_every_count(folder: Path) -> None:
    found = counts(folder)
    assert found["json"]["fail"] == 1
    assert all(each == found["json"] for each in found.values()), found


def test_forms_agree_on_levels_failures_and_waivers(folder: Path) -> None:
    report = json.loads((folder / "r.json").read_text("utf-8"))
    statement = yaml.safe_load((folder / "r.statement").read_text("utf-8"))
    rows = report["requirements"]
    must = [row["verdict"] for row in rows if row["level"] in ("MUST", "MUST NOT")]
    assert statement["levels"]["MUST"] == {v: must.count(v) for v in report["summary"]}
    suite = ET.parse(folder / "r.junit").getroot()[0]
    skipped = ("unseen", "skip", "untestable", "fail")  # the failure is a known one
    assert int(suite.get("skipped", "")) == sum(report["summary"][v] for v in skipped)
    assert int(suite.get("tests", "")) == len(rows) == len(statement["requirements"])
    waived = [entry["id"] for entry in report["waivers"]]
    assert waived == [FAILING] == [entry["id"] for entry in statement["waivers"]]
    for form, said in (
        ("terminal", f"known and waived: {FAILING}, "),
        ("summary", "fail, known: "),
    ):
        assert said in (folder / f"r.{form}").read_text("utf-8"), form
    assert "baseline:" not in (folder / "r.terminal").read_text("utf-8")


def test_junit_names_the_failure(folder: Path) -> None:
    """One that is known fails no test, as in the pytest front; one that is not does."""
    report = json.loads((folder / "r.json").read_text("utf-8"))
    suite = ET.parse(folder / "r.junit").getroot()[0]
    assert suite.get("failures") == "0"
    (known,) = suite.iterfind(f"testcase[@name='{FAILING}']/skipped")
    assert (known.get("message") or "").startswith("known and waived: ")
    assert "MUST evict" in (known.text or "")
    suite = ET.fromstring(FORMATS["junit"]({**report, "waivers": []}, []))[0]
    (failure,) = suite.iterfind("testcase/failure")
    assert "MUST evict" in (failure.text or "")
    assert suite.get("failures") == "1"


def test_junit_fails_what_a_strict_run_fails() -> None:
    """Here a response whose numbers have a gap, which they had better not."""
    transcript = Transcript(Header(scenario="gap"))
    create = json.dumps({"type": "response.create", "input": "hi"})
    transcript.entries.append(Sent(0, 0.0, "c1", "text", create))
    for n, kind in ((1, "response.created"), (2, "response.completed")):
        event = {"type": kind, "sequence_number": 10 * n, "response": {"id": "resp_1"}}
        transcript.entries.append(Received(n, 0.1, "c1", "text", json.dumps(event)))
    failures: list[int] = []
    for strict in (False, True):
        report = replace(Report.of_transcripts([transcript]), strict=strict)
        written = report.as_json()
        assert list(explain("files/report", written)) == []
        failures.append(failures_in(written))
        assert failures[-1] == len(report.discrepancies())
        del written["strict"]
        assert failures_in(written) == failures[0], "as in a report from before it was said"
    assert failures[0] < failures[1]


def failures_in(report: dict[str, Any]) -> int:
    return int(ET.fromstring(FORMATS["junit"](report, []))[0].get("failures", ""))


@pytest.mark.parametrize("form", ["html", "junit", "summary"])
def test_each_form_says_what_is_wrong_with_the_baseline(form: str, folder: Path) -> None:
    report = json.loads((folder / "r.json").read_text("utf-8"))
    passing = next(row["id"] for row in report["requirements"] if row["verdict"] == "pass")
    sentence = f"{passing} passes: take its entry out of the baseline (it is stale)"
    report["discrepancies"] = [{"id": passing, "sentence": sentence}]
    assert list(explain("files/report", report)) == []
    text = html.unescape(FORMATS[form](report, []))
    assert sentence in text.replace("&#40;", "(")
    if form == "junit":
        (failure,) = ET.fromstring(text)[0].iterfind("testcase/failure")
        assert failure.get("message") == sentence


def test_sarif_points_into_the_transcript(folder: Path) -> None:
    run = json.loads((folder / "r.sarif").read_text("utf-8"))["runs"][0]
    (result,) = [r for r in run["results"] if r["level"] == "error"]
    assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
    place = result["locations"][0]["physicalLocation"]
    lines = (folder / place["artifactLocation"]["uri"]).read_text("utf-8").splitlines()
    entry = json.loads(lines[place["region"]["startLine"] - 1])
    report = json.loads((folder / "r.json").read_text("utf-8"))
    (row,) = [r for r in report["requirements"] if r["id"] == result["ruleId"]]
    assert entry["n"] == row["findings"][0]["entry"]


def test_html_marks_the_frame(folder: Path) -> None:
    page = (folder / "r.html").read_text("utf-8")
    assert 'id="at-RWS-CHAIN-012-0"' in page
    assert 'href="#at-RWS-CHAIN-012-0"' in page
    assert "http-equiv" in page
    assert "src=" not in page


def test_forms_can_be_made_afterwards(folder: Path, tmp_path: Path) -> None:
    """Of the run that was reported, whatever another run has left beside its transcripts."""
    report = json.loads((folder / "r.json").read_text("utf-8"))
    own = [folder / name for name in report["transcripts"]]
    stray = own[0].with_name("creation--string-input.9.jsonl")
    stray.write_bytes(own[0].read_bytes())
    assert stray not in own
    command = [sys.executable, "-m", "responses_ws_conformance.cli", "report", "r.json"]
    for name in FORMATS:
        command += [f"--{name}", str(tmp_path / name)]
    subprocess.run(command, cwd=folder, check=True)
    for name in FORMATS:
        assert (tmp_path / name).read_text("utf-8") == (folder / f"r.{name}").read_text("utf-8")


def test_a_client_is_not_called_a_server() -> None:
    """Its recording names the other side, or the client where nobody knows that."""
    transcripts = [load(Path(__file__).parent / "captures" / "client-codex-text.jsonl")]
    report = Report.of_transcripts(transcripts, role="client").as_json()
    name = "Codex CLI 0.169.0"
    page = FORMATS["html"](report, transcripts)
    assert f"<h1>Conformance of a client, in a recording of {name}</h1>" in page
    summary = FORMATS["summary"](report, transcripts)
    assert f"conformance of a client: <code>{name}</code>" in summary


def test_transcripts_of_another_run_are_left_out_and_that_is_said(
    folder: Path, tmp_path: Path
) -> None:
    report = json.loads((folder / "r.json").read_text("utf-8"))
    (tmp_path / "t").mkdir()
    for name in report["transcripts"]:
        header, *entries = (folder / name).read_text("utf-8").splitlines()
        header = json.dumps({**json.loads(header), "started_at": "2027-01-01T00:00:00+00:00"})
        (tmp_path / "t" / Path(name).name).write_text("\n".join([header, *entries]), "utf-8")
    command = [
        sys.executable,
        "-m",
        "responses_ws_conformance.cli",
        "report",
        str(folder / "r.json"),
    ]
    command += ["--transcripts", "t"]
    shown = subprocess.run(
        [*command, "--html", "r.html"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (shown.returncode, "another run's" in shown.stderr) == (ExitCode.OK, True)
    assert "0 of" in shown.stderr
    stated = subprocess.run(
        [*command, "--statement", "s"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert stated.returncode == ExitCode.INFRASTRUCTURE


@pytest.fixture
def hostile() -> tuple[dict[str, Any], Transcript]:
    """A report about a target that sends markup and escape sequences."""
    transcript = Transcript(Header(scenario="hostile", target=NASTY, exercises=("RWS-FRAME-002",)))
    transcript.path = Path("hostile.jsonl")
    create = json.dumps({"type": "response.create", "input": NASTY})
    transcript.entries += [
        Sent(n=0, t=0.0, conn="c1", opcode="text", text=create),
        Received(n=1, t=0.1, conn="c1", opcode="text", text=NASTY),
        Received(n=2, t=0.2, conn="c1", opcode="text", text=json.dumps({"type": NASTY})),
    ]
    assert Evidence.of(transcript).exchanges
    report = Report.of_transcripts([transcript])
    assert report.as_json()["summary"]["fail"] >= 1
    return report.as_json(), transcript


@pytest.mark.parametrize("name", FORMATS)
def test_what_a_target_sends_is_never_markup(
    name: str, hostile: tuple[dict[str, Any], Transcript]
) -> None:
    report, transcript = hostile
    text = FORMATS[name](report, [transcript])
    assert "\x1b" not in text
    assert "\x07" not in text
    if name == "html":
        assert Tags(text).tags.count("script") == 1, "our own"
    if name == "junit":
        assert "script" not in {element.tag for element in ET.fromstring(text).iter()}
    if name == "summary":
        assert "<script" not in text
        assert "](javascript" not in text


def test_findings_quote_no_more_than_anybody_reads() -> None:
    """What a target sends can be of any length: a report of it is not."""
    flood = "x" * 1_000_000
    events = [
        {"type": "error", "status": flood, "error": {"message": [flood], "code": [flood]}},
        {"type": flood},
        {"error": {"message": "no"}, flood: True},
    ]
    transcript = Transcript(Header(scenario="flood"))
    create = json.dumps({"type": "response.create", "input": "hi"})
    transcript.entries.append(Sent(0, 0.0, "c1", "text", create))
    for n, event in enumerate(events, start=1):
        transcript.entries.append(Received(n, 0.1, "c1", "text", json.dumps(event)))
    rows = Report.of_transcripts([transcript]).as_json()["requirements"]
    texts = [f[name] for row in rows for f in row["findings"] for name in ("expected", "actual")]
    texts += [row["why"] or "" for row in rows]
    assert any("… (998" in text and text.endswith(" more characters)") for text in texts)
    assert max(map(len, texts)) < 2_100


def judged(name: str, verdict: Verdict, by: str | None = None) -> Judgement:
    cause = Cause.BLOCKED if verdict is Verdict.UNTESTABLE else None
    return Judgement(catalogue().requirements[name], verdict, cause=cause, by=by)


# CHAIN-016 and FRAME-008 are recommendations, CHAIN-013 and CHAIN-012 are not.
EXITS = {
    "all holds": ([judged("RWS-FRAME-008", Verdict.PASS)], ExitCode.OK),
    "a recommendation is not followed": ([judged("RWS-FRAME-008", Verdict.WARN)], ExitCode.OK),
    "nor the one that hangs on it": (
        [
            judged("RWS-FRAME-008", Verdict.WARN),
            judged("RWS-CHAIN-016", Verdict.UNTESTABLE, "RWS-FRAME-008"),
        ],
        ExitCode.OK,
    ),
    "a duty hangs on a recommendation": (
        [
            judged("RWS-FRAME-008", Verdict.WARN),
            judged("RWS-CHAIN-013", Verdict.UNTESTABLE, "RWS-FRAME-008"),
        ],
        ExitCode.NOT_ALL_JUDGED,
    ),
    "a recommendation is not judged for another reason": (
        [judged("RWS-FRAME-008", Verdict.PASS), judged("RWS-CHAIN-016", Verdict.UNTESTABLE)],
        ExitCode.NOT_ALL_JUDGED,
    ),
    "a duty is broken": (
        [judged("RWS-CHAIN-012", Verdict.FAIL), judged("RWS-CHAIN-016", Verdict.UNTESTABLE)],
        ExitCode.VIOLATION,
    ),
    "the suite broke": (
        [judged("RWS-CHAIN-012", Verdict.FAIL), judged("RWS-CHAIN-016", Verdict.ERROR)],
        ExitCode.SUITE_BROKE,
    ),
    "nothing was judged": ([judged("RWS-FRAME-008", Verdict.UNSEEN)], ExitCode.NOTHING_JUDGED),
}


@pytest.mark.parametrize("name", EXITS)
def test_exit_code_tells_the_truth(name: str) -> None:
    judgements, code = EXITS[name]
    report = Report(target="ws://x", judgements=tuple(judgements), started_at="", duration=0.0)
    assert report.exit_code() is code
