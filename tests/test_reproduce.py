"""Reproducers: a folder shows a violation to somebody who has not got the suite."""

from __future__ import annotations

import ast
import json
import sys
import time
from pathlib import Path

import kill_matrix
import pytest
from responses_ws_conformance.catalogue import catalogue
from responses_ws_conformance.checks import Evidence
from responses_ws_conformance.profile import Profile
from responses_ws_conformance.reports.report import ExitCode
from responses_ws_conformance.reproduction import confirming, shrinking
from responses_ws_conformance.reproduction.frames import of_transcript
from responses_ws_conformance.reproduction.looks import Count
from responses_ws_conformance.reproduction.outcomes import Outcome, compare, judged
from responses_ws_conformance.reproduction.replays import replay
from responses_ws_conformance.reproduction.sayings import Unsayable, literal
from responses_ws_conformance.reproduction.scripts import script
from responses_ws_conformance.reproduction.shrinking import shrink
from responses_ws_conformance.reproduction.steps import conversation
from responses_ws_conformance.transcript import Header, Opened, Sent, Transcript
from responses_ws_conformance.transcript.files import load
from responses_ws_conformance.verdict import VIOLATED, Located
from responses_ws_reference.config import ServerConfig
from responses_ws_reference.server import running_server
from websockets.sync.server import ServerConnection

from tests.reproduction import PROFILE, VARIABLES, command, record, rws, target
from tests.stubs import stub

# A fault of each kind, and the requirement whose folder is tried.
KINDS = {
    "a refusal that does not come": ("failure-evicts-nothing", "RWS-CHAIN-012"),
    "a member that is missing": ("errors-lack-a-param", "RWS-ERROR-008"),
    "events in another order": ("progress-comes-after-the-first-item", "RWS-EVENT-004"),
    "a member whose name is in every sentence": ("errors-lack-a-type", "RWS-ERROR-007"),
    "a number that is none": ("speed-is-not-a-number", "RWS-FRAME-002"),
    "a delta after the end": ("arguments-end-before-their-last-delta", "RWS-ITEM-017"),
    "a value deep below": ("calls-stand-for-their-outputs", "RWS-STEER-022"),
    "a successor that forgets": ("successors-begin-anew", "RWS-STEER-008"),
    "a name that is quoted": ("http-calls-go-by-other-names", "RWS-HTTP-003"),
    "an accept value that is another's": ("accept-value-is-fixed", "RWS-CONN-001"),
    "an event that is missing": ("parts-are-not-announced", "RWS-ITEM-004"),
    "pieces that are not the whole": ("argument-deltas-are-stripped", "RWS-ITEM-008"),
    "an id that is taken": ("connections-number-their-responses", "RWS-CHAIN-004"),
    "a context that is lost": ("string-input-is-lost", "RWS-CREATE-001"),
    "no answer at all": ("stream-is-met-with-silence", "RWS-CREATE-011"),
    "a limit that is none": ("names-never-run-out", "RWS-LANE-015"),
    "a handshake that is not refused": ("nobody-asks-for-a-key", "RWS-CONN-003"),
    "a message that is no event": ("rate-limits-are-binary", "RWS-FRAME-001"),
    "a close that comes too early": ("errors-close-the-connection", "RWS-FRAME-008"),
    "a command in the middle of a response": ("inject-is-not-supported", "RWS-INJECT-001"),
    "ids that are the same": ("a-custom-call-takes-the-id-of-a-function-call", "RWS-CUSTOM-010"),
    "a plain request that is answered": ("plain-get-is-fine", "RWS-CONN-009"),
    "an HTTP answer with another status": ("unknown-responses-are-bad-requests", "RWS-HTTP-012"),
    "an end that follows an error": ("a-failed-id-is-pinned", "RWS-ERROR-012"),
    "a message that is too large": ("too-large-is-a-lost-connection", "RWS-LIMIT-008"),
    "a chain that ends at HTTP": ("http-cannot-continue", "RWS-HTTP-007"),
}
LIBRARIES = {"websockets"}


