"""HTTP requests beside the WebSocket, with urllib3, which the extra ``http`` installs.

One request runs in a thread of its own, so that connections are served meanwhile; whoever asked
holds the clocks, and gives up when one has run out. Nothing is followed, retried or decoded.
"""

from __future__ import annotations

import contextlib
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from responses_ws_conformance.errors import CannotStart
from responses_ws_conformance.transcript import Headers

if TYPE_CHECKING:
    import urllib3

LIBRARY: Final = "urllib3"
READ_BYTES: Final = 65536


def require_library() -> None:
    """Raise CannotStart where the extra is not installed."""
    if find_spec(LIBRARY) is None:
        raise CannotStart(
            "the feature http needs a library that is not installed: "
            "pip install 'responses-ws-conformance[http]'"
        )


@dataclass(frozen=True, slots=True)
class Web:
    """How to get out: the certificate authority, the proxy and the limits; seconds and bytes."""

    ca_file: Path | None
    proxy: str | None
    connect: float
    total: float
    max_bytes: int

    def pool(self, url: str) -> urllib3.PoolManager:
        """Where a request gets a connection of its own."""
        import urllib3

        is_secure = urlsplit(url).scheme == "https"
        context = ssl.create_default_context(cafile=self.ca_file) if is_secure else None
        if self.proxy is not None:
            return urllib3.ProxyManager(self.proxy, ssl_context=context)
        return urllib3.PoolManager(ssl_context=context)


@dataclass(slots=True)
class Fetch:
    """A request that is under way, and what came of it; something came last at ``alive_at``.

    ``failure`` says why there is no answer, or not the whole of it. ``is_unreachable`` is True
    where no connection came about.
    """

    web: Web
    clock: Callable[[], float]
    alive_at: float
    status: int | None = None
    headers: Headers = ()
    failure: str | None = None
    is_unreachable: bool = False
    _parts: list[bytes] = field(default_factory=list)
    _is_given_up: bool = False
    _response: urllib3.BaseHTTPResponse | None = None
    _done: threading.Event = field(default_factory=threading.Event)

    def start(self, method: str, url: str, headers: Mapping[str, str], body: str | None) -> None:
        """Send the request."""
        data = body.encode("utf-8") if body is not None else None
        work = (method, url, dict(headers), data)
        threading.Thread(target=self._work, args=work, name=f"{method} {url}", daemon=True).start()

    @property
    def is_done(self) -> bool:
        """True where nothing more will come."""
        return self._done.is_set()

    @property
    def has_begun(self) -> bool:
        """True where some of the body has come."""
        return bool(self._parts)

    @property
    def body(self) -> str | None:
        """What has come of the body, None where there is no answer."""
        if self.status is None:
            return None
        return b"".join(self._parts).decode("utf-8", "replace")

    def give_up(self) -> None:
        """Take nothing more."""
        self._is_given_up = True
        if self._response is not None:
            with contextlib.suppress(OSError, ValueError):  # it has ended meanwhile
                self._response.shutdown()

    def _work(self, method: str, url: str, headers: dict[str, str], body: bytes | None) -> None:
        import urllib3

        timeout = urllib3.Timeout(connect=self.web.connect, read=self.web.total)
        try:
            with self.web.pool(url) as pool:
                response = self._response = pool.request(
                    method,
                    url,
                    headers=headers,
                    body=body,
                    redirect=False,
                    retries=False,
                    preload_content=False,
                    decode_content=False,
                    timeout=timeout,
                )
                with response:
                    self._read(response)
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as problem:
            self.failure = _why(problem, url)
            self.is_unreachable = isinstance(problem, _unreachable())
        finally:
            self._done.set()

    def _read(self, response: urllib3.BaseHTTPResponse) -> None:
        self.headers = tuple(response.headers.items())
        self.status, self.alive_at = response.status, self.clock()
        size = 0
        while not self._is_given_up and (part := response.read1(READ_BYTES)):
            size += len(part)
            if size > self.web.max_bytes:
                self.failure = f"the body is longer than {self.web.max_bytes} bytes"
                return
            self._parts.append(part)
            self.alive_at = self.clock()


def _unreachable() -> tuple[type[Exception], ...]:
    """The errors before there is a connection; later ones are about one request."""
    from urllib3 import exceptions

    return (
        exceptions.NewConnectionError,
        exceptions.ConnectTimeoutError,
        exceptions.ProxyError,
        exceptions.SSLError,
    )


def _why(problem: Exception, url: str) -> str:
    """The cause at the bottom, in words; libraries wrap it in the name of their objects."""
    while problem.__cause__ is not None and isinstance(problem.__cause__, Exception):
        problem = problem.__cause__
    host = urlsplit(url).hostname
    if isinstance(problem, ConnectionRefusedError):
        return "connection refused"
    if isinstance(problem, TimeoutError):
        return "no connection within the time limit"
    return f"{host}: {problem}" if str(problem) else type(problem).__name__
