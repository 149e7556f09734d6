"""A second, small WebSocket server, and the manners of servers that are hard to judge.

It shares no code with the reference server: its model is that of ``upstream.py``. What it does
itself is right. A manner changes how it says it, in a way that has been seen on a real server:
some of them are legal, the others break just what they are listed with.
"""

from __future__ import annotations

import http
import json
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.sync.server import ServerConnection, serve

from tests.peers.upstream import Refused, check, events, items_of

OPEN: Final = "open-responses"
OPENAI: Final = "openai"
KEY: Final = "sk-awkward-0123456789"
ENDS: Final = ("response.completed", "response.failed", "response.incomplete")
LONG: Final = (
    "background",
    "completed_at",
    "frequency_penalty",
    "instructions",
    "max_output_tokens",
    "max_tool_calls",
    "presence_penalty",
    "prompt_cache_key",
    "reasoning",
    "safety_identifier",
    "service_tier",
    "temperature",
    "text",
    "top_logprobs",
    "top_p",
    "truncation",
)

Event = dict[str, Any]
Rewrite = Callable[[Iterable[Event]], Iterator[Event]]
Send = Callable[[ServerConnection, Event], None]


def plainly(connection: ServerConnection, event: Event) -> None:
    """One message for each event."""
    connection.send(json.dumps(event))


def as_it_is(stream: Iterable[Event]) -> Iterator[Event]:
    """Every event unchanged."""
    yield from stream


@dataclass(frozen=True, slots=True)
class Manner:
    """How a server says what it says, the requirements that this breaks and those it blocks.

    There are ``more`` of both in a dialect.

    ``rewrite`` gets the events that answer one message, ``hello`` is said first, and a server may
    ``think`` for some seconds before each answer. One that is ``closing`` hangs up after an error,
    one that ``keeps_nothing`` refuses ``store: true``.
    """

    summary: str
    rewrite: Rewrite = as_it_is
    send: Send = plainly
    hello: tuple[Event, ...] = ()
    think: float = 0.0
    closing: int | None = None
    keeps_nothing: bool = False
    breaks: Mapping[str, str] = field(default_factory=dict)
    leaves_open: tuple[str, ...] = ()
    breaks_more: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    leaves_more: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(slots=True)
class Server:
    """What all connections share: the stored responses."""

    manner: Manner
    stored: dict[str, list[Event]] = field(default_factory=dict)

    def talk(self, connection: ServerConnection) -> None:
        """One connection from its first message to its end."""
        own: dict[str, list[Event]] = {}
        try:
            for event in self.manner.hello:
                self.manner.send(connection, event)
            for message in connection:
                threading.Event().wait(self.manner.think)
                has_failed = False
                for event in self.manner.rewrite(self.answer(message, own)):
                    self.manner.send(connection, event)
                    has_failed = has_failed or event.get("type") == "error"
                if has_failed and self.manner.closing is not None:
                    connection.close(self.manner.closing, "after an error")
        except ConnectionClosed:
            return

    def answer(self, message: str | bytes, own: dict[str, list[Event]]) -> Iterator[Event]:
        """The events that answer a message; ``own`` is the cache of its connection."""
        previous: Any = None
        try:
            create = read(message)
            previous = create.get("previous_response_id")
            whole = {**create, "input": [*self.context(previous, own), *items_of(create)]}
            whole.setdefault("model", "scripted")
            if self.manner.keeps_nothing and create.get("store", True):
                raise Refused("Store must be set to false.", param="store")
            if str(whole["model"]).startswith("no-such"):
                raise Refused("No such model.", code="model_not_found", param="model")
            if create.get("conversation") and previous is not None:
                raise Refused("A conversation has no previous response.", param="conversation")
            check({**whole, "previous_response_id": None})
        except Refused as refusal:
            own.pop(previous, None) if isinstance(previous, str) else None
            error = {**refusal.error, "code": refusal.error["code"] or "invalid_value"}
            yield {"type": "error", "status": 400, "error": error}
            return
        for number, event in enumerate(events(whole)):
            yield {**event, "sequence_number": number}
        response = event["response"]
        own.clear()
        own[response["id"]] = [*whole["input"], *response["output"]]
        if create.get("store", True):
            self.stored |= own

    def context(self, previous: Any, own: Mapping[str, list[Event]]) -> list[Event]:
        """What was said before, as input."""
        if previous is None:
            return []
        if previous in own:
            return own[previous]
        if previous in self.stored:
            return self.stored[previous]
        raise Refused(
            "Previous response not found.",
            code="previous_response_not_found",
            param="previous_response_id",
        )


