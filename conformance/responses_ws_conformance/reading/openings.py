"""Openings: which create a ``response.created`` answers, or which response it is the successor of.

It answers a create that waits: the one whose ``metadata``, ``previous_response_id`` or tools it
repeats, else the first one, creates whose wait has run out last. It begins a successor, which no
create asked for, where it continues a response that was steered and no create that waits does; or,
where it does not say what it continues, where none waits and input that was accepted for a response
of the lane has not been taken up.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from responses_ws_conformance.reading import commands
from responses_ws_conformance.reading.exchanges import (
    PREVIOUS,
    ConnectionView,
    Exchange,
    response_of,
)
from responses_ws_conformance.transcript import Received

ECHOES: Final = ("metadata", PREVIOUS, "tools")


def parent_of(
    view: ConnectionView, entry: Received, creates: Sequence[Exchange]
) -> Exchange | None:
    """The steered response whose successor begins with a ``response.created``."""
    if not any(map(commands.is_accepted, view.unfinished())):
        return None
    previous = (response_of(entry) or {}).get(PREVIOUS)
    waiting = [x for x in creates if not x.events and x.may_go_on]
    steered = [x for x in view.exchanges if commands.accepted_for(view, x)]
    named = next((x for x in steered if x.response_id == previous), None)
    if named is not None:
        return None if any(x.request.get(PREVIOUS) == previous for x in waiting) else named
    if waiting:
        return None
    owed = (x for x in creates if x.is_ended and commands.waiting_for(view, x))
    return next(owed, None)


def succeed(view: ConnectionView, parent: Exchange, entry: Received) -> Exchange:
    """The successor of a response: an exchange that the client began by steering."""
    steers = commands.waiting_for(view, parent) or commands.accepted_for(view, parent)
    return Exchange(f"e{entry.n}", parent.conn, parent.lane, steers[0].sent, parent=parent)


def supersede(opened: Exchange, entry: Received, creates: Sequence[Exchange]) -> None:
    """Remember of what runs on the lane that another response has begun."""
    for running in creates:
        if running.events and running.may_go_on and running.lane == opened.lane:
            running.superseded_by = running.superseded_by or entry


def opened_by(entry: Received, creates: Sequence[Exchange]) -> Exchange | None:
    """The create that a ``response.created`` answers."""
    pending = [x for x in creates if not x.events and x.may_go_on]
    refused = [x for x in reversed(creates) if x.is_ended and x.error and not x.events]
    response = response_of(entry) or {}
    if not pending:
        return next(
            (x for x in reversed(creates) if x.is_named_in(entry)), next(iter(refused), None)
        )
    for exchange in refused:
        if exchange not in pending and _repeats_metadata(exchange, pending, response):
            return exchange
    meant = _meant(pending, response)
    if len(meant) > 1:
        for exchange in meant:
            exchange.is_guessed = True
    opened = min(meant, key=lambda x: x.expired is not None or x.quiet is not None)
    if opened.error is not None and not _tells(response, opened):
        # The error that it was thought to have becomes another's, on the word of nobody.
        opened.is_guessed = True
    return opened


def _tells(response: dict[str, Any], exchange: Exchange) -> bool:
    """True where a response repeats something of its create."""
    echoes = ((_echo(response, name), _echo(exchange.request, name)) for name in ECHOES)
    return any(seen and seen == sent for seen, sent in echoes)


def _meant(pending: list[Exchange], response: dict[str, Any]) -> list[Exchange]:
    """Those of several creates whose members a response repeats; all, where it repeats none."""
    for name in ECHOES:
        echo = _echo(response, name)
        pending = [x for x in pending if echo and _echo(x.request, name) == echo] or pending
    return pending


def _repeats_metadata(refused: Exchange, pending: list[Exchange], response: dict[str, Any]) -> bool:
    """True where a response is for a refused create and for none that waits."""
    echo = response.get("metadata")
    has_echo = bool(echo) and echo == refused.request.get("metadata")
    return has_echo and not any(x.request.get("metadata") == echo for x in pending)


def _echo(members: dict[str, Any], name: str) -> Any:
    """What a create and its response have in common; of tools, which a server fills up, the names.

    A server that repeats nothing, or nothing right, has no say in whose response it is.
    """
    value = members.get(name)
    if name == "tools" and isinstance(value, list):
        return [tool.get("name") for tool in value if isinstance(tool, dict)]
    return value
