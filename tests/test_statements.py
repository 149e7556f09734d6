"""A statement says what the transcripts prove, and whoever changes either is found out."""

from __future__ import annotations

import contextlib
import io
import json
import shutil
from collections import namedtuple
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import kill_matrix
import pytest
import yaml
from responses_ws_conformance.cli import main
from responses_ws_conformance.reports.badge import GREEN, GREY, RED, badge, description, said
from responses_ws_conformance.reports.digests import file_digest
from responses_ws_conformance.reports.report import ExitCode
from responses_ws_reference.config import ServerConfig
from responses_ws_reference.server import running_server
from responses_ws_schemas import explain, load

CANARY = kill_matrix.KEY
MODEL = ServerConfig().model
FAILING = "RWS-CHAIN-012"
VICTIM = "chaining--output.1.jsonl"
Done = namedtuple("Done", ("returncode", "stdout", "stderr"))
ROOT = Path(__file__).parent.parent
SVG = "{http://www.w3.org/2000/svg}"


def rws(folder: Path, *arguments: str) -> Done:
    """Runs the command as if in a process of its own, in a folder."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.chdir(folder), redirect_stdout(out), redirect_stderr(err):
        return Done(main(arguments), out.getvalue(), err.getvalue())


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of a run against a faulty server, the failure of which is known."""
    folder = tmp_path_factory.mktemp("statement")
    known = {"known_failures": [{"id": FAILING, "reason": "It is known."}]}
    (folder / "known.yaml").write_text(yaml.safe_dump(known), "utf-8")
    profile = {
        "model": MODEL,
        "api_key_env": "RWS_CANARY",
        "headers": {"X-Tenant": {"env": "RWS_CANARY"}},
        "query": {"token": "in-the-query"},
    }
    (folder / "profile.yaml").write_text(yaml.safe_dump(profile), "utf-8")
    config = kill_matrix.server_config(fault="failure-evicts-nothing")
    with running_server(config) as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("RWS_CANARY", CANARY)
        words = ["run", f"{server.url}?key={CANARY}", "--profile", "profile.yaml", "--output", "."]
        words += ["--baseline", "known.yaml", "--allow-untestable"]
        done = rws(folder, *words, "--report", "r.json", "--statement", "s.yaml")
        assert done.returncode == ExitCode.OK, done.stdout + done.stderr
        yield folder


@pytest.fixture
def folder(original: Path, tmp_path: Path) -> Path:
    """A copy of it, to be changed."""
    return Path(shutil.copytree(original, tmp_path / "copy"))


