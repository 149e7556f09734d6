"""JSON Schemas of the Responses API over WebSocket, and their loader.

A schema's name is its path without the suffix, such as `server_events/response.created`, and its
`$id` is that name under one base address. Core schemas demand what both owners of the protocol
demand; `dialects/<dialect>/<name>` is an overlay that adds what only one of them does, so an
instance of a dialect satisfies both.
"""

from responses_ws_schemas.explanation import explain
from responses_ws_schemas.registry import (
    BASE_URL,
    dialect_schema,
    event_types,
    is_valid,
    layer_events,
    lifecycle,
    load,
    names,
    validator_for,
)

__all__ = [
    "BASE_URL",
    "dialect_schema",
    "event_types",
    "explain",
    "is_valid",
    "layer_events",
    "lifecycle",
    "load",
    "names",
    "validator_for",
]
