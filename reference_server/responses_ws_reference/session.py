"""The server side of one connection, sans I/O: messages and time in, effects out.

At most one response runs; `advance` makes its next event, so the session is never ahead of what
its shell has sent. A create that arrives meanwhile waits, and is read, resolved and perhaps refused
when its turn comes. What a create continues from, what is kept and what is forgotten are decisions
of `Policies`; this class only asks them in order.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from responses_ws_reference.creates import Create, read_create
from responses_ws_reference.decoding import read_client_event
from responses_ws_reference.effects import (
    CloseConnection,
    Effect,
    Event,
    StartTurn,
    send_event,
)
from responses_ws_reference.engine import Engine, Prompt, count_tokens, count_words
from responses_ws_reference.policies import Admission, Cache, Policies
from responses_ws_reference.refusals import Refusal, Refused, quoted
from responses_ws_reference.responses import response_object, usage
from responses_ws_reference.store import Shelf, Snapshot
from responses_ws_reference.stream import ResponseStream

LIFETIME_REACHED = Refusal(
    "websocket_connection_limit_reached",
    "This connection has reached its lifetime. Open a new one to go on.",
)
BUSY = Refusal(
    "response_already_in_flight",
    "Another response is running on this connection and no further create is taken.",
    status=409,
)


@dataclass(frozen=True, slots=True)
class Service:
    """What all connections of a server share."""

    model: str
    engine: Engine
    policies: Policies
    fresh_id: Callable[[], str]


@dataclass(frozen=True, slots=True)
class _Turn:
    """The response that runs, and what it runs on."""

    create: Create
    prompt: Prompt
    stream: ResponseStream


class Session:
    """One connection's conversation."""

    def __init__(self, service: Service, shelf: Shelf, *, expires_at: float | None = None) -> None:
        self.expires_at = expires_at
        self._service = service
        self._policies = service.policies
        self._shelf = shelf
        self._cache: Cache = {}
        self._waiting: list[Event] = []
        self._turn: _Turn | None = None
        self._is_over = False

    @property
    def is_busy(self) -> bool:
        """True while a response runs or a create waits."""
        return self._turn is not None or bool(self._waiting)

    @property
    def queued(self) -> int:
        """How many creates wait."""
        return len(self._waiting)

    def open(self, *, now: float) -> list[Effect]:
        """The server is silent until the first client event."""
        return []

    def receive(self, data: str | bytes, *, now: float) -> list[Effect]:
        """One data message of the client."""
        if self._is_over:
            return []
        try:
            event = read_client_event(data)
        except Refused as refused:
            return self._refuse(refused.refusal, None)
        match self._policies.admit(self.is_busy, self.queued):
            case Admission.QUEUE:
                self._waiting.append(event)
                return []
            case Admission.REFUSE:
                return self._refuse(BUSY, event)
        effects = self._begin(event, now=now)
        return [*effects, StartTurn()] if self.is_busy else effects

    def advance(self, *, now: float) -> list[Effect]:
        """The next event of the running response, or the beginning of the next one."""
        if self._is_over:
            return []
        if self._turn is None:
            if not self._waiting:
                return []
            event = self._waiting.pop(self._policies.take(self.queued))
            return self._begin(event, now=now)
        return self._continue(self._turn, now=now)

    def tick(self, *, now: float) -> list[Effect]:
        """Time passes: at the end of its lifetime the connection says so and closes."""
        if self._is_over or self.expires_at is None or now < self.expires_at:
            return []
        self.close()
        return [send_event(LIFETIME_REACHED.event()), CloseConnection(1000, "lifetime reached")]

    def close(self) -> None:
        """Nothing goes on after the end of the connection; a running response is cut."""
        self._is_over = True
        self.expires_at = None
        self._turn = None
        self._waiting.clear()

    def _begin(self, event: Event, *, now: float) -> list[Effect]:
        try:
            self._turn = self._prepare(event, now=now)
        except Refused as refused:
            return self._refuse(refused.refusal, event)
        return self._continue(self._turn, now=now)

    def _prepare(self, event: Event, *, now: float) -> _Turn:
        """Everything that can be wrong with a create is found here, before it is created."""
        create = read_create(event)
        model = create.fields.get("model", self._service.model)
        if model != self._service.model:
            message = f"The model {quoted(model)} does not exist."
            raise Refused(Refusal("model_not_found", message, "model"))
        wanted = create.previous_response_id
        previous = self._policies.resolve(wanted, self._cache, self._shelf)
        if previous is None:
            message = f"Previous response with id {quoted(wanted or '')} not found."
            raise Refused(Refusal("previous_response_not_found", message, "previous_response_id"))
        create = self._policies.inherit(create, previous)
        context = self._policies.gather(previous, create)
        if mismatch := self._policies.match_calls(context):
            raise Refused(mismatch)
        return self._turn_of(Prompt(create, context), cached=count_words(previous.context), now=now)

    def _turn_of(self, prompt: Prompt, *, cached: int, now: float) -> _Turn:
        create = prompt.create
        completion = None if create.is_warm_up else self._service.engine.complete(prompt)
        written = sum(len(output.tokens) for output in completion.outputs) if completion else 0
        read = count_tokens(create, prompt.context)
        stream = ResponseStream(
            response_object(
                create, response_id=self._identify("resp"), model=self._service.model, now=now
            ),
            completion,
            usage(read=read, cached=min(cached, read), written=written),
            number=self._policies.number,
            identify=self._identify,
        )
        return _Turn(create, prompt, stream)

    def _continue(self, turn: _Turn, *, now: float) -> list[Effect]:
        event = turn.stream.next_event(now=now)
        if turn.stream.is_finished:
            self._conclude(turn)
        return [send_event(event)]

    def _conclude(self, turn: _Turn) -> None:
        """Before the client sees the terminal event, it can be continued from."""
        self._turn = None
        response = turn.stream.response
        context = (*turn.prompt.context, *response["output"])
        snapshot = Snapshot(response["id"], response["status"], turn.create, context)
        self._cache = self._policies.remember(self._cache, snapshot)
        if self._policies.keeps(snapshot):
            self._shelf.add(snapshot)

    def _refuse(self, refusal: Refusal, event: Event | None) -> list[Effect]:
        referenced = event.get("previous_response_id") if event else None
        if not isinstance(referenced, str):
            referenced = None
        self._cache = self._policies.evict(self._cache, referenced)
        return [send_event(refusal.event())]

    def _identify(self, prefix: str) -> str:
        return self._policies.identify(prefix, self._service.fresh_id())
