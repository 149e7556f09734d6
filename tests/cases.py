"""Case files: conforming and violating transcripts for a requirement, as data.

A file ``transcripts/<area>/<ID>.yaml`` names the requirement and lists cases; ``also`` names
others that the same cases prove (a mark is then theirs). A transcript is a list of steps; an
entry's number is its place after the steps have been expanded:

    - sent: {type: response.create, …}      as: first        a client event, named for marks
    - sent_text: "{bad"                      as: bad          a raw text message
    - sent_binary: "aGk="                    as: bytes        base64
    - received: {type: response.created, …}                   a server event
    - received_text: "data: …"                                a raw text message
    - received_binary: "aGk="                                 base64
    - turn: {id: resp_1, text: hi}           as: first        a create and a whole healthy stream
    - call: {id: resp_1, call_id: call_1, name: get_time}     the same with a function call
    - warm_up: {id: resp_1, output_tokens: 0}                 a create that generates nothing
    - output: {id: resp_1, items: […], events: […]}           a create, events, and these items done
    - interrupted: {id: resp_1, reports: [0], reason: interrupted}   a create cut off in its text
    - refused: {code: previous_response_not_found, status: 400}   a create and an error event
    - posted: {id: resp_1, text: hi, whole: true}             a healthy create over HTTP
    - asked: {method: GET, path: /v1/responses/resp_1, status: 404, json: {…}}    any HTTP request
    - opened: {status: 101, …}  ping: "YWI="  pong: "YWI="  sent_ping: …  sent_pong: …
    - wait: 5                                                 seconds in which nothing happens
    - closed: {side: server, code: 1000}
    - expired: {clock: idle, exchange: first}
    - mark: {roles: {subject: first}, facts: {…}}             for the requirement of the file

``turn``, ``call``, ``warm_up``, ``output`` and ``refused`` take ``request`` (members of the create)
and answer on its lane, or on another one (``lane``, null for none); every wire step takes ``conn``
beside its key (default c1).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from responses_ws_conformance.transcript import (
    Answered,
    Closed,
    Expired,
    Header,
    Note,
    Opened,
    Received,
    Requested,
    Sent,
    Transcript,
)

FOLDER = Path(__file__).parent / "transcripts"


@dataclass(frozen=True)
class Case:
    """One transcript and what the check has to say about it."""

    requirement: str
    description: str
    conforms: bool | str
    steps: list[dict[str, Any]]
    claims: dict[str, Any]
    path: Path

    def transcript(self) -> Transcript:
        """The transcript that the steps describe."""
        return Builder(self.requirement, self.claims).build(self.steps)


def case_files() -> list[Path]:
    """Every case file."""
    return sorted(FOLDER.glob("*/*.yaml"))


def load_cases() -> Iterator[Case]:
    """Every case of every file."""
    for path in case_files():
        document = yaml.safe_load(path.read_text("utf-8"))
        for requirement in (document["requirement"], *document.get("also", ())):
            for case in document["cases"]:
                yield Case(
                    requirement,
                    case["description"],
                    case["conforms"],
                    case["transcript"],
                    case.get("claims", {}),
                    path,
                )


class Builder:
    """Expands steps into entries."""

    def __init__(self, requirement: str, claims: dict[str, Any]) -> None:
        claims = {k: tuple(v) if isinstance(v, list) else v for k, v in claims.items()}
        self.requirement = requirement
        self.transcript = Transcript(Header(scenario="case", **claims))
        self.names: dict[str, str] = {}
        self.waited = 0.0

    def build(self, steps: list[dict[str, Any]]) -> Transcript:
        for step in steps:
            step = dict(step)
            name = step.pop("as", None)
            conn = step.pop("conn", "c1")
            ((kind, value),) = step.items()
            if name is not None:
                self.names[name] = f"e{len(self.transcript.entries)}"
            getattr(self, f"step_{kind}")(value, conn)
        return self.transcript

    def add(self, kind: Callable[..., Any], **fields: Any) -> None:
        n = len(self.transcript.entries)
        self.transcript.entries.append(kind(n=n, t=self.waited + n / 100, **fields))

    def step_sent(self, value: Any, conn: str) -> None:
        self.step_sent_text(json.dumps(value), conn)

    def step_sent_text(self, value: str, conn: str) -> None:
        self.add(Sent, conn=conn, opcode="text", text=value)

    def step_sent_binary(self, value: str, conn: str) -> None:
        self.add(Sent, conn=conn, opcode="binary", data=base64.b64decode(value))

    def step_sent_ping(self, value: str, conn: str) -> None:
        self.add(Sent, conn=conn, opcode="ping", data=base64.b64decode(value))

    def step_sent_pong(self, value: str, conn: str) -> None:
        self.add(Sent, conn=conn, opcode="pong", data=base64.b64decode(value))

    def step_wait(self, value: float, conn: str) -> None:
        self.waited += value

    def step_received(self, value: Any, conn: str) -> None:
        self.step_received_text(json.dumps(value), conn)

    def step_received_text(self, value: str, conn: str) -> None:
        self.add(Received, conn=conn, opcode="text", text=value)

    def step_received_binary(self, value: str, conn: str) -> None:
        self.add(Received, conn=conn, opcode="binary", data=base64.b64decode(value))

    def step_ping(self, value: str, conn: str) -> None:
        self.add(Received, conn=conn, opcode="ping", data=base64.b64decode(value))

    def step_pong(self, value: str, conn: str) -> None:
        self.add(Received, conn=conn, opcode="pong", data=base64.b64decode(value))

    def step_opened(self, value: dict[str, Any], conn: str) -> None:
        fields = {"target": "/v1/responses", "status": 101, **value}
        for name in ("request_headers", "response_headers"):
            fields[name] = tuple((k, str(v)) for k, v in fields.get(name, {}).items())
        self.add(Opened, conn=conn, **fields)

    def step_closed(self, value: dict[str, Any], conn: str) -> None:
        self.add(Closed, conn=conn, **value)

    def step_expired(self, value: dict[str, Any], conn: str) -> None:
        fields = {"limit": 1.0, **value}
        if "exchange" in fields:
            fields["exchange"] = self.names[fields["exchange"]]
        self.add(Expired, conn=conn, **fields)

    def step_mark(self, value: dict[str, Any], conn: str) -> None:
        roles = {
            role: tuple(
                self.names.get(n, n) for n in ([names] if isinstance(names, str) else names)
            )
            for role, names in value.get("roles", {}).items()
        }
        self.add(
            Note,
            note="mark",
            requirement=value.get("requirement", self.requirement),
            roles=roles,
            facts=value.get("facts", {}),
        )

    def step_turn(self, value: dict[str, Any], conn: str) -> None:
        request = self._create(value.get("request", {}), conn)
        for event in message_stream(value["id"], value.get("text", "ready"), request):
            self.step_received(on_lane(value, event, request), conn)

    def step_call(self, value: dict[str, Any], conn: str) -> None:
        request = self._create(value.get("request", {}), conn)
        for event in call_stream(
            value["id"],
            value.get("call_id", "call_1"),
            value.get("name", "get_time"),
            value.get("arguments", "{}"),
            request,
        ):
            self.step_received(on_lane(value, event, request), conn)

    def step_warm_up(self, value: dict[str, Any], conn: str) -> None:
        request = self._create({"generate": False, **value.get("request", {})}, conn)
        for event in warm_up_stream(value["id"], value.get("output_tokens", 0), request):
            self.step_received(on_lane(value, event, request), conn)

    def step_output(self, value: dict[str, Any], conn: str) -> None:
        request = self._create(value.get("request", {}), conn)
        items, events = value.get("items", []), value.get("events", [])
        for event in output_stream(value["id"], items, events, request):
            self.step_received(on_lane(value, event, request), conn)

    def step_interrupted(self, value: dict[str, Any], conn: str) -> None:
        """The interrupt is named ``command``; ``done`` says whether its item was done before."""
        request = self._create(value.get("request", {}), conn)
        name, is_done = value["id"], value.get("done", False)
        stream = [*message_stream(name, "1 2 3", request)]
        shown = stream[:-1] if is_done else stream[: value.get("after", 5)]
        for event in shown:
            self.step_received(event, conn)
        self.names["command"] = f"e{len(self.transcript.entries)}"
        self.step_sent(
            {"type": "response.interrupt", "response_id": name, "mode": "discard_partial_items"},
            conn,
        )
        answer = {"type": "response.interrupt.accepted", "response_id": name}
        tail = [{**answer, **value.get("answer", {})}]
        for index in value.get("reports", []):
            at = {"item_id": f"msg_{name}", "output_index": index}
            at |= {"response_id": name, "type": "response.output_item.interrupted"}
            tail.append(at)
        items = stream[-1]["response"]["output"]
        end = response(name, "incomplete", items if value.get("keeps", is_done) else [], request)
        end["incomplete_details"] = {"reason": value.get("reason", "interrupted")}
        end["usage"] = value.get("usage", {"input_tokens": 1, "output_tokens": 1})
        tail.append({"type": value.get("ends", "response.incomplete"), "response": end})
        for number, event in enumerate(tail, start=len(shown)):
            self.step_received({**event, "sequence_number": number}, conn)

    def step_refused(self, value: dict[str, Any], conn: str) -> None:
        request = self._create(value.get("request", {}), conn)
        error = {
            "type": "invalid_request_error",
            "code": value.get("code"),
            "message": value.get("message", "The request was refused."),
            "param": value.get("param"),
        }
        event = {"type": "error", "status": value.get("status", 400), "error": error}
        self.step_received(on_lane(value, event, request), conn)

    def step_posted(self, value: dict[str, Any], conn: str) -> None:
        is_whole = value.get("whole", False)
        request = {"model": "m", "input": "hi", **value.get("request", {})}
        if not is_whole:
            request["stream"] = True
        if "name" in value:
            arguments = value.get("arguments", "{}")
            events = [*call_stream(value["id"], "call_1", value["name"], arguments, request)]
        else:
            events = [*message_stream(value["id"], value.get("text", "ready"), request)]
        answer: dict[str, Any] = {"json": events[-1]["response"]}
        if not is_whole:
            lines = [f"event: {e['type']}\ndata: {json.dumps(e)}\n\n" for e in events]
            answer = {"text": "".join([*lines, "data: [DONE]\n\n"]), "type": "text/event-stream"}
        self.step_asked({"body": request, **answer}, conn)

    def step_asked(self, value: dict[str, Any], conn: str) -> None:
        conn = f"h{len(self.transcript.entries)}"
        body = json.dumps(value["body"]) if "body" in value else None
        target = value.get("path", "/v1/responses")
        self.add(Requested, conn=conn, method=value.get("method", "POST"), target=target, body=body)
        text = json.dumps(value["json"]) if "json" in value else value.get("text")
        if "failure" in value:
            self.add(Answered, conn=conn, failure=value["failure"])
            return
        self.add(
            Answered,
            conn=conn,
            status=value.get("status", 200),
            response_headers=(("content-type", value.get("type", "application/json")),),
            body=text,
        )

    def _create(self, request: dict[str, Any], conn: str) -> dict[str, Any]:
        event = {"type": "response.create", "model": "m", "input": "hi", **request}
        self.step_sent(event, conn)
        return event


def on_lane(
    value: dict[str, Any], event: dict[str, Any], request: dict[str, Any]
) -> dict[str, Any]:
    """An event with the lane of its create, unless the step says otherwise."""
    lane = value.get("lane", request.get("stream_id"))
    return event if lane is None else {**event, "stream_id": lane}


def response(
    response_id: str, status: str, output: list[Any], request: dict[str, Any]
) -> dict[str, Any]:
    """A response object with every member that both owners demand."""
    return {
        "id": response_id,
        "object": "response",
        "created_at": 1760000000,
        "completed_at": 1760000001 if status == "completed" else None,
        "status": status,
        "incomplete_details": None,
        "model": request.get("model", "m"),
        "previous_response_id": request.get("previous_response_id"),
        "instructions": request.get("instructions"),
        "output": output,
        "error": None,
        "tools": request.get("tools", []),
        "tool_choice": request.get("tool_choice", "auto"),
        "truncation": "disabled",
        "parallel_tool_calls": True,
        "text": {"format": {"type": "text"}},
        "top_p": 1.0,
        "presence_penalty": 0.0,
        "frequency_penalty": 0.0,
        "top_logprobs": 0,
        "temperature": 1.0,
        "reasoning": None,
        "usage": None,
        "max_output_tokens": request.get("max_output_tokens"),
        "max_tool_calls": None,
        "store": request.get("store", True),
        "background": False,
        "service_tier": "default",
        "metadata": request.get("metadata", {}),
        "safety_identifier": None,
        "prompt_cache_key": None,
    }


def message_stream(
    response_id: str, text: str, request: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    """The events of a healthy response with one message."""
    item_id = f"msg_{response_id}"
    part = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    item = {"type": "message", "id": item_id, "role": "assistant"}
    opened = {**item, "status": "in_progress", "content": []}
    done = {**item, "status": "completed", "content": [part]}
    where = {"item_id": item_id, "output_index": 0, "content_index": 0}
    yield from _numbered(
        _lifecycle("created", response(response_id, "in_progress", [], request)),
        _lifecycle("in_progress", response(response_id, "in_progress", [], request)),
        {"type": "response.output_item.added", "output_index": 0, "item": opened},
        {"type": "response.content_part.added", **where, "part": {**part, "text": ""}},
        {"type": "response.output_text.delta", **where, "delta": text, "logprobs": []},
        {"type": "response.output_text.done", **where, "text": text, "logprobs": []},
        {"type": "response.content_part.done", **where, "part": part},
        {"type": "response.output_item.done", "output_index": 0, "item": done},
        _lifecycle("completed", response(response_id, "completed", [done], request)),
    )


def call_stream(
    response_id: str, call_id: str, name: str, arguments: str, request: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    """The events of a healthy response with one function call."""
    item_id = f"fc_{response_id}"
    item = {"type": "function_call", "id": item_id, "call_id": call_id, "name": name}
    opened = {**item, "status": "in_progress", "arguments": ""}
    done = {**item, "status": "completed", "arguments": arguments}
    where = {"item_id": item_id, "output_index": 0}
    kind = "response.function_call_arguments"
    yield from _numbered(
        _lifecycle("created", response(response_id, "in_progress", [], request)),
        _lifecycle("in_progress", response(response_id, "in_progress", [], request)),
        {"type": "response.output_item.added", "output_index": 0, "item": opened},
        {"type": f"{kind}.delta", **where, "delta": arguments},
        {"type": f"{kind}.done", **where, "arguments": arguments},
        {"type": "response.output_item.done", "output_index": 0, "item": done},
        _lifecycle("completed", response(response_id, "completed", [done], request)),
    )


def output_stream(
    response_id: str,
    items: list[dict[str, Any]],
    events: list[dict[str, Any]],
    request: dict[str, Any],
) -> Iterator[dict[str, Any]]:
    """The events of a response with any items, which are done when the given events are over."""
    done = "response.output_item.done"
    yield from _numbered(
        _lifecycle("created", response(response_id, "in_progress", [], request)),
        _lifecycle("in_progress", response(response_id, "in_progress", [], request)),
        *({"output_index": 0, **event} for event in events),
        *({"type": done, "output_index": i, "item": item} for i, item in enumerate(items)),
        _lifecycle("completed", response(response_id, "completed", items, request)),
    )


def warm_up_stream(
    response_id: str, output_tokens: int, request: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    """The events of a response without output."""
    usage = {"input_tokens": 7, "output_tokens": output_tokens, "total_tokens": 7 + output_tokens}
    done = {**response(response_id, "completed", [], request), "usage": usage}
    yield from _numbered(
        _lifecycle("created", response(response_id, "in_progress", [], request)),
        _lifecycle("completed", done),
    )


def _lifecycle(name: str, value: dict[str, Any]) -> dict[str, Any]:
    return {"type": f"response.{name}", "response": value}


def _numbered(*events: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for number, event in enumerate(events):
        yield {**event, "sequence_number": number}
