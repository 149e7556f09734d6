"""``rws init`` drafts what a target shows, says why, and claims nothing that it did not see."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import kill_matrix
import pytest
import yaml
from responses_ws_conformance.drafting import Seen, draft, look, sound
from responses_ws_conformance.drafting.soundings import CORE, SOUNDINGS
from responses_ws_conformance.errors import CannotStart
from responses_ws_conformance.profile import LAYERS, Profile
from responses_ws_conformance.profile.loading import load_profile
from responses_ws_conformance.reports.report import ExitCode
from responses_ws_conformance.runner import plan
from responses_ws_conformance.verdict.sightings import SIGNS
from responses_ws_reference.config import ServerConfig
from responses_ws_reference.server import running_server

from tests.commands import rws
from tests.stubs import dead_port, overloaded, refuse, silent, stub

# It needs a model that calls tools while it goes on.
NOT_TRIED = {"inject"}
WITHOUT = frozenset({"lanes", "storage", "warmup", "steering", "reasoning", "compaction"})


@dataclass(frozen=True)
class Drafted:
    """A draft, and the server that it is about."""

    text: str
    turns: int
    url: str

    @property
    def profile(self) -> dict[str, Any]:
        found: dict[str, Any] = yaml.safe_load(self.text)
        return found

    @property
    def claims(self) -> set[str]:
        return set(self.profile.get("features", ()))


def drafted(folder: Path, *without: str, dialect: str | None = None) -> Drafted:
    config = kill_matrix.server_config()
    config = replace(config, without=frozenset(without), dialect=dialect)
    with running_server(config) as server:
        profile = Profile(
            server.url,
            model=ServerConfig().model,
            api_key=kill_matrix.KEY,
            timing=kill_matrix.TIMING,
            secrets={"api_key": kill_matrix.KEY},
        )
        recordings = sound(profile, folder)
        text = draft(profile, look(recordings), key_variable="RWS_KEY")
        sent = [x for e in recordings for x in e.exchanges if x.is_create]
        return Drafted(text, len(sent), server.url)


@pytest.fixture(scope="module")
def rich(tmp_path_factory: pytest.TempPathFactory) -> Drafted:
    """The draft for a server with every layer but those that it has only over HTTP."""
    return drafted(tmp_path_factory.mktemp("rich"))


@pytest.fixture(scope="module")
def poor(tmp_path_factory: pytest.TempPathFactory) -> Drafted:
    """The draft for a server without most layers, that speaks as OpenAI would."""
    return drafted(tmp_path_factory.mktemp("poor"), *WITHOUT, dialect="openai")


def test_every_layer_is_sounded_and_has_a_sign() -> None:
    assert set(SOUNDINGS) - {CORE} == set(LAYERS) - NOT_TRIED
    assert set(SIGNS) == set(LAYERS)


def test_what_a_server_has_is_claimed(rich: Drafted) -> None:
    assert rich.claims >= WITHOUT | {"custom-tools"}
    assert "http" not in rich.claims


def test_what_a_server_lacks_is_not(poor: Drafted) -> None:
    assert poor.claims & WITHOUT == set()


def test_a_server_that_is_done_at_once_is_asked_for_more(tmp_path: Path) -> None:
    """What a short answer leaves no time for a long one shows."""
    with running_server() as server:
        profile = Profile(server.url, timing=kill_matrix.TIMING)
        text = draft(profile, look(sound(profile, tmp_path)), key_variable=None)
    assert {"steering", "interrupt"} <= set(yaml.safe_load(text)["features"])


def test_what_was_tried_over_http_is_said(rich: Drafted) -> None:
    """A server without HTTP hangs up."""
    (line,) = [each for each in rich.text.splitlines() if each.startswith("#   http:")]
    assert "no answer" in line


def test_dialect_is_the_one_that_fits(rich: Drafted, poor: Drafted) -> None:
    assert rich.profile["dialect"] == "open-responses"
    assert poor.profile["dialect"] == "openai"
    assert "# open-responses: response.created/response: frequency_penalty is missing" in poor.text


def test_a_dialect_is_more_than_the_form_of_its_events(tmp_path: Path) -> None:
    """Items that nobody has announced have the form that Open Responses asks for."""
    with running_server(kill_matrix.server_config(variant="no-setup-events")) as server:
        profile = Profile(server.url, api_key=kill_matrix.KEY, timing=kill_matrix.TIMING)
        text = draft(profile, look(sound(profile, tmp_path)), key_variable=None)
    assert yaml.safe_load(text)["dialect"] == "openai"
    assert "# open-responses: RWS-ITEM-001" in text


def test_each_claim_says_why_and_so_does_what_is_not_claimed(poor: Drafted, rich: Drafted) -> None:
    for each in (poor, rich):
        lines = each.text.splitlines()
        claimed = {line.split()[1] for line in lines if line.startswith("  - ") and "  # " in line}
        assert claimed == each.claims
        missed = {line.split()[1].rstrip(":") for line in lines if line.startswith("#   ")}
        assert missed == set(LAYERS) - each.claims - NOT_TRIED
        assert all(f"Not tried: {name}" in each.text for name in NOT_TRIED)


def test_it_costs_few_turns_and_holds_no_secret(rich: Drafted) -> None:
    assert rich.turns <= sum(s.turns for s in SOUNDINGS.values()) < 20
    assert kill_matrix.KEY not in rich.text
    assert rich.profile["api_key_env"] == "RWS_KEY"


def test_a_draft_is_a_profile_that_can_be_run(rich: Drafted, tmp_path: Path) -> None:
    path = tmp_path / "rws.yaml"
    path.write_text(rich.text, "utf-8")
    profile = load_profile(path, env={"RWS_KEY": kill_matrix.KEY})
    assert profile.claims == tuple(sorted({*rich.claims, "auth"}))
    assert plan(profile).turns > 100


def test_what_a_target_says_cannot_get_out_of_its_comment() -> None:
    nasty = "x\nurl: wss://elsewhere/\x1b[2J\u2028# \x85jobs: 9"
    seen = Seen(
        signs={"lanes": nasty},
        instead={"storage": nasty},
        dialects={"openai": nasty, "open-responses": None},
        model=nasty,
        slowest=30.0,
        limits={"x-limit": nasty},
    )
    text = draft(Profile("wss://here/"), seen, key_variable=None)
    assert yaml.safe_load(text) == {
        "url": "wss://here/",
        "dialect": "open-responses",
        "features": ["lanes"],
        "timing": {"first_event": 120},
    }
    assert "\x1b" not in text


@pytest.mark.parametrize("handler", [silent, overloaded])
def test_nothing_is_drafted_of_a_server_without_a_healthy_turn(
    handler: Any, tmp_path: Path
) -> None:
    timing = replace(kill_matrix.TIMING, first_event=0.3)
    with stub(handler) as url, pytest.raises(CannotStart, match="no healthy turn"):
        sound(Profile(url, timing=timing, retries=0, backoff=0.0), tmp_path)


def test_what_cannot_be_reached_is_said_in_one_line(tmp_path: Path) -> None:
    with stub(silent, gate=refuse) as url:
        for target, reason in ((dead_port(), "connection refused"), (url, "status 403")):
            done = rws(tmp_path, "init", target, "--output", "rws.yaml")
            assert done.returncode == ExitCode.INFRASTRUCTURE
            assert reason in done.stderr.splitlines()[-1]
    assert not (tmp_path / "rws.yaml").exists()


def test_what_is_known_of_a_target_is_kept(tmp_path: Path) -> None:
    known = {"model": ServerConfig().model, "headers": {"X-Tenant": "7"}, "jobs": 2}
    known |= {"timing": {"first_event": 9}, "features": ["inject"]}
    (tmp_path / "known.yaml").write_text(yaml.safe_dump(known), "utf-8")
    with running_server() as server:
        done = rws(tmp_path, "init", server.url, "--profile", "known.yaml", "--output", "rws.yaml")
    assert done.returncode == ExitCode.OK, done.stderr
    found = yaml.safe_load((tmp_path / "rws.yaml").read_text("utf-8"))
    assert {name: found[name] for name in ("model", "headers", "jobs", "timing")} == {
        name: known[name] for name in ("model", "headers", "jobs", "timing")
    }
    assert "inject" not in found["features"]
    assert load_profile(tmp_path / "rws.yaml", env={}).headers == {"X-Tenant": "7"}


def test_command_writes_a_file_once(tmp_path: Path) -> None:
    with running_server() as server:
        done = rws(tmp_path, "init", server.url, "--output", "rws.yaml")
        assert done.returncode == ExitCode.OK, done.stderr
        assert yaml.safe_load((tmp_path / "rws.yaml").read_text("utf-8"))["url"] == server.url
        again = rws(tmp_path, "init", server.url, "--output", "rws.yaml")
    assert again.returncode == ExitCode.INFRASTRUCTURE
    assert "it is there already" in again.stderr
