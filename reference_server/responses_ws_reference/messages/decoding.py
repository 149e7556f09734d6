"""Reads one client message: text that holds one JSON object with a ``type``.

Everything that would hurt later is refused here once: binary messages, malformed JSON, nesting
beyond what any event needs, numbers outside JSON and strings that no UTF-8 text can hold.
"""

from __future__ import annotations

import json
import math
from typing import Any, Final, NoReturn

from responses_ws_reference.messages.effects import Event
from responses_ws_reference.messages.refusals import refuse

MAX_DEPTH: Final = 64


def read_client_event(data: str | bytes) -> Event:
    """The client event in a message, which is an object with a string ``type``."""
    if isinstance(data, bytes):
        raise refuse("invalid_message", "Client events are text messages; this one was binary.")
    event = read_object(data)
    kind = event.get("type")
    if kind is None:
        raise refuse("missing_required_parameter", "The client event has no 'type'.", "type")
    if not isinstance(kind, str):
        raise refuse("invalid_type", "The 'type' of a client event is a string.", "type")
    return event


def read_object(text: str) -> Event:
    """The JSON object in a text."""
    value = _parse(text)
    if not isinstance(value, dict):
        raise refuse("invalid_json", "A client event is one JSON object.")
    _inspect(value)
    return value


def _parse(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        # ValueError covers malformed JSON and integers beyond Python's digit limit.
        raise refuse("invalid_json", "The message is not valid JSON.") from None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _inspect(event: Event) -> None:
    """Walk without recursion, so that the walk itself has no depth to exceed."""
    rest: list[tuple[Any, int]] = [(event, 1)]
    while rest:
        value, depth = rest.pop()
        if depth > MAX_DEPTH:
            raise refuse("invalid_json", f"The message nests deeper than {MAX_DEPTH} levels.")
        match value:
            case dict():
                rest.extend((name, depth) for name in value)
                rest.extend((member, depth + 1) for member in value.values())
            case list():
                rest.extend((member, depth + 1) for member in value)
            case str() if not _is_unicode(value):
                raise refuse("invalid_json", "A string in the message is not valid Unicode.")
            case float() if not math.isfinite(value):
                raise refuse("invalid_json", "A number in the message is out of range.")


def _is_unicode(text: str) -> bool:
    """False for lone surrogates, which JSON can spell and UTF-8 cannot."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
