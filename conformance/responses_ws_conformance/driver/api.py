"""The HTTP side of a target: the same creates as over the WebSocket, and what is stored.

``turn`` is a create that owes a response, ``attempt`` one that may be refused; ``get``, ``delete``
and ``compact`` are calls that the WebSocket does not have. Everything is recorded, and a wait that
runs out is an entry. The connections of the scenario are served while an answer is awaited.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

from responses_ws_conformance.checks import Cause
from responses_ws_conformance.checks.answers import describe, is_moody, is_transient
from responses_ws_conformance.driver.connection import OMIT, Blocked, Loop, Unreachable
from responses_ws_conformance.driver.web import Fetch, Web
from responses_ws_conformance.reading.calls import Call
from responses_ws_conformance.reading.exchanges import Exchange
from responses_ws_conformance.transcript import Answered, Expired, Requested

RESPONSES: Final = "responses"
COMPACT: Final = "responses/compact"
STREAM: Final = "text/event-stream"
# How often it is looked whether an answer has come; meanwhile pings are answered.
STEP: Final = 0.005


class Api:
    """The HTTP side of a target, as one scenario uses it."""

    def __init__(self, driver: Loop, base: str) -> None:
        profile = driver.profile
        self._driver = driver
        self._base = base.rstrip("/")
        self._count = 0
        self._web = Web(
            ca_file=profile.ca_file,
            proxy=profile.proxy,
            connect=profile.timing.connect,
            total=profile.timing.total,
            max_bytes=profile.max_message_bytes,
        )

    # Creates

    def turn(
        self, input: str | Sequence[Mapping[str, Any]], *, owes: str, **fields: Any
    ) -> Exchange:
        """A create that owes a response; raises Blocked where it does not come."""
        exchange = self.attempt(input, **fields)
        self._driver.mark(owes, subject=exchange)
        self.require(exchange, by=owes)
        return exchange

    def attempt(
        self, input: str | Sequence[Mapping[str, Any]], *, stream: bool = True, **fields: Any
    ) -> Exchange:
        """A create that may be refused, read to its end."""
        body = self._body(input, **fields, stream=True if stream else OMIT)
        self._driver.pace()
        return self._call("POST", RESPONSES, body, streams=stream).exchange

    def require(self, exchange: Exchange, *, by: str) -> None:
        """Raise Blocked unless a create, or another call, has been answered well."""
        if exchange.outcome == "completed":
            return
        why = describe(exchange)
        if exchange.outcome in ("expired", "open"):
            raise Blocked(Cause.TIME, why)
        if is_transient(exchange):
            raise Blocked(Cause.TRANSIENT, why)
        if is_moody(exchange):
            raise Blocked(Cause.MOOD, why)
        raise Blocked(Cause.BLOCKED, why, by)

    # What is stored, and what is folded

    def get(self, response_id: str) -> Call:
        """Ask for a stored response."""
        return self._call("GET", f"{RESPONSES}/{quote(response_id, safe='')}")

    def delete(self, response_id: str) -> Call:
        """Ask for a stored response to be deleted."""
        return self._call("DELETE", f"{RESPONSES}/{quote(response_id, safe='')}")

    def compact(self, input: str | Sequence[Mapping[str, Any]]) -> Call:
        """Ask for a conversation to be folded."""
        self._driver.pace()
        return self._call("POST", COMPACT, self._body(input))

    # What was asked before

    def repeat(self, method: str, path: Sequence[str], body: str | None, *, streams: bool) -> Call:
        """Ask what a recording asked; ``path`` has its segments."""
        return self._call(method, "/".join(quote(s, safe="") for s in path), body, streams=streams)

    def _body(self, input: str | Sequence[Mapping[str, Any]], **fields: Any) -> str:
        model = self._driver.profile.model or OMIT
        body = {"model": model, **fields, "input": input}
        return json.dumps({k: v for k, v in body.items() if v is not OMIT}, ensure_ascii=False)

    def _call(
        self, method: str, path: str, body: str | None = None, *, streams: bool = False
    ) -> Call:
        profile, recording = self._driver.profile, self._driver.recording
        query = f"?{urlencode(profile.query)}" if profile.query else ""
        url = f"{self._base}/{path}{query}"
        key = profile.api_key
        headers = {
            **({"Authorization": f"Bearer {key}"} if key is not None else {}),
            **({"Content-Type": "application/json"} if body is not None else {}),
            "Accept": STREAM if streams else "application/json",
            "Accept-Encoding": "identity",
            **profile.headers,
        }
        self._count += 1
        conn = f"h{self._count}"
        target = url.removeprefix(f"{urlsplit(url).scheme}://{urlsplit(url).netloc}")
        exchange = recording.add(
            Requested,
            conn=conn,
            method=method,
            target=target,
            request_headers=tuple(headers.items()),
            body=body,
        )
        assert exchange is not None
        fetch = Fetch(self._web, self._driver.now, self._driver.now())
        fetch.start(method, url, headers, body)
        silence = profile.timing.total if body is not None and not streams else None
        self._await(fetch, conn, exchange.name, silence)
        return recording.reading.calls[exchange.name]

    def _await(self, fetch: Fetch, conn: str, name: str, silence: float | None) -> None:
        """Serve the connections until the answer is there or a limit has run out."""
        driver, timing = self._driver, self._driver.profile.timing
        started = driver.now()
        expired: tuple[str, float] | None = None
        while not fetch.is_done and expired is None:
            now = driver.now()
            clock = "idle" if fetch.has_begun else "first-event"
            limit = silence or (timing.idle if fetch.has_begun else timing.first_event)
            if now >= started + timing.total:
                expired = ("total", timing.total)
            elif now >= fetch.alive_at + limit:
                expired = (clock, limit)
            else:
                driver.pump(now + STEP)
        if expired is not None:
            fetch.give_up()
        if fetch.status is not None or fetch.failure is not None:
            driver.recording.add(
                Answered,
                conn=conn,
                status=fetch.status,
                response_headers=fetch.headers,
                body=fetch.body,
                failure=None if expired is not None else fetch.failure,
            )
        if expired is not None:
            limit_of, seconds = expired
            driver.recording.add(Expired, conn=conn, clock=limit_of, limit=seconds, exchange=name)
        elif fetch.is_unreachable:
            raise Unreachable(f"{self._base}: {fetch.failure}")
