"""The driver: the only thing in the suite that opens a connection.

Scenarios read like scripts: ``connect`` (or ``shake_hands``, which may be refused), creates on the
connection, ``mark`` for what they exercise. Waits are on all connections at once.
"""

from __future__ import annotations

import random
import string
import threading
from collections.abc import Mapping
from typing import Any, Final

from responses_ws_conformance.checks import Cause
from responses_ws_conformance.driver import levers
from responses_ws_conformance.driver.api import Api
from responses_ws_conformance.driver.appetite import OF_A_SCENARIO, Appetite, most_of
from responses_ws_conformance.driver.connection import OMIT, Blocked, Connection, Unreachable
from responses_ws_conformance.driver.pacing import Pace
from responses_ws_conformance.driver.recording import Recording
from responses_ws_conformance.driver.upgrading import open_wire
from responses_ws_conformance.driver.wire import Network, Target
from responses_ws_conformance.errors import HarnessError
from responses_ws_conformance.profile import Lever, Profile
from responses_ws_conformance.reading.exchanges import Exchange
from responses_ws_conformance.transcript import Note, Opened

__all__ = ["OMIT", "Blocked", "Connection", "Driver", "Unreachable"]

# How often it is looked whether a lever has been pulled; meanwhile pings are answered.
LEVER_STEP: Final = 0.02
BUSY_STATUSES: Final = frozenset({429, 500, 502, 503, 504})


