"""Steps: what the client did in a recorded conversation, so that it can be done again.

Ids that the client had from the server are *bound*: a step says where the server first told each,
so that a replay sends what its own server told there. Ids of the client's making, invented ones
among them, stay as they are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote

from responses_ws_conformance.reading.attribution import Reading
from responses_ws_conformance.reading.calls import Call
from responses_ws_conformance.reading.exchanges import Exchange
from responses_ws_conformance.transcript import (
    Answered,
    Closed,
    Entry,
    Expired,
    Note,
    Opened,
    Received,
    Requested,
    Sent,
    Transcript,
)
from responses_ws_conformance.transcript.payloads import parse

Path = tuple[str | int, ...]

# A value that only the server that made it understands; it is passed on like an id.
OPAQUE: Final = "encrypted_content"
# The type, for a source, of an HTTP answer that is no stream.
BODY: Final = "(body)"
MOST_SOURCES: Final = 3


@dataclass(frozen=True, slots=True)
class Source:
    """Where the server tells an id: at ``path`` in the ``nth`` event of a type in an exchange."""

    exchange: str
    type: str | None
    nth: int
    path: Path


@dataclass(frozen=True, slots=True)
class Binding:
    """The id at ``path`` in a message of the client, and where the server told it."""

    path: Path
    value: str
    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an exchange had come: so many events, or all that was waited for.

    ``has_terminal`` is true where a response had its terminal event, which may follow an error.
    """

    exchange: str
    events: int
    is_over: bool
    has_terminal: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that the client did, after what it had waited for."""

    entry: Entry
    after: tuple[Progress, ...] = ()
    bindings: tuple[Binding, ...] = ()


@dataclass(slots=True)
class Conversation:
    """The steps of a recording, and what was waited for in the end."""

    steps: list[Step] = field(default_factory=list)
    end: tuple[Progress, ...] = ()


def conversation(transcript: Transcript) -> Conversation:
    """What the client did in a transcript."""
    walk = _Walk()
    for entry in transcript.entries:
        walk.take(entry)
    walk.found.end = walk.progress()
    return walk.found


def ids_in(value: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Each id in a JSON value, with its path."""
    members: Any = value.items() if isinstance(value, dict) else ()
    for name, inner in members if isinstance(value, dict) else _numbered(value):
        if isinstance(inner, str) and is_id(name):
            yield (*path, name), inner
        elif isinstance(inner, dict | list):
            yield from ids_in(inner, (*path, name))


def is_id(name: str | int) -> bool:
    """True for the name of a member that holds an id."""
    return isinstance(name, str) and (name in ("id", OPAQUE) or name.endswith("_id"))


def events_of(exchange: Exchange) -> list[Received]:
    """Everything that the server sent for an exchange, in order."""
    told = [*exchange.events, *exchange.late, *exchange.sequels]
    told += [e for e in (exchange.answer, exchange.error) if e is not None]
    return sorted(told, key=lambda event: event.n)


def request_of(entry: Requested) -> dict[str, Any]:
    """An HTTP request with the segments of its path and the JSON of its body."""
    path, _, _ = entry.target.partition("?")
    body = parse(entry.body) if entry.body is not None else None
    return {"path": [unquote(segment) for segment in path.split("/")], "body": body}


def told_by(call: Call) -> Iterator[tuple[str | None, Any]]:
    """What an HTTP answer says: the events of a stream, or its body."""
    if call.is_stream:
        yield from ((event.type, event.payload) for event in events_of(call.exchange))
    else:
        yield BODY, {"body": call.payload}


def member(value: Any, path: Path) -> Any:
    """The value at a path; raises LookupError where there is none."""
    for name in path:
        if isinstance(name, int) and not isinstance(value, list):
            raise LookupError(name)
        if isinstance(name, str) and not isinstance(value, dict):
            raise LookupError(name)
        value = value[name]
    return value


