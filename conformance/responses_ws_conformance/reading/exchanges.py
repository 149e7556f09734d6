"""Exchanges: each client message together with everything the server sent because of it.

The views that checks and scenarios look at. Which message of the server belongs to which exchange
is decided in ``attribution``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from responses_ws_conformance.transcript import Closed, Expired, Opened, Received, Sent
from responses_ws_conformance.transcript.payloads import integer

Outcome = Literal[
    "open", "completed", "failed", "incomplete", "answered", "error", "closed", "limit", "expired"
]

# Members that say where a message belongs.
PREVIOUS: Final = "previous_response_id"
LANE: Final = "stream_id"
TERMINAL_EVENTS: Final[Mapping[str, Outcome]] = {
    "response.completed": "completed",
    "response.failed": "failed",
    "response.incomplete": "incomplete",
}
LIFECYCLE_EVENTS: Final = frozenset(
    {"response.created", "response.queued", "response.in_progress", *TERMINAL_EVENTS}
)


@dataclass(slots=True, weakref_slot=True, eq=False)
class Exchange:
    """One client message and what came of it. ``name`` is unique in its transcript.

    ``late`` are events of the response after its end, or after its refusal. ``superseded_by`` is
    the ``response.created`` that came on the lane while this response ran. ``answer`` is the event
    that answers a command, ``sequels`` are those that tell later what became of it. A successor has
    no create; its ``parent`` is the response that was steered, and ``sent`` what steered it.
    ``is_cut_by_refusal`` is true where the server closed right behind the refusal of another one.
    """

    name: str
    conn: str
    lane: str
    sent: Sent
    events: list[Received] = field(default_factory=list)
    late: list[Received] = field(default_factory=list)
    parent: Exchange | None = None
    answer: Received | None = None
    sequels: list[Received] = field(default_factory=list)
    error: Received | None = None
    closed: Closed | None = None
    is_cut_by_refusal: bool = False
    expired: Expired | None = None
    quiet: Expired | None = None
    limit: Received | None = None
    doubtful_error: bool = False
    is_guessed: bool = False
    superseded_by: Received | None = None
    created: Received | None = None
    terminal: Received | None = None
    response_id: str | None = None
    item_ids: set[str] = field(default_factory=set)

    def is_named_in(self, event: Received) -> bool:
        """True where an event carries the response of this exchange."""
        name = (response_of(event) or {}).get("id")
        return name is not None and name == self.response_id

    def add(self, event: Received) -> None:
        """Take an event of this response; the first of a kind is remembered."""
        self.events.append(event)
        if event.type == "response.created" and self.created is None:
            self.created = event
        elif event.type in TERMINAL_EVENTS and self.terminal is None:
            self.terminal = event
        self._recognise(event)

    def add_late(self, event: Received) -> None:
        """Take an event of this response that comes after its end or its refusal."""
        self.late.append(event)
        self._recognise(event)

    def _recognise(self, event: Received) -> None:
        """Remember the ids by which further events are known."""
        if self.response_id is None:
            value = (response_of(event) or {}).get("id")
            self.response_id = value if isinstance(value, str) else None
        item = item_id_of(event)
        if item is not None:
            self.item_ids.add(item)

    @property
    def request(self) -> dict[str, Any]:
        """The client event that was sent, empty where it was no JSON object, or for a successor."""
        payload = self.sent.payload
        return payload if isinstance(payload, dict) and self.parent is None else {}

    @property
    def is_create(self) -> bool:
        """True where a ``response.create`` was sent."""
        return self.request.get("type") == "response.create"

    @property
    def is_turn(self) -> bool:
        """True where a response comes of it: for a create, and for a successor."""
        return self.is_create or self.parent is not None

    @property
    def is_warm_up(self) -> bool:
        """True where the create asks for no output."""
        options = self.request.get("prompt_cache_options")
        is_prewarm = isinstance(options, dict) and options.get("prewarm") is True
        return self.is_create and (is_prewarm or self.request.get("generate") is False)

    @property
    def outcome(self) -> Outcome:
        """How the exchange stands; a terminal event outranks what came after it.

        A close that we began settles nothing: the server was only slower than our patience.
        """
        if self.terminal is not None:
            return TERMINAL_EVENTS[self.terminal.type or ""]
        if self.answer is not None:
            return "answered"
        if self.error is not None:
            return "error"
        if self.limit is not None:
            return "limit"
        if self.closed is not None and self.closed.side != "client":
            return "closed"
        return "expired" if self.expired is not None else "open"

    @property
    def is_ended(self) -> bool:
        """True where nothing more is owed for this message; an expired wait ends nothing."""
        return self.outcome not in ("open", "expired")

    @property
    def may_go_on(self) -> bool:
        """True where events of a response may still come: it is open, or its error is in doubt."""
        return not self.is_ended or (self.is_ambiguous and self.error is not None)

    @property
    def is_ambiguous(self) -> bool:
        """True where an error may belong to this exchange or to another.

        ``is_guessed`` says the same of a response: order alone gave it to this create, while
        others waited too.
        """
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
        if self.terminal is not None and (output := output_of(self.terminal)):
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
        return integer(self.error.payload.get("status")) if self.error is not None else None

    @property
    def last(self) -> int:
        """The number of the last entry that belongs to the exchange."""
        ends = [e.n for e in (self.error, self.closed, self.expired, self.limit) if e is not None]
        answers = [e.n for e in (self.answer, *self.sequels) if e is not None]
        return max([self.sent.n, *(e.n for e in self.events), *answers, *ends])


@dataclass(slots=True, eq=False)
class Doubt:
    """An error that any of several exchanges may own; one of them has it for the time being."""

    error: Received
    candidates: list[Exchange]

    @property
    def is_open(self) -> bool:
        """True while there is more than one candidate."""
        return len(self.candidates) > 1


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
    is_closed_by_refusal: bool = False
    doubts: list[Doubt] = field(default_factory=list)
    _unfinished: list[Exchange] = field(default_factory=list)
    _seen: int = 0

    def unfinished(self) -> list[Exchange]:
        """The exchanges without a terminal event, few in a conversation of thousands of turns."""
        new = self.exchanges[self._seen :]
        self._seen = len(self.exchanges)
        self._unfinished = [x for x in (*self._unfinished, *new) if x.terminal is None]
        return self._unfinished

    def open_turns(self) -> list[Exchange]:
        """The turns of which events may still come; those with their terminal event are over."""
        return [x for x in self.unfinished() if x.is_turn and x.may_go_on]

    def open_exchanges(self) -> list[Exchange]:
        """Exchanges that still owe something, in the order sent."""
        return [x for x in self.exchanges if not x.is_ended]


def response_of(event: Received) -> dict[str, Any] | None:
    """The response object that an event carries."""
    if isinstance(event.payload, dict):
        response = event.payload.get("response")
        if isinstance(response, dict):
            return response
    return None


def output_of(event: Received) -> list[Any]:
    """The output of the response that an event carries, empty where it has none."""
    output = (response_of(event) or {}).get("output")
    return output if isinstance(output, list) else []


def reason_of(response: Mapping[str, Any]) -> Any:
    """Why a response says that it is incomplete, None where it says nothing."""
    details = response.get("incomplete_details")
    return details.get("reason") if isinstance(details, dict) else None


def is_lookalike(event: Received) -> bool:
    """True where a message says no in a form of its own instead of being an ``error`` event."""
    if not isinstance(event.payload, dict) or event.type == "error":
        return False
    if event.type is None:
        return any(event.payload.get(name) is not None for name in ("error", "detail"))
    return event.type.endswith(".error") and ":" not in event.type


def item_id_of(event: Received) -> str | None:
    """The id of the item that an event is about."""
    if not isinstance(event.payload, dict):
        return None
    item = event.payload.get("item")
    value = item.get("id") if isinstance(item, dict) else event.payload.get("item_id")
    return value if isinstance(value, str) else None
