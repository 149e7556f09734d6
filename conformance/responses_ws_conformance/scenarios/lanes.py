"""Scenarios on lanes: several conversations on one connection.

What a lane is called and what runs beside what; ``lanes_memory`` has what each lane remembers.
"""

from __future__ import annotations

from typing import Any, Final

from responses_ws_conformance.checks import Cause
from responses_ws_conformance.checks.lanes import NO_ROOM, came_before
from responses_ws_conformance.checks.lanes_limits import most_at_a_time
from responses_ws_conformance.driver import OMIT, Blocked, Connection, Driver
from responses_ws_conformance.prompts import count, say
from responses_ws_conformance.reading.exchanges import Exchange
from responses_ws_conformance.scenarios import scenario
from responses_ws_conformance.scenarios.chains import require_settled, settle
from responses_ws_conformance.scenarios.creation import create
from responses_ws_conformance.scenarios.turns import settle_all

LONGEST: Final = "Lane-2_x." * 28 + "ends"
BAD_NAMES: Final[tuple[Any, ...]] = ("", "x" * 257, "two words", "caf\u00e9", 7)
# How long the answers are that something else is to run beside; the second is for a second try.
LONG: Final = (60, 120, 240)
# Long enough that those who came first still run when the last one comes, or else longer.
CROWDS: Final = (20, 200)


@scenario(
    "lanes/names",
    exercises=("RWS-LANE-001", "RWS-LANE-002", "RWS-LANE-004"),
    turns=3,
    features=("lanes",),
)
def names(driver: Driver) -> None:
    """The default lane, the shortest name, and a longest one with characters of all kinds."""
    connection = driver.connect()
    connection.turn(say(), store=False)
    for name in ("7", LONGEST):
        connection.turn(say(), owes="RWS-LANE-004", store=False, stream_id=name)


@scenario(
    "lanes/bad-names",
    exercises=(
        "RWS-LANE-005",
        "RWS-LANE-006",
        "RWS-LANE-007",
        "RWS-LANE-008",
    ),
    turns=3 * len(BAD_NAMES),
    features=("lanes",),
)
def bad_names(driver: Driver) -> None:
    """Five names that are none, each before the same create with a good one."""
    connection = driver.connect()
    for name in BAD_NAMES:
        subject = create(connection, input=say(), store=False, stream_id=name)
        require_settled(connection, subject)
        control = connection.attempt(say(), store=False, stream_id="good")
        driver.mark("RWS-LANE-008", subject=control, after=subject)
        if "closed" in (subject.outcome, control.outcome):
            connection = driver.connect()
            control = connection.attempt(say(), store=False, stream_id="good")
        connection.require(control, by="RWS-LANE-004")
        for requirement in ("RWS-LANE-005", "RWS-LANE-006", "RWS-LANE-007"):
            driver.mark(requirement, subject=subject, control=control)


def named_lanes(driver: Driver, lane: str = "first") -> Connection:
    """A connection on which lanes can be told apart; raises Blocked where they cannot."""
    connection = driver.connect()
    first = submit(connection, lane, say())
    connection.require(connection.finish(first), by="RWS-LANE-004")
    tell_apart(first)
    return connection


def tell_apart(exchange: Exchange) -> None:
    """Raise Blocked where an event has another lane than its create: several would mix."""
    lane = exchange.request.get("stream_id")
    if any(e.payload.get("stream_id") != lane for e in exchange.events):
        by = "RWS-LANE-001" if lane is not None else "RWS-LANE-002"
        raise Blocked(Cause.BLOCKED, "events that do not name their lane cannot be told apart", by)


@scenario(
    "lanes/side-by-side",
    exercises=("RWS-LANE-001", "RWS-LANE-002", "RWS-LANE-009", "RWS-LANE-012"),
    turns=20,
    features=("lanes",),
)
def side_by_side(driver: Driver) -> None:
    """A long answer on one lane and a short one on another, the default lane among them."""
    connection = named_lanes(driver)
    default = connection.turn(say(), store=False)
    tell_apart(default)
    race(connection, "RWS-LANE-009", ("long", "short"))
    race(connection, "RWS-LANE-012", ("long", None), (None, "short"))


def race(connection: Connection, requirement: str, *lanes: tuple[str | None, str | None]) -> None:
    """Ask for a long answer and at once for a short one; again where that shows nothing.

    Nothing is awaited in between: a server that has both creates at hand is not told to wait by a
    scheduler, its own or ours.
    """
    for slow, quick in lanes:
        running: list[Exchange] = []
        beside: list[Exchange] = []
        for length in LONG:
            running.append(submit(connection, slow, count(length)))
            beside.append(submit(connection, quick, say()))
            settle_all(connection, running[-1], beside[-1])
            end = running[-1].terminal
            if not beside[-1].events or end is None or beside[-1].events[0].n < end.n:
                break
        connection.driver.mark(requirement, running=running, beside=beside)


