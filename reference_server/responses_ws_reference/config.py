"""How one reference server is set up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

DEFAULT_MODEL: Final = "reference-model"
DEFAULT_LIFETIME: Final = 3600.0
MAX_MESSAGE_BYTES: Final = 16 * 2**20
SERVER_NAME: Final = "rws-server"


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """Address, keys, model and timing, and which variant or fault is in force.

    ``without`` names the optional layers that are switched off. Without a ``dialect`` the output
    satisfies both owners of the protocol. With ``http`` the same port serves HTTP too, which needs
    the extra ``[http]``.
    """

    host: str = "127.0.0.1"
    port: int = 0
    api_keys: tuple[str, ...] = ()
    model: str = DEFAULT_MODEL
    lifetime: float = DEFAULT_LIFETIME
    offers_levers: bool = False
    pace: float = 0.0
    dialect: str | None = None
    variant: str | None = None
    fault: str | None = None
    without: frozenset[str] = frozenset()
    http: bool = False
