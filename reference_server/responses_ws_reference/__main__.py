"""``rws-server``: a reference server on a loopback port."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import importlib.util
import math
import os
import re
import signal
import sys
from collections.abc import Container, Sequence
from typing import Any, Final

from responses_ws_reference.config import DEFAULT_LIFETIME, DEFAULT_MODEL, ServerConfig

HIGHEST_PORT: Final = 65535


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT; the exit code is 0 then."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.list_variants or options.list_faults:
        try:
            _print_lists(options)
            sys.stdout.flush()
        except BrokenPipeError:  # the reader of the list has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    try:
        config = _config(options)
    except ValueError as error:
        parser.error(str(error))
    try:
        asyncio.run(_serve(config))
    except OSError as error:
        print(f"rws-server: cannot listen: {error}", file=sys.stderr)
        return 4
    return 0


async def _serve(config: ServerConfig) -> None:
    from responses_ws_reference.server import serve

    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(number, stopped.set)
    async with serve(config) as running:
        print(f"listening on {running.url}", flush=True)
        await stopped.wait()
    if config.fault is not None:
        print(f"fault {config.fault} fired {running.faults_fired} times", file=sys.stderr)


def _config(options: argparse.Namespace) -> ServerConfig:
    _check_names(options)
    if options.http and not all(map(importlib.util.find_spec, ("starlette", "uvicorn"))):
        raise ValueError("--http needs more packages: pip install 'responses-ws-conformance[http]'")
    return ServerConfig(
        host=options.host,
        port=options.port,
        api_keys=tuple(_key(name) for name in options.api_key_env),
        model=options.model,
        lifetime=options.lifetime,
        offers_levers=options.levers,
        pace=options.pace,
        dialect=options.dialect,
        variant=options.variant,
        fault=options.fault,
        without=frozenset(options.without),
        http=options.http,
    )


def _check_names(options: argparse.Namespace) -> None:
    """Names are checked before anything listens; the registries load only where they are named."""
    if options.without:
        from responses_ws_reference.seams.layers import WITHOUT

        for layer in options.without:
            if layer not in WITHOUT:
                raise ValueError(f"unknown layer {layer!r}; there are {', '.join(WITHOUT)}")
    if options.variant is not None:
        from responses_ws_reference.variants import VARIANTS

        _check_name("variant", options.variant, VARIANTS)
    if options.fault is not None:
        from responses_ws_reference.faults import FAULTS, ONLY_ON_WEBSOCKETS

        _check_name("fault", options.fault, FAULTS)
        if options.http and options.fault in ONLY_ON_WEBSOCKETS:
            reason = ONLY_ON_WEBSOCKETS[options.fault]
            raise ValueError(f"--http cannot have the fault {options.fault}: {reason}")


def _check_name(what: str, name: str, known: Container[str]) -> None:
    if name not in known:
        raise ValueError(f"unknown {what} {name!r}; see --list-{what}s")


def _key(variable: str) -> str:
    key = os.environ.get(variable, "")
    if not key:
        raise ValueError(f"the environment variable {variable} is not set")
    return key


def _print_lists(options: argparse.Namespace) -> None:
    if options.list_variants:
        from responses_ws_reference.variants import VARIANTS

        for variant in VARIANTS.values():
            print(f"{variant.name}  {variant.summary}")
    if options.list_faults:
        from responses_ws_reference.faults import FAULTS

        for fault in FAULTS.values():
            print(f"{fault.name}  {' '.join(fault.breaks)}  {fault.summary}")


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _positive(text: str) -> float:
    number = _number(text)
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError("a positive number of seconds is needed")
    return number


def _pace(text: str) -> float:
    return 0.0 if _number(text) == 0 else _positive(text)


def _port(text: str) -> int:
    if not re.fullmatch("[0-9]{1,5}", text, re.ASCII) or int(text) > HIGHEST_PORT:
        raise argparse.ArgumentTypeError(f"a number from 0 to {HIGHEST_PORT} is needed")
    return int(text)


class _Once(argparse.Action):
    """An option of one value: of two the first would be lost without a word."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        """Keep the value; a second one is an error."""
        if getattr(namespace, self.dest) is not None:
            parser.error(f"{option_string} is there twice: a server has one at a time")
        setattr(namespace, self.dest, values)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="rws-server",
        description="A reference server for the Responses API over WebSocket. It binds to "
        "127.0.0.1, prints one line when it listens, and stops on SIGTERM.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to bind to")
    parser.add_argument("--port", type=_port, default=0, help="port to bind to; 0 picks a free one")
    parser.add_argument(
        "--api-key-env",
        action="append",
        default=[],
        metavar="VARIABLE",
        help="environment variable that holds an accepted API key; without any, no key is asked "
        "for; may be repeated",
    )
    parser.add_argument("--model", default=DEFAULT_MODEL, help="name of the model that is served")
    parser.add_argument(
        "--lifetime",
        type=_positive,
        default=DEFAULT_LIFETIME,
        metavar="SECONDS",
        help="how long a connection may live",
    )
    parser.add_argument(
        "--http",
        action="store_true",
        help="serve the same responses over HTTP on the same port (POST, GET, DELETE, compact); "
        "needs the extra [http]",
    )
    parser.add_argument(
        "--levers",
        action="store_true",
        help="let handshake headers shorten the life of their connection (RWS-Lifetime: 2) or "
        "make one of its turns go wrong (RWS-Failure, RWS-Refusal-5xx, RWS-Overload, "
        "RWS-Restart: 3); GET /rws/levers/NAME does it to the next turn of any connection, "
        "or ends all of them (lifetime, restart)",
    )
    parser.add_argument(
        "--dialect",
        choices=("open-responses", "openai"),
        help="speak as one owner of the protocol would; without it, the output satisfies both",
    )
    parser.add_argument(
        "--variant", action=_Once, metavar="NAME", help="other choices that conform as well"
    )
    parser.add_argument("--fault", action=_Once, metavar="NAME", help="one deliberate violation")
    parser.add_argument(
        "--without",
        action="append",
        default=[],
        metavar="LAYER",
        help="switch a layer off, such as storage or custom-tools; may be repeated",
    )
    parser.add_argument("--list-variants", action="store_true", help="list the variants and stop")
    parser.add_argument("--list-faults", action="store_true", help="list the faults and stop")
    parser.add_argument(
        "--pace",
        type=_pace,
        default=0.0,
        metavar="SECONDS",
        help="time between two events of a response",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