def submit(connection: Connection, lane: str | None, input: str, **fields: Any) -> Exchange:
    """Send a create on a lane, the default one where it has no name."""
    name = OMIT if lane is None else lane
    return connection.submit(input, store=False, stream_id=name, **fields)


@scenario(
    "lanes/order",
    exercises=("RWS-LANE-001", "RWS-LANE-003", "RWS-LANE-010", "RWS-LANE-011"),
    turns=9,
    features=("lanes",),
)
def order(driver: Driver) -> None:
    """Five creates of one lane, the second of them wrong, and a wrong one on another lane.

    Where the first wrong one has to wait, its error comes when another lane has the newest create.
    """
    connection = named_lanes(driver)
    words = [driver.code_word() for _ in range(3)]
    creates = [submit(connection, "queue", count(LONG[0]), metadata={"create": "1"})]
    connection.until(creates[0], lambda x: bool(x.events))
    unknown, unknown_too = driver.invented_id(), driver.invented_id()
    waiting = submit(connection, "queue", say(), previous_response_id=unknown_too)
    for number, word in enumerate(words, start=2):
        fields = {"metadata": {"create": str(number)}}
        creates.append(submit(connection, "queue", say(word), **fields))
    failed = submit(connection, "wrong", say(), previous_response_id=unknown)
    settle_all(connection, failed, waiting, *creates)
    driver.mark("RWS-LANE-010", {"words": [None, *words]}, creates=creates)
    running = creates[0]
    if failed.error is not None and came_before(running, failed.error):
        running = submit(connection, "calm", count(LONG[-1]))
        failed = submit(connection, "wrong", say(), previous_response_id=unknown)
        settle_all(connection, failed, running)
    driver.mark("RWS-LANE-011", subject=running, failed=failed)


@scenario(
    "lanes/limits",
    exercises=(
        "RWS-LANE-003",
        "RWS-LANE-013",
        "RWS-LANE-014",
        "RWS-LANE-015",
        "RWS-LANE-016",
        "RWS-LANE-017",
        "RWS-LANE-018",
    ),
    turns=46,
    features=("lanes",),
)
def limits(driver: Driver) -> None:
    """One response more than can run at a time, then one name more than a connection can have."""
    connection = named_lanes(driver, "lane-0")
    connection.turn(say(), store=False)
    known = crowd(connection)
    known += more_names(connection, len(known))
    driver.mark("RWS-LANE-014", subject=known)
    driver.mark("RWS-LANE-017", subject=known[-1], control=without_default(driver, known[-1]))
    connection.require(known[-1], by="RWS-LANE-014")
    beyond = settle(connection, say(), store=False, stream_id="one-more")
    reused = settle(connection, say(), store=False, stream_id=known[0].lane)
    driver.mark("RWS-LANE-018", subject=reused)
    for requirement in ("RWS-LANE-015", "RWS-LANE-016"):
        driver.mark(requirement, subject=beyond, control=reused)


def crowd(connection: Connection) -> list[Exchange]:
    """As many creates at once as can run, and one more, each on a lane of its own.

    One whose name is refused says nothing about how many can run.
    """
    allowed = connection.driver.profile.limits
    number = min(allowed.active_lanes + 1, allowed.lane_names)
    creates: list[Exchange] = []
    for length in CROWDS:
        creates = [submit(connection, f"lane-{n}", count(length)) for n in range(number)]
        settle_all(connection, *creates)
        was_full = most_at_a_time(creates) >= allowed.active_lanes
        if was_full or any(x.outcome != "completed" for x in creates):
            break
    if any(x.error_code == NO_ROOM for x in creates):
        connection.driver.mark("RWS-LANE-014", subject=creates)
        raise Blocked(Cause.BLOCKED, "a name is refused before the last", by="RWS-LANE-014")
    facts = {"slots": allowed.active_lanes}
    connection.driver.mark("RWS-LANE-013", facts, subject=creates)
    for exchange in creates:
        connection.require(exchange, by="RWS-LANE-013")
    return creates


def more_names(connection: Connection, number: int) -> list[Exchange]:
    """The rest of the names, up to the first that is refused, with as little said as possible."""
    profile = connection.driver.profile
    cheap = {"generate": False} if "warmup" in profile.features else {}
    creates: list[Exchange] = []
    for n in range(number, profile.limits.lane_names):
        fields = {"store": False, "stream_id": f"lane-{n}"}
        create = settle(connection, say(), **fields, **cheap)
        if cheap and create.error_code != NO_ROOM and create.outcome != "completed":
            # What is wrong with the warm-up says nothing about the name.
            cheap = {}
            create = settle(connection, say(), **fields)
        creates.append(create)
        if create.outcome == "error":
            break
    return creates


def without_default(driver: Driver, refused: Exchange) -> list[Exchange]:
    """All names again where the default lane is not used, if the last of them was refused."""
    if refused.error_code != NO_ROOM:
        return []
    return more_names(driver.connect(), 0)[-1:]
