"""Exchanges: each client message together with everything the server sent because of it.

Deltas and ``error`` events carry no response id, so a frame is attributed by these rules
(design of the suite; the order is the order of precedence):

1. ``response.created`` opens the first waiting create of its lane.
2. An event with a known response id belongs to that response.
3. An item event belongs to the open response; with none open, to the ended response that knows
   the item (it is late), else to the waiting create (which then lacks ``response.created``).
4. An ``error`` belongs to the only open exchange. With several open it belongs to the first
   waiting one; while another response runs this reading is *ambiguous* until that one ends.
5. Events outside the ``response.`` name space and ``error`` belong to the connection.

The driver feeds entries as they happen and the checks feed a saved transcript: one reading.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from responses_ws_conformance.transcript import (
    Closed,
    Entry,
    Expired,
    Opened,
    Received,
    Sent,
    Transcript,
)

Outcome = Literal[
    "open", "completed", "failed", "incomplete", "error", "closed", "limit", "expired"
]

TERMINAL_EVENTS: Final[Mapping[str, Outcome]] = {
    "response.completed": "completed",
    "response.failed": "failed",
    "response.incomplete": "incomplete",
}
LIFECYCLE_EVENTS: Final = frozenset(
    {"response.created", "response.queued", "response.in_progress", *TERMINAL_EVENTS}
)
CONNECTION_ERRORS: Final = frozenset({"websocket_connection_limit_reached"})


@dataclass(slots=True, eq=False)
class Exchange:
    """One client message and what came of it. ``name`` is unique in its transcript."""

    name: str
    conn: str
    lane: str
    sent: Sent
    events: list[Received] = field(default_factory=list)
    late: list[Received] = field(default_factory=list)
    error: Received | None = None
    closed: Closed | None = None
    expired: Expired | None = None
    limit: Received | None = None
    doubtful_error: bool = False
    superseded_by: Received | None = None
    created: Received | None = None
    terminal: Received | None = None
    response_id: str | None = None
    item_ids: set[str] = field(default_factory=set)

    def add(self, event: Received) -> None:
        """Take an event of this response; the first of a kind is remembered."""
        self.events.append(event)
        if event.type == "response.created" and self.created is None:
            self.created = event
        elif event.type in TERMINAL_EVENTS and self.terminal is None:
            self.terminal = event
        if self.response_id is None:
            value = (response_of(event) or {}).get("id")
            self.response_id = value if isinstance(value, str) else None
        item = item_id_of(event)
        if item is not None:
            self.item_ids.add(item)

    @property
    def request(self) -> dict[str, Any]:
        """The client event that was sent, empty where it was not a JSON object."""
        payload = self.sent.payload
        return payload if isinstance(payload, dict) else {}

    @property
    def is_create(self) -> bool:
        """True where a ``response.create`` was sent."""
        return self.request.get("type") == "response.create"

    @property
    def outcome(self) -> Outcome:
        """How the exchange stands; a terminal event outranks what came after it."""
        if self.terminal is not None:
            return TERMINAL_EVENTS[self.terminal.type or ""]
        if self.error is not None:
            return "error"
        if self.limit is not None:
            return "limit"
        if self.closed is not None:
            return "closed"
        return "expired" if self.expired is not None else "open"

    @property
    def is_ended(self) -> bool:
        """True where nothing more is owed for this message; an expired wait ends nothing."""
        return self.outcome not in ("open", "expired")

    @property
    def is_cut_short(self) -> bool:
        """True where the stream was ended by something else than its terminal event."""
        return self.terminal is None

    @property
    def is_ambiguous(self) -> bool:
        """True where an error may belong to this exchange or to another."""
        return self.doubtful_error and self.terminal is None

    @property
    def response(self) -> dict[str, Any]:
        """The response object of the latest lifecycle event, empty where there is none."""
        for event in reversed(self.events):
            response = response_of(event)
            if response is not None:
                return response
        return {}

    @property
    def output_items(self) -> list[dict[str, Any]]:
        """Final output items: those of the terminal event, else the done events in index order."""
        if self.terminal is not None:
            output = (response_of(self.terminal) or {}).get("output")
            if isinstance(output, list) and output:
                return [item for item in output if isinstance(item, dict)]
        done = [
            (e.payload.get("output_index"), e.payload.get("item"))
            for e in self.events
            if e.type == "response.output_item.done"
        ]
        rows = [(i, item) for i, item in done if isinstance(i, int) and isinstance(item, dict)]
        return [item for _, item in sorted(rows, key=lambda row: row[0])]

    @property
    def function_calls(self) -> list[dict[str, Any]]:
        """Final items of type ``function_call``."""
        return [item for item in self.output_items if item.get("type") == "function_call"]

    @property
    def text(self) -> str:
        """The joined output text of the final message items."""
        parts: list[str] = []
        for item in self.output_items:
            content = item.get("content") if item.get("type") == "message" else None
            for part in content if isinstance(content, list) else []:
                if isinstance(part, dict) and isinstance(part.get("text"), str):
                    parts.append(part["text"])
        return "".join(parts)

    @property
    def error_object(self) -> dict[str, Any]:
        """The nested ``error`` object of the error event, empty where there is none."""
        value = self.error.payload.get("error") if self.error is not None else None
        return value if isinstance(value, dict) else {}

    @property
    def error_code(self) -> str | None:
        """``error.code`` of the error event, None where it is absent or null."""
        code = self.error_object.get("code")
        return code if isinstance(code, str) else None

    @property
    def error_status(self) -> int | None:
        """``status`` of the error event, None where it has no integer there."""
        status = self.error.payload.get("status") if self.error is not None else None
        return status if isinstance(status, int) and not isinstance(status, bool) else None

    @property
    def last(self) -> int:
        """The number of the last entry that belongs to the exchange."""
        ends = [e.n for e in (self.error, self.closed, self.expired, self.limit) if e is not None]
        return max([self.sent.n, *(e.n for e in self.events), *ends])


@dataclass(slots=True)
class ConnectionView:
    """One connection: its handshake, its end, and what belongs to no exchange.

    ``others`` are vendor events and messages that are not events; ``strays`` are events of a
    response that no client message asked for.
    """

    name: str
    opened: Opened | None = None
    closed: Closed | None = None
    limit: Received | None = None
    others: list[Received] = field(default_factory=list)
    strays: list[Received] = field(default_factory=list)
    exchanges: list[Exchange] = field(default_factory=list)

    def open_exchanges(self, lane: str | None = None) -> list[Exchange]:
        """Exchanges that still owe something, in the order sent."""
        return [x for x in self.exchanges if not x.is_ended and lane in (None, x.lane)]


class Reading:
    """The exchanges of a transcript; feed it entries in order."""

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self.connections: dict[str, ConnectionView] = {}
        self.exchanges: dict[str, Exchange] = {}
        for entry in entries:
            self.feed(entry)

    def __iter__(self) -> Iterator[Exchange]:
        return iter(self.exchanges.values())

    def connection(self, name: str) -> ConnectionView:
        """The view of a connection, created when it is first named."""
        return self.connections.setdefault(name, ConnectionView(name))

    def feed(self, entry: Entry) -> Exchange | None:
        """Take one entry; the exchange it belongs to, None where it belongs to none."""
        match entry:
            case Sent() if entry.is_data:
                return self._sent(entry)
            case Received() if entry.is_data:
                return self._received(entry)
            case Opened():
                self.connection(entry.conn).opened = entry
            case Closed():
                view = self.connection(entry.conn)
                view.closed = entry
                for exchange in view.open_exchanges():
                    exchange.closed = entry
            case Expired(exchange=str(name)) if name in self.exchanges and (
                entry.clock in ("first-event", "idle", "total")
            ):
                self.exchanges[name].expired = entry
        return None

    def _sent(self, entry: Sent) -> Exchange:
        payload = entry.payload
        lane = payload.get("stream_id") if isinstance(payload, dict) else None
        exchange = Exchange(f"e{entry.n}", entry.conn, lane if isinstance(lane, str) else "", entry)
        view = self.connection(entry.conn)
        exchange.closed = view.closed
        self.exchanges[exchange.name] = exchange
        view.exchanges.append(exchange)
        return exchange

    def _received(self, entry: Received) -> Exchange | None:
        view = self.connection(entry.conn)
        kind = entry.type
        if kind == "error":
            return self._error(view, entry)
        if kind is None or not kind.startswith("response.") or kind.startswith("response.steer."):
            view.others.append(entry)
            return None
        lane = entry.payload.get("stream_id")
        lane = lane if isinstance(lane, str) else ""
        exchange = self._owner(view, entry, lane)
        if exchange is None:
            view.strays.append(entry)
            return None
        is_end_of_error = exchange.error is not None and kind == "response.failed"
        if exchange.is_ended and kind not in TERMINAL_EVENTS and not is_end_of_error:
            exchange.late.append(entry)
        else:
            exchange.add(entry)
        return exchange

    def _owner(self, view: ConnectionView, entry: Received, lane: str) -> Exchange | None:
        of_lane = [x for x in view.exchanges if x.is_create and x.lane == lane]
        active = [x for x in of_lane if not x.is_ended and x.created is not None]
        waiting = [x for x in of_lane if not x.is_ended and x.created is None]
        ended = [x for x in reversed(of_lane) if x.is_ended]
        if entry.type == "response.created":
            if waiting:
                for running in active:
                    running.superseded_by = running.superseded_by or entry
                return waiting[0]
            return next((x for x in of_lane if _knows(x, entry)), None)
        if entry.type in LIFECYCLE_EVENTS:
            known = next((x for x in (*active, *ended) if _knows(x, entry)), None)
            if known is not None:
                return known
        item = item_id_of(entry)
        if active:
            if item is not None:
                return next((x for x in active if item in x.item_ids), active[0])
            return active[0]
        if item is not None:
            late = next((x for x in ended if item in x.item_ids), None)
            if late is not None:
                return late
        if waiting:
            return waiting[0]
        return ended[0] if ended else None

    def _error(self, view: ConnectionView, entry: Received) -> Exchange | None:
        if _code(entry) in CONNECTION_ERRORS:
            view.limit = entry
            for exchange in view.open_exchanges():
                exchange.limit = entry
            return None
        lane = entry.payload.get("stream_id")
        candidates = view.open_exchanges(lane if isinstance(lane, str) else None)
        if not candidates:
            view.others.append(entry)
            return None
        active = [x for x in candidates if x.created is not None]
        waiting = [x for x in candidates if x.created is None]
        if not waiting or (active and isinstance(entry.payload.get("sequence_number"), int)):
            owner = active[0]
        else:
            owner = waiting[0]
            for exchange in active:
                exchange.doubtful_error = True
            owner.doubtful_error = bool(active)
        owner.error = entry
        return owner


def read_exchanges(transcript: Transcript) -> Reading:
    """The exchanges of a whole transcript."""
    return Reading(transcript.entries)


def response_of(event: Received) -> dict[str, Any] | None:
    """The response object that an event carries."""
    if isinstance(event.payload, dict):
        response = event.payload.get("response")
        if isinstance(response, dict):
            return response
    return None


def item_id_of(event: Received) -> str | None:
    """The id of the item that an event is about."""
    if not isinstance(event.payload, dict):
        return None
    item = event.payload.get("item")
    value = item.get("id") if isinstance(item, dict) else event.payload.get("item_id")
    return value if isinstance(value, str) else None


def _knows(exchange: Exchange, event: Received) -> bool:
    response = response_of(event)
    return response is not None and response.get("id") == exchange.response_id


def _code(event: Received) -> Any:
    error = event.payload.get("error")
    return error.get("code") if isinstance(error, dict) else None
