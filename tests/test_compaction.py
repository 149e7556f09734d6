"""Compaction in the reference server: when a context is folded, and what goes on from there."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import responses_ws_schemas as schemas
from responses_ws_reference.messages.context import Context
from responses_ws_reference.responses.compaction import fold, pruned, unfolded
from responses_ws_reference.session.policies import CONFORMING

from tests.test_session import ASK, CLOCK, REMEMBER, Peer, code, response, text

LIMIT = 1000
MANAGED = [{"type": "compaction", "compact_threshold": LIMIT}]
LONG = "word " * (LIMIT + 1) + REMEMBER


def kinds(events: list[dict[str, Any]]) -> list[str]:
    return [item["type"] for item in response(events)["output"]]


def read(events: list[dict[str, Any]]) -> int:
    """How many tokens the model was given."""
    tokens: int = response(events)["usage"]["input_tokens"]
    return tokens


def test_long_context_is_folded_before_the_model_speaks() -> None:
    """The stream says so with the events of an item, and the item comes whole at its end."""
    events = Peer().create(input=LONG, context_management=MANAGED)
    of_item = [event for event in events if event.get("output_index") == 0]
    assert [event["type"] for event in of_item] == [
        "response.output_item.added",
        "response.compaction.compacting",
        "response.output_item.done",
    ]
    (item,) = (event["item"] for event in of_item if event["type"].endswith("done"))
    assert schemas.explain("objects/output_items/compaction", item) == []
    assert of_item[1]["item_id"] == item["id"]
    assert response(events)["output"][0] == item
    assert kinds(events) == ["compaction", "message"]
    assert text(events) == "ok"


@pytest.mark.parametrize(
    "fields",
    [
        {"context_management": MANAGED},
        {"input": LONG},
        {"input": LONG, "context_management": None},
        {"input": LONG, "context_management": []},
        {"input": LONG, "context_management": [{"type": "compaction"}]},
        {"input": LONG, "context_management": [{**MANAGED[0], "compact_threshold": LIMIT * 2}]},
        {"input": "word " * LIMIT, "context_management": MANAGED},
    ],
)
def test_nothing_is_folded_without_need(fields: dict[str, Any]) -> None:
    """Neither up to the threshold, nor where none is set."""
    assert kinds(Peer().create(**fields)) == ["message"]


def test_warm_up_folds_nothing() -> None:
    """The create after it does."""
    peer = Peer()
    warm = response(peer.create(input=LONG, context_management=MANAGED, generate=False))
    assert warm["output"] == []
    events = peer.create(input=[], previous_response_id=warm["id"], context_management=MANAGED)
    assert kinds(events) == ["compaction", "message"]


@pytest.mark.parametrize("store", [True, False])
def test_chain_goes_on_with_new_items_only(store: bool) -> None:
    """The next turn reads less, remembers all, and has nothing to fold."""
    peer = Peer()
    fields = {"context_management": MANAGED, "store": store}
    first = peer.create(input=LONG, **fields)
    second = peer.create(input=ASK, previous_response_id=response(first)["id"], **fields)
    assert (text(second), kinds(second)) == ("heron", ["message"])
    assert read(first) > LIMIT > read(second)


def test_chain_is_folded_again_when_it_has_grown_again() -> None:
    peer = Peer()
    previous = None
    for word in ("heron", "stork", "crane"):
        filler = f"{'word ' * LIMIT} The code word is {word}. Reply with: ok"
        events = peer.create(
            input=filler, previous_response_id=previous, context_management=MANAGED
        )
        assert kinds(events) == ["compaction", "message"]
        previous = response(events)["id"]
    assert text(peer.create(input=ASK, previous_response_id=previous)) == "crane"


def test_output_can_be_sent_back_as_input() -> None:
    """Without a previous id, behind or without what it was made from."""
    output = response(Peer().create(input=LONG, context_management=MANAGED))["output"]
    question = {"role": "user", "content": ASK}
    before = {"role": "user", "content": LONG}
    for items in ([*output, question], [output[0], question], [before, *output, question]):
        events = Peer().create(input=items, context_management=MANAGED)
        assert (text(events), kinds(events)) == ("heron", ["message"])


def test_calls_are_folded_with_their_outputs_only() -> None:
    """A call behind a compaction item is still answered by what comes next."""
    peer = Peer()
    asked = peer.create(input=f"{LONG} Use the tool.", tools=[CLOCK], context_management=MANAGED)
    assert kinds(asked) == ["compaction", "function_call"]
    output = {
        "type": "function_call_output",
        "call_id": response(asked)["output"][1]["call_id"],
        "output": "noon",
    }
    answered = peer.create(input=[output], previous_response_id=response(asked)["id"])
    assert text(answered) == "The tool returned: noon"


@pytest.mark.parametrize(
    ("entry", "refusal"),
    [
        ({"compact_threshold": LIMIT}, "missing_required_parameter"),
        ({"type": "pruning"}, "invalid_value"),
        ({**MANAGED[0], "compact_threshold": LIMIT - 1}, "integer_below_min_value"),
        ({**MANAGED[0], "compact_threshold": 0}, "integer_below_min_value"),
        ({**MANAGED[0], "compact_threshold": "1000"}, "invalid_type"),
        ({**MANAGED[0], "compact_threshold": 1000.5}, "invalid_type"),
        ("compaction", "invalid_type"),
    ],
)
def test_wrong_management_is_refused(entry: Any, refusal: str) -> None:
    peer = Peer()
    assert code(peer.create(context_management=[entry])) == refusal
    assert kinds(peer.create()) == ["message"]


@pytest.mark.parametrize("content", ["", "AAAA", "ünreadable", fold(Context())[:-4] + "AAAA"])
def test_foreign_item_is_refused(content: str) -> None:
    """A server that cannot read it would lose the conversation without a word."""
    item = {"type": "compaction", "encrypted_content": content}
    assert code(Peer().create(input=[item])) == "invalid_encrypted_content"


def test_sealed_reasoning_is_no_compaction() -> None:
    events = Peer().create(reasoning={"effort": "low"}, include=["reasoning.encrypted_content"])
    content = response(events)["output"][0]["encrypted_content"]
    item = {"type": "compaction", "encrypted_content": content}
    assert code(Peer().create(input=[item])) == "invalid_encrypted_content"


def test_folding_twice_is_folding_once() -> None:
    items = ({"type": "message", "role": "user", "content": "a"},)
    once = {"type": "compaction", "encrypted_content": fold(Context(items))}
    last = {"type": "message", "role": "user", "content": "b"}
    twice = {"type": "compaction", "encrypted_content": fold(Context((once, last)))}
    assert unfolded(Context((twice,))) == (*items, last)
    assert pruned(Context((*items, once, last, twice, last))) == (twice, last)


def test_what_is_folded_is_a_policy() -> None:
    """So a fault can lose a conversation at this point, and nowhere else."""
    forgetful = replace(CONFORMING, condense=lambda context: context[-1:])
    peer = Peer(policies=forgetful)
    first = peer.create(input=REMEMBER)
    filler = "word " * LIMIT + " Reply with: ok"
    chained = {"context_management": MANAGED}
    second = peer.create(input=filler, previous_response_id=response(first)["id"], **chained)
    third = peer.create(input=ASK, previous_response_id=response(second)["id"], **chained)
    assert text(third) == "unknown"
