"""Sessions of slow servers, sans I/O: what waits, for how long, and what it costs the others."""

from __future__ import annotations

import itertools
import json
from typing import Any

from responses_ws_reference.messages.effects import Effect, SendMessage, SendPing, StartTurn
from responses_ws_reference.responses.engine import ScriptedEngine
from responses_ws_reference.seams.seams import Conversation
from responses_ws_reference.session.policies import CONFORMING
from responses_ws_reference.session.session import Service, Session
from responses_ws_reference.session.store import Store
from responses_ws_reference.variants.loads import LongThought, OneSlot

CREATE = json.dumps({"type": "response.create", "input": "Reply with exactly: a b c"})
NUMBERS = itertools.count()


def session() -> Session:
    service = Service("m", ScriptedEngine(), CONFORMING, lambda: str(next(NUMBERS)))
    return Session(service, Store().shelf(""))


def types(effects: list[Effect]) -> list[str]:
    """The types of the events that are sent."""
    return [json.loads(each.data)["type"] for each in effects if isinstance(each, SendMessage)]


def rest(waiting: Conversation, *, now: float = 0.0) -> list[str]:
    """The types of all events until the session has nothing more to do."""
    found: list[str] = []
    while waiting.is_busy and (effects := waiting.advance(now=now)):
        found += types(effects)
    return found


def test_one_slot_is_shared_by_all_connections() -> None:
    shared: dict[str, Any] = {}
    one, two = OneSlot(session(), shared), OneSlot(session(), shared)
    assert one.receive(CREATE, now=0) == two.receive(CREATE, now=0) == [StartTurn()]
    assert types(one.advance(now=0)) == ["response.created"]
    assert two.advance(now=0) == []
    assert two.is_busy
    assert rest(one)[-1] == "response.completed"
    assert rest(two)[0] == "response.created"


def test_a_lost_connection_gives_its_slot_back() -> None:
    shared: dict[str, Any] = {}
    one, two = OneSlot(session(), shared), OneSlot(session(), shared)
    one.receive(CREATE, now=0)
    two.receive(CREATE, now=0)
    one.advance(now=0)
    one.close()
    assert rest(two)[-1] == "response.completed"


def test_what_waits_is_answered_in_the_order_sent() -> None:
    slot = OneSlot(session(), {})
    for message in (CREATE, "{bad", CREATE):
        slot.receive(message, now=0)
    assert slot.queued == 3
    found = [kind for kind in rest(slot) if not kind.startswith(("response.o", "response.c"))]
    assert found == ["response.in_progress", "error", "response.in_progress"]


def test_a_long_thought_is_silent() -> None:
    slow = LongThought(session(), 40.0, None, about_all=False)
    slow.receive(CREATE, now=100.0)
    assert slow.advance(now=139.9) == []
    assert types(slow.advance(now=140.0)) == ["response.created"]


def test_each_create_is_thought_about() -> None:
    slow = LongThought(session(), 40.0, None, about_all=False)
    slow.receive(CREATE, now=0.0)
    slow.receive(CREATE, now=0.0)
    assert rest(slow, now=40.0)[-1] == "response.completed"
    assert slow.advance(now=79.9) == []
    assert types(slow.advance(now=80.0)) == ["response.created"]


def test_what_is_no_create_needs_no_thought() -> None:
    slow = LongThought(session(), 40.0, None, about_all=False)
    slow.receive("[]", now=0.0)
    assert types(slow.advance(now=0.0)) == ["error"]
    thorough = LongThought(session(), 40.0, None, about_all=True)
    thorough.receive("[]", now=0.0)
    assert thorough.advance(now=39.0) == []
    assert types(thorough.advance(now=40.0)) == ["error"]


def test_pings_show_that_somebody_thinks() -> None:
    slow = LongThought(session(), 40.0, 15.0, about_all=False)
    slow.receive(CREATE, now=0.0)
    pings = [now for now in range(45) if SendPing() in slow.advance(now=now)]
    assert pings == [15, 30]


def test_nothing_is_begun_after_the_end() -> None:
    slow = LongThought(session(), 40.0, None, about_all=False)
    slow.receive(CREATE, now=0.0)
    slow.close()
    assert not slow.is_busy
    assert slow.advance(now=50.0) == []
