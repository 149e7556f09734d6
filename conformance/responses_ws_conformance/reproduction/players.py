"""Players: the steps of a recorded conversation taken again, each when its time has come.

What is said to an id goes to the id of now; a step without ground ends the replay.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from responses_ws_conformance.driver import Connection, Driver, Unreachable
from responses_ws_conformance.driver.api import RESPONSES, STREAM
from responses_ws_conformance.reading import commands
from responses_ws_conformance.reading.attribution import Reading
from responses_ws_conformance.reading.calls import Call
from responses_ws_conformance.reading.exchanges import Exchange
from responses_ws_conformance.reproduction.handshakes import (
    Credentials,
    credentials_of,
    extra_headers,
)
from responses_ws_conformance.reproduction.steps import (
    Progress,
    Source,
    Step,
    events_of,
    member,
    rebound,
    request_of,
    told_by,
)
from responses_ws_conformance.transcript import (
    Closed,
    Expired,
    Headers,
    Note,
    Opened,
    Requested,
    Sent,
    Transcript,
)

# A replay waits for a close so many times as long as the recorded one took to come.
PATIENCE: Final = 2


class Departed(Exception):
    """The conversation took another course and the next step has no ground."""


class Player:
    """Takes steps, and knows which connection and exchange of now is which of then."""

    def __init__(self, driver: Driver, recorded: Transcript, left_out: list[str]) -> None:
        self.driver = driver
        self.recorded = recorded
        self.left_out = left_out
        self.model = recorded.header.model
        self.connections: dict[str, Connection] = {}
        self.exchanges: dict[str, Exchange] = {}
        self.calls: dict[str, Call] = {}
        self.parents = {x.name: x.parent.name for x in Reading(recorded.entries) if x.parent}
        self.ids: dict[str, str] = {}
        self.arrivals = {e.conn: e.t for e in recorded.entries if isinstance(e, Opened)}

    def take(self, step: Step) -> None:
        """Wait as the recorded client did, then do what it did."""
        self.wait(step.after)
        match step.entry:
            case Opened():
                self._open(step.entry)
            case Sent(is_data=True):
                self._send(step)
            case Requested():
                self._request(step, step.entry)
            case Sent(opcode="ping"):
                self._connection(step.entry.conn).ping(step.entry.data or b"")
            case Sent():
                self.left_out.append(f"a {step.entry.opcode} of the client")
            case Expired():
                self._wait_in_vain(step.entry)
            case Closed(side="client"):
                self._connection(step.entry.conn).close()
            case Closed():
                self._wait_for_close(step.entry)
            case Note(note="lever"):
                self._pull(step.entry)
            case Note():
                self._note(step.entry)
        if not isinstance(step.entry, Note):
            self.arrivals[step.entry.conn] = step.entry.t

    def wait(self, after: tuple[Progress, ...]) -> None:
        """Read until every exchange has come as far as the recorded one had."""
        for progress in after:
            exchange = self._begun(progress.exchange)
            if exchange is None or exchange.name in self.calls:
                continue
            connection = self._of(exchange)
            if not progress.is_over:
                self._read(connection, exchange, progress.events)
            elif exchange.is_create or commands.command_of(exchange):
                connection.finish(exchange)
                if progress.has_terminal:
                    self._end(connection, exchange)
            else:
                connection.expect_silence(exchange, self.driver.profile.timing.quiet)

    def _read(self, connection: Connection, exchange: Exchange, events: int) -> None:
        connection.until(exchange, lambda x: len(x.events) >= events)

    def _end(self, connection: Connection, exchange: Exchange) -> None:
        """Wait for a terminal event, which may follow an error that has ended the exchange."""
        connection.wait(self.driver.profile.timing.quiet, lambda: exchange.terminal is not None)

    def _open(self, opened: Opened) -> None:
        profile = self.driver.profile
        offered = opened.request_header("Sec-WebSocket-Protocol")
        connection = self.driver.shake_hands(
            self._key(opened),
            upgrade=opened.upgrade,
            plain=offered is None,
            headers=self._extra(opened.request_headers),
        )
        self.connections[opened.conn] = connection
        now = self.driver.recording.reading.connection(connection.name).opened
        if now is None or now.status is None:
            raise Unreachable(f"{profile.target}: {now.failure if now else 'no handshake'}")
        if urlsplit(now.target).path != urlsplit(opened.target).path:
            self.left_out.append(f"the path {opened.target} of {opened.conn}")

    def _key(self, opened: Opened) -> str | None:
        """The key of now that plays the part of the recorded one."""
        profile = self.driver.profile
        match credentials_of(self.recorded, opened):
            case Credentials.KEY:
                return profile.api_key
            case Credentials.SECOND_KEY if profile.second_api_key is None:
                raise Departed("the recording uses a second API key, and none is configured")
            case Credentials.SECOND_KEY:
                return profile.second_api_key
            case Credentials.INVENTED:
                return self.driver.invented_id("sk-rws")
        return None

    def _extra(self, headers: Headers) -> Mapping[str, str]:
        """The recorded headers that neither the handshake nor the profile brings itself."""
        known = {name.lower() for name in self.driver.profile.headers}
        extra, masked = extra_headers(tuple(h for h in headers if h[0].lower() not in known))
        self.left_out += [f"the header {name}, masked in the recording" for name in masked]
        return extra

    def _send(self, step: Step) -> None:
        sent = step.entry
        assert isinstance(sent, Sent)
        text = sent.text
        message = self._with_model(self._rebound(sent.payload, step))
        if isinstance(message, dict) and message.get("type") == "response.create":
            self.driver.pace()
        if message != sent.payload:
            text = json.dumps(message, ensure_ascii=False)
        exchange = self._connection(sent.conn).repeat(sent, text)
        self.exchanges[f"e{sent.n}"] = exchange

    def _request(self, step: Step, requested: Requested) -> None:
        if self.driver.profile.http_url is None:
            raise Departed("the recording asks over HTTP: a profile has to name http_url")
        request = self._rebound(request_of(requested), step)
        segments = request["path"]
        place = len(segments) - segments[::-1].index(RESPONSES) - 1 if RESPONSES in segments else 0
        body = requested.body
        if request["body"] is not None:
            self.driver.pace()
            body = json.dumps(self._with_model(request["body"]), ensure_ascii=False)
        accepted = dict(requested.request_headers).get("Accept", "")
        call = self.driver.api.repeat(
            requested.method, segments[place:], body, streams=accepted == STREAM
        )
        self.exchanges[f"e{requested.n}"] = call.exchange
        self.calls[call.name] = call

    def _rebound(self, message: Any, step: Step) -> Any:
        """A message with the ids of now."""
        try:
            message = rebound(message, step.bindings, self._told)
        except LookupError as problem:
            raise Departed(
                f"message {step.entry.n} names {problem.args[0]!r}, and nothing plays its part now"
            ) from None
        self.ids |= {b.value: member(message, b.path) for b in step.bindings}
        return message

    def _with_model(self, message: Any) -> Any:
        model = self.driver.profile.model
        names_it = isinstance(message, dict) and message.get("model", ...) == self.model
        return {**message, "model": model} if names_it and model is not None else message

    def _told(self, source: Source) -> Any:
        """What the server says now where it said an id in the recording."""
        exchange = self._exchange(source.exchange)
        call = self.calls.get(exchange.name) if exchange is not None else None
        if call is not None:
            told = list(told_by(call))
        else:
            events = events_of(exchange) if exchange is not None else []
            told = [(event.type, event.payload) for event in events]
        values = [value for kind, value in told if kind == source.type]
        try:
            return member(values[source.nth], source.path)
        except LookupError:
            return None

    def _wait_in_vain(self, expired: Expired) -> None:
        connection = self._connection(expired.conn)
        exchange = self._exchange(expired.exchange or "")
        if expired.clock == "close":
            connection.wait_for_close(expired.limit)
        elif exchange is not None and expired.clock != "quiet":
            self._wait_for_successor(connection, exchange, expired)
        elif exchange is not None:
            connection.expect_silence(exchange, expired.limit)
        else:
            connection.watch(expired.limit)

    def _wait_for_successor(
        self, connection: Connection, exchange: Exchange, expired: Expired
    ) -> None:
        """Wait as long as was waited in vain behind the end of a response."""
        exchanges = self.driver.recording.reading.connection(connection.name).exchanges
        connection.wait(expired.limit, lambda: any(x.parent is exchange for x in exchanges))
        if not any(x.parent is exchange for x in exchanges):
            connection.expire(expired.clock, expired.limit, exchange)

    def _wait_for_close(self, closed: Closed) -> None:
        took = closed.t - self.arrivals.get(closed.conn, closed.t)
        limit = max(self.driver.profile.timing.quiet, PATIENCE * took)
        self._connection(closed.conn).wait_for_close(limit)

    def _pull(self, note: Note) -> None:
        name = str(note.facts.get("lever"))
        if name not in self.driver.profile.levers:
            raise Departed(f"the recording pulls the lever {name}: a profile has to offer it")
        for conn in note.roles.get("connection", ()):
            self.driver.pull(name, self._connection(conn))

    def _note(self, note: Note) -> None:
        roles: dict[str, tuple[str, ...]] = {}
        for role, names in note.roles.items():
            now = [self._exchange(name) or self.connections.get(name) for name in names]
            if None in now:
                return  # it is about something that this replay has left out
            roles[role] = tuple(one.name for one in now if one is not None)
        facts = {
            name: self.ids.get(fact, fact) if isinstance(fact, str) else fact
            for name, fact in note.facts.items()
        }
        self.driver.recording.add(
            Note, note=note.note, requirement=note.requirement, roles=roles, facts=facts
        )

    def _begun(self, name: str) -> Exchange | None:
        """The exchange of now; a successor begins some time after its parent."""
        parent = self._exchange(self.parents.get(name, ""))
        if parent is not None:
            self._of(parent).follow(parent, lambda _: self._exchange(name) is not None)
        return self._exchange(name)

    def _exchange(self, name: str) -> Exchange | None:
        """The exchange of now; a successor, which the client did not send, goes by its parent."""
        parent = self._exchange(self.parents[name]) if name in self.parents else None
        if parent is None:
            return self.exchanges.get(name)
        view = self.driver.recording.reading.connection(parent.conn)
        return next((x for x in view.exchanges if x.parent is parent), None)

    def _connection(self, name: str) -> Connection:
        if name not in self.connections:
            raise Departed(f"the recording does not say how {name} was opened")
        return self.connections[name]

    def _of(self, exchange: Exchange) -> Connection:
        return next(c for c in self.connections.values() if c.name == exchange.conn)
