"""Whatever a client says, the session answers in protocol and stays usable."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from responses_ws_reference.messages.creates import FIELDS, NOT_OFFERED
from responses_ws_reference.messages.items import ITEM_RULES

from tests.test_session import Peer, code, response, text

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["auto", "required", "function", "message", "user", "json_schema"])
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["type", "name", "role", "content", "text", "format", "parameters", "$ref"]
            )
            | st.text(max_size=4),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
ITEMS = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(sorted(ITEM_RULES)) | SCALARS,
        "role": st.sampled_from(["user", "assistant"]) | SCALARS,
        "content": VALUES,
        "call_id": SCALARS,
        "name": SCALARS,
        "arguments": SCALARS,
        "output": VALUES,
        "id": SCALARS,
    },
)
CREATES = st.fixed_dictionaries(
    {"type": st.just("response.create")},
    optional=dict.fromkeys((*FIELDS, *NOT_OFFERED), VALUES)
    | {"input": st.text(max_size=20) | st.lists(ITEMS, max_size=3) | VALUES},
)


def answers_in_protocol(events: list[dict[str, Any]]) -> bool:
    """One error event, or one whole response."""
    if code(events) is not None:
        return True
    numbers = [event["sequence_number"] for event in events]
    return (
        events[0]["type"] == "response.created"
        and response(events)["status"] in ("completed", "incomplete")
        and numbers == list(range(len(events)))
    )


@settings(deadline=None, max_examples=300)
@given(create=CREATES)
def test_any_create_is_answered(create: dict[str, Any]) -> None:
    """With fields of any type, there is a response or a refusal, and the next turn works."""
    peer = Peer()
    # allow_nan stands, so NaN and Infinity are among what is sent.
    assert answers_in_protocol(peer.send(json.dumps(create)))
    assert text(peer.create(input="Reply with exactly: still here")) == "still here"


@settings(deadline=None)
@given(message=st.text() | st.binary() | VALUES.map(json.dumps))
def test_any_message_is_answered(message: str | bytes) -> None:
    """Text, bytes or JSON of any kind: one error event."""
    assert code(Peer().send(message)) is not None
