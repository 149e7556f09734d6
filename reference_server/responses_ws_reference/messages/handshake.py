"""Judges an opening handshake before WebSocket begins: path, method, upgrade and key.

A refusal is an ordinary HTTP response with a JSON body that holds an ``error`` object.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

PATH: Final = "/v1/responses"
COMPACT: Final = PATH + "/compact"
LIFETIME_HEADER: Final = "rws-lifetime"

# One day is more than any test needs, and fits every timer.
_MAX_LIFETIME: Final = 86_400.0

_REASONS: Final[Mapping[int, tuple[str, str]]] = {
    400: ("invalid_handshake", "The request is not a valid WebSocket opening handshake."),
    401: ("invalid_api_key", "The API key is missing or not valid."),
    403: ("invalid_api_key", "An API key is needed."),
    404: ("not_found", f"There is nothing here. Connect to {PATH}."),
    405: ("method_not_allowed", "The opening handshake is a GET request."),
    426: ("websocket_upgrade_required", "This resource is served over WebSocket only."),
    429: ("rate_limit_exceeded", "Too many connections. Try again later."),
    503: ("server_shutting_down", "The server is shutting down."),
}


@dataclass(frozen=True, slots=True)
class HandshakeRequest:
    """The HTTP request that opens a connection; header names are in lower case."""

    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    method: str = "GET"

    @property
    def api_key(self) -> str:
        """The key that the client presents, or an empty string."""
        _, _, token = self.headers.get("authorization", "").partition(" ")
        return token.strip()


@dataclass(frozen=True, slots=True)
class HttpRequest(HandshakeRequest):
    """A request of the API: with a body, or about the response that its path names."""

    body: bytes = b""
    response_id: str = ""


@dataclass(frozen=True, slots=True)
class HandshakeAnswer:
    """The HTTP response: status 101 to a handshake, or another with a body."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


Authorise = Callable[[Collection[str], str | None], int | None]


def joined(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The headers by their names in lower case, those of one name joined."""
    found: dict[str, str] = {}
    for name, value in headers:
        known = found.get(name.lower())
        found[name.lower()] = value if known is None else f"{known}, {value}"
    return found


def judge(
    request: HandshakeRequest,
    *,
    keys: Collection[str],
    authorise: Authorise,
    allowed: str = "GET",
) -> HandshakeAnswer | None:
    """The refusal that a request earns, or None where the upgrade may go on.

    The methods that are ``allowed`` on the path are named where another one is used.
    """
    if request.path.partition("?")[0] != PATH:
        return refusal(404)
    if request.method != "GET":
        return refusal(405, ("Allow", allowed))
    if "websocket" not in request.headers.get("upgrade", "").lower():
        return refusal(426, ("Upgrade", "websocket"))
    status = authorise(keys, request.headers.get("authorization"))
    if status is None:
        return None
    return refusal(status, ("WWW-Authenticate", "Bearer"))


def refusal(status: int, *headers: tuple[str, str]) -> HandshakeAnswer:
    """The HTTP response that refuses a handshake."""
    code, message = _REASONS.get(status, _REASONS[400])
    error = {
        "type": "invalid_request_error",
        "code": code,
        "message": message,
        "param": None,
    }
    body = json.dumps({"error": error}).encode()
    return HandshakeAnswer(status, (*headers, ("Content-Type", "application/json")), body)


def requested_lifetime(request: HandshakeRequest) -> float | None:
    """The lifetime that the lever header asks for, where it holds a sensible number."""
    try:
        seconds = float(request.headers.get(LIFETIME_HEADER, ""))
    except ValueError:
        return None
    return seconds if 0 < seconds <= _MAX_LIFETIME else None