def read(message: str | bytes) -> Event:
    """The create in a message; raises Refused where there is none."""
    if isinstance(message, bytes):
        raise Refused("Messages are text.")
    try:
        create = json.loads(message)
    except ValueError:
        raise Refused("This is not JSON.") from None
    if not isinstance(create, dict) or create.get("type") != "response.create":
        raise Refused("This is not a client event.", param="type")
    return create


@contextmanager
def serving(manner: Manner) -> Iterator[str]:
    """The URL of a server with this manner."""

    def gate(connection: ServerConnection, request: Request) -> Response | None:
        if request.headers.get("Authorization") == f"Bearer {KEY}":
            return None
        body = json.dumps({"error": {"code": "invalid_api_key", "message": "Wrong key."}})
        return connection.respond(http.HTTPStatus.UNAUTHORIZED, body)

    talk = Server(manner).talk
    with serve(talk, "127.0.0.1", 0, process_request=gate, close_timeout=1) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"ws://127.0.0.1:{server.socket.getsockname()[1]}/v1/responses"
        finally:
            server.shutdown()
            thread.join()


def numbered(stream: Iterable[Event]) -> Iterator[Event]:
    """The numbers of a response without gaps."""
    number = 0
    for event in stream:
        if "sequence_number" in event:
            event = {**event, "sequence_number": number}
            number += 1
        yield event


def codex_route(stream: Iterable[Event]) -> Iterator[Event]:
    """Limits and metadata around each response, whose last event repeats no output."""
    for event in stream:
        if event["type"] == "response.created":
            yield {"type": "codex.rate_limits", "primary": {"used_percent": 3.5}}
        if event["type"] in ENDS:
            event = {**event, "response": {**event["response"], "output": []}}
            yield {"type": "codex.response.metadata", "headers": {"x-models-etag": "a"}}
        yield event
        if event["type"] in ENDS:
            yield {"type": "responsesapi.websocket_timing", "seconds": 0.1}
            yield {"type": "response.done", "response": {"id": event["response"]["id"]}}


def without_output(stream: Iterable[Event]) -> Iterator[Event]:
    """The last event has no output member to repeat."""
    for event in stream:
        if event["type"] in ENDS:
            response = {k: v for k, v in event["response"].items() if k != "output"}
            event = {**event, "response": response}
        yield event


def short_ids(stream: Iterable[Event]) -> Iterator[Event]:
    """Items are named by their place, the same names in every response."""
    for event in stream:
        place = f"item_{event.get('output_index')}"
        if "item_id" in event:
            event = {**event, "item_id": place}
        if "item" in event:
            event = {**event, "item": {**event["item"], "id": place}}
        if event["type"] in ENDS:
            output = enumerate(event["response"]["output"])
            named = [{**item, "id": f"item_{place}"} for place, item in output]
            event = {**event, "response": {**event["response"], "output": named}}
        yield event


def letter_by_letter(stream: Iterable[Event]) -> Iterator[Event]:
    """One delta for each character."""
    yield from numbered(
        {**event, "delta": letter} if event["type"].endswith(".delta") else event
        for event in stream
        for letter in (event["delta"] if event["type"].endswith(".delta") else " ")
    )


def shortest(stream: Iterable[Event]) -> Iterator[Event]:
    """A response with little more than OpenAI's types require, and a time with a fraction."""
    for event in stream:
        if "response" in event:
            shown = event["response"].items()
            response = {k: v for k, v in shown if k not in LONG and v is not None}
            event = {**event, "response": {**response, "created_at": 1795335526.5}}
        yield event


def in_pieces(connection: ServerConnection, event: Event) -> None:
    """Each message in many fragments, with a ping in front of it."""
    text = json.dumps(event)
    connection.ping()
    connection.send(text[i : i + 100] for i in range(0, len(text), 100))


def prettily(connection: ServerConnection, event: Event) -> None:
    """JSON over many lines, the members in another order, letters beyond ASCII escaped."""
    turned = dict(reversed(event.items()))
    connection.send("\n" + json.dumps(turned, indent=2, ensure_ascii=True) + "\n")


def on_errors(change: Callable[[Event], Event]) -> Rewrite:
    """A rewrite of error events only."""

    def rewrite(stream: Iterable[Event]) -> Iterator[Event]:
        for event in stream:
            yield change(event) if event["type"] == "error" else event

    return rewrite


def without(event: Event, *names: str) -> Event:
    """An error event whose error object lacks some members."""
    error = {k: v for k, v in event["error"].items() if k not in names}
    return {**event, "error": error}


def backend_error(event: Event) -> Event:
    """As an early backend had it."""
    error = {k: v for k, v in event.items() if k != "status"}
    return {**error, "status_code": 400, "headers": {"x-request-id": "1"}}


