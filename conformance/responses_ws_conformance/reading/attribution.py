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

``candidates`` says what an event fits, ``doubts`` who has an error for the time being.
The driver feeds entries as they happen and the checks feed a saved transcript: one reading. A
later entry can move an error, so with several creates open wait for all of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from responses_ws_schemas import event_types

from responses_ws_conformance.reading import candidates, commands, doubts, openings
from responses_ws_conformance.reading.calls import Call
from responses_ws_conformance.reading.exchanges import (
    LANE,
    LIFECYCLE_EVENTS,
    TERMINAL_EVENTS,
    ConnectionView,
    Exchange,
    is_lookalike,
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
                view.is_closed_by_refusal = entry.side == "server" and self._is_refused_last(view)
                for exchange in view.open_exchanges():
                    exchange.closed = entry
                    exchange.is_cut_by_refusal = view.is_closed_by_refusal
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

    def _is_refused_last(self, view: ConnectionView) -> bool:
        """True where the last that came on a connection refuses a create."""
        last = self._last.get(view.name)
        return last is not None and any(
            x.is_create and x.error is last and not x.events for x in view.exchanges
        )

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
        exchange.is_cut_by_refusal = view.is_closed_by_refusal
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
        running = candidates.only_running(view, entry)
        if running is not None:
            return running
        creates = candidates.waiting_on_its_lane(view, entry) or candidates.for_event(view, entry)
        active = [x for x in creates if x.events and x.may_go_on]
        known = next((x for x in active if x.is_named_in(entry)), None)
        if entry.type == "response.created":
            return known or self._opened(view, entry, creates)
        ended = sorted((x for x in creates if x.is_ended), key=candidates.last_entry, reverse=True)
        if entry.type in LIFECYCLE_EVENTS:
            known = known or next((x for x in ended if x.is_named_in(entry)), None)
            failing = self._failing(view, entry)
            if known is not None or failing in creates:
                return known or failing
        else:
            known = candidates.by_item(entry, active, ended)
            if known is not None:
                return known
        if active:
            return ([x for x in active if candidates.continues(x, entry)] or active)[-1]
        late = [x for x in ended[:1] if x.late and candidates.continues(x, entry)]
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
        if candidates.error_member(entry, "code") in CONNECTION_ERRORS:
            view.limit = entry
            for exchange in view.open_exchanges():
                exchange.limit = entry
            return None
        possible = candidates.for_error(view, entry)
        if not possible:
            view.others.append(entry)
            return None
        if len(possible) > 1 or possible[0].error is not None:
            return doubts.note(view, entry, possible)
        possible[0].error = entry
        return possible[0]

    def _settle(self, view: ConnectionView, exchange: Exchange, entry: Received) -> None:
        """Draw from an event of a response what it says about doubtful errors before it."""
        before = self._last.get(entry.conn)
        for doubt in view.doubts:
            if not doubt.is_open or exchange not in doubt.candidates:
                continue
            if entry.type != "response.failed" or not exchange.events:
                doubts.rule_out(view, doubt, exchange)
            elif doubt.error is before and not candidates.has_refusal_form(before):
                doubts.settle(view, doubt, exchange)


def read_exchanges(transcript: Transcript) -> Reading:
    """The exchanges of a whole transcript."""
    return Reading(transcript.entries)