def statement(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((folder / "s.yaml").read_text("utf-8"))
    return found


def change(folder: Path, how: Callable[[dict[str, Any]], Any]) -> None:
    """Change the statement."""
    changed = statement(folder)
    how(changed)
    (folder / "s.yaml").write_text(yaml.safe_dump(changed), "utf-8")


def test_it_is_what_its_schema_says(original: Path) -> None:
    found = statement(original)
    assert explain("files/statement", found) == []
    assert [*found] == load("files/statement")["required"]


def test_it_holds_no_secret(original: Path) -> None:
    text = (original / "s.yaml").read_text("utf-8")
    assert CANARY not in text
    assert "in-the-query" not in text
    profile = statement(original)["profile"]
    assert (profile["headers"], profile["query"]) == (["X-Tenant"], ["token"])
    assert profile["keys"] == ["api_key"]


def test_it_counts_nothing_as_a_pass_that_was_not_judged(original: Path) -> None:
    found = statement(original)
    report = json.loads((original / "r.json").read_text("utf-8"))
    verdicts = {row["id"]: row["verdict"] for row in report["requirements"]}
    assert found["requirements"] == verdicts
    assert found["levels"]["MUST"]["fail"] == 1
    assert found["levels"]["MUST"]["skip"] > 10
    passes = sum(counts["pass"] for counts in found["levels"].values())
    assert passes == [*verdicts.values()].count("pass")


def test_it_says_which_failures_are_waived(original: Path) -> None:
    assert statement(original)["waivers"] == [{"id": FAILING, "reason": "It is known."}]


def test_it_says_what_was_seen_and_not_judged(original: Path) -> None:
    assert {"storage", "warmup"} <= set(statement(original)["seen_and_not_judged"])


def test_it_is_verified(original: Path) -> None:
    done = rws(original, "statement", "verify", "s.yaml")
    assert done.returncode == ExitCode.OK, done.stdout + done.stderr
    assert done.stdout.startswith("verified: ")


def test_report_makes_the_same_later(folder: Path) -> None:
    (folder / "transcripts").rename(folder / "moved")
    words = ("report", "r.json", "--transcripts", "moved", "--statement", "later.yaml")
    done = rws(folder, *words)
    assert done.returncode == ExitCode.OK, done.stderr
    assert yaml.safe_load((folder / "later.yaml").read_text("utf-8")) == statement(folder)


def test_report_makes_none_where_a_transcript_is_missing(folder: Path) -> None:
    (folder / "transcripts" / VICTIM).unlink()
    done = rws(folder, "report", "r.json", "--statement", "later.yaml")
    assert done.returncode == ExitCode.INFRASTRUCTURE
    assert VICTIM in done.stderr
    assert not (folder / "later.yaml").exists()


def test_judging_makes_one_that_is_verified(folder: Path) -> None:
    files = sorted(str(path) for path in (folder / "transcripts").iterdir())
    assert rws(folder, "judge", *files, "--statement", "j.yaml").returncode == ExitCode.VIOLATION
    done = rws(folder, "statement", "verify", "j.yaml")
    assert done.returncode == ExitCode.OK, done.stdout + done.stderr
    judged = yaml.safe_load((folder / "j.yaml").read_text("utf-8"))
    for name in ("levels", "requirements", "turns", "transcripts"):
        assert judged[name] == statement(folder)[name], name


def test_a_captured_conversation_can_be_stated(folder: Path) -> None:
    capture = ROOT / "tests" / "captures" / "server-litellm-managed.jsonl"
    rws(folder, "judge", str(capture), "--statement", "c.yaml")
    done = rws(folder, "statement", "verify", "c.yaml", "--transcripts", str(capture.parent))
    assert "and not listed" in done.stdout, "there are other captures in that folder"
    assert capture.name not in done.stdout


@pytest.mark.parametrize(
    ("dialect", "code"), [("openai", ExitCode.OK), ("open-responses", ExitCode.VIOLATION)]
)
def test_a_statement_about_a_client_is_verified(
    tmp_path: Path, dialect: str, code: ExitCode
) -> None:
    """Also by a dialect that the recording does not name."""
    capture = ROOT / "tests" / "captures" / "client-codex-text.jsonl"
    (tmp_path / "transcripts").mkdir()
    (tmp_path / "transcripts" / capture.name).write_bytes(capture.read_bytes())
    words = ["--role", "client", f"transcripts/{capture.name}", "--statement", "c.yaml"]
    words += ["--dialect", dialect]
    assert rws(tmp_path, "judge", *words).returncode == code
    done = rws(tmp_path, "statement", "verify", "c.yaml")
    assert done.returncode == ExitCode.OK, done.stdout + done.stderr


def flatter(found: dict[str, Any]) -> None:
    found["requirements"][FAILING] = "pass"
    found["levels"]["MUST"]["fail"] -= 1
    found["levels"]["MUST"]["pass"] += 1


def skip_to_pass(found: dict[str, Any]) -> None:
    name = next(n for n, v in found["requirements"].items() if v == "skip")
    found["requirements"][name] = "pass"


def leave_out(found: dict[str, Any]) -> None:
    del found["transcripts"][VICTIM]


CHANGES: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "a failure called a pass": (flatter, f"{FAILING}: it says pass, the transcripts say fail"),
    "a skip called a pass": (skip_to_pass, "it says pass, the transcripts say skip"),
    "counts of another kind": (
        lambda s: s["levels"].update(MUST=s["levels"]["SHOULD"], SHOULD=s["levels"]["MUST"]),
        "MUST pass: it counts",
    ),
    "a feature more": (lambda s: s["features"].append("lanes"), "features: it says"),
    "another version": (lambda s: s["suite"].update(version="9.9"), "suite: it says version 9.9"),
    "another specification": (
        lambda s: s["catalogue"].update(spec_version="9.9"),
        "specification: it says version 9.9",
    ),
    "a profile of another model": (
        lambda s: s["profile"].update(model="other"),
        "profile model: it says 'other'",
    ),
    "a profile of another target": (
        lambda s: s["profile"].update(url="wss://elsewhere/"),
        "profile url: it says 'wss://elsewhere/'",
    ),
    "a profile of more features": (
        lambda s: s["profile"].update(features=["lanes"]),
        "profile features: it says ['lanes']",
    ),
    "a lever more": (lambda s: s["profile"]["levers"].update(failure=1), "profile levers:"),
    "another dialect": (lambda s: s.update(dialect="openai"), "dialect: it says 'openai'"),
    "another target": (lambda s: s.update(target="wss://elsewhere/"), "target: it says"),
    "fewer turns": (lambda s: s.update(turns=1), "turns: it says 1,"),
    "a waiver too many": (
        lambda s: s["waivers"].append({"id": "RWS-CONN-001", "reason": "Why not."}),
        "RWS-CONN-001: it is waived, and not violated",
    ),
    "another day": (
        lambda s: s["when"].update(started_at="2020-01-01T00:00:00+00:00"),
        "not in the run",
    ),
    "a transcript less": (leave_out, f"{VICTIM}: it is there, and not listed"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_statement_is_found_out(name: str, folder: Path) -> None:
    how, sentence = CHANGES[name]
    change(folder, how)
    done = rws(folder, "statement", "verify", "s.yaml")
    assert done.returncode == ExitCode.VIOLATION, done.stdout + done.stderr
    assert sentence in done.stdout


def test_a_changed_transcript_is_found_out(folder: Path) -> None:
    file = folder / "transcripts" / VICTIM
    file.write_text(file.read_text("utf-8").replace("response.completed", "response.failed"))
    done = rws(folder, "statement", "verify", "s.yaml")
    assert done.returncode == ExitCode.VIOLATION
    assert f"{VICTIM}: it is not the file that was judged" in done.stdout


def test_the_transcripts_of_another_run_are_told_as_that(folder: Path) -> None:
    for file in (folder / "transcripts").iterdir():
        file.write_text(file.read_text("utf-8").replace('"t":0.', '"t":1.'), "utf-8")
    done = rws(folder, "statement", "verify", "s.yaml")
    assert done.returncode == ExitCode.VIOLATION
    (line,) = done.stdout.splitlines()
    assert "the transcripts of another run" in line


def test_a_scenario_that_nobody_shows_is_found_out(folder: Path) -> None:
    """Taken away on both sides, a failing scenario would leave no trace in the digests."""
    (folder / "transcripts" / VICTIM).unlink()
    change(folder, leave_out)
    done = rws(folder, "statement", "verify", "s.yaml")
    assert done.returncode == ExitCode.VIOLATION
    assert "chaining/output: the scenario is not there, and nothing was left out" in done.stdout


def test_a_transcript_of_another_server_is_found_out(folder: Path) -> None:
    file = folder / "transcripts" / VICTIM
    file.write_text(file.read_text("utf-8").replace(f'"model":"{MODEL}"', '"model":"best"', 1))
    change(folder, lambda s: s["transcripts"].update({VICTIM: file_digest(file)}))
    done = rws(folder, "statement", "verify", "s.yaml")
    assert done.returncode == ExitCode.VIOLATION
    assert f"model is 'best', elsewhere it is '{MODEL}'" in done.stdout


def test_another_suite_is_no_verdict(folder: Path) -> None:
    change(folder, lambda s: s["suite"].update(digest="sha256:" + "0" * 64))
    done = rws(folder, "statement", "verify", "s.yaml")
    assert done.returncode == ExitCode.INFRASTRUCTURE
    assert "made with another suite" in done.stdout


# Ten levels, each with ten times the one before.
BOMB = "a0: &a0 [x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 11)
)
BROKEN = {
    "no file": lambda path: path.unlink(),
    "no YAML": lambda path: path.write_text("{"),
    "no statement": lambda path: path.write_text("rws_statement: 1"),
    "a bomb": lambda path: path.write_text(BOMB),
    "a deep one": lambda path: path.write_text("[" * 100_000),
    "no day": lambda path: change(
        path.parent, lambda s: s["when"].update(started_at="2026-99-99T00:00:00")
    ),
    "a count too many": lambda path: change(
        path.parent, lambda s: s["levels"]["MUST"].update({"pass": 999})
    ),
}


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.parametrize("command", ["verify", "badge"])
def test_what_is_no_statement_is_neither_right_nor_wrong(
    name: str, command: str, folder: Path
) -> None:
    BROKEN[name](folder / "s.yaml")
    done = rws(folder, "statement", command, "s.yaml")
    assert done.returncode == ExitCode.INFRASTRUCTURE
    assert len(done.stderr.splitlines()) == 1


def test_without_transcripts_nothing_is_verified(folder: Path) -> None:
    done = rws(folder, "statement", "verify", "s.yaml", "--transcripts", "nowhere")
    assert done.returncode == ExitCode.INFRASTRUCTURE
    assert "no transcripts" in done.stderr


def must(**counts: int) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """A change of the counts of MUST."""

    def changed(found: dict[str, Any]) -> dict[str, Any]:
        zeros = dict.fromkeys(found["levels"]["MUST"], 0)
        return {**found, "levels": {**found["levels"], "MUST": {**zeros, **counts}}}

    return changed


SAID = {
    "all pass": (must(**{"pass": 9, "skip": 3, "unseen": 1}), ("9/9 MUST", GREEN)),
    "one fails": (must(**{"pass": 9, "fail": 1, "untestable": 2}), ("1 failing", RED)),
    "one is open": (must(**{"pass": 9, "untestable": 1}), ("not fully judged", GREY)),
    "the suite broke": (must(**{"pass": 9, "error": 1}), ("not fully judged", GREY)),
    "nothing was judged": (must(skip=9), ("nothing judged", GREY)),
    "it was stopped": (lambda s: {**must(**{"pass": 9})(s), "stopped": "gone"}, (None, GREY)),
    "it is a selection": (lambda s: {**must(**{"pass": 9})(s), "selected": []}, (None, GREY)),
}


@pytest.mark.parametrize("name", SAID)
def test_badge_says_no_more_than_the_statement(name: str, original: Path) -> None:
    how, (text, colour) = SAID[name]
    found = how(statement(original))
    assert said(found) == (text or "not fully judged", colour)
    drawing = ET.fromstring(badge(found))
    assert [e.text for e in drawing.iter(f"{SVG}text")] == ["RWS 0.1 core", said(found)[0]]


@pytest.mark.parametrize(
    ("layers", "label"),
    [
        (["auth", "lanes"], "RWS 0.1 core + lanes"),
        (["lanes", "storage", "warmup"], "RWS 0.1 core + 3 layers"),
    ],
)
def test_badge_says_which_layers_are_meant(layers: list[str], label: str, original: Path) -> None:
    found = {**statement(original), "features": layers}
    drawing = ET.fromstring(badge(found))
    assert drawing.findtext(f"{SVG}title") == f"{label}: 1 failing"
    assert ", ".join(name for name in layers if name != "auth") in description(found)


def test_badge_can_be_read_aloud_and_needs_nothing_else(folder: Path) -> None:
    done = rws(folder, "statement", "badge", "s.yaml", "--output", "badge.svg")
    assert done.returncode == ExitCode.OK, done.stderr
    text = (folder / "badge.svg").read_text("utf-8")
    drawing = ET.fromstring(text)
    assert drawing.get("role") == "img"
    assert drawing.findtext(f"{SVG}title") == "RWS 0.1 core: 1 failing"
    assert drawing.findtext(f"{SVG}desc") == description(statement(folder))
    assert "Waived by a baseline: 1." in description(statement(folder))
    assert {
        part for part in ("href", "url(", "<script", "<style", "@import") if part in text
    } == set()


def test_badge_cannot_be_made_to_hold_markup(original: Path) -> None:
    found = {**statement(original), "target": "<script>alert(1)</script>{label}"}
    assert "<script" not in badge(found)
    ET.fromstring(badge(found))


def luminance(colour: str) -> float:
    values = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [v / 12.92 if v <= 0.03928 else ((v + 0.055) / 1.055) ** 2.4 for v in values]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("colour", [GREEN, RED, GREY])
def test_badge_has_contrast(colour: str) -> None:
    assert 1.05 / (luminance(colour) + 0.05) > 4.5
