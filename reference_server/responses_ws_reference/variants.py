"""Conforming servers that take other choices where the protocol leaves one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from responses_ws_reference.hooks import Hooks


@dataclass(frozen=True, slots=True)
class Variant:
    """A named server that conforms as well."""

    name: str
    summary: str
    hooks: Hooks


VARIANTS: Final[dict[str, Variant]] = {}
