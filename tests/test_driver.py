"""The driver records what happens: turns, waits that run out, messages, closes, and no secret."""

from __future__ import annotations

import html
import json
import threading
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest
from responses_ws_conformance.driver import Blocked
from responses_ws_conformance.errors import InvalidClientEvent
from responses_ws_conformance.transcript import Closed, Expired, Opened, Received, Sent
from responses_ws_conformance.transcript.files import load
from responses_ws_conformance.transcript.masking import Masker
from websockets.frames import Frame, Opcode
from websockets.sync.server import ServerConnection

from tests.cases import message_stream
from tests.driving import FAST, driving, entries
from tests.stubs import always_an_error, answers, silent, stub


def test_turn_is_recorded_and_read(tmp_path: Path) -> None:
    with stub(answers) as url, driving(url, tmp_path / "t.jsonl") as driver:
        exchange = driver.connect().turn("hi", store=False)
        assert (exchange.outcome, exchange.text) == ("completed", "ready")
    saved = load(tmp_path / "t.jsonl")
    assert saved.entries == driver.recording.transcript.entries
    assert [type(e) for e in saved.entries[:3]] == [Opened, Sent, Received]
    assert isinstance(saved.entries[-1], Closed)


def test_no_secret_reaches_the_file(tmp_path: Path) -> None:
    def leak(connection: ServerConnection) -> None:
        for _ in connection:
            error = {"code": "x", "message": "the key canary-key is unknown"}
            connection.send(json.dumps({"type": "error", "error": error}))
            connection.send(b"binary canary-key")
            connection.close(1008, "canary-key")

    path = tmp_path / "t.jsonl"
    with (
        stub(leak) as url,
        driving(url, path, api_key="canary-key", secrets={"api_key": "canary-key"}) as driver,
    ):
        driver.connect().attempt("canary-key")
    text = path.read_text("utf-8")
    assert "canary-key" not in text
    assert "[secret: api_key]" in text


KEY = 'sk-Canary/7+q="\\z9'
MASKED = "[secret: api_key]"
ECHOES = {
    "JSON": (json.dumps(KEY), f'"{MASKED}"'),
    "JSON in JSON": (json.dumps(json.dumps(KEY)), f'"\\"{MASKED}\\""'),
    "JSON with escaped slashes": (json.dumps(KEY).replace("/", "\\/"), f'"{MASKED}"'),
    "JSON with everything escaped": ("".join(f"\\u{ord(c):04X}" for c in KEY), MASKED),
    "a URL": (quote(KEY, safe=""), MASKED),
    "a URL in lower case": (quote(KEY, safe="").replace("%2F", "%2f"), MASKED),
    "HTML": (html.escape(KEY), MASKED),
    "base64": (b64encode(KEY.encode()).decode(), MASKED),
    "base64 of the header": (
        b64encode(b"Bearer " + KEY.encode()).decode(),
        f"QmVhcmVyIH{MASKED}Q==",
    ),
    "base64 of more": (b64encode(f"k={KEY}; more".encode()).decode(), f"az1{MASKED}k7IG1vcmU="),
    "hexadecimal": (KEY.encode().hex(), MASKED),
}


@pytest.mark.parametrize("how", ECHOES)
def test_secret_is_masked_however_it_is_spelled(how: str) -> None:
    echo, masked = ECHOES[how]
    assert Masker({"api_key": KEY})(f"no such key: {echo}.") == f"no such key: {masked}."


def test_expired_wait_is_an_entry_and_blocks() -> None:
    with stub(silent) as url, driving(url) as driver, pytest.raises(Blocked) as blocked:
        driver.connect().turn("hi", store=False)
    assert blocked.value.cause.value == "time"
    assert [e.clock for e in entries(driver, Expired)] == ["first-event"]


