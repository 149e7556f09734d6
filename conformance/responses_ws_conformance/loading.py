"""Loading: a profile from a YAML file (schema ``files/profile``) and options, which win over it.

Secrets are named environment variables, never values in the file.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

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


def load_profile(
    path: Path | None, *, env: Mapping[str, str] | None = None, **options: Any
) -> Profile:
    """The profile from a file and options; raises ProfileError that names file and member."""
    env = os.environ if env is None else env
    raw = _read(path) if path is not None else {}
    raw |= {name: value for name, value in options.items() if value is not None}
    problems = explain("files/profile", raw)
    if problems:
        pointer, message = problems[0]
        raise ProfileError(f"{path or 'profile'}: {pointer or '/'}: {message}")
    if "url" not in raw:
        raise ProfileError("no target: give a WebSocket URL, or a profile file with a url")
    secrets: dict[str, str] = {}
    profile = Profile(
        url=_check_url(raw["url"]),
        http_url=_http_base(raw),
        model=raw.get("model"),
        dialect=raw.get("dialect"),
        spec_version=raw.get("spec_version"),
        features=frozenset(raw.get("features", ())),
        levers={
            name: _lever(name, lever, path, env, secrets)
            for name, lever in raw.get("levers", {}).items()
        },
        api_key=_secret(raw.get("api_key_env"), "api_key", env, secrets),
        second_api_key=_secret(raw.get("second_api_key_env"), "second_api_key", env, secrets),
        headers=_headers(raw.get("headers", {}), env, secrets),
        query=_query(raw, env, secrets),
        subprotocol=raw.get("subprotocol"),
        ca_file=_beside(path, raw.get("ca_file")),
        proxy=raw.get("proxy"),
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
    return replace(profile, secrets=secrets)


def _check_url(url: str) -> str:
    """The URL, where it is a WebSocket URL; raises ProfileError otherwise."""
    try:
        parts = urlsplit(url)
        port_is_valid = parts.port is None or parts.port > 0
    except ValueError:
        parts, port_is_valid = urlsplit(""), False
    if parts.scheme not in ("ws", "wss") or not parts.hostname or not port_is_valid:
        raise ProfileError(f"not a WebSocket URL: {url!r} (it looks like wss://host/v1/responses)")
    if parts.fragment:
        raise ProfileError(f"a WebSocket URL has no fragment: #{parts.fragment}")
    if parts.username or parts.password:
        raise ProfileError("the URL holds a password: name it in an environment variable instead")
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


def _secret(
    variable: str | None, name: str, env: Mapping[str, str], secrets: dict[str, str]
) -> str | None:
    if variable is None:
        return None
    value = env.get(variable)
    if not value:
        raise ProfileError(f"{name}_env: the environment variable {variable} is not set")
    secrets[name] = value
    return _sendable(f"{name}_env: the environment variable {variable}", value)


def _sendable(where: str, value: str) -> str:
    """A value that can stand in an HTTP header; a line break at the end is a common slip."""
    if not value.isascii() or not value.isprintable():
        raise ProfileError(f"{where} holds a line break or another character that HTTP forbids")
    return value


def _named(where: str, variable: str, env: Mapping[str, str]) -> str:
    """The value of an environment variable that a profile names."""
    if not env.get(variable):
        raise ProfileError(f"{where}: the environment variable {variable} is not set")
    return env[variable]


def _query(
    raw: Mapping[str, Any], env: Mapping[str, str], secrets: dict[str, str]
) -> dict[str, str]:
    """The query parameters; those of the URLs too are secrets where their names say so."""
    query: dict[str, str] = {}
    for name, value in raw.get("query", {}).items():
        if isinstance(value, dict):
            query[name] = secrets[f"query {name}"] = _named(f"query/{name}", value["env"], env)
        else:
            query[name] = str(value)
    levers = raw.get("levers", {}).values()
    urls = [raw["url"], *(lever["url"] for lever in levers if "url" in lever)]
    for name, value in [*query.items(), *(row for url in urls for row in _parameters(url))]:
        if SECRET_NAME.search(name):
            secrets[f"query {name}"] = value
    return query


def _parameters(url: str) -> list[tuple[str, str]]:
    return parse_qsl(urlsplit(url).query)


def _headers(
    raw: Mapping[str, Any], env: Mapping[str, str], secrets: dict[str, str]
) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in raw.items():
        if isinstance(value, dict):
            variable = value["env"]
            secrets[f"header {name}"] = _named(f"headers/{name}", variable, env)
            where = f"headers/{name}: the environment variable {variable}"
            headers[name] = _sendable(where, env[variable])
        else:
            headers[name] = _sendable(f"headers/{name}: the value", str(value))
        if not HEADER_NAME.fullmatch(name):
            raise ProfileError(f"headers/{name}: not a name that HTTP allows")
    return headers


def _lever(
    name: str,
    raw: Mapping[str, Any],
    profile: Path | None,
    env: Mapping[str, str],
    secrets: dict[str, str],
) -> Lever:
    url, http = raw.get("url"), raw.get("http")
    if name != "lifetime" and set(raw) == {"within"}:
        raise ProfileError(f"levers/{name}: nothing to pull: give url, headers, http or command")
    return Lever(
        within=raw["within"],
        url=_check_url(url) if url is not None else None,
        headers=_headers(raw.get("headers", {}), env, secrets),
        http=_http_call(f"levers/{name}/http", http, env, secrets) if http is not None else None,
        command=tuple(raw.get("command", ())),
        folder=profile.parent if profile is not None else None,
    )


def _http_call(
    where: str, raw: Mapping[str, Any], env: Mapping[str, str], secrets: dict[str, str]
) -> HttpCall:
    url = _check_http_url(f"{where}/url", raw["url"])
    headers = _headers(raw.get("headers", {}), env, secrets)
    return HttpCall(url, raw.get("method", "POST"), headers)


def _check_http_url(where: str, url: str) -> str:
    """The URL, where it is an HTTP URL; raises ProfileError otherwise."""
    try:
        parts = urlsplit(url)
        is_valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_valid = False
    if not is_valid:
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
