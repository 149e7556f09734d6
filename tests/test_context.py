"""What a context knows: the same however it came about, and of new items only found out anew."""

from __future__ import annotations

from typing import Any

import pytest
from responses_ws_reference.messages.context import Context
from responses_ws_reference.messages.creates import Create
from responses_ws_reference.responses.compaction import fold, pruned, unfolded
from responses_ws_reference.responses.engine import Prompt, ScriptedEngine
from responses_ws_reference.session.policies import CONFORMING
from responses_ws_reference.session.previous import gather_context
from responses_ws_reference.session.store import Snapshot


def said(text: str) -> dict[str, Any]:
    return {"type": "message", "role": "user", "content": text}


def called(name: str) -> dict[str, Any]:
    return {"type": "function_call", "call_id": name, "name": "look", "arguments": "{}"}


def answered(name: str) -> dict[str, Any]:
    return {"type": "function_call_output", "call_id": name, "output": "two words"}


FOLDED = {"type": "compaction", "encrypted_content": fold(Context([said("before")]))}
CONVERSATIONS = {
    "messages": [said("one"), said("two words"), said("")],
    "calls": [said("one"), called("a"), called("b"), answered("b"), answered("a"), said("end")],
    "open calls": [called("a"), called("b"), answered("a")],
    "an orphan": [said("one"), answered("a"), called("a"), answered("a")],
    "folds": [said("one"), FOLDED, said("two words"), FOLDED, called("a")],
}


def known(context: Context) -> tuple[Any, ...]:
    return (tuple(context), context.words, context.calls, context.last_fold, pruned(context))


@pytest.mark.parametrize("items", CONVERSATIONS.values(), ids=CONVERSATIONS)
def test_it_does_not_matter_how_a_context_grew(items: list[dict[str, Any]]) -> None:
    whole = known(Context(items))
    for cut in range(len(items) + 1):
        assert known(Context(items[:cut]).then(tuple(items[cut:]))) == whole
    context = Context()
    for item in items:
        context = context.then((item,))
    assert known(context) == whole


def test_a_context_is_not_changed_by_what_follows_it() -> None:
    context = Context([called("a")])
    before = known(context)
    assert context.then((answered("a"),)).calls.mismatch() is None
    assert known(context) == before
    refusal = context.calls.mismatch()
    assert refusal is not None
    assert refusal.code == "tool_output_not_found"


class Past(dict[str, Any]):
    """An item that nobody may look at once it has passed."""

    has_passed = False

    def __getitem__(self, name: str) -> Any:
        assert not self.has_passed, "what is known was looked at again"
        return super().__getitem__(name)

    def get(self, name: str, default: Any = None) -> Any:
        assert not self.has_passed, "what is known was looked at again"
        return super().get(name, default)


def test_a_turn_looks_at_nothing_but_what_is_new() -> None:
    """So it costs the same after one item and after a thousand."""
    answer = {"type": "message", "role": "assistant", "content": "ok"}
    past = [Past(item) for item in (*CONVERSATIONS["calls"], answer)]
    previous = Snapshot("resp_1", "completed", Create({}, ()), Context(past))
    new = (said("Reply with exactly: ok"), said("and no more"))
    for item in past[:-1]:  # how the last turn ended the model looks up
        item.has_passed = True
    create = Create({}, new)
    context = gather_context(create, CONFORMING, previous)
    assert context[-2:] == new
    assert context.words == previous.context.words + 7
    assert unfolded(context) is context
    assert ScriptedEngine().complete(Prompt(create, context)).outputs
    kept = Context(CONFORMING.prune(context.then((said("ok"),))))
    assert len(kept) == len(past) + 3


def test_what_a_replaced_policy_gives_is_a_context_again() -> None:
    """A fault may answer with plain items; what they hold is found out then."""
    items = (said("three more words"), called("a"))
    context = Context(items)
    assert Context(context) is context
    assert known(context) == known(Context().then(items))
