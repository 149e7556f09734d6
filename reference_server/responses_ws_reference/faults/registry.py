from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from responses_ws_reference.hooks import Hooks


@dataclass(frozen=True, slots=True)
class Fault:
    name: str
    breaks: tuple[str, ...]
    summary: str
    hooks: Hooks
    variant: str | None = None


FAULTS: Final[dict[str, Fault]] = {}
