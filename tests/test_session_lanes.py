"""Lanes in the reference session: names, order within one, independence between several."""

from __future__ import annotations

import random
from typing import Any

import pytest
from responses_ws_reference.seams.hooked import hang
from responses_ws_reference.seams.hooks import Tally
from responses_ws_reference.seams.layers import WITHOUT
from responses_ws_reference.seams.seams import Seams
from responses_ws_reference.session.policies import MAX_ACTIVE, MAX_NAMES

from tests.test_session import ASK, REMEMBER, Peer, code, response, text

Events = list[dict[str, Any]]
LONG = "Count from 1 to 60."


def create(lane: str | None, **fields: Any) -> dict[str, Any]:
    """A create on a lane, the default one where it has no name."""
    name = {} if lane is None else {"stream_id": lane}
    return {"type": "response.create", "input": "hi", "store": False, **name, **fields}


def drain(peer: Peer) -> Events:
    """All events until the session is idle."""
    events: Events = []
    while peer.session.is_busy:
        events += peer._events(peer.session.advance(now=1_000))
    return events


def of_lane(events: Events, lane: str | None) -> Events:
    return [event for event in events if event.get("stream_id") == lane]


def ends(events: Events) -> list[str | None]:
    """The lanes in the order in which their responses ended."""
    return [e.get("stream_id") for e in events if e["type"] == "response.completed"]


@pytest.mark.parametrize("name", ["a", "Z9_.-", "x" * 256])
def test_each_event_names_its_lane(name: str) -> None:
    events = Peer().send(create(name))
    assert events[-1]["type"] == "response.completed"
    assert {event.get("stream_id") for event in events} == {name}
    assert [event["sequence_number"] for event in events] == list(range(len(events)))


@pytest.mark.parametrize("fields", [{}, {"stream_id": None}])
def test_the_default_lane_has_no_name(fields: dict[str, Any]) -> None:
    """Null is the same as the absence of the field."""
    events = Peer().create(**fields)
    assert events[-1]["type"] == "response.completed"
    assert not any("stream_id" in event for event in events)


@pytest.mark.parametrize("name", ["", "x" * 257, "a b", "é", "a/b", "a\n", 7, True, ["a"], {}])
def test_what_is_no_name_is_refused_without_an_echo(name: Any) -> None:
    """No continuation was tried, so nothing is evicted, and the lane that runs goes on."""
    peer = Peer()
    known = response(peer.send(create(None)))["id"]
    peer.put(create("a", input=LONG))
    (error,) = peer.put(create(None, stream_id=name, previous_response_id=known))
    assert (error["status"], code([error])) == (400, "invalid_stream_id")
    assert error["error"]["param"] == "stream_id"
    assert "stream_id" not in error
    assert ends(drain(peer)) == ["a"]
    assert code(peer.send(create(None, previous_response_id=known))) is None


def test_a_short_response_ends_before_a_long_one() -> None:
    """The one that was created later, on another lane, does not wait."""
    peer = Peer()
    (first,) = peer.put(create("long", input=LONG))
    (second,) = peer.put(create("short"))
    assert [first["type"], second["type"]] == ["response.created"] * 2
    assert ends(drain(peer)) == ["short", "long"]


def test_a_lane_is_first_in_first_out() -> None:
    """Two creates of a lane do not overlap, whatever runs beside them."""
    peer = Peer()
    events = peer.put(create("a", input="Reply with exactly: one"))
    events += peer.put(create("b", input=LONG))
    assert peer.put(create("a", input="Reply with exactly: two")) == []
    events += drain(peer)
    own = of_lane(events, "a")
    assert text(own) == "onetwo"
    kinds = [event["type"] for event in own]
    assert kinds.index("response.completed") < len(kinds) - 1 - kinds[::-1].index(
        "response.created"
    )
    assert ends(events) == ["a", "a", "b"]


def test_an_error_stays_on_its_lane() -> None:
    """It names the lane, and neither that lane nor the others stop."""
    peer = Peer()
    peer.put(create("a", input=LONG))
    (error,) = peer.put(create("b", model="gpt-0"))
    assert (error["stream_id"], code([error])) == ("b", "model_not_found")
    (bare,) = peer.put(create(None, model="gpt-0"))
    assert "stream_id" not in bare
    peer.put(create("b"))
    assert ends(drain(peer)) == ["b", "a"]


def test_sixteen_run_and_the_others_wait() -> None:
    """The seventeenth begins when one has ended; the default lane takes a slot like the others."""
    peer = Peer()
    lanes = [None, *(f"lane-{n}" for n in range(1, MAX_ACTIVE))]
    for lane in lanes:
        assert [e["type"] for e in peer.put(create(lane, input=LONG))] == ["response.created"]
    assert peer.put(create("late")) == []
    assert peer.put(create("later")) == []
    assert peer.session.queued == 2
    events = drain(peer)
    kinds = [(e["type"], e.get("stream_id")) for e in events]
    first_end = next(n for n, (kind, _) in enumerate(kinds) if kind == "response.completed")
    assert kinds.index(("response.created", "late")) > first_end
    assert sorted(ends(events), key=str) == sorted([*lanes, "late", "later"], key=str)


