"""A network in virtual time: the real client bytes, the real sessions, and no waiting.

The suite's driver talks to the reference server's sessions through sockets that are queues. When
the driver waits, time jumps to the next thing that happens; a turn of 40 seconds costs nothing.
"""

from __future__ import annotations

import heapq
import itertools
from collections import deque
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

from responses_ws_conformance.driver.wire import Network, Target, Wire
from responses_ws_reference.messages.effects import CloseConnection, Effect, SendMessage, SendPing
from responses_ws_reference.messages.handshake import HandshakeAnswer, HandshakeRequest, judge
from responses_ws_reference.responses.engine import ScriptedEngine
from responses_ws_reference.seams.hooked import hang
from responses_ws_reference.seams.hooks import Hooks, Tally
from responses_ws_reference.seams.seams import Conversation, Seams
from responses_ws_reference.session.session import Service, Session
from responses_ws_reference.session.store import Store
from websockets.datastructures import Headers
from websockets.frames import Frame, Opcode
from websockets.http11 import Request, Response
from websockets.protocol import State
from websockets.server import ServerProtocol

LIFETIME = 3600.0
# How long a busy session that has nothing to say is left alone, in seconds.
STANDSTILL = 0.25


class VirtualTime:
    """A clock that moves only when somebody waits, and what is to happen when."""

    def __init__(self) -> None:
        self.now = 0.0
        self._order = itertools.count()
        self._agenda: list[tuple[float, int, Callable[[], None]]] = []

    def at(self, when: float, do: Callable[[], None]) -> None:
        """Do something when the time has come."""
        heapq.heappush(self._agenda, (when, next(self._order), do))

    def pass_until(self, when: float, is_enough: Callable[[], bool]) -> None:
        """Let things happen until there is enough, or until a time."""
        while not is_enough() and self._agenda and self._agenda[0][0] <= when:
            self.now, _, do = heapq.heappop(self._agenda)
            do()
        if not is_enough():
            self.now = max(self.now, when)


class VirtualSocket:
    """The client's end of a connection."""

    def __init__(self, time: VirtualTime, deliver: Callable[[bytes], None]) -> None:
        self.inbox: deque[bytes] = deque()
        self._time = time
        self._deliver = deliver
        self._timeout = 0.0

    def gettimeout(self) -> float:
        return self._timeout

    def settimeout(self, seconds: float) -> None:
        self._timeout = seconds

    def sendall(self, data: bytes) -> None:
        self._deliver(data)

    def recv(self, size: int) -> bytes:
        self._time.pass_until(self._time.now + self._timeout, lambda: bool(self.inbox))
        if not self.inbox:
            raise TimeoutError if self._timeout else BlockingIOError
        return self.inbox.popleft()

    def shutdown(self, how: int) -> None:
        self._deliver(b"")

    def close(self) -> None:
        self._deliver(b"")


class VirtualServer:
    """The reference server with its hooks; ``pace`` is the time between two events."""

    def __init__(self, *hooks: Hooks, pace: float, key: str, model: str) -> None:
        self.time = VirtualTime()
        self.pace = pace
        self.keys = (key,)
        self.seams = Seams()
        for each in hooks:
            self.seams = hang(each, self.seams, Tally())
        numbers = itertools.count(1)
        self.service = Service(
            model=model,
            engine=ScriptedEngine(self.seams.mood),
            policies=self.seams.policies,
            fresh_id=lambda: f"{next(numbers):032x}",
        )
        self.store = Store()

    def network(self) -> Network:
        """The network on which every address leads here."""
        return Network(clock=lambda: self.time.now, connect=self._connect, wait=self._wait)

    def _connect(self, target: Target) -> Any:
        peer = ServerPeer(self)
        peer.socket = VirtualSocket(self.time, peer.receive)
        return peer.socket

    def _wait(self, wires: Sequence[Wire], seconds: float) -> Sequence[Wire]:
        def ready() -> list[Wire]:
            return [wire for wire in wires if wire.sock is not None and wire.sock.inbox]  # type: ignore[attr-defined]

        self.time.pass_until(self.time.now + seconds, lambda: bool(ready()))
        return ready()


