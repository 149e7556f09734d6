"""Loading: a profile from a YAML file (schema ``files/profile``) and options, which win over it.

Secrets are named environment variables, never values in the file.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Any, Final
from urllib.parse import SplitResult, parse_qsl, urlsplit

from responses_ws_schemas import explain

from responses_ws_conformance.errors import ProfileError
from responses_ws_conformance.profile import (
    MAX_MESSAGE_BYTES,
    HttpCall,
    Lever,
    Limits,
    Profile,
    Timing,
)
from responses_ws_conformance.yaml_files import read_yaml

# A query parameter of such a name holds a secret, also where it stands in the URL.
SECRET_NAME: Final = re.compile(r"key|token|secret|passw|auth|sig$|signature", re.IGNORECASE)
HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


@dataclass(frozen=True, slots=True)
class Environment:
    """The variables that a profile may name, and every secret that it has from there or in a URL.

    ``place`` is the part of a profile in which something stands, such as ``levers/lifetime``, and
    empty for the profile itself.
    """

    variables: Mapping[str, str]
    secrets: dict[str, str] = field(default_factory=dict)

    def value(self, where: str, variable: str) -> str:
        """The value of a variable; raises ProfileError where it has none."""
        if not self.variables.get(variable):
            raise ProfileError(f"{where}: the environment variable {variable} is not set")
        return self.variables[variable]

    def keep(self, name: str, secret: str, place: str = "") -> None:
        """Remember a secret; a second one of the same name and place gets a number."""
        first = f"{name} of {place}" if place else name
        names = (first if n == 1 else f"{first} ({n})" for n in count(1))
        self.secrets[next(n for n in names if self.secrets.get(n, secret) == secret)] = secret

    def keep_parameters(self, url: str, place: str = "") -> None:
        """Remember the query parameters of a URL that are secrets by their names."""
        for name, value in parse_qsl(urlsplit(url).query):
            if SECRET_NAME.search(name):
                self.keep(f"query {name}", value, place)


def load_profile(
    path: Path | None, *, env: Mapping[str, str] | None = None, **options: Any
) -> Profile:
    """The profile from a file and options; raises ProfileError that names file and member."""
    raw = _read(path) if path is not None else {}
    raw |= {name: value for name, value in options.items() if value is not None}
    problems = explain("files/profile", raw)
    if problems:
        pointer, message = problems[0]
        raise ProfileError(f"{path or 'profile'}: {pointer or '/'}: {message}")
    if "url" not in raw:
        raise ProfileError("no target: give a WebSocket URL, or a profile file with a url")
    url = _check_url(raw["url"])
    # A value of several names is masked by the first in messages, by the last as a header.
    known = Environment(os.environ if env is None else env)
    api_key = _key("api_key", raw, known)
    second_api_key = _key("second_api_key", raw, known)
    known.keep_parameters(url)
    query = _query(raw.get("query", {}), known)
    levers = {
        name: _lever(name, lever, path, known) for name, lever in raw.get("levers", {}).items()
    }
    headers = _headers(raw.get("headers", {}), known)
    profile = Profile(
        url=url,
        http_url=_http_base(raw),
        model=raw.get("model"),
        dialect=raw.get("dialect"),
        spec_version=raw.get("spec_version"),
        features=frozenset(raw.get("features", ())),
        levers=levers,
        api_key=api_key,
        second_api_key=second_api_key,
        headers=headers,
        query=query,
        subprotocol=raw.get("subprotocol"),
        ca_file=_beside(path, raw.get("ca_file")),
        proxy=_proxy(raw.get("proxy")),
        timing=Timing(**raw.get("timing", {})),
        limits=Limits(**raw.get("limits", {})),
        retries=raw.get("retries", 2),
        backoff=raw.get("backoff", 1.0),
        turn_interval=raw.get("turn_interval", 0.0),
        jobs=raw.get("jobs", 1),
        max_message_bytes=raw.get("max_message_bytes", MAX_MESSAGE_BYTES),
    )
    if profile.ca_file is not None and not profile.ca_file.is_file():
        raise ProfileError(f"ca_file: no such file: {profile.ca_file}")
    return replace(profile, secrets=known.secrets)


def _check_url(url: str) -> str:
    """The URL, where it is a WebSocket URL; raises ProfileError otherwise."""
    parts = _address(url, "ws", "wss")
    if parts is None:
        raise ProfileError(f"not a WebSocket URL: {url!r} (it looks like wss://host/v1/responses)")
    if parts.fragment:
        raise ProfileError(f"a WebSocket URL has no fragment: #{parts.fragment}")
    if parts.username or parts.password:
        raise ProfileError("the URL holds a password: name it in an environment variable instead")
    return url


def _address(url: str, *schemes: str) -> SplitResult | None:
    """The parts of a URL of these schemes, None where it names no host and port to connect to."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").encode("idna")
        is_valid = parts.scheme in schemes and host != b"" and parts.port != 0
    except ValueError:
        return None
    return parts if is_valid and parts.netloc.isprintable() else None


