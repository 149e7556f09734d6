"""A page for each requirement: the sentence, who says so, and everything that proves its check."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import yaml
from responses_ws_conformance.catalogue import Requirement, catalogue
from responses_ws_conformance.catalogue.faults import faults_of
from responses_ws_conformance.checks import Check, Evidence, Finding, load_checks
from responses_ws_conformance.reports.logs import Violation, log
from responses_ws_conformance.scenarios import load_scenarios

from pages.places import ROOT, UNSEARCHED, cited, link, requirement_page, source
from tests.cases import Case, load_cases

FACTS: Final = ("level", "role", "feature", "also", "dialect", "condition", "lever", "since")
ABOUT_FACTS: Final = {
    "also": "judged where the profile claims {} too",
    "condition": "{}'s choice: the sentence is judged where the situation comes up",
    "lever": "{}: judged where the profile offers it",
}
TITLES: Final = {True: "A conversation that conforms", False: "A conversation that does not"}
EXPECTED: Final = {
    True: "conforms",
    False: "is a violation",
    "blocked": "is not judged: something else stands in the way",
    "mood": "is not judged: the model did not play along",
    "transient": "is not judged: the server was busy",
    "time": "is not judged: the wait was over first",
}


def requirement_pages() -> dict[str, str]:
    """The Markdown of every page by its path."""
    cases: defaultdict[str, list[Case]] = defaultdict(list)
    for case in load_cases():
        cases[case.requirement].append(case)
    carried = _carried()
    rows = list(catalogue().requirements.values())
    return {
        requirement_page(row.id): "\n".join(
            _page(row, cases[row.id], carried[row.id], _neighbours(rows, place))
        )
        for place, row in enumerate(rows)
    }


def _page(
    row: Requirement, cases: Sequence[Case], carried: Mapping[str, str], neighbours: str
) -> Iterator[str]:
    page = requirement_page(row.id)
    yield from ("---", f"title: {row.id}", "---", "", neighbours, "", f"# {row.id}", "")
    level = row.level.value
    yield f"> {row.text.replace(level, f'**{level}**', 1)}"
    yield ""
    yield from _facts(row, page)
    if row.explanation:
        yield from ("", row.explanation)
    yield from ("", "## Who says so", "")
    for evidence in row.evidence:
        yield f"- {evidence.kind}: {cited(evidence.source, evidence.url, page=page)}"
    if carried:
        matrix = link("public sources", "reference/traceability.md", page=page)
        yield from ("", f"It carries these statements from {matrix}:", "")
        yield from (f"- {name}: {says}" for name, says in carried.items())
    yield from ("", "## How it is judged", "", *_judging(row))
    yield from _faults(row, page)
    yield from _conversations(row, cases)


def _neighbours(rows: Sequence[Requirement], place: int) -> str:
    page = requirement_page(rows[place].id)
    parts = [link("All requirements", "reference/requirements.md", page=page)]
    if place > 0:
        before = rows[place - 1].id
        parts.insert(0, link(f"← {before}", requirement_page(before), page=page))
    if place + 1 < len(rows):
        after = rows[place + 1].id
        parts.append(link(f"{after} →", requirement_page(after), page=page))
    return " · ".join(parts) + "\n{ .rws-neighbours data-search-exclude }"


def _facts(row: Requirement, page: str) -> Iterator[str]:
    where = link(row.section, f"{row.chapter}.md#{row.anchor}", page=page)
    yield f"- **Chapter**: {_chapter(row)}, {where}"
    for name in FACTS:
        value = getattr(row, name)
        if value is not None:
            value = value.value if name == "level" else value
            yield f"- **{name.capitalize()}**: {ABOUT_FACTS.get(name, '{}').format(value)}"
    if row.schema is not None:
        yield f"- **Schema**: {link(row.schema, 'schemas/index.md', page=page)}"


def _chapter(row: Requirement) -> str:
    number, _, name = row.chapter.partition("-")
    return f"chapter {int(number)}, {name}"


def _judging(row: Requirement) -> Iterator[str]:
    check = load_checks().get(row.id)
    if check is None:
        yield f"It is not judged: {row.not_judged}."
        return
    yield f"{check.summary}"
    yield ""
    kind = {
        "invariant": "an invariant: it is judged on every recording in which it can be",
        "expectation": "an expectation: it is judged where a scenario brought it about on purpose",
    }[check.kind]
    module = check.name.partition(".")[0]
    path = f"conformance/responses_ws_conformance/checks/{module}.py"
    yield f"The check `{check.name}` is {kind}. It is in {source(path)}."
    if check.offence:
        wrong = ", ".join(f"`{place}`" for place in check.offence)
        yield f"What is wrong in it: {wrong}, a JSON Pointer into the exchange (`/history` is what"
        yield "came before). Its control is the same exchange with only that put right."
    scenarios = [s for s in load_scenarios().values() if row.id in s.exercises]
    if scenarios:
        yield from ("", "| Scenario | What it does | Turns |", "|---|---|---:|")
    for each in scenarios:
        yield f"| `{each.name}` | {each.summary} | {each.turns} |"
    yield from ("", "```sh", _command(row), "```")


def _command(row: Requirement) -> str:
    """What judges it, with the options without which it would be left out."""
    if row.role == "client":
        words = ["rws judge --role client conversation.jsonl"]
    else:
        words = [f"rws run wss://your.host/v1/responses --only {row.id}"]
    if row.dialect is not None:
        words.append(f"--dialect {row.dialect}")
    if row.feature == "auth":
        words.append("--api-key-env YOUR_KEY_VARIABLE")
    elif row.role == "server" and (row.feature != "core" or row.lever is not None):
        words.append("--profile profile.yaml")
    return " ".join(words)


def _faults(row: Requirement, page: str) -> Iterator[str]:
    faults = faults_of(row.id)
    if not faults:
        return
    yield from ("", "## Faults that turn it red", "")
    yield "Each is a switch of the reference server. It turns red what it says, as far as the"
    yield "layers are claimed, and nothing else."
    yield ""
    for name, fault in faults.items():
        target = link(f"`{name}`", f"reference/kill-matrix.md#{name}", page=page)
        others = [link(r, requirement_page(r), page=page) for r in fault["breaks"] if r != row.id]
        also = f" With it {', '.join(others)}." if others else ""
        yield f"- {target}: {fault['summary']}{also}"
    first = next(iter(faults))
    yield from ("", "```sh", f"rws-server --fault {first}", "```")


def _conversations(row: Requirement, cases: Sequence[Case]) -> Iterator[str]:
    check = load_checks().get(row.id)
    if check is None or not cases:
        return
    for conforms, title in TITLES.items():
        case = next((case for case in cases if case.conforms is conforms), None)
        if case is not None:
            yield from ("", f"## {title} {UNSEARCHED}", "", _sentence(case), "")
            yield from log(case.transcript().entries, _violations(check, case))
    yield from ("", "## All cases", "")
    yield f"The check is held to these conversations, which stand in {source(_file(cases[0]))}."
    yield from ("", "| Conversation | It |", "|---|---|")
    for case in cases:
        yield f"| {case.description} | {EXPECTED[case.conforms]} |"


def _sentence(case: Case) -> str:
    return f"{case.description[0].upper()}{case.description[1:]}."


def _file(case: Case) -> str:
    return case.path.relative_to(ROOT).as_posix()


def _violations(check: Check, case: Case) -> dict[int, list[Violation]]:
    """What the check finds in a case, by entry."""
    found: defaultdict[int, list[Violation]] = defaultdict(list)
    for outcome in check.judge(Evidence.of(case.transcript())):
        if isinstance(outcome, Finding):
            found[outcome.at].append(Violation(outcome.expected, outcome.actual, outcome.path))
    return found


def _carried() -> defaultdict[str, dict[str, str]]:
    """The collected statements that each requirement carries."""
    data: dict[str, Any] = yaml.safe_load(
        (ROOT / "spec/reference/traceability.yaml").read_text("utf-8")
    )
    carried: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for part in data["parts"]:
        for number, statement in part["statements"].items():
            for identifier in statement.get("requirements", ()):
                carried[identifier][str(number)] = statement["says"]
    return carried