class ServerPeer:
    """The server's end of one connection: protocol, session and the shell between them."""

    socket: VirtualSocket

    def __init__(self, server: VirtualServer) -> None:
        self._server = server
        self._protocol = ServerProtocol(max_size=2**24)
        self._session: Conversation | None = None
        self._is_advancing = False
        self._parts: list[bytes] = []
        self._opcode: Opcode | None = None

    def receive(self, data: bytes) -> None:
        """Bytes from the client, none at the end."""
        if data:
            self._protocol.receive_data(data)
        else:
            self._protocol.receive_eof()
            if self._session is not None:
                self._session.close()
        for event in self._protocol.events_received():
            if isinstance(event, Request):
                self._shake_hands(event)
            elif isinstance(event, Frame):
                self._take(event)
        self._flush()

    def _shake_hands(self, request: Request) -> None:
        seen = HandshakeRequest(
            request.path, {name.lower(): value for name, value in request.headers.raw_items()}
        )
        refused = judge(
            seen, keys=self._server.keys, authorise=self._server.seams.policies.authorise
        )
        response = self._protocol.accept(request)
        given = refused or HandshakeAnswer(101, tuple(response.headers.raw_items()))
        answer = self._server.seams.handshake(seen, given)
        if answer.status != 101:
            self._protocol.handshake_exc = None
            headers = [*answer.headers, ("Content-Length", str(len(answer.body)))]
            response = Response(answer.status, "Refused", Headers(headers), answer.body)
        self._protocol.send_response(response)
        if answer.status == 101:
            shelf = self._server.store.shelf(seen.api_key)
            lifetime = float(seen.headers.get("rws-lifetime", LIFETIME))
            session = Session(
                self._server.service, shelf, expires_at=self._server.time.now + lifetime
            )
            connection: Any = SimpleNamespace(protocol=self._protocol)
            self._session = self._server.seams.session(session, seen, connection)
            self._server.time.at(self._server.time.now + lifetime, self._tick)
            self._carry_out(self._session.open(now=self._server.time.now))

    def _take(self, frame: Frame) -> None:
        if frame.opcode is Opcode.CLOSE and self._session is not None:
            self._session.close()
        if frame.opcode not in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT) or self._session is None:
            return
        if frame.opcode is not Opcode.CONT:
            self._opcode, self._parts = frame.opcode, []
        self._parts.append(bytes(frame.data))
        if frame.fin:
            data = b"".join(self._parts)
            message = data.decode() if self._opcode is Opcode.TEXT else data
            self._carry_out(self._session.receive(message, now=self._server.time.now))

    def _tick(self) -> None:
        if self._session is not None:
            self._carry_out(self._session.tick(now=self._server.time.now))
            self._flush()

    def _advance(self) -> None:
        self._is_advancing = False
        if self._session is not None and self._session.is_busy:
            self._carry_out(self._session.advance(now=self._server.time.now))
            self._flush()

    def _carry_out(self, effects: list[Effect]) -> None:
        for effect in effects:
            if self._protocol.state is not State.OPEN:
                return
            match effect:
                case SendMessage(str(text)):
                    self._protocol.send_text(text.encode())
                case SendMessage(bytes(data)):
                    self._protocol.send_binary(data)
                case SendPing():
                    self._protocol.send_ping(b"alive")
                case CloseConnection(code, reason):
                    self._protocol.send_close(code, reason)
        if self._session is not None and self._session.is_busy and not self._is_advancing:
            self._is_advancing = True
            pace = self._server.pace if effects else max(self._server.pace, STANDSTILL)
            self._server.time.at(self._server.time.now + pace, self._advance)

    def _flush(self) -> None:
        for data in self._protocol.data_to_send():
            # An empty piece is the end of the stream, to both sides.
            self.socket.inbox.append(data)