def test_no_lane_starves() -> None:
    """A lane with much to do lets those in that wait for a slot."""
    peer = Peer()
    for n in range(MAX_ACTIVE):
        for _ in range(3):
            peer.put(create(f"lane-{n}"))
    peer.put(create("late"))
    order = ends(drain(peer))
    assert len(order) == 3 * MAX_ACTIVE + 1
    assert order.index("late") <= 2 * MAX_ACTIVE


def test_thirty_two_names_are_known_and_the_default_lane_is_none_of_them() -> None:
    """One more is refused with its name; those that are known go on."""
    peer = Peer()
    for lane in [None, *(f"lane-{n}" for n in range(MAX_NAMES))]:
        assert ends(peer.send(create(lane, generate=False))) == [lane]
    (error,) = peer.send(create("one-more"))
    assert (error["status"], code([error])) == (400, "websocket_stream_limit_reached")
    assert (error["error"]["param"], error["stream_id"]) == ("stream_id", "one-more")
    for lane in ("lane-0", f"lane-{MAX_NAMES - 1}", None):
        assert ends(peer.send(create(lane))) == [lane]


def test_a_lane_selects_no_history() -> None:
    """Its name without a previous response begins a new conversation."""
    peer = Peer()
    peer.send(create("a", input=REMEMBER))
    assert text(peer.send(create("a", input=ASK))) == "unknown"
    assert text(peer.send(create("b", input=ASK))) == "unknown"


def test_each_lane_keeps_its_newest_response() -> None:
    """What happens on one lane does not push out what another has."""
    peer = Peer()
    newest: dict[str | None, str] = {}
    words = {None: "owl", "a": "elk", "b": "cod"}
    for lane, word in words.items():
        asked = f"Remember: the code word is {word}. Reply with: ok"
        newest[lane] = response(peer.send(create(lane, input=asked)))["id"]
    for _ in range(2):
        for lane, word in words.items():
            turn = peer.send(create(lane, input=ASK, previous_response_id=newest[lane]))
            assert text(turn) == word
            newest[lane] = response(turn)["id"]


def test_a_fork_goes_its_own_way() -> None:
    """Both lanes know what came before, and neither what the other was told after it."""
    peer = Peer()
    root = response(peer.send(create("a", input=REMEMBER)))["id"]
    told = "Remember: the code word is newt. Reply with: ok"
    fork = response(peer.send(create("b", input=told, previous_response_id=root)))["id"]
    assert text(peer.send(create("a", input=ASK, previous_response_id=root))) == "heron"
    assert text(peer.send(create("b", input=ASK, previous_response_id=fork))) == "newt"
    assert code(peer.send(create("c", previous_response_id=root))) == "previous_response_not_found"


def test_a_fork_that_has_begun_needs_its_parent_no_more() -> None:
    """The source lane goes on behind the barrier, and both come to their end."""
    peer = Peer()
    root = response(peer.send(create("a", input=REMEMBER)))["id"]
    peer.put(create("b", input=ASK, previous_response_id=root))
    peer.put(create("a", previous_response_id=root))
    events = drain(peer)
    assert text(of_lane(events, "b")) == "heron"
    assert sorted(map(str, ends(events))) == ["a", "b"]


def test_a_fork_that_fails_leaves_the_parent_to_its_lane() -> None:
    """Only a failure on its own lane evicts a response."""
    peer = Peer()
    root = response(peer.send(create("a", input=REMEMBER)))["id"]
    orphan = [{"type": "function_call_output", "call_id": "nobody's", "output": ""}]
    bad = {"input": orphan, "previous_response_id": root}
    assert code(peer.send(create("b", **bad))) == "tool_call_not_found"
    again = peer.send(create("a", input=ASK, previous_response_id=root))
    assert text(again) == "heron"
    newest = response(again)["id"]
    assert code(peer.send(create("a", **{**bad, "previous_response_id": newest})))
    gone = peer.send(create("a", previous_response_id=newest))
    assert code(gone) == "previous_response_not_found"


def test_a_server_without_lanes_says_so() -> None:
    """The field is refused as one that is not supported, and the lane is not echoed."""
    seams = hang(WITHOUT["lanes"], Seams(), Tally())
    refusal = seams.policies.judge_lane("a")
    assert refusal is not None
    assert refusal.code == "unsupported_parameter"
    assert seams.policies.judge_lane(None) is None


@pytest.mark.parametrize("seed", range(20))
def test_any_interleaving_is_many_single_conversations(seed: int) -> None:
    """Whatever runs when, each lane is told what it would be told alone."""
    chance = random.Random(seed)
    peer = Peer()
    lanes = [None, "a", "b", "c"]
    sent: dict[str | None, list[str]] = {lane: [] for lane in lanes}
    events: Events = []
    for n in range(40):
        if chance.random() < 0.4:
            lane = chance.choice(lanes)
            sent[lane].append(f"{lane}{n} {'x ' * chance.randrange(6)}".strip())
            asked = f"Reply with exactly: {sent[lane][-1]}"
            events += peer.put(create(lane, input=asked))
        for _ in range(chance.randrange(8)):
            events += peer._events(peer.session.advance(now=1_000))
    events += drain(peer)
    for lane, said in sent.items():
        assert text(of_lane(events, lane)) == "".join(said)
        assert len(ends(of_lane(events, lane))) == len(said)