@pytest.mark.parametrize("kind", KINDS)
def test_script_fails_for_the_same_reason_on_its_own(kind: str, tmp_path: Path) -> None:
    fault, name = KINDS[kind]
    layers = kill_matrix.ALL_LAYERS & set(catalogue().requirements[name].features)
    http = kill_matrix.HTTP in layers
    with target(fault, http=http) as bad, target(http=http) as good:
        base = f"http_url: {bad.http_url}" if http else ""
        (tmp_path / "p.yaml").write_text(f"{PROFILE}features: {sorted(layers)}\n{base}")
        run = ["run", bad.url, "--profile", "p.yaml", "--only", name, "--strict"]
        done = rws(tmp_path, *run, "--report", "r.json", "--reproduce", "found")
        assert done.returncode == ExitCode.VIOLATION, done.stdout + done.stderr
        folder = tmp_path / "found" / name
        script = folder / "reproduce.py"
        shown = command(tmp_path, str(script), bad.url)
        right = command(tmp_path, str(script), good.url)
        shrunk = load(folder / "transcript.jsonl")
        again, fixed = (compare(shrunk, replay(shrunk, p).transcript) for p in (bad, good))
    (row,) = [
        r for r in json.loads((tmp_path / "r.json").read_text())["requirements"] if r["findings"]
    ]
    said = shown.stdout.splitlines()[-1]
    assert (shown.returncode, right.returncode) == (1, 0), shown.stdout + right.stdout
    assert said.startswith(f"FAILED {name}: expected ")
    assert any(finding["expected"][:80] in said for finding in row["findings"])
    assert right.stdout.splitlines()[-1].startswith(f"FIXED {name}")
    assert (again.outcome, fixed.outcome) == (Outcome.FAILED, Outcome.FIXED)
    assert judged(shrunk)[name].verdict in VIOLATED
    _assert_stands_alone(script.read_text("utf-8"))
    page = (folder / "README.md").read_text("utf-8")
    assert catalogue().requirements[name].text in page
    assert catalogue().requirements[name].url in page
    files = "".join(path.read_text("utf-8") for path in folder.iterdir())
    assert kill_matrix.KEY not in files
    assert kill_matrix.SECOND_KEY not in files


def _assert_stands_alone(script: str) -> None:
    """The script is short, and imports what Python has and the one library."""
    assert len(script.splitlines()) < 60
    imported: set[str] = set()
    for node in ast.walk(ast.parse(script)):
        if isinstance(node, ast.Import):
            imported |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add((node.module or "").partition(".")[0])
    assert imported <= LIBRARIES | sys.stdlib_module_names
    assert imported >= LIBRARIES


def test_script_whose_key_is_refused_finds_nothing_fixed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(VARIABLES, "RWS_API_KEY", "sk-of-nobody")
    with target() as good:
        (transcript,) = record(good, tmp_path, "RWS-CREATE-001").values()
        look = Count(("c1", "", 1), "response.completed")
        heard = of_transcript(transcript)
        text = script(transcript, title="X", url=good.url, found="x", symptom=look, wrong=heard)
        (tmp_path / "reproduce.py").write_text(text, "utf-8")
        done = command(tmp_path, "reproduce.py")
    assert done.returncode == 2, done.stdout
    assert "refused, perhaps for its key: c1" in done.stdout


def test_script_that_cannot_go_on_says_no_violation(tmp_path: Path) -> None:
    """Without its library, or with a reader that has gone, it has no verdict to end with."""
    (tmp_path / "websockets.py").write_text("raise ImportError('not here')")
    recorded = Transcript(Header("s"))
    recorded.entries += [
        Opened(n=0, t=0.0, conn="c1", target="ws://h/", status=101),
        Sent(n=1, t=0.1, conn="c1", opcode="text", text="{}"),
    ]
    text = script(recorded, title="T", url="ws://h/", found="x", symptom=None)
    (tmp_path / "reproduce.py").write_text(text)
    done = command(tmp_path, "reproduce.py")
    assert (done.returncode, done.stderr) == (2, "cannot say: ImportError('not here')\n")


