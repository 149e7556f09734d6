"""Attribution: each message of the server is given to the exchange that it belongs to."""

from __future__ import annotations

import json
from typing import Any

import pytest
from responses_ws_conformance.reading.attribution import Reading
from responses_ws_conformance.transcript import Closed, Expired, Received, Sent

from tests.attribution import Case, attribute, entries_of
from tests.attribution.lanes import LANES
from tests.attribution.refusals import REFUSALS
from tests.attribution.turns import TURNS


@pytest.mark.parametrize("case", [*TURNS, *REFUSALS, *LANES], ids=lambda case: case.description)
def test_attribution(case: Case) -> None:
    attribute(case)


def test_what_supersedes_a_response_is_remembered() -> None:
    """The response that began while another ran shows in the one that ran."""
    case = next(c for c in TURNS if c.description.startswith("a response without an end"))
    entries, names = entries_of(case)
    reading = Reading(entries)
    first, second = (reading.exchanges[names[name]] for name in "AB")
    assert first.superseded_by is second.created


def test_another_lane_supersedes_nothing() -> None:
    for case in LANES:
        entries, _ = entries_of(case)
        assert not any(exchange.superseded_by for exchange in Reading(entries))


@pytest.mark.parametrize(("side", "outcome"), [("client", "expired"), ("server", "closed")])
def test_our_own_close_does_not_end_what_has_expired(side: Any, outcome: str) -> None:
    sent = Sent(n=0, t=0.0, conn="c1", opcode="text", text='{"type": "response.create"}')
    expired = Expired(n=1, t=1.0, conn="c1", clock="first-event", limit=1.0, exchange="e0")
    closed = Closed(n=2, t=1.1, conn="c1", side=side, code=1000)
    (exchange,) = Reading([sent, expired, closed])
    assert exchange.outcome == outcome


def test_an_error_code_that_is_no_string_is_taken() -> None:
    event = json.dumps({"type": "error", "error": {"code": {"a": []}, "message": "m"}})
    create = json.dumps({"type": "response.create"})
    reading = Reading([Sent(0, 0.0, "c1", "text", create), Received(1, 0.0, "c1", "text", event)])
    assert reading.exchanges["e0"].outcome == "error"