def test_pings_are_life() -> None:
    def slow(connection: ServerConnection) -> None:
        for message in connection:
            for _ in range(10):
                connection.ping().wait(2)
                threading.Event().wait(0.2)
            for event in message_stream("resp_1", "ready", json.loads(message)):
                connection.send(json.dumps(event))

    timing = replace(FAST, first_event=1.5, total=10)
    with stub(slow) as url, driving(url, timing=timing) as driver:
        assert driver.connect().turn("hi", store=False).outcome == "completed"
    assert entries(driver, Expired) == []


def test_total_clock_ends_a_stream_that_never_ends() -> None:
    def endless(connection: ServerConnection) -> None:
        for message in connection:
            events = list(message_stream("resp_1", "x", json.loads(message)))
            for event in events[:5]:
                connection.send(json.dumps(event))
            while True:
                connection.send(json.dumps(events[4]))
                threading.Event().wait(0.05)

    with stub(endless) as url, driving(url) as driver:
        assert driver.connect().attempt("hi", store=False).outcome == "expired"
    assert next(e.clock for e in entries(driver, Expired)) == "total"


def test_fragments_of_the_server_are_joined() -> None:
    def fragmented(connection: ServerConnection) -> None:
        for message in connection:
            for event in message_stream("resp_1", "ready", json.loads(message)):
                text = json.dumps(event)
                connection.send([text[:10], text[10:20], text[20:]])

    with stub(fragmented) as url, driving(url) as driver:
        assert driver.connect().turn("hi", store=False).text == "ready"


def test_own_slip_is_not_sent() -> None:
    with stub(answers) as url, driving(url) as driver, pytest.raises(InvalidClientEvent):
        driver.connect().turn("hi", temperature="warm")
    assert entries(driver, Sent) == []


def test_message_that_is_too_large_fails_the_connection() -> None:
    def large(connection: ServerConnection) -> None:
        for _ in connection:
            connection.send("x" * 100_000)

    with stub(large) as url, driving(url, max_message_bytes=50_000) as driver:
        assert driver.connect().attempt("hi", store=False).outcome == "closed"
    (closed,) = entries(driver, Closed)
    assert (closed.side, closed.code) == ("failed", 1009)


def test_create_is_filled_up_to_a_size() -> None:
    with stub(answers) as url, driving(url) as driver:
        assert driver.connect().turn("hällo", store=False, size=5000).outcome == "completed"
    (sent,) = entries(driver, Sent)
    assert len(sent.text.encode()) + sent.padding == 5000
    assert sent.payload["input"] == "hällo"


def test_close_that_is_not_answered_is_told_from_one_without_a_code() -> None:
    def closing(connection: ServerConnection, change: Callable[[Frame], Frame | None]) -> None:
        send = connection.protocol.send_frame

        def changed(frame: Frame) -> None:
            after = change(frame) if frame.opcode is Opcode.CLOSE else frame
            if after is not None:
                send(after)

        connection.protocol.send_frame = changed  # type: ignore[method-assign]
        always_an_error(connection)

    def empty(connection: ServerConnection) -> None:
        closing(connection, lambda frame: replace(frame, data=b""))

    def cut(connection: ServerConnection) -> None:
        closing(connection, lambda frame: None)

    codes = []
    for handler in (empty, cut):
        with stub(handler) as url, driving(url) as driver:
            connection = driver.connect()
            assert connection.provoke("go").outcome == "error"
            connection.close()
        (closed,) = entries(driver, Closed)
        codes.append((closed.side, closed.code))
    assert codes == [("client", None), ("client", 1006)]


def test_short_key_is_masked_as_a_header_only(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    key = {"api_key": "e"}
    with stub(answers) as url, driving(url, path, api_key="Bearer e", secrets=key) as driver:
        driver.connect().turn("hi", store=False)
    saved = load(path)
    assert saved.header.masked == ()
    assert saved.entries[0].request_header("Authorization") == "[secret]"  # type: ignore[union-attr]
    assert any(e.type == "response.created" for e in saved.received())
