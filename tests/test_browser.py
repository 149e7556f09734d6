"""The built site and the HTML report in a real browser: seen, read, and used by keyboard."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from responses_ws_conformance.reports import FORMATS
from responses_ws_conformance.reports.report import Report
from responses_ws_conformance.transcript import Entry, Header, Received, Sent, Transcript

from tests.browser import PHONE, WIDE, Browser, browser, needs_browser

pytestmark = needs_browser

WEAK_TEXTS = (Path(__file__).parent / "contrast.js").read_text("utf-8")
FRAMES = 5000
MARKUP = '<script>window.owned = 1</script><img src=x onerror="window.owned = 1"></code></details>'
# The message behind the line that has the focus, once it is laid out.
LAID_OUT = """new Promise(done => {
    const message = document.activeElement.nextElementSibling;
    const look = () => message.dataset.laidOut ? done(message.textContent) : setTimeout(look, 10);
    look();
})"""
PAGES = (
    "",
    "reading/",
    "05-continuation/",
    "requirements/RWS-CHAIN-005/",
    "schemas/",
    "schemas/server_events/response.created/",
    "contradictions/",
    "reference/requirements/",
    "reference/lifecycle/",
    "reference/kill-matrix/",
    "reference/traceability/",
    "reference/implementations/",
    "reference/benchmarks/",
    "guides/ci/",
    "guides/run-the-suite/",
    "guides/read-a-failure/",
)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as opened:
        yield opened


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    """Where the site is served as it is published."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(site))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def written_report(path: Path, frames: int) -> str:
    """The address of a report about a conversation that is wrong in several places."""
    transcript = Transcript(Header(scenario="hostile", target=MARKUP, exercises=()))
    transcript.path = Path("hostile.jsonl")
    create = json.dumps({"type": "response.create", "input": MARKUP, "stream_id": "main"})
    entries: list[Entry] = [Sent(n=0, t=0.0, conn="c1", opcode="text", text=create)]
    for n in range(1, frames):
        event = {"type": "response.output_text.delta", "delta": MARKUP, "stream_id": "main"}
        text = MARKUP if n % (frames // 5) == 0 else json.dumps(event)
        entries.append(Received(n=n, t=n / 100, conn="c1", opcode="text", text=text))
    transcript.entries += entries
    judged = Report.of_transcripts([transcript])
    assert judged.as_json()["summary"]["fail"] > 1
    path.write_text(FORMATS["html"](judged.as_json(), [transcript]), "utf-8")
    return path.as_uri()


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A report about a long conversation."""
    return written_report(tmp_path_factory.mktemp("report") / "long.html", FRAMES)


@pytest.fixture(scope="module")
def short_report(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A report of which every text can be looked at."""
    return written_report(tmp_path_factory.mktemp("report") / "short.html", 20)


def open_clean(chromium: Browser, url: str) -> None:
    """Load a page; its console stays empty."""
    chromium.console.clear()
    chromium.open(url)
    assert chromium.run("document.readyState") == "complete"
    assert chromium.console == []


def weak_texts(chromium: Browser, part: str) -> Any:
    """The texts in a part of the page that are hard to read against what is behind them."""
    return chromium.run(f"({WEAK_TEXTS})('{part}')")


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_page_can_be_read(chromium: Browser, address: str, path: str, dark: bool) -> None:
    chromium.look(dark=dark, size=WIDE)
    open_clean(chromium, address + path)
    scheme = chromium.run("document.body.getAttribute('data-md-color-scheme')")
    assert scheme == ("slate" if dark else "default")
    assert weak_texts(chromium, "article") == []


@pytest.mark.parametrize("path", PAGES)
def test_page_fits_a_phone(chromium: Browser, address: str, path: str) -> None:
    chromium.look(size=PHONE)
    open_clean(chromium, address + path)
    assert chromium.run("document.documentElement.scrollWidth") == PHONE[0]


@pytest.mark.parametrize(
    ("path", "commands"),
    [
        ("guides/ci/", "python3 -m venv .venv\n.venv/bin/pip install responses-ws-conformance"),
        ("guides/test-a-client/", "rws-server --port 8080"),
    ],
)
def test_what_is_copied_is_commands(
    chromium: Browser, address: str, path: str, commands: str
) -> None:
    """Neither the prompt nor what was printed; the clipboard itself belongs to somebody else."""
    chromium.look(size=WIDE)
    open_clean(chromium, address + path)
    copied = chromium.run(
        """(() => {
            let copied;
            document.execCommand = () => (copied = document.activeElement.value, true);
            document.querySelector(".md-code__button[data-md-type=copy]").click();
            return copied;
        })()"""
    )
    assert copied.strip() == commands


def test_search_finds_a_requirement(chromium: Browser, address: str) -> None:
    chromium.look(size=WIDE)
    open_clean(chromium, address)
    found = chromium.run(
        """new Promise((done, fail) => {
            setTimeout(() => fail("nothing is found"), 20000);
            new MutationObserver(() => {
                const first = document.querySelector(".md-search-result__item a");
                if (first) done(first.getAttribute("href"));
            }).observe(document.body, { childList: true, subtree: true });
            const field = document.querySelector(".md-search__input");
            field.focus();
            field.value = "RWS-CHAIN-005";
            field.dispatchEvent(new KeyboardEvent("keyup", { bubbles: true }));
        })"""
    )
    assert "RWS-CHAIN-005" in found


def test_a_long_report_is_there_whole(chromium: Browser, report: str) -> None:
    chromium.look(size=WIDE)
    open_clean(chromium, report)
    assert chromium.run("document.querySelectorAll('.log ol.frames > li').length") == FRAMES
    assert chromium.run("performance.timing.loadEventEnd - performance.timing.fetchStart") < 10_000
    columns = "document.querySelector('.log li.received').querySelectorAll('span')"
    row = chromium.run(f"[...{columns}].map(column => column.textContent)")
    assert row == ["1", "0.010", "c1", "←", "lane main"]


def test_what_a_target_sent_is_text(chromium: Browser, report: str) -> None:
    open_clean(chromium, report)
    assert chromium.run("window.owned") is None
    assert chromium.run("document.querySelectorAll('script').length") == 1, "our own"
    assert chromium.run("document.querySelectorAll('img').length") == 0
    assert MARKUP in chromium.run("document.querySelector('h1').textContent")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_a_report_can_be_read(chromium: Browser, short_report: str, dark: bool) -> None:
    chromium.look(dark=dark, size=WIDE)
    open_clean(chromium, short_report)
    ground = chromium.run("getComputedStyle(document.body).backgroundColor")
    assert ground == ("rgb(22, 22, 26)" if dark else "rgb(255, 255, 255)")
    assert weak_texts(chromium, "main") == []
    chromium.run("document.querySelector('h1').style.color = '#777'")
    assert weak_texts(chromium, "h1") == [], "4 to 1 is enough for a large text"
    chromium.run("document.querySelector('h1').style.fontSize = '12px'")
    assert len(weak_texts(chromium, "h1")) == 1


def test_a_report_fits_a_phone(chromium: Browser, report: str) -> None:
    chromium.look(size=PHONE)
    open_clean(chromium, report)
    assert chromium.run("document.documentElement.scrollWidth") == PHONE[0]


def focus(chromium: Browser, wanted: str) -> None:
    """Press Tab until the focus is where it is wanted; it is seen wherever it is."""
    for _ in range(200):
        chromium.press("Tab")
        outline = "getComputedStyle(document.activeElement).outlineStyle"
        assert chromium.run(outline) != "none", chromium.run("document.activeElement.outerHTML")
        if chromium.run(f"document.activeElement.matches('{wanted}')"):
            return
    raise AssertionError(f"no way leads to {wanted}")


def shown(chromium: Browser) -> list[str]:
    rows = "document.querySelectorAll('details.requirement:not([hidden])')"
    found: list[str] = chromium.run(f"[...{rows}].map(row => row.id)")
    return found


def test_passes_and_skips_are_folded_away(chromium: Browser, report: str) -> None:
    """Where something is broken; and it is said that there is more."""
    chromium.look(size=WIDE)
    open_clean(chromium, report)
    boxes = "[...document.querySelectorAll('[name=verdict]:not(:checked)')].map(box => box.value)"
    assert chromium.run(boxes) == ["skip", "pass"]
    kinds = set(chromium.run("rows.filter(row => !row.hidden).map(row => row.dataset.verdict)"))
    assert "fail" in kinds
    assert not kinds & {"skip", "pass"}
    said = chromium.run("document.querySelector('output').value")
    assert said.endswith(" more in verdicts that are not ticked")
    chromium.open(f"{report}#{chromium.run('rows.find(row => row.hidden).id')}")
    chromium.wait("document.activeElement.closest('.requirement')?.hidden === false")


def test_a_link_skips_to_the_requirements(chromium: Browser, report: str) -> None:
    chromium.look(size=WIDE)
    open_clean(chromium, report)
    chromium.press("Tab")
    assert chromium.run("document.activeElement.getBoundingClientRect().left") >= 0
    chromium.press("Enter")
    chromium.wait("document.activeElement.id === 'requirements'")
    levels = chromium.run("[...document.querySelectorAll('h1, h2, h3')].map(h => h.tagName[1])")
    assert set(levels) == {"1", "2", "3"}
    assert chromium.run("document.querySelectorAll('.requirement > summary > h3').length") > 100


def test_filters_work_by_keyboard(chromium: Browser, report: str) -> None:
    chromium.look(size=WIDE)
    open_clean(chromium, report)
    everything = shown(chromium)
    verdicts = chromium.run(
        "[...document.querySelectorAll('.requirement')].map(row => row.dataset.verdict)"
    )
    focus(chromium, "[name=verdict][value=fail]")
    chromium.press("Space")
    assert len(shown(chromium)) == len(everything) - verdicts.count("fail")
    chromium.press("Space")
    focus(chromium, "[name=words]")
    for letter in "chain-005":
        chromium.press(letter)
    assert shown(chromium) == ["RWS-CHAIN-005"]
    assert chromium.run("document.querySelector('output').value").startswith("1 of ")


def test_a_finding_leads_to_its_frame_and_back(chromium: Browser, report: str) -> None:
    chromium.look(size=WIDE)
    open_clean(chromium, report)
    focus(chromium, ".finding dd a")
    aim = chromium.run("document.activeElement.hash")
    chromium.press("Enter")
    chromium.wait(f"document.activeElement.matches('{aim}.mark')")
    assert chromium.run("document.activeElement.closest('.log').open")
    focus(chromium, ".mark a")
    chromium.press("Enter")
    chromium.wait("document.activeElement.closest('.requirement')?.open")


def test_a_frame_opens_by_keyboard(chromium: Browser, report: str) -> None:
    chromium.look(size=WIDE)
    open_clean(chromium, report)
    focus(chromium, "ol.frames summary")
    chromium.press("Enter")
    chromium.wait("document.activeElement.parentElement.open")
    shown = chromium.run(LAID_OUT)
    whole = json.loads(shown)
    assert MARKUP in (whole.get("input"), whole.get("delta"))
    assert shown.startswith('{\n  "type": "response.'), "one member a line"


def test_a_message_is_shown_as_it_was_sent(chromium: Browser, address: str) -> None:
    chromium.look(size=WIDE)
    open_clean(chromium, address + "requirements/RWS-CHAIN-005/")
    exact = '{"a":[],"b":{"c":1.10e3,"d":"x\\u00e9, {}: [ ]"},"e":12345678901234567890}'
    chromium.run(f"document.querySelector('ol.frames pre').textContent = {json.dumps(exact)}")
    chromium.run("document.querySelector('ol.frames summary').focus()")
    chromium.press("Enter")
    shown = chromium.run(LAID_OUT)
    assert '"a": [],\n  "b": {\n    "c": 1.10e3,' in shown
    assert '"x\\u00e9, {}: [ ]"' in shown
    assert "12345678901234567890" in shown
