"""HTTP beside the WebSocket, sans I/O: requests in, answers out, over the same sessions and store.

A POST is a session of its own that hears one create: its events become the lines of an SSE stream,
or the response in its last event becomes the answer. A create that is refused is an HTTP error.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final, TypeAlias

from responses_ws_reference.config import MAX_MESSAGE_BYTES
from responses_ws_reference.messages.context import Context
from responses_ws_reference.messages.creates import read_create
from responses_ws_reference.messages.decoding import read_object
from responses_ws_reference.messages.effects import CloseConnection, Effect, Event, SendMessage
from responses_ws_reference.messages.handshake import HandshakeAnswer, HttpRequest
from responses_ws_reference.messages.refusals import Refusal, Refused, quoted
from responses_ws_reference.responses.compaction import fold, user_messages
from responses_ws_reference.responses.engine import Prompt, count_tokens
from responses_ws_reference.responses.response import usage
from responses_ws_reference.seams.seams import Conversation
from responses_ws_reference.serving.reference import Reference
from responses_ws_reference.session.previous import check_model, find_previous, gather_context

JSON: Final = ("Content-Type", "application/json")
EVENT_STREAM: Final = (("Content-Type", "text/event-stream"), ("Cache-Control", "no-store"))
DONE: Final = "data: [DONE]\n\n"

# Fields of a create that mean something on a WebSocket only; ignoring them would be a lie.
WEBSOCKET_ONLY: Final = ("stream_id", "generate", "multi_agent")

NO_KEY: Final = Refusal("invalid_api_key", "The API key is missing or not valid.", status=401)
TOO_LARGE: Final = Refusal("request_too_large", "The body of the request is too large.", status=413)
BROKEN_OFF: Final = Refusal(
    "server_error", "The response broke off.", status=500, kind="server_error"
)


class BrokenOff(Exception):
    """The server hangs up in the middle of an answer."""


class Post:
    """One create by HTTP, from its request to its last event."""

    def __init__(self, session: Conversation, create: Event) -> None:
        self.is_streamed = create.get("stream") is True
        self._session = session
        self._message = json.dumps(create)

    @property
    def is_busy(self) -> bool:
        """True while there is something to advance."""
        return self._session.is_busy

    def begin(self, *, now: float) -> list[Event]:
        """The events that answer the request at once."""
        opened = self._session.open(now=now)
        return _events([*opened, *self._session.receive(self._message, now=now)])

    def advance(self, *, now: float) -> list[Event]:
        """The next events."""
        return _events(self._session.advance(now=now))

    def close(self) -> None:
        """Nothing goes on once the answer is complete, or nobody waits for it."""
        self._session.close()


Operation: TypeAlias = Callable[[HttpRequest], HandshakeAnswer | Post]


class HttpApi:
    """What the server answers to each request of the API.

    The operations raise Refused; `handle` makes HTTP errors of that.
    """

    def __init__(self, reference: Reference) -> None:
        self._reference = reference

    def handle(self, request: HttpRequest, operation: Operation) -> HandshakeAnswer | Post:
        """The answer to a request, or the response that has to be run for it."""
        try:
            self._admit(request)
            given = operation(request)
        except Refused as refused:
            given = refusal_answer(refused.refusal.event())
        return given if isinstance(given, Post) else self.seen(request, given)

    def seen(self, request: HttpRequest, answer: HandshakeAnswer) -> HandshakeAnswer:
        """An answer as the seam lets it out."""
        return self._reference.seams.http(request, answer)

    def create(self, request: HttpRequest) -> Post:
        """The response that a POST asks for."""
        body = _body(request)
        for name in WEBSOCKET_ONLY:
            if body.get(name) is not None:
                message = f"'{name}' is for creates over WebSocket only."
                raise Refused(Refusal("unsupported_parameter", message, name))
        session = self._reference.converse(request)
        return Post(session, {**body, "type": "response.create"})

    def retrieve(self, request: HttpRequest) -> HandshakeAnswer:
        """A stored response, as it ended."""
        snapshot = self._reference.shelf(request).get(request.response_id)
        if snapshot is None:
            raise _not_found(request.response_id)
        return answer_of(dict(snapshot.response))

    def delete(self, request: HttpRequest) -> HandshakeAnswer:
        """A stored response is forgotten."""
        snapshot = self._reference.shelf(request).remove(request.response_id)
        if snapshot is None:
            raise _not_found(request.response_id)
        return answer_of({"id": snapshot.id, "object": "response", "deleted": True})

    def compact(self, request: HttpRequest) -> HandshakeAnswer:
        """A conversation as the input of a new one: what the user said, and the rest folded."""
        service = self._reference.service
        policies = service.policies
        create = read_create({**_body(request), "type": "response.create"})
        check_model(create, service.model)
        previous = find_previous(create, policies, {}, self._reference.shelf(request))
        context = gather_context(create, policies, previous)
        read = count_tokens(Prompt(create, context))
        content = fold(Context(policies.condense(context)))
        output = [
            *({"id": self._identify("msg"), **message} for message in user_messages(context)),
            {"type": "compaction", "id": self._identify("cmp"), "encrypted_content": content},
        ]
        return answer_of(
            {
                "id": self._identify("resp"),
                "object": "response.compaction",
                "created_at": int(self._reference.now()),
                "output": output,
                "usage": usage(read=read, cached=0, written=0),
            }
        )

    def _identify(self, prefix: str) -> str:
        service = self._reference.service
        return service.policies.identify(prefix, service.fresh_id())

    def _admit(self, request: HttpRequest) -> None:
        """What any request needs: a key, and a body within bounds."""
        status = self._reference.authorise(request)
        if status is not None:
            raise Refused(replace(NO_KEY, status=status))
        if len(request.body) > MAX_MESSAGE_BYTES:
            raise Refused(TOO_LARGE)


def answer_of(value: Any, status: int = 200) -> HandshakeAnswer:
    """A JSON value as an HTTP response."""
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    return HandshakeAnswer(status, (JSON,), body)


def refusal_answer(event: Event) -> HandshakeAnswer:
    """An ``error`` event as an HTTP response: its status, and a body that holds its error."""
    return answer_of({"error": event["error"]}, event.get("status", 500))


def is_refusal(event: Event) -> bool:
    """True for an ``error`` in a response's place; one inside a stream has a number instead."""
    return event["type"] == "error" and "status" in event


