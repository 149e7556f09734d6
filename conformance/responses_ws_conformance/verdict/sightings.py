"""Sightings: features that a target showed in what was recorded, whether or not it claims them.

A feature that is not claimed is not judged. Nobody should find out by reading the chapters that a
server can do more than its profile says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from responses_ws_conformance.checks import Evidence
from responses_ws_conformance.transcript import Answered, Received


@dataclass(frozen=True, slots=True)
class Sighting:
    """A feature and what showed it."""

    feature: str
    seen: str


def unclaimed(recordings: Iterable[Evidence]) -> tuple[Sighting, ...]:
    """The features that were seen and that the recordings' profile does not claim."""
    found: dict[str, str] = {}
    for evidence in recordings:
        claimed = evidence.transcript.header.features
        for feature, looks in SIGNS.items():
            if feature not in claimed and feature not in found:
                found.update((feature, seen) for seen in looks(evidence))
    return tuple(Sighting(feature, found[feature]) for feature in SIGNS if feature in found)


def _continued_elsewhere(evidence: Evidence) -> Iterator[str]:
    homes = {x.response_id: x.conn for x in evidence.exchanges if x.response_id is not None}
    for exchange in evidence.exchanges:
        home = homes.get(str(exchange.request.get("previous_response_id")))
        if home not in (None, exchange.conn) and exchange.outcome == "completed":
            yield "a response was continued on another connection"


def _warmed_up(evidence: Evidence) -> Iterator[str]:
    for exchange in evidence.exchanges:
        if exchange.is_warm_up and exchange.outcome == "completed" and not exchange.item_ids:
            yield "a create with generate false was completed without an item"


def _named_lanes(evidence: Evidence) -> Iterator[str]:
    for event in evidence.received:
        if isinstance(event.payload, dict) and "stream_id" in event.payload:
            yield f"{event.type} has a stream_id"


def _served_over_http(evidence: Evidence) -> Iterator[str]:
    for entry in evidence.transcript.entries:
        if isinstance(entry, Answered) and entry.status == 200:
            yield "a create over HTTP was answered with 200"


def _events(*prefixes: str) -> Callable[[Evidence], Iterator[str]]:
    def look(evidence: Evidence) -> Iterator[str]:
        for event in evidence.received:
            if event.type is not None and event.type.startswith(prefixes):
                yield f"{event.type} was sent"

    return look


def _items(kind: str, *prefixes: str) -> Callable[[Evidence], Iterator[str]]:
    by_event = _events(*prefixes)

    def look(evidence: Evidence) -> Iterator[str]:
        yield from by_event(evidence)
        for exchange in evidence.exchanges:
            if any(item_type(event) == kind for event in exchange.events):
                yield f"a response had an item of type {kind}"

    return look


def item_type(event: Received) -> object:
    """The type of the item that an event adds or ends, None where it is about none."""
    item = event.payload.get("item") if isinstance(event.payload, dict) else None
    return item.get("type") if isinstance(item, dict) else None


# By what each layer gives itself away.
SIGNS: Final[Mapping[str, Callable[[Evidence], Iterator[str]]]] = {
    "storage": _continued_elsewhere,
    "warmup": _warmed_up,
    "lanes": _named_lanes,
    "steering": _events("response.steer.accepted"),
    "interrupt": _events("response.interrupt.accepted"),
    "inject": _events("response.inject.created"),
    "compaction": _items("compaction", "response.compaction."),
    "custom-tools": _items("custom_tool_call", "response.custom_tool_call_input."),
    "reasoning": _items("reasoning", "response.reasoning"),
    "http": _served_over_http,
}
