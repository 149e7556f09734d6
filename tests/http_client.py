"""A client of the reference server that speaks HTTP and WebSocket with it."""

from __future__ import annotations

import contextlib
import http.client
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from responses_ws_reference.config import ServerConfig
from responses_ws_reference.server import running_server
from websockets.sync.client import connect

from tests.turns import DEADLINE, TERMINAL

KEY, OTHER_KEY = "sk-one", "sk-two"


@dataclass(frozen=True)
class Answer:
    """An HTTP answer with its body as text."""

    status: int
    kind: str
    text: str
    allowed: str | None = None

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def messages(self) -> list[tuple[str, str]]:
        """Of each SSE message the name of the event, where it has one, and the data."""
        blocks = [block.splitlines() for block in self.text.removesuffix("\n\n").split("\n\n")]
        found = [dict(line.split(": ", 1) for line in block) for block in blocks]
        return [(block.get("event", ""), block["data"]) for block in found]

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(data) for name, data in self.messages if name]


@dataclass(frozen=True)
class Client:
    """Speaks HTTP and WebSocket with a server."""

    url: str
    key: str = KEY

    def request(self, method: str, path: str = "", body: Any = None, **headers: str) -> Answer:
        host, _, root = self.url.removeprefix("ws://").partition("/")
        headers = {"Authorization": f"Bearer {self.key}", **headers}
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        with contextlib.closing(http.client.HTTPConnection(host, timeout=DEADLINE)) as connection:
            connection.request(method, f"/{root}{path}", data, headers)
            answer = connection.getresponse()
            kind = (answer.getheader("Content-Type") or "").partition(";")[0]
            allowed = answer.getheader("Allow")
            return Answer(answer.status, kind, answer.read().decode(), allowed)

    def post(self, body: Any = None, **fields: Any) -> Answer:
        return self.request("POST", body={"input": "hi", **fields} if body is None else body)

    def over_websocket(self, **fields: Any) -> list[dict[str, Any]]:
        """The events of one create on a connection of its own."""
        headers = {"Authorization": f"Bearer {self.key}"}
        with connect(self.url, additional_headers=headers) as connection:
            connection.send(json.dumps({"type": "response.create", "input": "hi", **fields}))
            events: list[dict[str, Any]] = []
            while not events or events[-1]["type"] not in TERMINAL:
                events.append(json.loads(connection.recv(timeout=DEADLINE)))
            return events


@contextlib.contextmanager
def serving(**options: Any) -> Iterator[Client]:
    """A client of a server with these options, in a thread."""
    with running_server(ServerConfig(http=True, api_keys=(KEY, OTHER_KEY), **options)) as server:
        yield Client(server.url)
