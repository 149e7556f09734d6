"""Digests: by which a statement says what it was made with and from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

from responses_ws_conformance.catalogue import catalogue

PACKAGES: Final = ("responses_ws_conformance", "responses_ws_schemas")
COMPILED: Final = ("__pycache__", ".pyc")


@cache
def suite_digest() -> str:
    """The digest of the installed suite with its schemas, the same for the same files."""
    digest = hashlib.sha256()
    for package in PACKAGES:
        for name, file in sorted(_files(files(package), package)):
            digest.update(f"{name}\0".encode())
            digest.update(hashlib.sha256(file.read_bytes()).digest())
    return f"sha256:{digest.hexdigest()}"


def catalogue_digest() -> str:
    """The digest of all requirements, those of an extension among them."""
    rows = [asdict(requirement) for requirement in catalogue().requirements.values()]
    text = json.dumps(rows, sort_keys=True, default=lambda level: level.value)
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def file_digest(path: Path) -> str:
    """The digest of a file."""
    with path.open("rb") as stream:
        return f"sha256:{hashlib.file_digest(stream, 'sha256').hexdigest()}"


def _files(folder: Traversable, name: str) -> Iterator[tuple[str, Traversable]]:
    for each in folder.iterdir():
        inner = f"{name}/{each.name}"
        if each.name.endswith(COMPILED):
            continue
        if each.is_dir():
            yield from _files(each, inner)
        else:
            yield inner, each