class Driver:
    """Records what one scenario does; a context manager that closes what is still open."""

    def __init__(
        self,
        profile: Profile,
        recording: Recording,
        *,
        network: Network | None = None,
        pace: Pace | None = None,
        appetite: Appetite | None = None,
        seed: random.Random | None = None,
    ) -> None:
        self.profile = profile
        self.recording = recording
        self._appetite = Appetite(OF_A_SCENARIO * most_of(profile), appetite)
        self._pace = pace or Pace(interval=profile.turn_interval)
        self._network = network or Network()
        self._random = seed or random.Random()
        self._connections: list[Connection] = []
        self._api: Api | None = None

    def __enter__(self) -> Driver:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None or issubclass(kind, Blocked):
                for connection in self._connections:
                    connection.close()
        finally:
            for connection in self._connections:
                connection.wire.shut()

    def connect(
        self, *, lever: Lever | None = None, headers: Mapping[str, str] | None = None
    ) -> Connection:
        """Open a connection with the configured key, and with further headers.

        Raises Unreachable where there is none, Blocked where the target is only busy.
        """
        connection = self.shake_hands(self.profile.api_key, lever=lever, headers=headers)
        opened = self.recording.reading.connection(connection.name).opened
        if opened is not None and opened.status in BUSY_STATUSES:
            raise Blocked(Cause.TRANSIENT, _why_unreachable(opened, self.profile.target))
        if opened is None or opened.status != 101:
            raise Unreachable(_why_unreachable(opened, self.profile.target))
        return connection

    def shake_hands(
        self,
        key: str | None,
        *,
        lever: Lever | None = None,
        upgrade: bool = True,
        plain: bool = False,
        headers: Mapping[str, str] | None = None,
    ) -> Connection:
        """Try an opening handshake with a key or without one; it may be refused.

        A ``plain`` one offers no subprotocol even where the profile has one.
        """
        profile = self.profile
        extra = {**profile.headers, **(lever.headers if lever else {}), **(headers or {})}
        auth = {"Authorization": f"Bearer {key}"} if key is not None else {}
        target = Target(
            url=(lever.url if lever else None) or profile.url,
            headers=tuple({**auth, **extra}.items()),
            query=tuple(profile.query.items()),
            subprotocol=None if plain else profile.subprotocol,
            ca_file=str(profile.ca_file) if profile.ca_file else None,
            proxy=profile.proxy,
            timeout=profile.timing.connect,
            max_message_bytes=profile.max_message_bytes,
            upgrade=upgrade,
        )
        wire = open_wire(target, self._network)
        connection = Connection(f"c{len(self._connections) + 1}", self, wire)
        self._connections.append(connection)
        shake = wire.handshake
        self.recording.add(
            Opened,
            conn=connection.name,
            target=shake.target,
            request_headers=shake.request_headers,
            status=shake.status,
            response_headers=shake.response_headers,
            body=shake.body,
            failure=shake.failure,
            upgrade=upgrade,
        )
        for frame in wire.take_early():
            connection.take(frame)
        return connection

    @property
    def api(self) -> Api:
        """The HTTP side of the target, for scenarios with the feature ``http``."""
        if self._api is None:
            if self.profile.http_url is None:
                raise HarnessError("a scenario wants HTTP, and the profile has no http_url")
            self._api = Api(self, self.profile.http_url)
        return self._api

    def mark(self, requirement: str, facts: Mapping[str, Any] | None = None, **roles: Any) -> None:
        """Note that exchanges or connections, by role, exercise a requirement."""
        self.recording.mark(requirement, roles, facts or {})

    def probe(self, what: str, exchange: Exchange) -> None:
        """Note that an exchange asks for something invented."""
        roles = {"subject": (exchange.name,)}
        self.recording.add(Note, note="probe", roles=roles, facts={"what": what})

    def pull(self, name: str, connection: Connection) -> None:
        """Do what the profile has for a lever, beside the connection; raises Blocked.

        That the connection was opened as the lever wants it is its user's affair.
        """
        lever = self.profile.levers[name]
        facts = {"lever": name, **levers.describe(lever)}
        self.recording.add(
            Note, note="lever", roles={"connection": (connection.name,)}, facts=facts
        )
        failures: list[str] = []

        def work() -> None:
            try:
                levers.pull(lever, ca_file=self.profile.ca_file)
            except levers.LeverFailed as failed:
                failures.append(str(failed))

        worker = threading.Thread(target=work, name=f"lever {name}", daemon=True)
        worker.start()
        while worker.is_alive():
            self.pump(self.now() + LEVER_STEP)
        if failures:
            raise Blocked(Cause.BLOCKED, f"the lever {name} of the profile failed: {failures[0]}")

    def code_word(self) -> str:
        """A word that no model says by chance."""
        return "".join(self._random.choices(string.ascii_lowercase, k=10))

    def invented_id(self, prefix: str = "resp") -> str:
        """An id that no server has given out."""
        return f"{prefix}_{''.join(self._random.choices('0123456789abcdef', k=32))}"

    def take(self, size: int) -> None:
        """Count what has arrived; raises Flooded where it is too much."""
        self._appetite.take(size)

    def now(self) -> float:
        """The monotonic time in seconds."""
        return self._network.clock()

    def pump(self, until: float) -> list[Connection]:
        """Take what arrives, on any connection, until the given time; returns at the first life."""
        live = [c for c in self._connections if c.wire.sock is not None and not c.wire.is_eof]
        ready = [c for c in live if c.wire.has_buffered()]
        if not ready:
            timeout = max(0.0, until - self.now())
            readable = self._network.wait([c.wire for c in live], timeout)
            ready = [c for c in live if c.wire in readable]
        for connection in ready:
            connection.read()
        return ready

    def pace(self) -> None:
        """Hold the least interval between two creates; raises Blocked where no more are allowed."""
        until = self._pace.take(self.now())
        if until is None:
            why = f"the run has sent the {self._pace.limit} turns that it may send (max-turns)"
            raise Blocked(Cause.BLOCKED, why)
        while self.now() < until:
            self.pump(until)


def _why_unreachable(opened: Opened | None, url: str) -> str:
    if opened is None:
        return f"{url}: no handshake"
    if opened.failure is not None:
        return f"{url}: {opened.failure}"
    location = opened.response_header("Location")
    if location is not None and 300 <= (opened.status or 0) < 400:
        what = f"was redirected with status {opened.status} to {location}"
    else:
        body = " ".join((opened.body or "").split())[:300]
        what = f"was refused with status {opened.status}: {body}"
    return f"{url}: the opening handshake {what}"
