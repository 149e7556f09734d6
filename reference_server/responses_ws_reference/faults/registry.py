"""What a fault is, and the decorators that register one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, TypeVar

from websockets.frames import Frame

from responses_ws_reference.messages.effects import CloseConnection, Event
from responses_ws_reference.messages.handshake import HandshakeAnswer, HandshakeRequest, HttpRequest
from responses_ws_reference.seams.hooks import Hooks, Incoming, Link, Reply, Sendings

TERMINAL: Final = ("response.completed", "response.failed", "response.incomplete")
LIFECYCLE: Final = ("response.created", "response.queued", "response.in_progress", *TERMINAL)

Rewrite: TypeAlias = Callable[[Event, Link], Sendings]
Answer: TypeAlias = Callable[[HandshakeRequest, HandshakeAnswer, dict[str, Any]], HandshakeAnswer]
HttpAnswer: TypeAlias = Callable[[HttpRequest, HandshakeAnswer, dict[str, Any]], HandshakeAnswer]
SeeMessage: TypeAlias = Callable[[str, HttpRequest, dict[str, Any]], Sequence[str]]
FrameHook: TypeAlias = Callable[[Frame, Link], Frame | None]
Hook = TypeVar("Hook", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Fault:
    """A named, deliberate violation: which requirements it breaks, and by what hooks.

    ``variant`` names the conforming variant that the fault needs to be possible at all.
    """

    name: str
    breaks: tuple[str, ...]
    summary: str
    hooks: Hooks
    variant: str | None = None


FAULTS: Final[dict[str, Fault]] = {}


def register(fault: Fault) -> None:
    """Add a fault under its name."""
    if fault.name in FAULTS:
        raise ValueError(f"two faults are named {fault.name}")
    FAULTS[fault.name] = fault


def rewrite_events(
    *breaks: str, on: str | Collection[str] | None = None, variant: str | None = None
) -> Callable[[Rewrite], Rewrite]:
    """Replace outgoing events, of the types ``on`` or of any type."""
    types = {on} if isinstance(on, str) else on

    def decorate(rewrite: Rewrite) -> Rewrite:
        def outgoing(sending: Event | CloseConnection, link: Link) -> Sendings:
            if isinstance(sending, CloseConnection):
                return sending
            concerned = types is None or sending.get("type") in types
            return rewrite(sending, link) if concerned else sending

        return _registered(rewrite, breaks, Hooks(outgoing=outgoing), variant)

    return decorate


def rewrite_close(
    *breaks: str, variant: str | None = None
) -> Callable[
    [Callable[[CloseConnection, Link], Sendings]], Callable[[CloseConnection, Link], Sendings]
]:
    """Replace the server's own wish to close the connection."""

    def decorate(
        rewrite: Callable[[CloseConnection, Link], Sendings],
    ) -> Callable[[CloseConnection, Link], Sendings]:
        def outgoing(sending: Event | CloseConnection, link: Link) -> Sendings:
            return rewrite(sending, link) if isinstance(sending, CloseConnection) else sending

        return _registered(rewrite, breaks, Hooks(outgoing=outgoing), variant)

    return decorate


def on_incoming(
    *breaks: str, on: str | None = None, variant: str | None = None
) -> Callable[
    [Callable[[Event, Link], Incoming | Reply]], Callable[[Event, Link], Incoming | Reply]
]:
    """Replace client events of type ``on``, or all that are JSON objects, or answer them."""

    def decorate(
        hook: Callable[[Event, Link], Incoming | Reply],
    ) -> Callable[[Event, Link], Incoming | Reply]:
        def incoming(message: Incoming, link: Link) -> Incoming | Reply:
            if isinstance(message, dict) and (on is None or message.get("type") == on):
                return hook(message, link)
            return message

        return _registered(hook, breaks, Hooks(incoming=incoming), variant)

    return decorate


def on_raw(
    *breaks: str, variant: str | None = None
) -> Callable[
    [Callable[[str | bytes, Link], Incoming | Reply]],
    Callable[[str | bytes, Link], Incoming | Reply],
]:
    """Replace or answer client messages that are not JSON objects: other text, and binary."""

    def decorate(
        hook: Callable[[str | bytes, Link], Incoming | Reply],
    ) -> Callable[[str | bytes, Link], Incoming | Reply]:
        def incoming(message: Incoming, link: Link) -> Incoming | Reply:
            return message if isinstance(message, dict) else hook(message, link)

        return _registered(hook, breaks, Hooks(incoming=incoming), variant)

    return decorate


def on_open(
    *breaks: str, variant: str | None = None
) -> Callable[[Callable[[Link], Sendings]], Callable[[Link], Sendings]]:
    """Send something as soon as the connection is open."""

    def decorate(hook: Callable[[Link], Sendings]) -> Callable[[Link], Sendings]:
        return _registered(hook, breaks, Hooks(opened=hook), variant)

    return decorate


def on_handshake(*breaks: str, variant: str | None = None) -> Callable[[Answer], Answer]:
    """Replace the HTTP answer to an opening handshake, the refusals included."""

    def decorate(hook: Answer) -> Answer:
        return _registered(hook, breaks, Hooks(handshake=hook), variant)

    return decorate


def on_http(*breaks: str, variant: str | None = None) -> Callable[[HttpAnswer], HttpAnswer]:
    """Replace the answer to a request of the HTTP API; of a stream only status and headers."""

    def decorate(hook: HttpAnswer) -> HttpAnswer:
        return _registered(hook, breaks, Hooks(http=hook), variant)

    return decorate


def on_sse(*breaks: str, variant: str | None = None) -> Callable[[SeeMessage], SeeMessage]:
    """Replace a message of an SSE stream, the ``[DONE]`` at its end included."""

    def decorate(hook: SeeMessage) -> SeeMessage:
        return _registered(hook, breaks, Hooks(sse=hook), variant)

    return decorate


def on_frame_sent(*breaks: str, variant: str | None = None) -> Callable[[FrameHook], FrameHook]:
    """Replace or drop WebSocket frames on their way out, control frames included."""

    def decorate(hook: FrameHook) -> FrameHook:
        return _registered(hook, breaks, Hooks(frame_sent=hook), variant)

    return decorate


def on_frame_received(*breaks: str, variant: str | None = None) -> Callable[[FrameHook], FrameHook]:
    """Replace or drop WebSocket frames on their way in, control frames included."""

    def decorate(hook: FrameHook) -> FrameHook:
        return _registered(hook, breaks, Hooks(frame_received=hook), variant)

    return decorate


def replace_policy(policy: str, *breaks: str, variant: str | None = None) -> Callable[[Hook], Hook]:
    """Take one named decision otherwise; the function has the signature of the policy."""

    def decorate(hook: Hook) -> Hook:
        return _registered(hook, breaks, Hooks(policies={policy: hook}), variant)

    return decorate


def _registered(hook: Hook, breaks: tuple[str, ...], hooks: Hooks, variant: str | None) -> Hook:
    """The name of the function names the fault, its docstring describes it."""
    name = hook.__name__.replace("_", "-")
    summary = (hook.__doc__ or "").strip().partition("\n")[0]
    register(Fault(name, breaks, summary, hooks, variant))
    return hook
