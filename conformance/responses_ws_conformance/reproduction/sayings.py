"""Sayings: what a client did in a recording, as lines of Python.

What a target sent stands in them as a literal only, and only where it is sent back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

from responses_ws_conformance.reproduction.frames import (
    ANSWERED,
    BEGIN,
    ENDS,
    OPENED,
    Frame,
)
from responses_ws_conformance.reproduction.handshakes import (
    MASK,
    Credentials,
    credentials_of,
    extra_headers,
)
from responses_ws_conformance.reproduction.steps import (
    OPAQUE,
    Binding,
    Path,
    Step,
    conversation,
    ids_in,
    request_of,
)
from responses_ws_conformance.transcript import (
    Closed,
    Entry,
    Expired,
    Headers,
    Message,
    Note,
    Opened,
    Requested,
    Sent,
    Transcript,
)
from responses_ws_conformance.transcript.fragments import cuts

KEYS: Final = {
    Credentials.NONE: "{}",
    Credentials.KEY: "AUTH",
    Credentials.SECOND_KEY: "AUTH_2",
    Credentials.INVENTED: '{"Authorization": "Bearer sk-rws-invented"}',
}
# What is sealed is found wherever it stands: one target folds what another leaves as it is.
SEALED: Final = f'"{OPAQUE}": "(.*?)"'


class Unsayable(Exception):
    """A script cannot hold this conversation, and why."""


def sayings(transcript: Transcript, recorded: Sequence[Frame]) -> Iterator[str]:
    heard: dict[str, tuple[int, int]] = {}
    talk = conversation(transcript)
    limits = {e.n: e.limit for e in transcript.entries if isinstance(e, Expired)}
    for step in talk.steps:
        if isinstance(step.entry, Note) and {"http", "command"} & set(step.entry.facts):
            raise Unsayable("a lever has to be pulled beside the conversation")
        if isinstance(step.entry, Note | Expired | Closed) and not _is_ours(step.entry):
            continue
        before = [f for f in recorded if (f.n or 0) < step.entry.n]
        yield from _hear(heard, before, limits)
        yield from _meet(step.entry, before)
        if isinstance(step.entry, Closed):
            yield from _listen(step.entry.conn, before)
        yield from _act(transcript, step, recorded)
    yield from _hear(heard, recorded, limits)


def _is_ours(entry: Note | Expired | Closed) -> bool:
    return isinstance(entry, Closed) and entry.side == "client"


def _hear(
    heard: dict[str, tuple[int, int]], frames: Sequence[Frame], limits: Mapping[int, float]
) -> Iterator[str]:
    """Wait until as many answers have begun and ended as had in the recording."""
    answered = {frame.turn[0] for frame in frames if frame.type == ANSWERED}
    for conn in dict.fromkeys(f.turn[0] for f in frames if f.turn[0] not in answered):
        own = [frame for frame in frames if frame.turn[0] == conn]
        ends = sum(frame.type.endswith(ENDS) for frame in own)
        begun = sum(frame.type == BEGIN for frame in own)
        before = heard.get(conn, (0, 0))
        if (ends, begun) == before:
            continue
        heard[conn] = ends, begun
        limit = limits.get(own[-1].n or 0)
        seconds = f", seconds={limit:g}" if limit is not None else ""
        open_ones = f", {begun}" if begun > ends or ends == before[0] else ""
        yield f"hear({conn!a}, {ends}{open_ones}{seconds})"


def _meet(entry: Entry, frames: Sequence[Frame]) -> Iterator[str]:
    """Wait until answers that go on have got to the event that the last of them had got to."""
    conn = None if isinstance(entry, Note | Requested) else entry.conn
    own = [frame for frame in frames if frame.turn[0] == conn]
    if own and own[-1].type not in (OPENED, BEGIN) and not own[-1].type.endswith(ENDS):
        yield f"hear({conn!a}, 0, open={own[-1].turn!a}, kind={own[-1].type!a})"


def _listen(conn: str, frames: Sequence[Frame]) -> Iterator[str]:
    """Wait a moment where something came that belongs to no answer."""
    own = [frame for frame in frames if frame.turn[0] == conn]
    ends = sum(frame.type.endswith(ENDS) for frame in own)
    is_running = sum(frame.type == BEGIN for frame in own) > ends
    last = own[-1].type if own else OPENED
    if last != OPENED and not last.endswith(ENDS) and not is_running:
        yield f"hear({conn!a}, {ends + 1}, seconds=1, brief='brief ')"


def _act(transcript: Transcript, step: Step, recorded: Sequence[Frame]) -> Iterator[str]:
    match step.entry:
        case Opened(upgrade=True) as opened:
            yield _dial(transcript, opened)
        case Opened() as plain:
            headers = _headers(transcript, plain)
            yield f"ask({plain.conn!a}, 'GET', {plain.target!a}, {headers})"
        case Requested() as requested:
            yield _ask(requested, step.bindings, recorded)
        case Sent(opcode="ping") as ping:
            name = f"sockets[{ping.conn!a}]"
            yield (
                f"note({ping.conn!a}, json.dumps({{'type': '(pong)' if "
                f"{name}.ping({ping.data!a}).wait(20) else '(silence)'}}))"
            )
        case Sent(is_data=True) as sent:
            message = _message(
                sent, step.bindings, recorded, has_lanes=_has_lanes(transcript, recorded)
            )
            if any(isinstance(e, Closed) and e.side != "client" for e in transcript.entries):
                yield f"say({sent.conn!a}, {message})"
            else:
                yield f"sockets[{sent.conn!a}].send({message})"
        case Closed() as closed:
            name = f"sockets[{closed.conn!a}]"
            closing = f"{{'type': '(closed)', 'code': {name}.close_code}}"
            told = f"note({closed.conn!a}, json.dumps({closing}))"
            yield f"hasattr({name}, 'close') and ({name}.close(), {told})"
        case Message() as message:
            raise Unsayable(f"the client sends a {message.opcode}")


def _has_lanes(transcript: Transcript, recorded: Sequence[Frame]) -> bool:
    """True where a side names lanes, which the other need not do, or another target."""
    messages = (e.payload for e in transcript.entries if isinstance(e, Sent))
    names_them = any(isinstance(m, dict) and "stream_id" in m for m in messages)
    return names_them or any(frame.turn[1] for frame in recorded)


def _dial(transcript: Transcript, opened: Opened) -> str:
    offered = opened.request_header("Sec-WebSocket-Protocol")
    options = f", subprotocols=[{offered!a}]" if offered is not None else ""
    return f"dial({opened.conn!a}, {_headers(transcript, opened)}{options})"


def _headers(transcript: Transcript, opened: Opened) -> str:
    return _with_key(KEYS[credentials_of(transcript, opened)], opened.request_headers)


def _with_key(key: str, headers: Headers) -> str:
    extra, masked = extra_headers(headers)
    if masked:
        raise Unsayable(f"the header {masked[0]} is masked in the recording")
    return f"{key} | {literal(dict(extra))}" if extra else key


def _ask(requested: Requested, bindings: Sequence[Binding], recorded: Sequence[Frame]) -> str:
    before = [frame for frame in recorded if (frame.n or 0) < requested.n]
    told = {b.path: _told(b.value, before, has_lanes=False) for b in bindings}
    request = request_of(requested)
    path, _, query = requested.target.partition("?")
    if MASK in query:
        raise Unsayable("the query is masked in the recording")
    if any(where[0] == "path" for where in told):
        path = f"'/'.join({literal(request['path'], told, ('path',))})"
        path += f" + {'?' + query!a}" if query else ""
    else:
        path = ascii(requested.target)
    is_known = any(name.lower() == "authorization" for name, _ in requested.request_headers)
    key = KEYS[Credentials.KEY if is_known else Credentials.NONE]
    words = [ascii(requested.conn), ascii(requested.method), path]
    words.append(_with_key(key, requested.request_headers))
    if request["body"] is not None:
        words.append(f"json.dumps({literal(request['body'], told, ('body',))})")
    return f"ask({', '.join(words)})"


def _message(
    sent: Sent, bindings: Sequence[Binding], recorded: Sequence[Frame], *, has_lanes: bool
) -> str:
    if sent.text is None:
        return ascii(sent.data or b"")
    if bindings:
        before = [frame for frame in recorded if (frame.n or 0) < sent.n]
        told = {b.path: _told(b.value, before, has_lanes=has_lanes) for b in bindings}
        text = f"json.dumps({literal(sent.payload, told)})"
    elif isinstance(sent.payload, dict) and not sent.padding and sent.fragments == 1:
        return f"json.dumps({literal(sent.payload)})"
    else:
        text = ascii(sent.text)
    if sent.padding:
        text = f"({text})[:-1] + ' ' * {sent.padding} + ({text})[-1]"
    if sent.fragments > 1:
        data = sent.text.encode()
        places = cuts(data[:-1] + b" " * sent.padding + data[-1:], sent.fragments)
        bounds = [*pairwise([0, *places, None])]
        return f"(lambda t: [t[i:j] for i, j in {bounds}])(({text}).encode()), text=True"
    return text


def _told(value: str, frames: Sequence[Frame], *, has_lanes: bool) -> str:
    """Where the script has heard an id: in its turn, or by its place where lanes have names."""
    for frame in frames:
        for path, name in ids_in(frame.value):
            if name == value:
                alike = [f for f in frames if (f.turn[0], f.type) == (frame.turn[0], frame.type)]
                nth = sum(f.turn == frame.turn for f in alike[: alike.index(frame)])
                where = f"{frame.turn!a}, {frame.type!a}"
                event = f"came({where})[{nth}]"
                if has_lanes:
                    event = f"told({where}, {nth}, {alike.index(frame)})"
                if path[-1] == OPAQUE:
                    others = [v for p, v in ids_in(frame.value) if p[-1] == OPAQUE]
                    return f"re.findall({SEALED!a}, json.dumps({event}))[{others.index(value)}]"
                return event + "".join(f"[{key!a}]" for key in path)
    raise Unsayable("it names an id that the script does not hear")


def literal(value: Any, told: Mapping[Path, str] | None = None, path: Path = ()) -> str:
    """A JSON value as Python; what stands at a path of ``told`` is looked up when it is needed."""
    if told and path in told:
        return told[path]
    if isinstance(value, dict):
        rows = (f"{k!a}: {literal(v, told, (*path, k))}" for k, v in value.items())
        return f"{{{', '.join(rows)}}}"
    if isinstance(value, list):
        rows = (literal(v, told, (*path, i)) for i, v in enumerate(value))
        return f"[{', '.join(rows)}]"
    if isinstance(value, float) and value - value != 0:
        raise Unsayable("a message holds a number that is none")
    return ascii(value)
