"""The profile: what the target is, what it claims, and how to talk to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from responses_ws_conformance.transcript.masking import Masker

SECOND_KEY: Final = "second-key"
MESSAGE_SIZE: Final = "message-size"
MAX_MESSAGE_BYTES: Final = 4 * 2**20
DIALECTS: Final = ("open-responses", "openai")
LAYERS: Final = (
    "storage",
    "warmup",
    "lanes",
    "steering",
    "interrupt",
    "inject",
    "compaction",
    "custom-tools",
    "reasoning",
    "http",
)


@dataclass(frozen=True, slots=True)
class Timing:
    """Limits in seconds: each wait has one for silence and one for its whole length."""

    connect: float = 10.0
    first_event: float = 20.0
    idle: float = 60.0
    total: float = 300.0
    quiet: float = 0.5
    close: float = 5.0


@dataclass(frozen=True, slots=True)
class HttpCall:
    """An HTTP request that pulls a lever."""

    url: str
    method: str = "POST"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Lever:
    """What a profile offers to provoke the unprovokable, by any of several means.

    ``url`` and ``headers`` are how to connect so that it happens, ``http`` and ``command`` (run in
    ``folder``) are what to do before it. ``within`` is the longest time in seconds until it does.
    """

    within: float
    url: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    http: HttpCall | None = None
    command: tuple[str, ...] = ()
    folder: Path | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """What a connection allows: responses in progress at a time, names of lanes in all, and the
    bytes of the largest message, None where nobody says."""

    active_lanes: int = 16
    lane_names: int = 32
    message_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Profile:
    """Everything a run needs to know about its target; secrets are resolved values."""

    url: str
    http_url: str | None = None
    model: str | None = None
    dialect: str | None = None
    spec_version: str | None = None
    features: frozenset[str] = frozenset()
    levers: Mapping[str, Lever] = field(default_factory=dict)
    api_key: str | None = None
    second_api_key: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    subprotocol: str | None = None
    ca_file: Path | None = None
    proxy: str | None = None
    timing: Timing = Timing()
    limits: Limits = Limits()
    retries: int = 2
    backoff: float = 1.0
    turn_interval: float = 0.0
    jobs: int = 1
    max_message_bytes: int = MAX_MESSAGE_BYTES
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def target(self) -> str:
        """The URL as it is shown, without secrets."""
        return str(Masker(self.secrets)(self.url))

    @property
    def claims(self) -> tuple[str, ...]:
        """The claimed features, ``auth`` among them where a key is configured."""
        auth = {"auth"} if self.api_key is not None else set()
        return tuple(sorted(self.features | auth))

    @property
    def offers(self) -> tuple[str, ...]:
        """The levers, and what the profile tells that does as much.

        ``second-key`` is a key of another tenant, ``message-size`` the size beyond which a message
        is too large.
        """
        told = {
            SECOND_KEY: self.second_api_key is not None,
            MESSAGE_SIZE: self.limits.message_bytes is not None,
        }
        return tuple(sorted({name for name, is_told in told.items() if is_told}.union(self.levers)))

    def published(self) -> dict[str, Any]:
        """The profile for everybody's eyes: of what may hold a secret only the names."""
        mask = Masker(self.secrets)
        return {
            "url": mask(self.url.partition("?")[0]),
            "model": self.model,
            "dialect": self.dialect,
            "features": sorted(self.features),
            "keys": [n for n in ("api_key", "second_api_key") if getattr(self, n) is not None],
            "headers": sorted(self.headers),
            "query": sorted(self.query),
            "subprotocol": self.subprotocol,
            "levers": {name: lever.within for name, lever in sorted(self.levers.items())},
            "timing": asdict(self.timing),
            "limits": asdict(self.limits),
            "retries": self.retries,
            "turn_interval": self.turn_interval,
            "jobs": self.jobs,
        }