def rebound(message: Any, bindings: tuple[Binding, ...], told: Callable[[Source], Any]) -> Any:
    """A message of the client with each bound id as it is ``told`` now.

    Raises LookupError with the id where it is told nowhere.
    """
    message = deepcopy(message) if bindings else message
    for binding in bindings:
        values = (told(source) for source in binding.sources)
        value = next((v for v in values if isinstance(v, str)), None)
        if value is None:
            raise LookupError(binding.value)
        member(message, binding.path[:-1])[binding.path[-1]] = value
    return message


class _Walk:
    """Goes through a recording and keeps what has been said and how far everything has come."""

    def __init__(self) -> None:
        self.found = Conversation()
        self._reading = Reading()
        self._told: dict[str, list[Source]] = {}
        self._made: set[str] = set()
        self._seen: dict[str, Progress] = {}
        self._over: set[str] = set()
        self._nth: Counter[tuple[str, str | None]] = Counter()
        self._calls: dict[str, Call] = {}

    def take(self, entry: Entry) -> None:
        """One more entry."""
        match entry:
            case Opened() | Note(note="mark" | "probe" | "lever"):
                self._step(entry)
            case Note():
                pass
            case Sent():
                self._step(entry, self._bindings(ids_in(entry.payload)))
            case Requested():
                self._step(entry, self._bindings(_ids_of_request(request_of(entry))))
            case Expired(clock="pong"):
                pass
            case Expired(exchange=str(name), clock=clock) if clock != "quiet":
                if any(x.name == name and x.is_ended for x in self._reading):
                    self._step(entry)  # what was to come behind the end, as a successor is
                self._over.add(name)
            case Expired():
                self._step(entry)
            case Closed():
                self._step(entry)
            case Received() | Answered():
                pass
        exchange = self._reading.feed(entry)
        if isinstance(entry, Received) and exchange is not None:
            self._listen(exchange.name, entry.type, entry.payload)
        if isinstance(entry, Requested) and exchange is not None:
            self._calls[entry.conn] = self._reading.calls[exchange.name]
        if isinstance(entry, Answered) and entry.conn in self._calls:
            call = self._calls[entry.conn]
            for kind, value in told_by(call):
                self._listen(call.name, kind, value)

    def progress(self) -> tuple[Progress, ...]:
        """How far each exchange has come, where that is news."""
        news: list[Progress] = []
        for exchange in self._reading:
            is_over = exchange.is_ended or exchange.name in self._over
            now = Progress(
                exchange.name, len(exchange.events), is_over, exchange.terminal is not None
            )
            before = self._seen.get(exchange.name, Progress(exchange.name, 0, is_over=False))
            is_settled = before.is_over and before.has_terminal == now.has_terminal
            if now != before and not is_settled:
                news.append(now)
                self._seen[exchange.name] = now
        return tuple(news)

    def _step(self, entry: Entry, bindings: tuple[Binding, ...] = ()) -> None:
        after = () if isinstance(entry, Note) and entry.note != "lever" else self.progress()
        self.found.steps.append(Step(entry, after, bindings))

    def _bindings(self, ids: Iterable[tuple[Path, str]]) -> tuple[Binding, ...]:
        found: list[Binding] = []
        for path, value in ids:
            if value in self._told:
                found.append(Binding(path, value, tuple(self._told[value][:MOST_SOURCES])))
            else:
                self._made.add(value)
        return tuple(found)

    def _listen(self, exchange: str, kind: str | None, payload: Any) -> None:
        nth = self._nth[exchange, kind]
        self._nth[exchange, kind] += 1
        for path, value in ids_in(payload):
            sources = self._told.setdefault(value, [])
            is_first = not sources or sources[0].exchange == exchange
            if value not in self._made and is_first:
                sources.append(Source(exchange, kind, nth, path))
            elif not sources:
                del self._told[value]


def _ids_of_request(request: dict[str, Any]) -> Iterator[tuple[Path, str]]:
    """The ids in a body, and each segment of a path, which can be one."""
    for place, segment in enumerate(request["path"]):
        yield ("path", place), segment
    yield from ids_in(request["body"], ("body",))


def _numbered(value: Any) -> Iterator[tuple[int, Any]]:
    return enumerate(value) if isinstance(value, list) else iter(())
