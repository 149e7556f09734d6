"""Runs the suite against each fault of the reference server: can the suite fail?

    python conformance/tools/kill_matrix.py [NAME…] [--all] [--json FILE]

A fault declares the requirements that it breaks. The scenarios that exercise these are recorded
against a server with the fault, and every requirement is judged on what was recorded:

- *killed*: the declared ids are red (fail or warn), and no others are
- *collateral*: the declared ids are red, and others with them
- *partial*: some of the declared ids are not red
- *killed elsewhere*: none of the declared ids is red, but others are
- *survived*: nothing is red
- *never fired*: the fault changed nothing, so whatever is red proves nothing
- *suite broke*: a check or a scenario raised, which is our mistake and no kill

A server with a fault claims the optional layers that the declared ids belong to, and no others.
Everything but *killed* fails. ``--all`` records the whole suite for each fault, with every layer
but HTTP claimed, which needs a server of its own. ``--write`` keeps
the outcome in the repository: ``faults.json`` for ``rws explain``, and the page of the site.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from responses_ws_conformance.catalogue import catalogue
from responses_ws_conformance.checks import Evidence
from responses_ws_conformance.profile import Lever, Limits, Profile, Timing
from responses_ws_conformance.runner import Run, judge_recordings, plan
from responses_ws_conformance.verdict import Judgement, Verdict
from responses_ws_reference.config import MAX_MESSAGE_BYTES, ServerConfig
from responses_ws_reference.faults import FAULTS, Fault
from responses_ws_reference.seams.layers import WITHOUT
from responses_ws_reference.server import running_server

KEY: Final = "sk-kill-matrix-0123456789"
SECOND_KEY: Final = "sk-kill-matrix-9876543210"
LAYERS: Final = frozenset(WITHOUT)
HTTP: Final = "http"
ALL_LAYERS: Final = LAYERS | {HTTP}
DEFAULT_DIALECT: Final = "open-responses"
RED: Final = (Verdict.FAIL, Verdict.WARN, Verdict.ERROR)
TIMING: Final = Timing(connect=5.0, first_event=2.0, idle=1.0, total=10.0, quiet=0.15, close=1.0)
# Where all has to come, however many servers share the machine, some of which hold events back.
PATIENT: Final = replace(TIMING, first_event=15.0, idle=5.0, total=60.0)
# A pause between two events, so that several creates are there before the first one is done.
PACE: Final = 0.001
ROOT: Final = Path(__file__).parents[2]
MATRIX: Final = ROOT / "conformance/responses_ws_conformance/catalogue/faults.json"
PAGE: Final = ROOT / "spec/reference/kill-matrix.md"
JOBS: Final = 4
LEVERS: Final = {
    "lifetime": {"RWS-Lifetime": "0.3"},
    "failure": {"RWS-Failure": "3"},
    "refusal-5xx": {"RWS-Refusal-5xx": "3"},
    "overload": {"RWS-Overload": "3"},
    "restart": {"RWS-Restart": "3"},
}


@dataclass(frozen=True, slots=True)
class Result:
    """What the suite said about a server with one fault.

    ``red`` has the verdict of each requirement that failed, ``judged`` all that were judged.
    """

    fault: str
    breaks: tuple[str, ...]
    red: Mapping[str, str]
    fired: int
    seconds: float

    @property
    def missed(self) -> tuple[str, ...]:
        """The declared requirements that are not red."""
        return tuple(name for name in self.breaks if name not in self.red)

    @property
    def collateral(self) -> tuple[str, ...]:
        """The requirements that are red and not declared."""
        return tuple(name for name in self.red if name not in self.breaks)

    @property
    def outcome(self) -> str:
        """How the fault fared."""
        if Verdict.ERROR.value in self.red.values():
            return "suite broke"
        if not self.fired:
            return "never fired"
        if not self.red:
            return "survived"
        if len(self.missed) == len(self.breaks):
            return "killed elsewhere"
        if self.missed:
            return "partial"
        return "collateral" if self.collateral else "killed"

    def as_json(self) -> dict[str, Any]:
        """The row of the published matrix."""
        return {
            "summary": FAULTS[self.fault].summary,
            "breaks": sorted(self.breaks),
            "outcome": self.outcome,
        }


def server_config(
    *, fault: str | None = None, variant: str | None = None, http: bool = False
) -> ServerConfig:
    """The reference server as the suite's own tests run it."""
    return ServerConfig(
        api_keys=(KEY, SECOND_KEY),
        offers_levers=True,
        pace=PACE,
        fault=fault,
        variant=variant,
        http=http,
    )


def profile_of(
    url: str, *, dialect: str | None = None, features: Iterable[str] = LAYERS
) -> Profile:
    """A profile for such a server, with waits that suit a loopback."""
    return Profile(
        url=url,
        http_url=http_base(url) if HTTP in features else None,
        model=ServerConfig().model,
        dialect=dialect,
        levers={name: Lever(1.5, headers=headers) for name, headers in LEVERS.items()},
        features=frozenset(features),
        api_key=KEY,
        second_api_key=SECOND_KEY,
        limits=Limits(message_bytes=MAX_MESSAGE_BYTES),
        secrets={"api_key": KEY, "second_api_key": SECOND_KEY},
        timing=TIMING,
        retries=1,
        backoff=0.0,
    )


def http_base(url: str) -> str:
    """Where such a server answers HTTP, if it does."""
    return url.replace("ws://", "http://").removesuffix("/responses")


