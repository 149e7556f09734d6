"""A scripted model behind ``POST /v1/responses``, streamed as server-sent events.

    python -m tests.peers.upstream --port 9201

Something for a gateway to stand in front of: it follows the plain prompts of the suite
(``prompts.json``) from the context it is sent, and from nothing else. It keeps no response, so
``previous_response_id`` is refused, as by a real server without storage. It shares no code with
the reference server. ``--log FILE`` keeps each request, which shows what a gateway passed on.
"""

from __future__ import annotations

import argparse
import json
import re
import threading
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]
PROMPTS: Final = json.loads(
    (ROOT / "conformance" / "responses_ws_conformance" / "prompts.json").read_text("utf-8")
)["prompts"]
ECHOED: Final[Mapping[str, Any]] = {
    "background": False,
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "previous_response_id": None,
    "prompt_cache_key": None,
    "reasoning": None,
    "safety_identifier": None,
    "service_tier": "default",
    "store": True,
    "temperature": 1.0,
    "text": {"format": {"type": "text"}},
    "tool_choice": "auto",
    "tools": [],
    "top_logprobs": 0,
    "top_p": 1.0,
    "truncation": "disabled",
    "frequency_penalty": 0.0,
    "presence_penalty": 0.0,
}

Item = dict[str, Any]


class Refused(Exception):
    """A request that cannot be answered, with the ``error`` object that says why."""

    def __init__(self, message: str, *, code: str | None = None, param: str | None = None) -> None:
        super().__init__(message)
        self.error = {
            "message": message,
            "type": "invalid_request_error",
            "param": param,
            "code": code,
        }


def pattern(name: str) -> re.Pattern[str]:
    """What a prompt of the suite looks like, with its parameter as the group."""
    return re.compile(re.sub(r"\\\{\w+\\\}", "(.+)", re.escape(PROMPTS[name])))


SAY, COUNT = pattern("say"), pattern("count")
TOLD: Final = re.compile(re.escape(PROMPTS["told"]).replace(r"\{word\}", r"(\w+)"))


def items_of(create: Mapping[str, Any]) -> list[Item]:
    """The input as a list of items."""
    given = create.get("input") or []
    if isinstance(given, str):
        return [{"type": "message", "role": "user", "content": given}]
    return [item for item in given if isinstance(item, dict)]


def text_of(item: Mapping[str, Any]) -> str:
    """The text of a message, or of the output of a function."""
    content = item.get("output") if "output" in item else item.get("content")
    if isinstance(content, list):
        return "".join(p.get("text", "") for p in content if isinstance(p, dict))
    return content if isinstance(content, str) else ""


def check(create: Mapping[str, Any]) -> None:
    """Raise Refused for what a server without storage cannot do."""
    previous = create.get("previous_response_id")
    if previous is not None:
        raise Refused(
            f"Previous response with id {previous!r} not found.",
            code="previous_response_not_found",
            param="previous_response_id",
        )
    if create.get("background"):
        raise Refused("background is not supported.", code="unsupported_value", param="background")
    limit, logprobs = create.get("max_output_tokens"), create.get("top_logprobs")
    if limit is not None and limit < 16:
        raise Refused("max_output_tokens is below 16.", param="max_output_tokens")
    if logprobs is not None and not 0 <= logprobs <= 20:
        raise Refused("top_logprobs is not from 0 to 20.", param="top_logprobs")
    called: list[Any] = []
    for item in items_of(create):
        if item.get("type") == "function_call":
            called.append(item.get("call_id"))
        elif item.get("type") == "function_call_output":
            if item.get("call_id") not in called:
                why = "No tool call found for function call output with call_id"
                raise Refused(f"{why} {item.get('call_id')}.", param="input")
            called.remove(item["call_id"])
    if called:
        raise Refused(f"No tool output found for function call {called[0]}.", param="input")


