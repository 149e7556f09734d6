"""A chain as scenarios write it, and creates that may be refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from responses_ws_conformance.checks import Cause
from responses_ws_conformance.checks.answers import describe, is_transient
from responses_ws_conformance.driver import Blocked, Connection
from responses_ws_conformance.prompts import message, recall, say
from responses_ws_conformance.reading.exchanges import Exchange


@dataclass(slots=True)
class Chain:
    """A chain on one connection; each turn continues the one before it with new messages only."""

    connection: Connection
    store: bool = False
    turns: list[Exchange] = field(default_factory=list)

    @property
    def newest(self) -> str:
        """The id of the newest response; raises Blocked where it has none."""
        response_id = self.turns[-1].response_id
        if response_id is None:
            raise Blocked(Cause.BLOCKED, "the response has no id", by="RWS-EVENT-002")
        return response_id

    def turn(self, text: str, *, behind: Sequence[str] = (), **fields: Any) -> Exchange:
        """Go on, or begin; the text comes behind others; raises Blocked where no response comes."""
        items = [message(each) for each in (*behind, text)]
        turn = self.connection.turn(items, **self._fields(fields))
        self.turns.append(turn)
        return turn

    def attempt(self, text: str, **fields: Any) -> Exchange:
        """Go on, or begin, where that may be refused."""
        exchange = settle(self.connection, [message(text)], **self._fields(fields))
        if exchange.outcome in ("completed", "incomplete"):
            self.turns.append(exchange)
        return exchange

    def begin(self) -> None:
        """Have something to go on from."""
        if not self.turns:
            self.turn(say())

    def ask(self) -> Exchange:
        """Go on with the question for the code word."""
        return self.turn(recall())

    def history(self) -> list[dict[str, Any]]:
        """What was said so far, as the input of one create."""
        items: list[dict[str, Any]] = []
        for turn in self.turns:
            items.extend(turn.request["input"])
            if turn.text:
                items.append(message(turn.text, role="assistant"))
        return items

    def _fields(self, fields: dict[str, Any]) -> dict[str, Any]:
        previous = {"previous_response_id": self.newest} if self.turns else {}
        return {"store": self.store, **previous, **fields}


def settle(
    connection: Connection, input: str | Sequence[Mapping[str, Any]], **fields: Any
) -> Exchange:
    """A create that may be refused; raises Blocked where it ends in no answer or by accident."""
    exchange = connection.attempt(input, **fields)
    require_settled(connection, exchange)
    return exchange


def require_settled(connection: Connection, exchange: Exchange) -> None:
    """Raise Blocked where an exchange has not ended, or has ended by accident."""
    if is_transient(exchange):
        raise Blocked(Cause.TRANSIENT, describe(exchange))
    connection.require(exchange, ends=("completed", "incomplete", "failed", "error", "closed"))