def dialects_of(fault: Fault) -> tuple[str, ...]:
    """The dialects that the requirements of a fault belong to, one run each."""
    requirements = catalogue().requirements
    dialects = {requirements[name].dialect for name in fault.breaks if name in requirements}
    return tuple(sorted(d for d in dialects if d is not None)) or (DEFAULT_DIALECT,)


def features_of(fault: Fault) -> frozenset[str]:
    """The optional layers that the requirements of a fault belong to."""
    requirements = catalogue().requirements
    features = {f for name in fault.breaks for f in requirements[name].features}
    return ALL_LAYERS & features


def run_fault(fault: Fault, *, whole: bool = False, http: bool = False) -> Result:
    """Record what exercises the fault's requirements, or everything, and judge all of it.

    The server stands on the websockets library alone; with ``http`` on an ASGI stack, and so does
    one whose fault is about HTTP.
    """
    started = time.monotonic()
    red: dict[str, str] = {}
    features = features_of(fault) | (LAYERS if whole else frozenset())
    config = server_config(fault=fault.name, http=http or HTTP in features)
    with running_server(config) as server:
        for dialect in dialects_of(fault):
            profile = profile_of(server.url, dialect=dialect, features=features)
            for judgement in judged(profile, () if whole else fault.breaks):
                if judgement.verdict in RED:
                    red[judgement.requirement.id] = judgement.verdict.value
        fired = server.faults_fired
    return Result(fault.name, fault.breaks, red, fired, time.monotonic() - started)


def judged(profile: Profile, only: Sequence[str]) -> list[Judgement]:
    """The verdicts about all requirements on recordings of the scenarios for some of them."""
    with tempfile.TemporaryDirectory(prefix="rws-kill-") as folder:
        run = Run(profile, plan(profile, only=only), Path(folder))
        run.record_all()
        evidence: list[Evidence] = [e for tries in run.recordings.values() for e in tries]
    return judge_recordings(evidence, catalogue().of_role("server")) if evidence else []


def sweep(faults: Iterable[Fault], *, whole: bool = False, jobs: int = JOBS) -> Iterator[Result]:
    """The results of many faults, in order. Their runs are mostly waits, so they overlap well."""
    with ThreadPoolExecutor(jobs) as pool:
        yield from pool.map(lambda fault: run_fault(fault, whole=whole), faults)


def main(argv: Sequence[str] | None = None) -> int:
    """Print a table; 0 where every fault is killed."""
    parser = argparse.ArgumentParser(description="Run the suite against each fault.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="faults, default all")
    parser.add_argument("--all", action="store_true", help="record the whole suite for each fault")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the matrix")
    parser.add_argument("--jobs", type=int, default=JOBS, metavar="N", help="faults at a time")
    parser.add_argument("--write", action="store_true", help="keep the outcome of all faults")
    options = parser.parse_args(argv)
    if options.write and options.names:
        parser.error("--write keeps the outcome of all faults: name none")
    unknown = [name for name in options.names if name not in FAULTS]
    if unknown:
        parser.error(f"no fault is named {unknown[0]}")
    faults = [FAULTS[name] for name in options.names or sorted(FAULTS)]
    results: list[Result] = []
    for result in sweep(faults, whole=options.all, jobs=options.jobs):
        results.append(result)
        print(_row(result), flush=True)
    counts = Counter(result.outcome for result in results)
    print(", ".join(f"{number} {outcome}" for outcome, number in counts.most_common()))
    matrix = {result.fault: result.as_json() for result in results}
    if options.json is not None:
        options.json.write_text(json.dumps(matrix, indent=2) + "\n", "utf-8")
    if options.write:
        MATRIX.write_text(json.dumps(matrix, indent=2) + "\n", "utf-8")
        PAGE.write_text(matrix_page(matrix), "utf-8")
    return 0 if set(counts) <= {"killed"} else 1


def matrix_page(matrix: Mapping[str, Mapping[str, Any]]) -> str:
    """The page of the site: which faults prove each requirement, and what each fault does."""
    lines = [
        "# Kill matrix",
        "",
        "Generated by `conformance/tools/kill_matrix.py --write`, which runs the suite against the",
        "reference server with each of its faults. A fault is *killed* when exactly the",
        "requirements that it declares turn red. The server claims the layers that these belong",
        "to; with `--all` it claims every layer, and the whole suite is recorded.",
        "",
        f"{len(matrix)} faults: "
        + ", ".join(f"{n} {o}" for o, n in Counter(r["outcome"] for r in matrix.values()).items())
        + ".",
        "",
        "## By requirement",
        "",
        "| Requirement | Level | Faults |",
        "|---|---|---|",
    ]
    for r in catalogue().of_role("server"):
        proof = [f"[{name}](#{name})" for name, row in matrix.items() if r.id in row["breaks"]]
        lines.append(f"| {_link(r.id)} | {r.level.value} | {', '.join(proof) or '(none)'} |")
    lines += ["", "## By fault"]
    for name, row in matrix.items():
        lines += ["", f"### {name}", "", row["summary"], ""]
        lines.append(f"Breaks {', '.join(map(_link, row['breaks']))}: {row['outcome']}.")
    return "\n".join(lines) + "\n"


def _link(name: str) -> str:
    r = catalogue().requirements[name]
    return f"[{name}](../{r.chapter}.md#{r.anchor})"


def _row(result: Result) -> str:
    row = f"{result.outcome:<16} {result.fault:<44} {result.seconds:5.1f} s  "
    row += " ".join(result.breaks)
    if result.missed and len(result.missed) < len(result.breaks):
        row += f"  not red: {' '.join(result.missed)}"
    if result.collateral:
        row += f"  also red: {' '.join(result.collateral)}"
    return row


if __name__ == "__main__":
    sys.exit(main())