def called_tools(create: Mapping[str, Any], ask: str) -> list[str]:
    """The names of the tools that the model calls."""
    tools = [t["name"] for t in create.get("tools") or [] if t.get("type") == "function"]
    choice = create.get("tool_choice") or "auto"
    if isinstance(choice, dict) and choice.get("type") == "allowed_tools":
        allowed = [tool.get("name") for tool in choice["tools"]]
        tools, choice = [name for name in tools if name in allowed], choice["mode"]
    if isinstance(choice, dict):
        return [choice["name"]] if choice.get("name") in tools else []
    if choice == "none":
        return []
    if ask == PROMPTS["call_every_tool"]:
        return tools if create.get("parallel_tool_calls", True) else tools[:1]
    return tools[:1] if choice == "required" or ask == PROMPTS["use_tool"] else []


def arguments_for(create: Mapping[str, Any], name: str) -> str:
    """Arguments that satisfy the schema of a tool whose members are texts."""
    tool = next(t for t in create["tools"] if t.get("name") == name)
    return json.dumps(dict.fromkeys(tool["parameters"].get("properties", {}), "Berlin"))


def reply(ask: str, instructions: str, context: Sequence[str]) -> str:
    """What the model says to a prompt."""
    if ask == PROMPTS["follow"] and instructions:
        return reply(instructions, "", context)
    if said := SAY.fullmatch(ask):
        return said[1]
    if count := COUNT.fullmatch(ask):
        return " ".join(str(n) for n in range(1, int(count[1]) + 1))
    if ask == PROMPTS["recall"]:
        words = [word for text in context for word in TOLD.findall(text)]
        return words[-1] if words else "unknown"
    return "ok"


def answer(create: Mapping[str, Any]) -> list[Item]:
    """The output items of the model, whole."""
    items = items_of(create)
    asks = [text_of(i) for i in items if i.get("role") == "user"]
    ask = asks[-1] if asks else ""
    names = called_tools(create, "" if _ends_with_output(items) else ask)
    if names:
        return [
            {
                "id": f"fc_{uuid.uuid4().hex}",
                "type": "function_call",
                "status": "completed",
                "call_id": f"call_{uuid.uuid4().hex}",
                "name": name,
                "arguments": arguments_for(create, name),
            }
            for name in names
        ]
    instructions = create.get("instructions") or ""
    if _ends_with_output(items):
        outputs = [text_of(i) for i in items if i.get("type") == "function_call_output"]
        said = ", ".join(outputs)
    else:
        said = reply(ask, instructions, [instructions, *map(text_of, items)])
    return [message(said)]


def _ends_with_output(items: Sequence[Item]) -> bool:
    return bool(items) and items[-1].get("type") == "function_call_output"


def message(text: str, *, status: str = "completed") -> Item:
    """A message of the assistant."""
    part = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    name = f"msg_{uuid.uuid4().hex}"
    return {
        "id": name,
        "type": "message",
        "status": status,
        "role": "assistant",
        "content": [part],
    }


