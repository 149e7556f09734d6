"""The command ``rws-server``: its levers, its lists, its size, and how it ends."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from responses_ws_reference.faults import FAULTS
from responses_ws_reference.variants import VARIANTS
from websockets.sync.client import ClientConnection

from tests.server_process import KEY, Server, serving
from tests.turns import DEADLINE, close_code, create, turn


def test_the_lifetime_lever(server: Server) -> None:
    """A connection that asks for a short life gets one; another does not share it."""
    with server.connect(headers={"RWS-Lifetime": "0.2"}) as short, server.connect() as other:
        event = json.loads(short.recv(timeout=DEADLINE))
        assert event["error"]["code"] == "websocket_connection_limit_reached"
        assert close_code(short) == 1000
        assert turn(other)[-1]["type"] == "response.completed"


def kinds(client: ClientConnection) -> list[str]:
    """The types of the events of one turn."""
    return [event["type"] for event in turn(client)]


@pytest.mark.parametrize(
    ("name", "end"),
    [
        ("Failure", ["response.output_text.delta", "response.failed"]),
        ("Overload", ["response.output_text.delta", "error", "response.failed"]),
        ("Refusal-5xx", ["error"]),
    ],
)
def test_a_lever_takes_hold_in_the_turn_that_its_header_names(
    server: Server, name: str, end: list[str]
) -> None:
    """Before and behind it all is well, and other connections notice nothing."""
    with server.connect(headers={f"RWS-{name}": "2"}) as client, server.connect() as other:
        assert kinds(client)[-1] == "response.completed"
        events = turn(client)
        if end[-1] != events[-1]["type"]:
            events.append(json.loads(client.recv(timeout=DEADLINE)))
        assert [event["type"] for event in events][-len(end) :] == end
        assert kinds(client)[-1] == kinds(other)[-1] == "response.completed"


def test_a_restart_takes_the_connection_in_mid_response(server: Server) -> None:
    """It is said why, and a new connection is served."""
    with server.connect(headers={"RWS-Restart": "1"}) as client:
        client.send(create(input="Count from 1 to 9."))
        assert close_code(client) == 1012
    with server.connect() as client:
        assert kinds(client)[-1] == "response.completed"


def test_what_failed_cannot_be_continued(server: Server) -> None:
    """Neither the failed response nor, without storage, the one that it went on from."""
    with server.connect(headers={"RWS-Failure": "2"}) as client:
        first = turn(client, create(store=False))[-1]["response"]["id"]
        failed = turn(client, create(previous_response_id=first))[-1]["response"]["id"]
        for name in (first, failed):
            (error,) = turn(client, create(previous_response_id=name))
            assert error["error"]["code"] == "previous_response_not_found"


def test_levers_by_get(server: Server) -> None:
    """A GET arms a lever for the next turn, whoever has it; a restart closes all connections."""
    key = {"Authorization": f"Bearer {KEY}"}
    with server.connect() as client, server.connect() as idle:
        assert server.get("/rws/levers/failure", **key) == (200, {"lever": "failure"})
        assert kinds(client)[-1] == "response.failed"
        assert kinds(client)[-1] == "response.completed"
        assert server.get("/rws/levers/restart", **key)[0] == 200
        assert close_code(client) == close_code(idle) == 1012


def test_lifetime_by_get(server: Server) -> None:
    """All connections reach their limit and say so; the next one is served."""
    key = {"Authorization": f"Bearer {KEY}"}
    with server.connect() as client, server.connect() as idle:
        assert kinds(client)[-1] == "response.completed"
        assert server.get("/rws/levers/lifetime", **key) == (200, {"lever": "lifetime"})
        for connection in (client, idle):
            error = json.loads(connection.recv(timeout=DEADLINE))
            assert error["error"]["code"] == "websocket_connection_limit_reached"
            assert close_code(connection) == 1000
    with server.connect() as after:
        assert kinds(after)[-1] == "response.completed"


@pytest.mark.parametrize(("path", "status"), [("failure", 401), ("earthquake", 404), ("", 404)])
def test_not_everybody_pulls_every_lever(server: Server, path: str, status: int) -> None:
    assert server.get(f"/rws/levers/{path}")[0] == status


def test_without_the_option_there_are_no_levers() -> None:
    with serving() as running, running.connect(headers={"RWS-Failure": "1"}) as client:
        assert kinds(client)[-1] == "response.completed"
        key = {"Authorization": f"Bearer {KEY}"}
        assert running.get("/rws/levers/failure", **key)[0] == 404


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize(("options", "code"), [((), 1001), (("--http",), 1012)])
def test_a_signal_ends_the_server_gracefully(
    options: tuple[str, ...], code: int, number: signal.Signals
) -> None:
    """Open connections are closed and told so, a running response is cut, the exit code is 0."""
    with serving("--pace", "0.05", *options) as running, running.connect() as client:
        client.send(create(input="Count from 1 to 5000."))
        json.loads(client.recv(timeout=DEADLINE))
        assert running.stop(number) == ""
        assert close_code(client) == code


def test_an_idle_server_is_small() -> None:
    """An idle server stays under 60 MB."""
    status = Path("/proc/self/status")
    if not status.exists():
        pytest.skip("memory is read from /proc")
    with serving() as running:
        lines = Path(f"/proc/{running.process.pid}/status").read_text().splitlines()
    (resident,) = (int(line.split()[1]) for line in lines if line.startswith("VmRSS"))
    assert resident < 60_000


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--fault", "none-such"], "unknown fault 'none-such'"),
        (["--variant", "none-such"], "unknown variant 'none-such'"),
        (["--http", "--fault", "pongs-are-lost"], "--http cannot have the fault pongs-are-lost"),
        (["--api-key-env", "RWS_UNSET"], "RWS_UNSET is not set"),
        (["--fault", "ends-twice", "--fault", "never-ends"], "--fault is there twice"),
        (["--port", "65536"], "a number from 0 to 65535"),
        (["--lifetime", "0"], "a positive number"),
        (["--lifetime", "soon"], "a positive number"),
        (["--pace", "nan"], "a positive number"),
    ],
)
def test_a_wrong_option_is_explained(options: list[str], complaint: str) -> None:
    """The command line ends with 2 and says why."""
    command = [sys.executable, "-m", "responses_ws_reference", *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE, check=False)
    assert done.returncode == 2
    assert complaint in done.stderr


def test_the_lists_name_everything() -> None:
    """Each fault and each variant has a line with its summary."""
    command = [sys.executable, "-m", "responses_ws_reference", "--list-faults", "--list-variants"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE, check=True)
    named = {line.split()[0] for line in done.stdout.splitlines()}
    assert named == {*FAULTS, *VARIANTS}


def test_reader_of_a_list_may_have_seen_enough() -> None:
    command = [sys.executable, "-m", "responses_ws_reference", "--list-faults"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.wait(timeout=30) == 0
        assert process.stderr is not None
        assert process.stderr.read() == b""
