"""The docs site builds without a warning, and everything on it leads somewhere."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
import yaml
from pages.implementations import statements_text
from pages.schemas import first_example
from responses_ws_conformance.catalogue import catalogue
from responses_ws_schemas import BASE_URL, lifecycle, load, names

from tests.conftest import ROOT

REQUIREMENTS = list(catalogue().requirements.values())


class Page(HTMLParser):
    """The names, links and headings of a page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.links: list[str] = []
        self.headings: list[int] = []
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        members = dict(attrs)
        for name in ("id", "name"):
            if members.get(name):
                self.names.add(str(members[name]))
        for name in ("href", "src"):
            if members.get(name) is not None:
                self.links.append(str(members[name]))
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))


def pages(site: Path) -> Iterator[tuple[str, Page]]:
    """Every page with its path on the site."""
    for path in sorted(site.rglob("*.html")):
        yield path.relative_to(site).as_posix(), read(path)


@cache
def read(path: Path) -> Page:
    return Page(path)


def test_every_link_leads_to_a_page_and_a_place_on_it(site: Path) -> None:
    broken = []
    for name, page in pages(site):
        for link in page.links:
            target = urlsplit(link)
            if link.startswith(BASE_URL):
                target = urlsplit("/" + link.removeprefix(BASE_URL))
            elif target.scheme or target.netloc:
                continue
            path = unquote(target.path).removeprefix("/rws") if name == "404.html" else target.path
            folder = site if path.startswith("/") else (site / name).parent
            place = (folder / path.lstrip("/")).resolve() if path else site / name
            if place.is_dir():
                place /= "index.html"
            is_there = place.is_file()
            if is_there and target.fragment and place.suffix == ".html":
                is_there = unquote(target.fragment) in read(place).names
            if not is_there:
                broken.append(f"{name}: {link}")
    assert not broken, broken[:20]


def test_headings_of_every_page_make_an_outline(site: Path) -> None:
    for name, page in pages(site):
        assert page.headings[:1] == [1], name
        assert page.headings.count(1) == 1, name
        assert all(after <= before + 1 for before, after in pairwise(page.headings)), name


def test_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    for path in site.rglob("*.html"):
        for tag in re.findall(
            r"<(?:script|img|iframe|link|source)\b[^>]*>", path.read_text("utf-8")
        ):
            address = re.search(r'(?:src|href)="?(https?:)?//', tag)
            assert address is None or 'rel="canonical"' in tag or "rel=canonical" in tag, tag


def test_every_requirement_has_its_page(site: Path) -> None:
    for requirement in REQUIREMENTS:
        path = requirement.url.removeprefix(BASE_URL)
        html = (site / path / "index.html").read_text("utf-8")
        assert f"/{requirement.chapter}/#{requirement.anchor}" in html, requirement.id
        chapter = read(site / requirement.chapter / "index.html")
        assert requirement.anchor in chapter.names
        assert f"../{path}" in chapter.links, "the chapter leads back"


def test_a_page_shows_what_proves_its_requirement(site: Path) -> None:
    html = (site / "requirements/RWS-CHAIN-005/index.html").read_text("utf-8")
    text = re.sub("<[^>]+>", "", html)
    for words in (
        "previous_response_not_found",
        "OpenAI WebSocket mode guide",
        "chaining.unknown_id_is_not_found",
        "probes/inventions",
        "unknown-id-starts-anew",
        "tests/transcripts/chaining/RWS-CHAIN-005.yaml",
    ):
        assert words in text
    assert html.count('class="frames"') == 2
    assert len(re.findall(r'<li class="received hit"', html)) == 1, "the violation in its place"


@pytest.mark.parametrize(
    ("identifier", "command"),
    [
        ("RWS-CHAIN-005", "rws run wss://your.host/v1/responses --only RWS-CHAIN-005"),
        ("RWS-LANE-001", "--only RWS-LANE-001 --profile profile.yaml"),
        ("RWS-EVENT-016", "--only RWS-EVENT-016 --dialect open-responses"),
        ("RWS-CLIENT-005", "rws judge --role client conversation.jsonl --dialect open-responses"),
    ],
)
def test_a_page_has_the_command_that_judges(site: Path, identifier: str, command: str) -> None:
    html = (site / "requirements" / identifier / "index.html").read_text("utf-8")
    assert command in re.sub("<[^>]+>", "", html)


def test_no_table_is_empty(site: Path) -> None:
    empty = re.compile(r"<tbody>\s*(<tr>\s*(<td[^>]*></td>\s*)+</tr>\s*)?</tbody>")
    assert [name for name in site.rglob("*.html") if empty.search(name.read_text("utf-8"))] == []


