"""Conforming servers that take other choices where the protocol leaves one, by name.

A variant is hung into the server from outside, like a fault, and the suite may not call it wrong.
It says in which dialects it is legal, which SHOULDs it does not follow (the suite warns of them),
and which of the causes ``mood``, ``transient`` and ``time`` may leave something unjudged: those of
a server that is right behind a model or a gateway with a will of its own.
"""

from responses_ws_reference.variants import (
    choices,
    compaction,
    custom,
    errors,
    http,
    inject,
    items,
    loads,
    moods,
    reasoning,
    steering,
    streams,
    warmup,
)
from responses_ws_reference.variants.registry import VARIANTS, Variant

__all__ = ["VARIANTS", "Variant"]

# Importing an area registers its variants; naming the areas keeps the imports honest.
AREAS = (
    choices,
    streams,
    items,
    errors,
    moods,
    loads,
    warmup,
    steering,
    inject,
    custom,
    reasoning,
    compaction,
    http,
)
