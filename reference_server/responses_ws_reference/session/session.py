"""The server side of one connection, sans I/O: messages and time in, effects out.

At most one response runs on each lane; `advance` makes the next event of the lane whose step it is,
so the session is never ahead of what its shell has sent, and no lane waits for the end of another.
A create that arrives on a busy lane waits, and is read, resolved and perhaps refused when its turn
comes. What a create continues from, what is kept and what is forgotten are decisions of
`Policies`; this class only asks them in order.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from responses_ws_reference.messages.context import Context
from responses_ws_reference.messages.creates import read_create
from responses_ws_reference.messages.decoding import read_client_event
from responses_ws_reference.messages.effects import (
    CloseConnection,
    Effect,
    Event,
    StartTurn,
    send_event,
)
from responses_ws_reference.messages.items import Item
from responses_ws_reference.messages.refusals import Refusal, Refused
from responses_ws_reference.responses.compaction import fold
from responses_ws_reference.responses.engine import (
    Breakdown,
    Completion,
    Engine,
    Prompt,
    count_tokens,
)
from responses_ws_reference.responses.response import response_object, usage
from responses_ws_reference.responses.stream import ResponseStream
from responses_ws_reference.session import injecting, interrupting, steering
from responses_ws_reference.session.commands import Command, Desk, unsupported
from responses_ws_reference.session.lanes import Lane, Lanes, Successor, Turn
from responses_ws_reference.session.policies import Admission, Policies
from responses_ws_reference.session.previous import check_model, find_previous, gather_context
from responses_ws_reference.session.store import Shelf, Snapshot

LIFETIME_REACHED = Refusal(
    "websocket_connection_limit_reached",
    "This connection has reached its lifetime. Open a new one to go on.",
)
BUSY = Refusal(
    "response_already_in_flight",
    "Another response is running on this connection and no further create is taken.",
    status=409,
)
NO_ROOM = Refusal(
    "websocket_stream_limit_reached",
    "This connection has named as many streams as it may. Use one of them.",
    "stream_id",
)

CREATE: Final = "response.create"
COMMANDS: Final[dict[str, Command]] = {
    "response.steer": steering.steer,
    "response.interrupt": interrupting.interrupt,
    "response.inject": injecting.inject,
}


@dataclass(frozen=True, slots=True)
class Service:
    """What all connections of a server share."""

    model: str
    engine: Engine
    policies: Policies
    fresh_id: Callable[[], str]


class Session:
    """One connection and the conversations on its lanes."""

    def __init__(self, service: Service, shelf: Shelf, *, expires_at: float | None = None) -> None:
        self.expires_at = expires_at
        self._service = service
        self._policies = service.policies
        self._shelf = shelf
        self._lanes = Lanes(service.policies)
        self._desk = Desk(self._lanes, service.policies, self._identify)
        self._is_over = False

    @property
    def is_busy(self) -> bool:
        """True while a response runs or a create waits, on any lane that waits for no output."""
        return any(lane.is_busy and not lane.waits for lane in self._lanes)

    @property
    def queued(self) -> int:
        """How many creates wait, on all lanes."""
        return sum(lane.queued for lane in self._lanes)

    def open(self, *, now: float) -> list[Effect]:
        """The server is silent until the first client event."""
        return []

    def receive(self, data: str | bytes, *, now: float) -> list[Effect]:
        """One data message of the client."""
        if self._is_over:
            return []
        was_busy = self.is_busy
        try:
            effects = self._dispatch(read_client_event(data), now=now)
        except Refused as refused:
            self._lanes.evict(None, None)
            effects = [send_event(refused.refusal.event())]
        return [*effects, StartTurn()] if self.is_busy and not was_busy else effects

    def advance(self, *, now: float) -> list[Effect]:
        """The next event of the lane whose step it is, or the beginning of its next response."""
        lane = None if self._is_over else self._lanes.next()
        if lane is None:
            return []
        if lane.turn is not None:
            return self._continue(lane, lane.turn, now=now)
        if lane.successor is not None:
            return self._succeed(lane, lane.successor, now=now)
        event = lane.waiting.pop(self._policies.take(lane.queued))
        return self._begin(lane, event, now=now)

    def tick(self, *, now: float) -> list[Effect]:
        """Time passes: at the end of its lifetime the connection says so and closes."""
        if self._is_over or self.expires_at is None or now < self.expires_at:
            return []
        self.close()
        return [send_event(LIFETIME_REACHED.event()), CloseConnection(1000, "lifetime reached")]

    def close(self) -> None:
        """Nothing goes on after the end of the connection; running responses are cut."""
        self._is_over = True
        self.expires_at = None
        self._lanes.clear()

    def _dispatch(self, event: Event, *, now: float) -> list[Effect]:
        """A create asks for a response; a command acts on one."""
        kind = event["type"]
        if kind == CREATE:
            return self._create(event, now=now)
        if kind not in COMMANDS:
            raise Refused(unsupported(kind))
        return [send_event(answer) for answer in COMMANDS[kind](event, self._desk)]

    def _create(self, event: Event, *, now: float) -> list[Effect]:
        name = event.get("stream_id")
        if refusal := self._policies.judge_lane(name):
            return [send_event(refusal.event())]
        lane = self._lanes.find(name)
        if lane is None:
            return [send_event({**NO_ROOM.event(), "stream_id": name})]
        return self._admit(lane, event, now=now)

    def _admit(self, lane: Lane, event: Event, *, now: float) -> list[Effect]:
        """Begin, or wait: for what runs on the lane, or for a slot among all lanes."""
        admission = self._policies.admit(lane.is_busy, lane.queued)
        if admission is Admission.REFUSE:
            return self._refuse(lane, BUSY, event)
        if admission is Admission.START and self._lanes.has_slot(lane):
            return self._begin(lane, event, now=now)
        lane.waiting.append(event)
        return []

    def _begin(self, lane: Lane, event: Event, *, now: float) -> list[Effect]:
        try:
            lane.turn = self._prepare(lane, event, now=now)
        except Refused as refused:
            return self._refuse(lane, refused.refusal, event)
        lane.pending.pop(lane.turn.create.previous_response_id or "", None)
        return self._continue(lane, lane.turn, now=now)

    def _succeed(self, lane: Lane, successor: Successor, *, now: float) -> list[Effect]:
        """Begin what nobody has to ask for, or give back what it was to begin with."""
        lane.successor = None
        try:
            lane.turn = self._prepare(lane, successor.create, now=now)
        except Refused as refused:
            refusal = replace(refused.refusal, code="successor_creation_failed")
            events = steering.give_back(lane, successor.parent, refusal)
            return [send_event(event) for event in events]
        return self._continue(lane, lane.turn, now=now)

    def _prepare(self, lane: Lane, event: Event, *, now: float) -> Turn:
        """Everything that can be wrong with a create is found here, before it is created."""
        create = read_create(event)
        check_model(create, self._service.model)
        previous = find_previous(create, self._policies, self._lanes.reach(lane), self._shelf)
        create = self._policies.inherit(create, previous)
        create = steering.take_along(lane, create, self._policies)
        context = gather_context(create, self._policies, previous)
        return self._turn_of(Prompt(create, context), cached=previous.context.words, now=now)

    def _turn_of(self, prompt: Prompt, *, cached: int, now: float) -> Turn:
        create = prompt.create
        read = count_tokens(prompt)
        completion = None if create.is_warm_up else self._complete(prompt, read)
        written = sum(len(output.tokens) for output in completion.outputs) if completion else 0
        stream = ResponseStream(
            response_object(
                create, response_id=self._identify("resp"), model=self._service.model, now=now
            ),
            completion,
            usage(read=read, cached=min(cached, read), written=written),
            number=self._policies.number,
            identify=self._identify,
            go_on=partial(self._go_on, prompt) if self._policies.waits(create) else None,
        )
        return Turn(create, prompt, stream)

    def _complete(self, prompt: Prompt, read: int) -> Completion:
        """What the model says, to what it was given or to what that was folded into."""
        if not self._policies.compacts(prompt.create, read):
            return self._service.engine.complete(prompt)
        content = fold(Context(self._policies.condense(prompt.context)))
        item = {"type": "compaction", "encrypted_content": content}
        folded = replace(prompt, context=Context((item,)))
        return replace(self._service.engine.complete(folded), compaction=content)

    def _go_on(self, prompt: Prompt, added: tuple[Item, ...], written: int) -> Completion:
        """What the model says once its calls have been answered; a refusal is a breakdown then."""
        context = Context(self._policies.resume(prompt.context, added))
        prompt = Prompt(injecting.going_on(prompt.create, written), context)
        try:
            return self._complete(prompt, count_tokens(prompt))
        except Refused as refused:
            why = refused.refusal
            return Completion((), breakdown=Breakdown(why.kind, why.code, why.message))

    def _continue(self, lane: Lane, turn: Turn, *, now: float) -> list[Effect]:
        event = turn.stream.next_event(now=now)
        if event is None:
            return []
        events = [lane.echo(event)]
        if turn.stream.is_finished:
            self._conclude(lane, turn)
            events += steering.settle(lane, turn, self._policies)
        return [send_event(event) for event in events]

    def _conclude(self, lane: Lane, turn: Turn) -> None:
        """Before the client sees the terminal event, it can be continued from."""
        lane.turn = None
        response = turn.stream.response
        context = Context(self._policies.prune(turn.prompt.context.then(turn.stream.added)))
        snapshot = Snapshot(response["id"], response["status"], turn.create, context, response)
        self._lanes.remember(lane, snapshot)
        if self._policies.keeps(snapshot):
            self._shelf.add(snapshot)

    def _refuse(self, lane: Lane, refusal: Refusal, event: Event) -> list[Effect]:
        referenced = event.get("previous_response_id")
        if not isinstance(referenced, str):
            referenced = None
        self._lanes.evict(lane.name, referenced)
        return [send_event(lane.echo(refusal.event()))]

    def _identify(self, prefix: str) -> str:
        return self._policies.identify(prefix, self._service.fresh_id())