ERRORS: Final = tuple(f"RWS-ERROR-00{number}" for number in (2, 3, 5, 7, 8))
CODED: Final = tuple(f"RWS-CHAIN-0{number}" for number in ("06", "09", "10", "12", "19"))
AFTER_ERRORS: Final = tuple(
    f"RWS-CHAIN-0{number}" for number in ("05", "06", "07", "12", "13", "14", "15", "16")
)

MANNERS: Final[dict[str, Manner]] = {
    "plain": Manner("No manners at all."),
    "codex-route": Manner(
        "Bare vendor events before and after each response; its last event has an empty output.",
        codex_route,
        breaks_more={OPEN: {"RWS-EVENT-017": "fail"}},
    ),
    "short-ids": Manner("Items have the same ids in each response.", short_ids),
    "letter-by-letter": Manner("One delta for each character.", letter_by_letter),
    "shortest": Manner(
        "Responses leave out what neither is required nor has a value.",
        shortest,
        breaks_more={OPEN: {"RWS-EVENT-016": "fail"}},
    ),
    "in-pieces": Manner("Messages come in fragments, pings between them.", send=in_pieces),
    "pretty": Manner("JSON over many lines, the type not in front.", send=prettily),
    "thoughtful": Manner("Every answer takes longer than a quiet moment.", think=0.25),
    "azure-errors": Manner(
        "Errors have neither a type nor a param, as in a sample of Azure's.",
        on_errors(lambda event: without(event, "type", "param")),
        breaks={"RWS-ERROR-007": "warn", "RWS-ERROR-008": "warn", "RWS-CHAIN-006": "warn"},
        breaks_more={OPENAI: {"RWS-EVENT-019": "fail", "RWS-TOOL-012": "warn"}},
    ),
    "backend-errors": Manner(
        "Errors have a status_code and headers instead of a status.",
        on_errors(backend_error),
        breaks={"RWS-ERROR-003": "warn", "RWS-CHAIN-006": "warn"},
        breaks_more={OPEN: {"RWS-ERROR-004": "fail"}},
    ),
    "without-output": Manner(
        "The last event of a response has no output, though both owners require one.",
        without_output,
        breaks={"RWS-EVENT-015": "fail"},
    ),
    "header-frame": Manner(
        "The first message on a connection is an object without a type, as Copilot sends it.",
        hello=({"headers": {"x-request-id": "1"}},),
        breaks={"RWS-CONN-005": "fail", "RWS-FRAME-005": "fail"},
    ),
    "untyped-errors": Manner(
        "Errors are objects without a type, as seen of xAI and Copilot.",
        on_errors(lambda event: {"error": event["error"]}),
        breaks={"RWS-FRAME-005": "fail", "RWS-ERROR-001": "fail", "RWS-CHAIN-006": "warn"},
        leaves_open=ERRORS,
        leaves_more={OPEN: ("RWS-ERROR-004", "RWS-ERROR-006")},
    ),
    "details": Manner(
        "Errors are a sentence, as on the Codex route.",
        on_errors(lambda event: {"detail": event["error"]["message"]}),
        breaks={
            "RWS-FRAME-005": "fail",
            "RWS-ERROR-001": "fail",
            "RWS-CHAIN-005": "fail",
        },
        leaves_open=(*ERRORS, *CODED),
        breaks_more={OPENAI: {"RWS-TOOL-012": "warn"}},
        leaves_more={OPEN: ("RWS-ERROR-004", "RWS-ERROR-006")},
    ),
    "flat-errors": Manner(
        "The details of errors stand at the top, as in an HTTP stream.",
        on_errors(lambda event: {**event["error"], "type": "error", "status": 400}),
        breaks={"RWS-ERROR-001": "fail", "RWS-ERROR-002": "fail", "RWS-CHAIN-005": "fail"},
        leaves_open=(*ERRORS[2:], *CODED),
        breaks_more={OPENAI: {"RWS-TOOL-012": "warn"}},
        leaves_more={OPEN: ("RWS-ERROR-006",)},
    ),
    "hangs-up": Manner(
        "Each error is followed by a close, as on Vercel's gateway.",
        closing=1008,
        breaks={
            "RWS-ERROR-009": "fail",
            "RWS-CREATE-005": "fail",
            "RWS-CHAIN-008": "fail",
            "RWS-TURN-005": "fail",
            "RWS-FRAME-008": "warn",
            "RWS-FRAME-010": "warn",
        },
        leaves_open=AFTER_ERRORS,
    ),
    "keeps-nothing": Manner(
        "Creates with store true are refused, as on the Codex route.",
        keeps_nothing=True,
        breaks={"RWS-CHAIN-001": "fail"},
        leaves_open=("RWS-CHAIN-021", "RWS-TOOL-003"),
        leaves_more={OPENAI: ("RWS-TOOL-012",)},
    ),
}
