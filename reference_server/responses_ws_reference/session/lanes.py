"""Lanes: the conversations that share one connection, each with its queue and its cache.

A lane has a name, which is the ``stream_id`` of its creates; the default lane has none. Lanes know
nothing of each other but what the connection shares: how many of them may exist, how many may run,
and in which order they take their steps.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from responses_ws_reference.messages.creates import Create
from responses_ws_reference.messages.effects import Event
from responses_ws_reference.messages.items import Item
from responses_ws_reference.responses.engine import Prompt
from responses_ws_reference.responses.stream import ResponseStream
from responses_ws_reference.session.policies import Cache, Policies
from responses_ws_reference.session.store import Snapshot


@dataclass(frozen=True, slots=True)
class Submission:
    """Input that was accepted for what follows a response; ``input`` is what the client sent."""

    id: str
    target: str
    input: Any
    items: tuple[Item, ...]

    def named(self) -> Event:
        """How events name it."""
        return {"id": self.id, "previous_response_id": self.target}


@dataclass(frozen=True, slots=True)
class Turn:
    """The response that runs, what it runs on, and what waits for its end."""

    create: Create
    prompt: Prompt
    stream: ResponseStream
    steers: list[Submission] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Successor:
    """A create of the server's own, and the turn that it follows."""

    create: Event
    parent: Turn


@dataclass(slots=True, eq=False)
class Lane:
    """One conversation: what runs, what follows and waits behind it, and what can be continued.

    ``pending`` is the input that waits for the client to answer the calls of a response.
    """

    name: str | None
    turn: Turn | None = None
    successor: Successor | None = None
    waiting: list[Event] = field(default_factory=list)
    cache: Cache = field(default_factory=dict)
    pending: dict[str, list[Submission]] = field(default_factory=dict)

    @property
    def is_busy(self) -> bool:
        """True while a response runs or is to follow, or a create waits."""
        return self.turn is not None or self.successor is not None or bool(self.waiting)

    @property
    def waits(self) -> bool:
        """True while nothing goes on here before the client has answered calls."""
        return self.turn is not None and self.turn.stream.is_waiting

    @property
    def queued(self) -> int:
        """How many creates wait."""
        return len(self.waiting)

    def echo(self, event: Event) -> Event:
        """An event of this lane says so, unless the lane is the default one."""
        return event if self.name is None else {**event, "stream_id": self.name}


class Lanes:
    """The lanes of one connection, in the order in which they take their steps."""

    def __init__(self, policies: Policies) -> None:
        self.ended: set[str] = set()
        self._policies = policies
        self._lanes: dict[str | None, Lane] = {}

    def __iter__(self) -> Iterator[Lane]:
        return iter(self._lanes.values())

    def running(self, response_id: str) -> Lane | None:
        """The lane on which a response runs."""
        for lane in self:
            if lane.turn is not None and lane.turn.stream.response["id"] == response_id:
                return lane
        return None

    def has_slot(self, lane: Lane) -> bool:
        """True where a response may begin on a lane, as far as the other lanes let it."""
        running = [other.name for other in self if other.turn is not None]
        return self._policies.has_slot(running, lane.name)

    def find(self, name: str | None) -> Lane | None:
        """The lane of a name; a new one, where there is room for its name."""
        if name not in self._lanes:
            if name is not None and not self._policies.has_room(tuple(self._lanes)):
                return None
            self._lanes[name] = Lane(name)
        return self._lanes[name]

    def next(self) -> Lane | None:
        """The lane whose step it is. It goes to the end of the line, so that all come round."""
        for name, lane in self._lanes.items():
            has_room = lane.turn is not None or (lane.is_busy and self.has_slot(lane))
            if has_room and not lane.waits:
                self._lanes[name] = self._lanes.pop(name)
                return lane
        return None

    def reach(self, lane: Lane) -> Cache:
        """What a create of this lane can continue from."""
        others = tuple(other.cache for other in self if other is not lane)
        return self._policies.reach(lane.cache, others)

    def remember(self, lane: Lane, snapshot: Snapshot) -> None:
        """A response of this lane has ended."""
        self.ended.add(snapshot.id)
        for other in self:
            is_own = other is lane
            remember = self._policies.remember if is_own else self._policies.remember_elsewhere
            other.cache = remember(other.cache, snapshot)

    def evict(self, name: str | None, referenced: str | None) -> None:
        """A create of this lane has failed; what named no lane was for the default one."""
        for lane in self:
            is_own = lane.name == name
            evict = self._policies.evict if is_own else self._policies.evict_elsewhere
            lane.cache = evict(lane.cache, referenced)

    def clear(self) -> None:
        """Nothing of any lane is left."""
        self._lanes.clear()
