"""Levers: real HTTP calls and real commands, how they fail, and what a profile may say of them."""

from __future__ import annotations

import shlex
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from responses_ws_conformance.driver.levers import LeverFailed, pull
from responses_ws_conformance.errors import ProfileError
from responses_ws_conformance.profile import HttpCall, Lever
from responses_ws_conformance.profile.loading import load_profile

from tests.levers import PYTHON, SECRET, control, script, written


@contextmanager
def listening(talk: Callable[[socket.socket], None]) -> Iterator[str]:
    """A port on which whoever connects is talked to, in a thread."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                talk(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        thread.join(5)


def says_nothing(connection: socket.socket) -> None:
    while connection.recv(1024):
        pass


def never_comes_to_the_point(connection: socket.socket) -> None:
    """Says a little all the time, so that no silence is long."""
    ended = threading.Event()
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    try:
        while not ended.wait(0.05):
            connection.sendall(b"X-More: yes\r\n")
    except OSError:
        return


def test_call_is_made_as_the_profile_says() -> None:
    with control() as (url, asked):
        pull(Lever(2, http=HttpCall(f"{url}/break?what=next", "PUT", {"X-Token": SECRET})))
    (call,) = asked
    assert (call["method"], call["path"], call["X-Token"]) == ("PUT", "/break?what=next", SECRET)


@pytest.mark.parametrize("status", [302, 404, 500])
def test_call_that_is_not_answered_with_2xx_fails(status: int) -> None:
    with control(status, "no  such\nswitch") as (url, _):
        call = HttpCall(f"{url}/break?token=hush")
        with pytest.raises(LeverFailed, match=rf"/break: status {status}: no such switch$"):
            pull(Lever(2, http=call))


@pytest.mark.parametrize("talk", [says_nothing, never_comes_to_the_point])
def test_call_has_a_time_limit(talk: Callable[[socket.socket], None]) -> None:
    started = time.monotonic()
    with (
        listening(talk) as url,
        pytest.raises(LeverFailed, match=r"no answer within 0\.3 s"),
    ):
        pull(Lever(0.3, http=HttpCall(url)))
    assert time.monotonic() - started < 3


def test_call_to_a_dead_port_fails() -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{sock.getsockname()[1]}/break"
        with pytest.raises(LeverFailed, match=r"POST http.*refused"):
            pull(Lever(2, http=HttpCall(url)))


def test_call_to_what_is_no_http_server_fails() -> None:
    with (
        listening(lambda connection: connection.sendall(b"220 mail ready\r\n")) as url,
        pytest.raises(LeverFailed, match="POST http"),
    ):
        pull(Lever(2, http=HttpCall(url)))


def test_command_runs_in_its_folder_without_a_shell(tmp_path: Path) -> None:
    text = "import sys, pathlib; pathlib.Path('said').write_text(sys.argv[1])"
    pull(Lever(10, command=(*script(text), "$HOME; *"), folder=tmp_path))
    assert (tmp_path / "said").read_text() == "$HOME; *"


def test_program_of_the_folder_is_found(tmp_path: Path) -> None:
    program = tmp_path / "restart.sh"
    program.write_text("#!/bin/sh\necho done > did\n")
    program.chmod(0o755)
    pull(Lever(10, command=("./restart.sh",), folder=tmp_path))
    assert (tmp_path / "did").exists()


def test_command_that_fails_says_why() -> None:
    text = "import sys; print('x' * 5000); sys.exit('no   such\\nserver')"
    with pytest.raises(LeverFailed, match=r"ended with 1: x{100,300} no such server$"):
        pull(Lever(10, command=script(text)))


def test_command_that_is_missing_says_so() -> None:
    with pytest.raises(LeverFailed, match=r"^/no/such/program: No such file or directory$"):
        pull(Lever(10, command=("/no/such/program",)))


def test_command_has_a_time_limit() -> None:
    text = "import threading; print('waiting', flush=True); threading.Event().wait()"
    started = time.monotonic()
    with pytest.raises(LeverFailed, match=r"not over within 0\.5 s"):
        pull(Lever(0.5, command=script(text)))
    assert time.monotonic() - started < 5


def test_what_a_command_starts_may_go_on() -> None:
    """A server that was started again keeps the output of its starter open."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        child = (
            f"import socket; s = socket.create_connection(('127.0.0.1', {port})); "
            "s.settimeout(30); s.recv(1)"
        )
        command = ("/bin/sh", "-c", f"{shlex.quote(PYTHON)} -c {shlex.quote(child)} &")
        started = time.monotonic()
        pull(Lever(20, command=command))
        connection, _ = server.accept()
        assert time.monotonic() - started < 15
        connection.close()


PROFILES = {
    "nothing to pull": ("failure", {}, "levers/failure: nothing to pull"),
    "an unknown lever": ("earthquake", {"command": ["x"]}, "/levers: .*earthquake"),
    "a command as a text": ("restart", {"command": "x y"}, "/levers/restart/command: "),
    "an empty command": ("restart", {"command": []}, "/levers/restart/command: "),
    "a call of no address": ("overload", {"http": {"method": "GET"}}, "/levers/overload/http: "),
    "a method of its own": (
        "overload",
        {"http": {"url": "http://a", "method": "BREAK"}},
        "/levers/overload/http/method: ",
    ),
    "another scheme": (
        "overload",
        {"http": {"url": "file:///etc/passwd"}},
        "levers/overload/http/url: not an HTTP URL",
    ),
    "a broken port": (
        "overload",
        {"http": {"url": "http://a:b/"}},
        "levers/overload/http/url: not an HTTP URL",
    ),
    "a password": ("overload", {"http": {"url": "http://u:p@a/"}}, "http/url: it holds a password"),
    "a variable that is not set": (
        "overload",
        {"http": {"url": "http://a", "headers": {"X-A": {"env": "RWS_UNSET"}}}},
        "^levers/overload/http/headers/X-A: the environment variable RWS_UNSET is not set",
    ),
}


@pytest.mark.parametrize("mistake", PROFILES)
def test_mistake_in_a_profile_is_named(mistake: str, tmp_path: Path) -> None:
    name, lever, message = PROFILES[mistake]
    with pytest.raises(ProfileError, match=message):
        load_profile(written(tmp_path, name, lever), env={})


def test_profile_has_calls_and_commands(tmp_path: Path) -> None:
    headers = {"X-Token": {"env": "TOKEN"}}
    acts = {"http": {"url": "https://a/b", "headers": headers}, "command": ["./r", "1"]}
    profile = load_profile(written(tmp_path, "restart", acts), env={"TOKEN": SECRET})
    lever = profile.levers["restart"]
    assert lever.http == HttpCall("https://a/b", "POST", {"X-Token": SECRET})
    assert (lever.command, lever.folder) == (("./r", "1"), tmp_path)
    assert SECRET in profile.secrets.values()