def test_script_that_says_too_much_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a flooding target makes it print is neither kept nor waited for."""
    monkeypatch.setattr(confirming, "MOST_OUTPUT", 1000)
    started = time.monotonic()
    line = 'c1 {"type": "response.created"}'
    frames = confirming.run(f"while True: print({line!r}, flush=True)", Profile(url="ws://h/"))
    assert len(frames) == 1000 // len(f"{line}\n")
    assert time.monotonic() - started < confirming.LONGEST / 4


def test_saved_run_is_reproduced_without_its_target(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(PROFILE)
    with target("errors-lack-a-param") as bad:
        names = ["--only", "RWS-ERROR-008"]
        rws(tmp_path, "run", bad.url, "--profile", "p.yaml", *names, "--report", "r.json")
        done = rws(tmp_path, "reproduce", "r.json", "--output", "found")
        assert done.returncode == ExitCode.OK, done.stderr
        assert done.stdout == "found/RWS-ERROR-008: no target was asked when this was written\n"
        script = tmp_path / "found" / "RWS-ERROR-008" / "reproduce.py"
        assert command(tmp_path, str(script), bad.url).returncode == 1
    (tmp_path / "rws-report").rename(tmp_path / "moved")
    gone = rws(tmp_path, "reproduce", "r.json")
    assert gone.returncode == ExitCode.INFRASTRUCTURE
    assert "--transcripts says where" in gone.stderr
    done = rws(tmp_path, "reproduce", "r.json", "--transcripts", "moved/transcripts")
    assert done.returncode == ExitCode.OK, done.stderr
    with target() as good:
        rws(tmp_path, "run", good.url, "--profile", "p.yaml", *names)
    done = rws(tmp_path, "reproduce", "r.json")
    assert done.returncode == ExitCode.INFRASTRUCTURE
    assert "its transcripts do not show it" in done.stderr


def test_target_that_asks_for_no_key_is_compared_with_one_that_asks_for_none(
    tmp_path: Path,
) -> None:
    faulty, right = (ServerConfig(fault=fault) for fault in ("failure-evicts-nothing", None))
    with running_server(faulty) as bad, running_server(right) as good:
        words = ["--model", faulty.model, "--only", "RWS-CHAIN-012", "--reproduce", "found"]
        rws(tmp_path, "run", bad.url, *words)
        script = str(tmp_path / "found" / "RWS-CHAIN-012" / "reproduce.py")
        codes = [command(tmp_path, script, server.url).returncode for server in (bad, good)]
    assert codes == [1, 0]


def test_violation_that_is_not_there_cannot_be_reproduced(tmp_path: Path) -> None:
    with target() as good:
        names = ["--only", "RWS-FRAME-012", "--report", "r.json"]
        run = ["run", good.url, "--profile", "p.yaml"]
        (tmp_path / "p.yaml").write_text(PROFILE)
        done = rws(tmp_path, *run, *names, "--reproduce", "found")
    assert done.returncode == ExitCode.OK
    assert "no violation to reproduce" in done.stdout
    done = rws(tmp_path, "reproduce", "r.json", "--only", "RWS-FRAME-012")
    assert done.returncode == ExitCode.INFRASTRUCTURE
    assert "no violation of RWS-FRAME-012" in done.stderr


HOSTILE = (
    "'''\"\"\"\n\x1b[2J`` <script>alert(1)</script> $steps ${ends} {x} \\ \ud800 __import__('os')"
)


def _refuses_strangely(connection: ServerConnection) -> None:
    error = {"type": "invalid_request_error", "code": HOSTILE, "message": HOSTILE, HOSTILE: HOSTILE}
    for _ in connection:
        connection.send(json.dumps({"type": "error", "status": 400, "error": error}))


def test_what_a_target_sends_stays_a_value(tmp_path: Path) -> None:
    """Quotes, templates, markup and escape sequences end neither a literal nor a code span."""
    (tmp_path / "p.yaml").write_text(PROFILE)
    with stub(_refuses_strangely) as url:
        run = ["run", url, "--profile", "p.yaml", "--only", "RWS-CREATE-001"]
        done = rws(tmp_path, *run, "--reproduce", "found")
        assert done.returncode == ExitCode.VIOLATION, done.stderr
        (folder,) = (tmp_path / "found").iterdir()
        shown = command(tmp_path, str(folder / "reproduce.py"), url)
    assert folder.name == "RWS-CREATE-001"
    script, page = (folder / "reproduce.py").read_text(), (folder / "README.md").read_text()
    names = {n.id for n in ast.walk(ast.parse(script)) if isinstance(n, ast.Name)}
    assert "__import__" not in names
    assert shown.returncode == 1, shown.stdout + shown.stderr
    assert all(c.isprintable() or c == "\n" for c in script + page + shown.stdout)
    (seen,) = [line for line in page.splitlines() if line.startswith("- Seen: ")]
    assert seen.startswith("- Seen: ``` ")
    assert seen.endswith(" ```")


def test_literals_are_read_as_they_were_meant() -> None:
    value = {"a": [1, None, True, 1.5, HOSTILE], HOSTILE: {}}
    assert ast.literal_eval(literal(value)) == value
    with pytest.raises(Unsayable):
        literal([float("nan")])


@pytest.fixture(scope="module")
def long_one(tmp_path_factory: pytest.TempPathFactory) -> tuple[Transcript, Located]:
    """A recording in which one exchange of many violates a requirement."""
    with target("errors-lack-a-param") as profile:
        recorded = record(profile, tmp_path_factory.mktemp("long"))["probes/inventions"]
    judgement = judged(recorded)["RWS-ERROR-008"]
    return recorded, judgement.findings[-1]


def test_shrunk_recording_has_the_same_finding_and_little_else(
    long_one: tuple[Transcript, Located],
) -> None:
    recorded, located = long_one
    shrunk = shrink(recorded, "RWS-ERROR-008", located.finding)
    findings = judged(shrunk)["RWS-ERROR-008"].findings
    assert [each.finding for each in findings] == [located.finding]
    assert [sum(isinstance(e, Sent) for e in t.entries) for t in (recorded, shrunk)][1] == 1
    assert set(map(id, shrunk.entries)) <= set(map(id, recorded.entries))
    assert shrunk.header.selected == ("RWS-ERROR-008",)


def test_what_a_message_names_stays(tmp_path: Path) -> None:
    """A continuation keeps the exchange that told its id, though the check does not ask for it."""
    with target("previous-id-is-not-echoed") as profile:
        recorded = record(profile, tmp_path, "RWS-CHAIN-020")["chaining/store-false"]
    (located, *_) = judged(recorded)["RWS-CHAIN-020"].findings
    shrunk = shrink(recorded, "RWS-CHAIN-020", located.finding)
    steps = [step for step in conversation(shrunk).steps if isinstance(step.entry, Sent)]
    assert [len(step.bindings) for step in steps] == [0, 1]


def test_shrinking_ends_soon(
    long_one: tuple[Transcript, Located], monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long a recording is, it is judged a bounded number of times."""
    recorded, located = long_one
    judgements: list[Transcript] = []
    of = Evidence.of

    def counted(transcript: Transcript) -> Evidence:
        judgements.append(transcript)
        return of(transcript)

    monkeypatch.setattr(Evidence, "of", counted)
    monkeypatch.setattr(shrinking, "MOST_JUDGEMENTS", 2)
    shrunk = shrink(recorded, "RWS-ERROR-008", located.finding)
    assert len(judgements) == 3
    assert located.finding.at in {e.n for e in shrunk.entries}