def test_the_page_on_reading_names_every_area(site: Path) -> None:
    html = (site / "reading/index.html").read_text("utf-8")
    for requirement in REQUIREMENTS:
        area, chapter = requirement.id.split("-")[1], requirement.chapter
        assert re.search(rf'<code>{area}</code>.*\n.*href="\.\./{chapter}/"', html), area


def test_every_record_of_a_decision_is_on_the_site(site: Path) -> None:
    for requirement in REQUIREMENTS:
        for evidence in requirement.evidence:
            address = evidence.url or ""
            if address.startswith(BASE_URL):
                assert (site / address.removeprefix(BASE_URL) / "index.html").is_file()


@pytest.mark.parametrize("name", names())
def test_a_schema_is_served_at_its_id(name: str, site: Path) -> None:
    schema = load(name)
    served = site / schema["$id"].removeprefix(BASE_URL)
    assert json.loads(served.read_text("utf-8")) == schema
    html = (site / "schemas" / name / "index.html").read_text("utf-8")
    assert schema["$id"] in html
    assert html.count('<div class="highlight">') >= 3, "an example of each kind and the schema"


def test_lifecycles_are_drawn_with_a_text(site: Path) -> None:
    html = (site / "reference/lifecycle/index.html").read_text("utf-8")
    for name, machine in lifecycle().items():
        drawing = html.partition(f'id="{name}-title"')[2].partition("</svg>")[0]
        for state in machine["states"]:
            assert f">{state}</text>" in drawing
        for row in machine["transitions"]:
            if "on" in row and "breaks" not in row:
                assert re.search(rf"{row['on']}: from [a-z_ ]*{row['from']}\b", drawing)


def references(value: Any) -> Iterator[str]:
    """Every reference in a document."""
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def test_asyncapi_describes_every_event(site: Path) -> None:
    document = yaml.safe_load((site / "asyncapi.yaml").read_text("utf-8"))
    assert document["asyncapi"] == "3.0.0"
    events = {n.partition("/")[2] for n in names() if re.match("(client|server)_events/", n)}
    assert set(document["channels"]["responses"]["messages"]) == events
    said = [
        reference["$ref"].rpartition("/")[2]
        for operation in document["operations"].values()
        for reference in operation["messages"]
    ]
    assert sorted(said) == sorted(events)


def test_asyncapi_refers_to_what_is_there(site: Path) -> None:
    document = yaml.safe_load((site / "asyncapi.yaml").read_text("utf-8"))
    found = list(references(document))
    assert any(reference.startswith("./schemas/0/") for reference in found)
    for reference in found:
        path, _, inside = reference.partition("#")
        if path:
            assert (site / path).is_file(), reference
            continue
        value = document
        for step in inside.strip("/").split("/"):
            value = value[step]


def test_benchmarks_say_when_and_on_what_they_were_measured(site: Path) -> None:
    html = (site / "reference/benchmarks/index.html").read_text("utf-8")
    text = re.sub("<[^>]+>", "", html)
    machine = (
        r"20\d\d-\d\d-\d\d, version \d[\w.]*, Python \d[\w.]*, websockets \d.*, \d+ cores of .+"
    )
    assert re.search(machine, text)
    groups = [
        path for path in (ROOT / "benchmarks").glob("*.py") if "def rows()" in path.read_text()
    ]
    assert len(re.findall("<h2", html)) == len(groups)
    for measured in ("turns/s", "events/s", "ms", "KB", "MB", "s"):
        assert re.search(rf"\d {measured}\n?</td>", html), measured
    for path in ("index.html", "reference/implementations/index.html"):
        assert any("benchmarks" in link for link in read(site / path).links), path


def test_examples_are_shown_whole(site: Path) -> None:
    html = (site / "05-continuation" / "index.html").read_text("utf-8")
    assert "--8&lt;--" not in html
    assert len(re.findall("previous_response_not_found", html)) > 5


def test_a_statement_is_shown_with_what_was_run_and_when(tmp_path: Path) -> None:
    assert statements_text(tmp_path) == "", "without a statement there is nothing to say"
    statement = first_example("files/statement")
    (tmp_path / "acme-1.2.yaml").write_text(yaml.safe_dump(statement), "utf-8")
    text = statements_text(tmp_path)
    for words in ("### acme-1.2", statement["when"]["started_at"], statement["reproduce"]["run"]):
        assert words in text
    must = statement["levels"]["MUST"]
    assert f"| MUST | {must['pass']} | {must['fail']} |" in text
    assert "[RWS-CHAIN-012](../requirements/RWS-CHAIN-012.md) | fail |" in text
    assert "**Waived**: RWS-CHAIN-012" in text
