"""Hooks are hung into the seams of a server.

`hang` wraps the seams with them and counts in a `Tally` how often the server then did something
else than it would have done: a hook that leaves everything as it was does not count.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from websockets.asyncio.server import ServerConnection
from websockets.frames import Frame

from responses_ws_reference.messages.effects import (
    CloseConnection,
    Effect,
    Event,
    SendMessage,
    send_event,
)
from responses_ws_reference.messages.handshake import HandshakeAnswer, HandshakeRequest, HttpRequest
from responses_ws_reference.responses.engine import Outputs, Prompt
from responses_ws_reference.seams.hooks import (
    Hooks,
    Incoming,
    Link,
    Outgoing,
    Reply,
    Sendings,
    Tally,
)
from responses_ws_reference.seams.seams import Conversation, Seams, SeeMessage

Given = TypeVar("Given")


def hang(hooks: Hooks, seams: Seams, tally: Tally) -> Seams:
    """The seams with the hooks around them."""
    shared: dict[str, Any] = {}

    def changed(hook: Callable[..., Given] | None, about: Any, given: Given) -> Given:
        """What a hook makes of something; None leaves it as it was."""
        made = given if hook is None else hook(about, given, shared)
        if made != given:
            tally.fire()
        return made

    def answer(request: HandshakeRequest, given: HandshakeAnswer) -> HandshakeAnswer:
        return changed(hooks.handshake, request, seams.handshake(request, given))

    def converse(
        session: Conversation, request: HandshakeRequest, connection: ServerConnection | None
    ) -> Conversation:
        inner = seams.session(session, request, connection)
        if hooks.session is not None:
            inner = hooks.session(inner, shared)
        link = Link(request, shared, inner)
        if connection is not None:
            _watch_frames(connection, hooks, link, tally)
        return HookedSession(inner, hooks, link, tally)

    def mood(prompt: Prompt, given: Outputs) -> Outputs:
        return changed(hooks.mood, prompt, seams.mood(prompt, given))

    def answer_http(request: HttpRequest, given: HandshakeAnswer) -> HandshakeAnswer:
        return changed(hooks.http, request, seams.http(request, given))

    def stream(request: HttpRequest) -> SeeMessage:
        see = seams.sse(request)
        return see if hooks.sse is None else _through(hooks.sse, see, request, tally)

    policies = {
        name: _counted(getattr(seams.policies, name), policy, tally)
        for name, policy in hooks.policies.items()
    }
    return Seams(replace(seams.policies, **policies), converse, answer, mood, answer_http, stream)


class HookedSession:
    """A session with hooks around it; to the shell it is a session."""

    def __init__(self, inner: Conversation, hooks: Hooks, link: Link, tally: Tally) -> None:
        self._inner = inner
        self._hooks = hooks
        self._link = link
        self._tally = tally

    @property
    def expires_at(self) -> float | None:
        """As the session says."""
        return self._inner.expires_at

    @property
    def is_busy(self) -> bool:
        """As the session says."""
        return self._inner.is_busy

    @property
    def queued(self) -> int:
        """As the session says."""
        return self._inner.queued

    def open(self, *, now: float) -> list[Effect]:
        """A hook may speak before the client does."""
        effects = self._sent(self._inner.open(now=now))
        if self._hooks.opened is not None:
            sendings = _listed(self._hooks.opened(self._link))
            if sendings:
                self._tally.fire()
            effects.extend(map(_effect, sendings))
        return effects

    def receive(self, data: str | bytes, *, now: float) -> list[Effect]:
        """A hook may change a message, or answer it in the session's place."""
        message = _parsed(data)
        if isinstance(message, dict) and message.get("type") == "response.create":
            self._link.create = message
        if self._hooks.incoming is not None:
            changed = self._hooks.incoming(_parsed(data), self._link)
            if isinstance(changed, Reply):
                self._tally.fire()
                return [_effect(sending) for sending in changed.sendings]
            if changed != message:
                self._tally.fire()
                data = json.dumps(changed) if isinstance(changed, dict) else changed
        return self._sent(self._inner.receive(data, now=now))

    def advance(self, *, now: float) -> list[Effect]:
        """One step, as the hooks let it be seen."""
        return self._sent(self._inner.advance(now=now))

    def tick(self, *, now: float) -> list[Effect]:
        """Time passes, as the hooks let it be seen."""
        return self._sent(self._inner.tick(now=now))

    def close(self) -> None:
        """The hook hears of the end before the session does."""
        if self._hooks.closed is not None:
            self._hooks.closed(self._link)
        self._inner.close()

    def _sent(self, effects: Iterable[Effect]) -> list[Effect]:
        return [after for effect in effects for after in self._rewritten(effect)]

    def _rewritten(self, effect: Effect) -> list[Effect]:
        if self._hooks.outgoing is None:
            return [effect]
        match effect:
            case SendMessage(str(text)):
                sending: Event | CloseConnection = json.loads(text)
                sendings = _listed(self._hooks.outgoing(json.loads(text), self._link))
            case CloseConnection():
                sending = effect
                sendings = _listed(self._hooks.outgoing(effect, self._link))
            case _:
                return [effect]
        if sendings == [sending]:
            return [effect]
        self._tally.fire()
        return [_effect(each) for each in sendings]


