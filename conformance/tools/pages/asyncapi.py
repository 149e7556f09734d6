"""The AsyncAPI 3 document, made of the schemas: every event as a message of one channel.

It is written from the side of the server, as AsyncAPI has it for an API that others use. The
payloads are references to the schemas that the site serves beside the document.
"""

from __future__ import annotations

from typing import Any, Final

import yaml
from responses_ws_conformance.catalogue import catalogue
from responses_ws_schemas import BASE_URL, load, names

from pages.schemas import first_example, served_path

PATH: Final = "asyncapi.yaml"
FORMAT: Final = "application/schema+json;version=draft-2020-12"
ABOUT: Final = """\
One connection, many turns: a client sends response.create, the server streams events and remembers
the last response. The payloads hold what both owners of the protocol demand. Order, numbering and
what a server has to remember are in the requirements of the specification.
"""


def asyncapi_file() -> dict[str, str]:
    """The document as YAML, by its path."""
    return {PATH: yaml.safe_dump(asyncapi(), sort_keys=False, allow_unicode=True, width=100)}


def asyncapi() -> dict[str, Any]:
    """The document."""
    received, sent = _events("client_events/"), _events("server_events/")
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Responses API over WebSocket",
            "version": catalogue().spec_version,
            "description": ABOUT,
            "license": {
                "name": "Apache-2.0",
                "url": "https://www.apache.org/licenses/LICENSE-2.0",
            },
            "externalDocs": {"url": BASE_URL},
        },
        "defaultContentType": "application/json",
        "servers": {
            "yours": {
                "host": "{host}",
                "protocol": "wss",
                "variables": {"host": {"description": "Who serves it.", "default": "localhost"}},
                "security": [{"$ref": "#/components/securitySchemes/key"}],
            },
            "reference": {
                "host": "127.0.0.1:8080",
                "protocol": "ws",
                "description": "The reference server: rws-server --port 8080",
            },
        },
        "channels": {
            "responses": {
                "address": "/v1/responses",
                "description": "Every message is one text frame with one JSON object.",
                "messages": {
                    event: {"$ref": f"#/components/messages/{event}"}
                    for event in (*received, *sent)
                },
                "bindings": {"ws": {"method": "GET", "bindingVersion": "0.1.0"}},
            }
        },
        "operations": {
            "takeClientEvents": {**_operation("receive", received), "reply": _reply(sent)},
            "streamServerEvents": _operation("send", sent),
        },
        "components": {
            "messages": {event: _message(event, name) for event, name in (received | sent).items()},
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
    }


def _events(folder: str) -> dict[str, str]:
    """The names of the schemas of a folder by event type."""
    return {name.removeprefix(folder): name for name in names() if name.startswith(folder)}


def _operation(action: str, events: dict[str, str]) -> dict[str, Any]:
    return {"action": action, **_reply(events)}


def _reply(events: dict[str, str]) -> dict[str, Any]:
    place = "#/channels/responses"
    return {
        "channel": {"$ref": place},
        "messages": [{"$ref": f"{place}/messages/{event}"} for event in events],
    }


def _message(event: str, name: str) -> dict[str, Any]:
    schema = load(name)
    return {
        "name": event,
        "title": schema["title"],
        "summary": schema["description"],
        "payload": {"schemaFormat": FORMAT, "schema": {"$ref": f"./{served_path(name)}"}},
        "externalDocs": {"url": f"{BASE_URL}schemas/{name}/"},
        "examples": [{"payload": first_example(name)}],
    }
