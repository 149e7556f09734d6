"""Errors whose owner is in doubt: each is given to one of its candidates, no two to the same.

What happens later rules candidates out. What is left over when no candidate is free belongs to the
connection.
"""

from __future__ import annotations

from responses_ws_conformance.reading.exchanges import ConnectionView, Doubt, Exchange
from responses_ws_conformance.transcript import Received


def note(view: ConnectionView, error: Received, candidates: list[Exchange]) -> Exchange | None:
    """Keep a doubtful error, its candidates with the most plausible first; who has it for now."""
    view.doubts.append(Doubt(error, candidates))
    _reassign(view)
    return next((x for x in candidates if x.error is error), None)


def rule_out(view: ConnectionView, doubt: Doubt, exchange: Exchange) -> None:
    """An error is not about this exchange."""
    doubt.candidates.remove(exchange)
    _reassign(view)


def settle(view: ConnectionView, doubt: Doubt, exchange: Exchange) -> None:
    """An error is about this exchange."""
    doubt.candidates = [exchange]
    _reassign(view)


def prefer(view: ConnectionView, doubt: Doubt, exchange: Exchange) -> None:
    """An error is most likely about this exchange."""
    doubt.candidates.sort(key=lambda x: x is not exchange)
    _reassign(view)


def _reassign(view: ConnectionView) -> None:
    """Give as many errors an owner as can have one, the most plausible where there is a choice."""
    while _narrow(view.doubts):
        pass
    owners: dict[Exchange, Doubt] = {}
    for doubt in view.doubts:
        _place(doubt, owners, set())
    given = {owner: doubt.error for owner, doubt in owners.items()}
    errors = [doubt.error for doubt in view.doubts]
    for exchange in view.exchanges:
        if exchange in given or exchange.error in errors:
            exchange.error = given.get(exchange)
    left_over = [error for error in errors if error not in given.values()]
    view.others = [e for e in view.others if e not in errors] + left_over
    _close(view.doubts, owners)
    doubtful = {x for doubt in view.doubts if doubt.is_open for x in doubt.candidates}
    for exchange in view.exchanges:
        exchange.doubtful_error = exchange in doubtful


def _sharing(doubt: Doubt, doubts: list[Doubt]) -> list[Doubt]:
    """The errors that have no other candidates than this one has."""
    return [other for other in doubts if set(other.candidates) <= set(doubt.candidates)]


def _narrow(doubts: list[Doubt]) -> bool:
    """Where there are as many errors as candidates, these are no candidates for other errors."""
    for doubt in doubts:
        sharing = _sharing(doubt, doubts)
        if len(sharing) < len(doubt.candidates):
            continue
        for other in doubts:
            rest = [x for x in other.candidates if x not in doubt.candidates]
            if other not in sharing and len(rest) < len(other.candidates):
                other.candidates = rest
                return True
    return False


def _close(doubts: list[Doubt], owners: dict[Exchange, Doubt]) -> None:
    """Where there are as many errors as candidates, all of these have one: let it be this one."""
    for doubt in doubts:
        if doubt.is_open and len(_sharing(doubt, doubts)) >= len(doubt.candidates):
            doubt.candidates = [x for x in doubt.candidates if owners.get(x) is doubt]


def _place(doubt: Doubt, owners: dict[Exchange, Doubt], tried: set[Exchange]) -> bool:
    """Find an owner for an error, if need be by moving others on to candidates of theirs."""
    for exchange in doubt.candidates:
        if exchange in tried:
            continue
        tried.add(exchange)
        if exchange not in owners or _place(owners[exchange], owners, tried):
            owners[exchange] = doubt
            return True
    return False