def _parsed(data: str | bytes) -> Incoming:
    """A JSON object as a dictionary of its own, anything else as it came."""
    try:
        event = json.loads(data) if isinstance(data, str) else None
    except (ValueError, RecursionError):
        event = None
    return event if isinstance(event, dict) else data


def _listed(sendings: Sendings) -> list[Outgoing]:
    return [sendings] if isinstance(sendings, dict | str | bytes | CloseConnection) else [*sendings]


def _effect(sending: Outgoing) -> Effect:
    match sending:
        case dict():
            return send_event(sending)
        case CloseConnection():
            return sending
        case _:
            return SendMessage(sending)


def _through(
    hook: Callable[[str, HttpRequest, dict[str, Any]], Sequence[str]],
    see: SeeMessage,
    request: HttpRequest,
    tally: Tally,
) -> SeeMessage:
    """The messages of one stream, each as the hook lets it be seen."""
    memory: dict[str, Any] = {}

    def change(message: str) -> Sequence[str]:
        changed = hook(message, request, memory)
        if [*changed] != [message]:
            tally.fire()
        return changed

    return lambda message: [after for before in see(message) for after in change(before)]


def _counted(
    conforming: Callable[..., Any], policy: Callable[..., Any], tally: Tally
) -> Callable[..., Any]:
    """A policy that counts where it decides otherwise; both are pure, so both can be asked."""

    def decide(*given: Any) -> Any:
        decision = policy(*given)
        if decision != conforming(*given):
            tally.fire()
        return decision

    return decide


def _watch_frames(connection: ServerConnection, hooks: Hooks, link: Link, tally: Tally) -> None:
    """Put the frame hooks before and behind the protocol of one connection."""
    protocol = connection.protocol

    def through(
        hook: Callable[[Frame, Link], Frame | None], onward: Callable[[Frame], None]
    ) -> Callable[[Frame], None]:
        def pass_on(frame: Frame) -> None:
            changed = hook(replace(frame), link)
            if changed != frame:
                tally.fire()
            if changed is not None:
                onward(changed)

        return pass_on

    # The protocol calls these on itself, so an attribute of the instance comes before the method.
    if hooks.frame_received is not None:
        setattr(protocol, "recv_frame", through(hooks.frame_received, protocol.recv_frame))  # noqa: B010 - mypy forbids assigning to a method
    if hooks.frame_sent is not None:
        setattr(protocol, "send_frame", through(hooks.frame_sent, protocol.send_frame))  # noqa: B010 - mypy forbids assigning to a method