def _proxy(url: str | None) -> str | None:
    if url is not None and _address(url, "http") is None:
        raise ProfileError("proxy: not an HTTP URL (it looks like http://host:port)")
    return url


def _http_base(raw: Mapping[str, Any]) -> str | None:
    """The HTTP base URL, which the feature ``http`` needs and which is for nothing else."""
    url: str | None = raw.get("http_url")
    claims = "http" in raw.get("features", ())
    if url is None and claims:
        raise ProfileError(
            "http_url: the feature http needs the HTTP base URL (it looks like https://host/v1)"
        )
    if url is not None and not claims:
        raise ProfileError("http_url: it is used where features has http, and there it is missing")
    if url is not None and "?" in url:
        raise ProfileError("http_url: query parameters stand in query")
    return url if url is None else _check_http_url("http_url", url)


def _read(path: Path) -> dict[str, Any]:
    raw = read_yaml(path, error=ProfileError)
    if not isinstance(raw, dict):
        raise ProfileError(f"{path}: a profile is a mapping of names to values")
    _check_names(raw, str(path))
    return raw


def _check_names(value: Any, where: str) -> None:
    """YAML has keys of any type; here they are names."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if not isinstance(name, str):
                raise ProfileError(f"{where}: the name {name!r} is not text (quote it)")
            _check_names(inner, where)
    elif isinstance(value, list):
        for inner in value:
            _check_names(inner, where)


def _key(name: str, raw: Mapping[str, Any], known: Environment) -> str | None:
    variable = raw.get(f"{name}_env")
    if variable is None:
        return None
    value = known.value(f"{name}_env", variable)
    known.keep(name, value)
    return _sendable(f"{name}_env: the environment variable {variable}", value)


def _sendable(where: str, value: str) -> str:
    """A value that can stand in an HTTP header; a line break at the end is a common slip."""
    if not value.isascii() or not value.isprintable():
        raise ProfileError(f"{where} holds a line break or another character that HTTP forbids")
    return value


def _query(raw: Mapping[str, Any], known: Environment) -> dict[str, str]:
    query: dict[str, str] = {}
    for name, value in raw.items():
        is_named = isinstance(value, dict)
        query[name] = known.value(f"query/{name}", value["env"]) if is_named else str(value)
        if is_named or SECRET_NAME.search(name):
            known.keep(f"query {name}", query[name])
    return query


def _headers(raw: Mapping[str, Any], known: Environment, place: str = "") -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in raw.items():
        where = f"{place}/headers/{name}" if place else f"headers/{name}"
        if isinstance(value, dict):
            variable = value["env"]
            secret = known.value(where, variable)
            known.keep(f"header {name}", secret, place)
            headers[name] = _sendable(f"{where}: the environment variable {variable}", secret)
        else:
            headers[name] = _sendable(f"{where}: the value", str(value))
        if not HEADER_NAME.fullmatch(name):
            raise ProfileError(f"{where}: not a name that HTTP allows")
    return headers


def _lever(name: str, raw: Mapping[str, Any], profile: Path | None, known: Environment) -> Lever:
    place, url, http = f"levers/{name}", raw.get("url"), raw.get("http")
    if name != "lifetime" and set(raw) == {"within"}:
        raise ProfileError(f"{place}: nothing to pull: give url, headers, http or command")
    if url is not None:
        known.keep_parameters(_check_url(url), place)
    return Lever(
        within=raw["within"],
        url=url,
        headers=_headers(raw.get("headers", {}), known, place),
        http=_http_call(f"{place}/http", http, known) if http is not None else None,
        command=tuple(raw.get("command", ())),
        folder=profile.parent if profile is not None else None,
    )


def _http_call(place: str, raw: Mapping[str, Any], known: Environment) -> HttpCall:
    url = _check_http_url(f"{place}/url", raw["url"])
    known.keep_parameters(url, place)
    headers = _headers(raw.get("headers", {}), known, place)
    return HttpCall(url, raw.get("method", "POST"), headers)


def _check_http_url(where: str, url: str) -> str:
    """The URL, where it is an HTTP URL; raises ProfileError otherwise."""
    parts = _address(url, "http", "https")
    if parts is None:
        raise ProfileError(f"{where}: not an HTTP URL: {url!r} (it looks like http://host/path)")
    if parts.fragment:
        raise ProfileError(f"{where}: an HTTP URL has no fragment: #{parts.fragment}")
    if parts.username or parts.password:
        raise ProfileError(f"{where}: it holds a password: name it in a header instead")
    return url


def _beside(profile: Path | None, name: str | None) -> Path | None:
    if name is None:
        return None
    return (profile.parent / name) if profile is not None else Path(name)