def whole_answer(events: Sequence[Event]) -> HandshakeAnswer:
    """The answer to a create that was not to be streamed: the response as it ended."""
    for event in reversed(events):
        if "response" in event:
            return answer_of(event["response"])
        if event["type"] == "error":
            return refusal_answer(event)
    return refusal_answer(BROKEN_OFF.event())


def sse_message(event: Event) -> str:
    """An event as one message of an SSE stream."""
    data = json.dumps(event, ensure_ascii=False, separators=(",", ":"))
    return f"event: {event['type']}\ndata: {data}\n\n"


def _body(request: HttpRequest) -> Event:
    try:
        text = request.body.decode()
    except UnicodeDecodeError:
        raise Refused(Refusal("invalid_json", "The body is not UTF-8 text.")) from None
    return read_object(text)


def _events(effects: Sequence[Effect]) -> list[Event]:
    """The events among some effects; all else has no place in an HTTP answer."""
    if any(isinstance(effect, CloseConnection) for effect in effects):
        raise BrokenOff
    said = [_parsed(effect.data) for effect in effects if isinstance(effect, SendMessage)]
    return [event for event in said if isinstance(event, dict) and "type" in event]


def _parsed(data: str | bytes) -> Any:
    try:
        return json.loads(data)
    except ValueError:
        return None


def _not_found(response_id: str) -> Refused:
    message = f"Response with id {quoted(response_id)} not found."
    return Refused(Refusal("not_found", message, "response_id", status=404))
