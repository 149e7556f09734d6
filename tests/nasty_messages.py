"""Messages that are meant to break a server, which refuses each of them and goes on."""

from __future__ import annotations

import json

from tests.turns import create

NASTY_MESSAGES: dict[str, str | bytes] = {
    "binary": create().encode(),
    "binary that is no text": bytes(range(256)),
    "empty": "",
    "malformed": '{"type": "response.create"',
    "deeply nested": "[" * 1_000_000,
    "deeply nested objects": '{"a":' * 200_000 + "1" + "}" * 200_000,
    "just within the parser": create(metadata=None, x=None)[:-1]
    + ',"y":'
    + "[" * 500
    + "]" * 500
    + "}",
    "a huge integer": '{"type":"response.create","max_output_tokens":' + "9" * 100_000 + "}",
    "a large integer": '{"type":"response.create","max_output_tokens":-' + "9" * 4_000 + "}",
    "a lone surrogate": '{"type":"response.create","input":"\\udfff"}',
    "ten megabytes of nothing": " " * 10_000_000,
    "ten megabytes of input": create(input="a" * 10_000_000, model="none"),
    "a million members": '{"a":[' + ",".join("1" * 1_000_000) + "]}",
    "everything of a wrong type": json.dumps(
        {"type": "response.create"}
        | dict.fromkeys(["input", "model", "tools", "store", "text", "metadata"], 0)
    ),
}
