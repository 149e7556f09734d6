"""Named, deliberate violations, hung into the server from outside.

A fault is a function in the module of its area, registered by a decorator that says where it takes
hold and which requirements it breaks. Its name is the function's name with hyphens, its summary
the first line of the docstring::

    @rewrite_events("RWS-ITEM-007", on="response.content_part.done")
    def part_text_ends_early(event: Event, link: Link) -> Sendings:
        \"\"\"The text of a finished part lacks its last character.\"\"\"
        event["part"]["text"] = event["part"]["text"][:-1]
        return event

The decorators, by where they take hold:

``@rewrite_events(*ids, on=types)``
    ``(event, link) -> sendings`` for each outgoing event. The event is the hook's own copy, to be
    changed and returned. Sendings are an event, raw text (``str``), a binary message (``bytes``), a
    ``CloseConnection(code)``, or a list of them; ``[]`` sends nothing.
``@rewrite_close(*ids)``
    ``(close, link) -> sendings`` where the session itself closes the connection.
``@on_incoming(*ids, on=type)``
    ``(event, link) -> event | Reply`` for each client event that is a JSON object. The returned
    event (or text, or bytes) is what the session gets. ``Reply((sending, …))`` answers in the
    session's place, ``Reply()`` is silence; the session never sees the event.
``@on_raw(*ids)``
    The same for every other client message: malformed text, arrays, binary.
``@on_open(*ids)``
    ``(link) -> sendings`` before the client has said anything.
``@on_handshake(*ids)``
    ``(request, answer, shared) -> answer`` for each opening handshake, accepted or refused.
``@on_frame_sent(*ids)``, ``@on_frame_received(*ids)``
    ``(frame, link) -> frame | None`` for each WebSocket frame, so for pings, pongs and closes too.
``@on_http(*ids)``
    ``(request, answer, shared) -> answer`` for each answer of the HTTP API, errors included. The
    answer to a streamed create has an empty body: only its status and headers are seen here.
``@on_sse(*ids)``
    ``(message, request, memory) -> messages`` for each message of an SSE stream, as text: an
    ``event:`` line, a ``data:`` line and an empty line, or ``data: [DONE]`` at the end. ``memory``
    is a dictionary per stream. A create over HTTP is a conversation too, so the hooks above act on
    it before it becomes text.
``@replace_policy(policy, *ids)``
    A function with the signature of the policy in ``session/policies.py``. It is pure: it changes
    nothing in place, takes no notes, and may be asked more often than it is followed.
``register(Fault(name, breaks, summary, Hooks(…)))``
    Several hooks at once, or ``closed``, which hears of the end of a connection.

``link`` is what a hook knows of its connection: ``link.memory`` (a dictionary per connection),
``link.shared`` (one per server), ``link.create`` (the newest create that came), ``link.session``
(``is_busy``, ``queued``) and ``link.handshake`` (path, headers, ``api_key``). ``variant="…"`` on
any decorator runs the server as that conforming variant, for faults that need its choice.

Nobody counts by hand when a fault acts. The result of a hook is compared with what would have
happened without it, and only a difference counts as fired. So a hook returns what it was given
wherever it does not apply.
"""

from responses_ws_reference.faults import (
    chaining,
    compaction,
    connection,
    creation,
    custom,
    dialects,
    errors,
    events,
    forks,
    framing,
    http,
    http_store,
    ids,
    inject,
    interrupt,
    inventions,
    items,
    lanes,
    levers,
    lifetime,
    lookups,
    reasoning,
    steering,
    steering_calls,
    steering_refusals,
    storage,
    tables,
    texts,
    tools,
    turns,
    warmup,
)
from responses_ws_reference.faults.registry import FAULTS, Fault
from responses_ws_reference.faults.shells import ONLY_ON_WEBSOCKETS

__all__ = ["FAULTS", "ONLY_ON_WEBSOCKETS", "Fault"]

# Importing an area registers its faults; naming the areas keeps the imports honest.
AREAS = (
    connection,
    framing,
    creation,
    events,
    items,
    texts,
    chaining,
    ids,
    lookups,
    tables,
    tools,
    custom,
    reasoning,
    turns,
    errors,
    lifetime,
    levers,
    inventions,
    dialects,
    storage,
    interrupt,
    inject,
    warmup,
    lanes,
    forks,
    steering,
    steering_calls,
    steering_refusals,
    compaction,
    http,
    http_store,
)
