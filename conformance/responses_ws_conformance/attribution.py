"""Attribution: which exchange a message of the server belongs to.

Deltas and ``error`` events carry no response id, so a message is attributed by these rules (the
order is the order of precedence):

1. ``response.created`` opens a create of its lane that waits, or the successor of a response that
   was steered; ``openings`` says which. It is late for a refused create where it repeats the
   ``metadata`` of that one, and for the one refused last where none waits.
2. An event with a known response id belongs to that response.
3. An item event belongs to the open response that knows the item, else to the ended one that
   does (it is late); else to the open response whose numbering it continues, the newest at a tie;
   with none open, to the waiting create (which then lacks ``response.created``). Right after a
   stray, with none open or waiting, it is a stray too.
4. An ``error`` belongs to the only open exchange. With several open it belongs to the first that
   waits, or, where it continues the numbering of an open response, to that one; the others stay
   candidates until what follows rules them out: a response that starts or goes on was not meant,
   one that fails with the next message was, unless the error has the form of a refusal. While
   candidates are left it is *ambiguous*, and moves on where another error needs its place.
5. An event names its lane, and one without ``stream_id`` is of the default lane. What is known by
   its ids to be another lane's, or fits nothing that is open on its own, is another's all the same:
   a server that names lanes wrongly, or not at all, is to be found out and not to be lost.
6. What answers a command belongs to it, as ``commands`` says; a command is of the lane on which
   the response is that it names.
7. Events of types that nobody publishes belong to the connection; what says no in a form of its own
   is read as an ``error``, and its form is another matter.

The driver feeds entries as they happen and the checks feed a saved transcript: one reading. A
later entry can move an error, so with several creates open wait for all of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from responses_ws_schemas import event_types, explain

from responses_ws_conformance import commands, doubts, openings
from responses_ws_conformance.calls import Call
from responses_ws_conformance.exchanges import (
    LIFECYCLE_EVENTS,
    TERMINAL_EVENTS,
    ConnectionView,
    Exchange,
    is_lookalike,
    item_id_of,
)
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

CONNECTION_ERRORS: Final = ("websocket_connection_limit_reached",)
PREVIOUS: Final = "previous_response_id"
LANE: Final = "stream_id"
LANE_SCHEMA: Final = "objects/stream_id"
# The member of a create that an error with this code is about.
SUBJECTS: Final = {
    "previous_response_not_found": PREVIOUS,
    "invalid_stream_id": LANE,
    "websocket_stream_limit_reached": LANE,
}


class Reading:
    """The exchanges of a transcript; feed it entries in order.

    ``received`` has every data message of the server, ``marks`` the marks of each requirement.
    """

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self.connections: dict[str, ConnectionView] = {}
        self.exchanges: dict[str, Exchange] = {}
        self.calls: dict[str, Call] = {}
        self.marks: dict[str, list[Note]] = {}
        self.received: list[Received] = []
        self._asked: dict[str, Call] = {}
        self._last: dict[str, Received] = {}
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
                self.received.append(entry)
                exchange = self._received(self.connection(entry.conn), entry)
                self._last[entry.conn] = entry
                return exchange
            case Opened():
                self.connection(entry.conn).opened = entry
            case Closed():
                view = self.connection(entry.conn)
                view.closed = entry
                for exchange in view.open_exchanges():
                    exchange.closed = entry
            case Expired(exchange=str(name)) if name in self.exchanges:
                self._expired(self.exchanges[name], entry)
            case Requested():
                call = self._asked[entry.conn] = Call.of(entry)
                self.calls[call.name] = call
                return call.exchange
            case Answered() | Expired() if entry.conn in self._asked:
                self._asked[entry.conn].take(entry)
            case Note(note="mark", requirement=str(name)):
                self.marks.setdefault(name, []).append(entry)
        return None

    def _sent(self, entry: Sent) -> Exchange:
        view = self.connection(entry.conn)
        payload = entry.payload
        lane = payload.get(LANE) if isinstance(payload, dict) else None
        exchange = Exchange(f"e{entry.n}", entry.conn, lane if isinstance(lane, str) else "", entry)
        target = commands.target_of(exchange)
        if target is not None:
            named = (x.lane for x in view.exchanges if x.response_id == target)
            exchange.lane = next(named, exchange.lane)
        exchange.closed = view.closed
        self.exchanges[exchange.name] = exchange
        view.exchanges.append(exchange)
        return exchange

    def _expired(self, exchange: Exchange, entry: Expired) -> None:
        if entry.clock == "quiet":
            exchange.quiet = entry
            return
        exchange.expired = entry
        if not exchange.events and exchange.error is None:
            view = self.connection(exchange.conn)
            for doubt in view.doubts:
                if doubt.is_open and exchange in doubt.candidates:
                    doubts.prefer(view, doubt, exchange)
                    return

    def _received(self, view: ConnectionView, entry: Received) -> Exchange | None:
        kind = entry.type
        if kind == "error" or is_lookalike(entry):
            return self._error(view, entry)
        if kind in commands.EVENTS:
            return self._answered(view, entry)
        if kind not in event_types():
            view.others.append(entry)
            return None
        exchange = self._owner(view, entry)
        if exchange is None:
            view.strays.append(entry)
            return None
        self._settle(view, exchange, entry)
        was_refused = exchange.error is not None and not exchange.events
        has_ended = exchange.error is not None or exchange.terminal is not None
        if was_refused or (has_ended and kind not in TERMINAL_EVENTS):
            exchange.add_late(entry)
        else:
            exchange.add(entry)
        return exchange

    def _answered(self, view: ConnectionView, entry: Received) -> Exchange | None:
        exchange = commands.owner_of(view, entry)
        if exchange is None:
            view.others.append(entry)
            return None
        self._settle(view, exchange, entry)
        commands.take(exchange, entry)
        return exchange

    def _owner(self, view: ConnectionView, entry: Received) -> Exchange | None:
        running = _only_running(view, entry)
        if running is not None:
            return running
        creates = _waiting_on_its_lane(view, entry) or _creates(view, entry)
        active = [x for x in creates if x.events and x.may_go_on]
        known = next((x for x in active if x.is_named_in(entry)), None)
        if entry.type == "response.created":
            return known or self._opened(view, entry, creates)
        ended = sorted((x for x in creates if x.is_ended), key=_last_number, reverse=True)
        if entry.type in LIFECYCLE_EVENTS:
            known = known or next((x for x in ended if x.is_named_in(entry)), None)
            failing = self._failing(view, entry)
            if known is not None or failing in creates:
                return known or failing
        else:
            known = _of_item(entry, active, ended)
            if known is not None:
                return known
        if active:
            return ([x for x in active if _continues(x, entry)] or active)[-1]
        late = [x for x in ended[:1] if x.late and _continues(x, entry)]
        waiting = [x for x in creates if not x.is_ended]
        if not waiting and view.strays and self._last.get(entry.conn) is view.strays[-1]:
            return None  # it goes on with a response that nobody asked for
        return next(iter((*late, *waiting, *ended)), None)

    def _opened(
        self, view: ConnectionView, entry: Received, creates: list[Exchange]
    ) -> Exchange | None:
        """The create that a ``response.created`` answers, or the successor that begins with it."""
        parent = openings.parent_of(view, entry, creates)
        if parent is None:
            opened = openings.opened_by(entry, creates)
        else:
            opened = openings.succeed(view, parent, entry)
            self.exchanges[opened.name] = opened
            view.exchanges.append(opened)
        if opened is not None and not opened.events and opened.may_go_on:
            openings.supersede(opened, entry, creates)
        return opened

    def _failing(self, view: ConnectionView, entry: Received) -> Exchange | None:
        """The owner of an error that came just before a ``response.failed``."""
        before = self._last.get(entry.conn)
        if entry.type != "response.failed" or before is None or before.type != "error":
            return None
        return next((x for x in view.exchanges if x.error is before), None)

    def _error(self, view: ConnectionView, entry: Received) -> Exchange | None:
        if _error_member(entry, "code") in CONNECTION_ERRORS:
            view.limit = entry
            for exchange in view.open_exchanges():
                exchange.limit = entry
            return None
        candidates = _candidates(view, entry)
        if not candidates:
            view.others.append(entry)
            return None
        if len(candidates) > 1 or candidates[0].error is not None:
            return doubts.note(view, entry, candidates)
        candidates[0].error = entry
        return candidates[0]

    def _settle(self, view: ConnectionView, exchange: Exchange, entry: Received) -> None:
        """Draw from an event of a response what it says about doubtful errors before it."""
        for doubt in view.doubts:
            if not doubt.is_open or exchange not in doubt.candidates:
                continue
            if entry.type != "response.failed" or not exchange.events:
                doubts.rule_out(view, doubt, exchange)
            elif self._last.get(entry.conn) is doubt.error and not _has_refusal_form(doubt.error):
                doubts.settle(view, doubt, exchange)


def read_exchanges(transcript: Transcript) -> Reading:
    """The exchanges of a whole transcript."""
    return Reading(transcript.entries)


def _only_running(view: ConnectionView, entry: Received) -> Exchange | None:
    """The one response that runs, where an event goes on with it and nothing else is asked.

    The rules of `_owner` come to the same. This is how nearly all events come, and a conversation
    can have thousands of turns that need not be looked at for each of them.
    """
    if entry.type == "response.created":
        return None
    running = view.open_turns()
    if len(running) != 1 or not running[0].events or running[0].lane != (_lane_of(entry) or ""):
        return None
    is_lifecycle = entry.type in LIFECYCLE_EVENTS
    goes_on = running[0].is_named_in(entry) if is_lifecycle else _continues(running[0], entry)
    return running[0] if goes_on else None


def _waiting_on_its_lane(view: ConnectionView, entry: Received) -> list[Exchange]:
    """The unfinished turns, where a response begins for one of them and its lane is the only one.

    The turns that have their terminal event make no difference then, and there can be thousands.
    """
    if entry.type != "response.created":
        return []
    running = view.open_turns()
    if all(x.events for x in running) or {x.lane for x in running} != {_lane_of(entry) or ""}:
        return []
    return [x for x in view.unfinished() if x.is_turn and x.lane == running[0].lane]


def _creates(view: ConnectionView, entry: Received) -> list[Exchange]:
    """The turns that an event can belong to: those of its lane, unless it is not theirs."""
    lane, begins = _lane_of(entry), entry.type == "response.created"
    creates = [x for x in view.exchanges if x.is_turn]
    own = [x for x in creates if x.lane == (lane or "")]
    others = [x for x in creates if x.lane != (lane or "") and x.may_go_on]
    if not others or any(x.is_named_in(entry) or _has_item(x, entry) for x in own):
        return own
    known = [x for x in others if x.is_named_in(entry)]
    if not known and not any(x.events and x.may_go_on and _continues(x, entry) for x in own):
        # An item can have the id of one on another lane, but hardly its number as well.
        known = [x for x in others if x.events and _is_next(x, entry, lane)]
    if known or any(x.may_go_on and not (begins and x.events) for x in own):
        return known or own
    return [x for x in others if not (begins and x.events)] or own


def _is_next(exchange: Exchange, entry: Received, lane: str | None) -> bool:
    """True where an event goes on with a response of another lane than the one that it names."""
    if lane is None and not any(map(_lane_of, exchange.events)):
        return _continues(exchange, entry) or _has_item(exchange, entry)
    return _has_item(exchange, entry) and (lane is not None or _continues(exchange, entry))


def _has_item(exchange: Exchange, entry: Received) -> bool:
    return item_id_of(entry) in exchange.item_ids


def _of_item(
    entry: Received, active: Sequence[Exchange], ended: Sequence[Exchange]
) -> Exchange | None:
    """The response that knows the item of an event, unless the numbers speak for another."""
    item = item_id_of(entry)
    known = [x for x in reversed(active) if item in x.item_ids]
    if not known and entry.type != "response.output_item.added":
        known = [x for x in ended if item in x.item_ids]
    goes_on = [x for x in active if _continues(x, entry)]
    if goes_on and not any(x in goes_on for x in known):
        return None
    return next(iter(known), None)


def _candidates(view: ConnectionView, entry: Received) -> list[Exchange]:
    """Every open exchange that an error may belong to, the most plausible first."""
    lane = _lane_of(entry)
    # What has an error in doubt is a candidate too: the error that it has can be another's.
    candidates = [x for x in view.exchanges if x.may_go_on]
    unanswered = [x for x in candidates if not x.events]
    candidates = [x for x in candidates if lane in (None, x.lane)] or unanswered
    candidates.sort(key=lambda x: x.error is not None)
    begun = max((x.sent.n for x in view.exchanges if x.events), default=-1)
    active = [x for x in reversed(candidates) if x.events]
    waiting = [x for x in candidates if not x.events]
    # What is no create and has not been answered before a later create was, got silence.
    waiting = [x for x in waiting if x.is_create or x.sent.n > begun] or waiting
    waiting.sort(key=lambda x: lane is None and x.lane != "")
    goes_on = any(_rises(x, entry) for x in active)
    ordered = [*active, *waiting] if goes_on else [*waiting, *active]
    code, param = _error_member(entry, "code"), _error_member(entry, "param")
    about = param if param in (PREVIOUS, LANE) else SUBJECTS.get(str(code))
    if about is not None:
        ordered = [x for x in ordered if x.request.get(about) is not None] or ordered
    if code == "invalid_stream_id":
        ordered = [x for x in ordered if explain(LANE_SCHEMA, x.request.get(LANE))] or ordered
    return ordered


def _last(exchange: Exchange) -> Received:
    return (exchange.late or exchange.events)[-1]


def _last_number(exchange: Exchange) -> int:
    """The number of the last entry that the server sent for an exchange."""
    events = [*exchange.events[-1:], *exchange.late[-1:]]
    return max([e.n for e in events] + [exchange.error.n if exchange.error else exchange.sent.n])


def _rises(exchange: Exchange, event: Received) -> bool:
    """True where an event has a number above the last one of a response."""
    number, last = _number(event), _number(_last(exchange))
    return number is not None and last is not None and number > last


def _continues(exchange: Exchange, event: Received) -> bool:
    """True where an event has the number that comes next in a response."""
    number, last = _number(event), _number(_last(exchange))
    return number is not None and last is not None and number == last + 1


def _number(event: Received) -> int | None:
    number = event.payload.get("sequence_number")
    return number if isinstance(number, int) and not isinstance(number, bool) else None


def _lane_of(event: Received) -> str | None:
    lane = event.payload.get(LANE)
    return lane if isinstance(lane, str) else None


def _has_refusal_form(error: Received) -> bool:
    """True for an error with the status of a refused request and without a number."""
    status = error.payload.get("status")
    return isinstance(status, int) and 400 <= status < 500 and _number(error) is None


def _error_member(event: Received, name: str) -> Any:
    error = event.payload.get("error")
    return error.get(name) if isinstance(error, dict) else None
