"""Soundings: a few harmless turns for each layer, in which a target shows whether it has it.

A sounding is a scenario that judges nothing and exercises no requirement; what it brings to light
is read by the signs of ``verdict.sightings``. To sound a new layer, add a script here and a sign
there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from responses_ws_conformance.driver import Driver
from responses_ws_conformance.prompts import (
    NOTEPAD,
    count,
    force,
    message,
    notes,
    say,
    think,
    use_tool,
)
from responses_ws_conformance.reading.commands import came_too_late
from responses_ws_conformance.scenarios import Scenario, Script

PREFIX: Final = "init"
CORE: Final = "core"
LONG: Final = (60, 960)
THRESHOLD: Final = 1000
DAYS: Final = 400
UNKNOWN: Final = "resp_rws_that_nobody_gave_out"
OWN: Final = object()


def sounding(feature: str, turns: int) -> Callable[[Script], Script]:
    """Register the script that sounds a feature."""

    def register(script: Script) -> Script:
        summary = (script.__doc__ or "").partition("\n")[0]
        SOUNDINGS[feature] = Scenario(f"{PREFIX}/{feature}", summary, script, (), turns)
        return script

    return register


SOUNDINGS: Final[dict[str, Scenario]] = {}


@sounding(CORE, 2)
def core(driver: Driver) -> None:
    """A plain turn, and a continuation of what does not exist."""
    connection = driver.connect()
    connection.turn(say(), store=False)
    connection.attempt(say(), store=False, previous_response_id=UNKNOWN)


@sounding("storage", 2)
def storage(driver: Driver) -> None:
    """A stored response, continued on another connection."""
    first = driver.connect().attempt(say(), store=True)
    if first.response_id is not None:
        go_on = {"previous_response_id": first.response_id, "store": True}
        driver.connect().attempt([message(say())], **go_on)


@sounding("warmup", 1)
def warmup(driver: Driver) -> None:
    """A create that is to generate nothing."""
    driver.connect().attempt([message(say())], generate=False, store=False)


@sounding("lanes", 1)
def lanes(driver: Driver) -> None:
    """A create on a named lane."""
    driver.connect().attempt(say(), stream_id="rws", store=False)


def command(driver: Driver, **members: Any) -> None:
    """Act on a long response that runs; of the members of the command, OWN is the response's id.

    One that is over too soon is asked for again, and is longer then.
    """
    connection = driver.connect()
    for length in LONG:
        running = connection.submit(count(length), store=False)
        connection.until(running, lambda x: x.response_id is not None)
        if running.response_id is None:
            return
        event = {n: running.response_id if v is OWN else v for n, v in members.items()}
        sent = connection.finish(connection.command(event))
        connection.finish(running)
        if not came_too_late(sent, running):
            return


@sounding("steering", 4)
def steering(driver: Driver) -> None:
    """A long answer, and a message to it while it runs."""
    command(driver, type="response.steer", previous_response_id=OWN, input=say())


@sounding("interrupt", 2)
def interrupt(driver: Driver) -> None:
    """A long answer, cut off."""
    command(driver, type="response.interrupt", response_id=OWN, mode="discard_partial_items")


@sounding("custom-tools", 1)
def custom_tools(driver: Driver) -> None:
    """A forced call of a custom tool."""
    driver.connect().attempt(use_tool(), tools=[NOTEPAD], tool_choice=force(NOTEPAD), store=False)


@sounding("reasoning", 1)
def reasoning(driver: Driver) -> None:
    """Something to think about."""
    driver.connect().attempt(think(), reasoning={"effort": "medium"}, store=False)


@sounding("compaction", 2)
def compaction(driver: Driver) -> None:
    """A long text beyond the least threshold, and a turn after it."""
    connection = driver.connect()
    folding = {"context_management": [{"type": "compaction", "compact_threshold": THRESHOLD}]}
    long = connection.attempt([message(notes(DAYS)), message(say())], store=False, **folding)
    if long.outcome == "completed":
        go_on = {"previous_response_id": long.response_id, "store": False, **folding}
        connection.attempt([message(say())], **go_on)


@sounding("http", 1)
def http(driver: Driver) -> None:
    """The plain turn as an HTTP request."""
    driver.api.attempt(say(), stream=False, store=False)
