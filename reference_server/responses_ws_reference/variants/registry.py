"""What a variant is, and how the steps of a rewritten stream are put together."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

from responses_ws_reference.messages.effects import CloseConnection, Event
from responses_ws_reference.messages.handshake import HandshakeAnswer, HttpRequest
from responses_ws_reference.seams.hooks import Hooks, Link, Sendings
from responses_ws_reference.seams.numbering import renumbered

OPEN_RESPONSES: Final = "open-responses"
OPENAI: Final = "openai"
DIALECTS: Final = (OPEN_RESPONSES, OPENAI)
TERMINAL: Final = ("response.completed", "response.failed", "response.incomplete")

Step: TypeAlias = Callable[[Event, Link], list[Event]]


@dataclass(frozen=True, slots=True)
class Variant:
    """A named server that conforms as well.

    ``dialects`` are those in which it is legal, ``warns`` the SHOULDs that it does not follow,
    ``leaves_open`` why some requirements cannot be judged. A server that does not
    ``ask_for_keys`` has no key to refuse. ``lacks`` are the optional layers that it does not have,
    ``lanes`` how many run at a time on a connection and how many are named, where not the usual.
    What a variant chooses ``over_http`` shows there only.
    """

    name: str
    summary: str
    hooks: Hooks
    dialects: tuple[str, ...] = DIALECTS
    warns: tuple[str, ...] = ()
    leaves_open: tuple[str, ...] = ()
    asks_for_keys: bool = True
    lacks: tuple[str, ...] = ()
    lanes: tuple[int, int] | None = None
    over_http: bool = False


VARIANTS: Final[dict[str, Variant]] = {}


def register(name: str, summary: str, hooks: Hooks, **traits: Any) -> None:
    """Add a variant under its name."""
    if name in VARIANTS:
        raise ValueError(f"two variants are named {name}")
    VARIANTS[name] = Variant(name, summary, hooks, **traits)


def rewriting(*steps: Step) -> Hooks:
    """Each event goes through the steps; what comes out of the last is numbered anew.

    The notes of a step are about one lane, and what it adds is on that lane. A stored response is
    fetched with the output that it was told with.
    """

    def outgoing(sending: Event | CloseConnection, link: Link) -> Sendings:
        if isinstance(sending, CloseConnection):
            return sending
        lane = {name: sending[name] for name in ("stream_id",) if name in sending}
        link = link.on_lane(sending)
        events = [sending]
        for step in steps:
            events = [after for event in events for after in step(event, link)]
        for event in events:
            if event["type"] in TERMINAL and event["response"].get("output"):
                told = link.shared.setdefault("told", {})
                told[event["response"].get("id")] = event["response"]["output"]
        return renumbered([{**event, **lane} for event in events], link)

    return Hooks(outgoing=outgoing, http=_as_told)


def _as_told(
    request: HttpRequest, answer: HandshakeAnswer, shared: dict[str, Any]
) -> HandshakeAnswer:
    output = shared.get("told", {}).get(request.response_id)
    if request.method != "GET" or answer.status != 200 or output is None:
        return answer
    body = json.dumps({**json.loads(answer.body), "output": output}).encode()
    return replace(answer, body=body)