def events(create: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The events of the response to a request, without their numbers."""
    output, limit = answer(create), create.get("max_output_tokens")
    kind, status, details = "response.completed", "completed", None
    if limit and output[0]["type"] == "message":
        words = output[0]["content"][0]["text"].split(" ")
        if len(words) > limit:
            output = [{**message(" ".join(words[:limit])), "status": "incomplete"}]
            kind, status = "response.incomplete", "incomplete"
            details = {"reason": "max_output_tokens"}
    sent = {name: create.get(name, default) for name, default in ECHOED.items()}
    response = {
        **{name: ECHOED[name] if value is None else value for name, value in sent.items()},
        "id": f"resp_{uuid.uuid4().hex}",
        "object": "response",
        "created_at": int(time.time()),
        "completed_at": None,
        "status": "in_progress",
        "model": create.get("model"),
        "output": [],
        "error": None,
        "incomplete_details": None,
        "usage": None,
    }
    yield {"type": "response.created", "response": response}
    yield {"type": "response.in_progress", "response": response}
    for index, item in enumerate(output):
        yield from item_events(item, index)
    end = {"status": status, "incomplete_details": details, "output": output}
    now = int(time.time()) if status == "completed" else None
    yield {
        "type": kind,
        "response": {**response, **end, "completed_at": now, "usage": usage(create, output)},
    }


def item_events(item: Item, index: int) -> Iterator[dict[str, Any]]:
    """The events of one output item."""
    at = {"item_id": item["id"], "output_index": index}
    is_message = item["type"] == "message"
    empty = {"content": []} if is_message else {"arguments": ""}
    started = {**item, **empty, "status": "in_progress"}
    yield {"type": "response.output_item.added", "output_index": index, "item": started}
    if is_message:
        part = item["content"][0]
        at["content_index"] = 0
        yield {"type": "response.content_part.added", **at, "part": {**part, "text": ""}}
        for word in re.findall(r"\s*\S+|\s+", part["text"]):
            yield {"type": "response.output_text.delta", **at, "delta": word, "logprobs": []}
        yield {"type": "response.output_text.done", **at, "text": part["text"], "logprobs": []}
        yield {"type": "response.content_part.done", **at, "part": part}
    else:
        arguments, kind = item["arguments"], "response.function_call_arguments"
        for start in range(0, len(arguments), 8):
            yield {"type": f"{kind}.delta", **at, "delta": arguments[start : start + 8]}
        yield {"type": f"{kind}.done", **at, "arguments": arguments}
    yield {"type": "response.output_item.done", "output_index": index, "item": item}


def usage(create: Mapping[str, Any], output: Sequence[Item]) -> dict[str, Any]:
    """Words, for want of tokens."""
    given = len(json.dumps(items_of(create)).split())
    made = len(json.dumps(output).split())
    return {
        "input_tokens": given,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": made,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": given + made,
    }


class Handler(BaseHTTPRequestHandler):
    """Answers each POST with a stream; anything else with 404."""

    pace = 0.0
    log: Path | None = None
    lock = threading.Lock()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.log is not None:
            with self.lock, self.log.open("ab") as file:
                file.write(body + b"\n")
        try:
            create = json.loads(body)
            if not self.path.endswith("/responses"):
                raise Refused(f"no such path: {self.path}")
            check(create)
        except (Refused, ValueError) as problem:
            error = problem.error if isinstance(problem, Refused) else Refused("not JSON").error
            self._send(400, "application/json", json.dumps({"error": error}).encode())
            return
        self._send(200, "text/event-stream", None)
        for number, event in enumerate(events(create)):
            event["sequence_number"] = number
            data = json.dumps(event)
            self.wfile.write(f"event: {event['type']}\ndata: {data}\n\n".encode())
            self.wfile.flush()
            if self.pace:
                threading.Event().wait(self.pace)
        self.wfile.write(b"data: [DONE]\n\n")

    def _send(self, status: int, kind: str, body: bytes | None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Connection", "close")
        if body is not None:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if body is not None:
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing on the terminal."""


def server(port: int = 0, *, pace: float = 0.0, log: Path | None = None) -> ThreadingHTTPServer:
    """A server on loopback; its caller runs ``serve_forever`` and ``shutdown``."""
    handler = type("PacedHandler", (Handler,), {"pace": pace, "log": log})
    return ThreadingHTTPServer(("127.0.0.1", port), handler)


def main() -> None:
    parser = argparse.ArgumentParser(description="Serve a scripted model over HTTP.")
    parser.add_argument("--port", type=int, default=9201)
    parser.add_argument("--pace", type=float, default=0.0, help="seconds from event to event")
    parser.add_argument("--log", type=Path, help="file to which each request is added")
    options = parser.parse_args()
    with server(options.port, pace=options.pace, log=options.log) as http:
        print(f"listening on http://127.0.0.1:{http.server_address[1]}/v1", flush=True)
        http.serve_forever()


if __name__ == "__main__":
    main()
