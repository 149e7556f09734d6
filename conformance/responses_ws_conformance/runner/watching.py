"""Watching a target: when it is busy for good, when it has gone silent, when it never closes.

A run shows each scenario to its watch when it has been recorded.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from responses_ws_conformance.checks import Cause, Evidence
from responses_ws_conformance.profile import Profile
from responses_ws_conformance.transcript import Expired

EXPIRIES_BEFORE_PROBE: Final = 2
UNCLOSED_THAT_TELL: Final = 2


class Watch:
    """Counts the waits that ran out, and says when to go on no longer."""

    def __init__(self, profile: Profile) -> None:
        self._target = profile.target
        self._timing = profile.timing
        self._expiries = 0
        self._silence = 0.0
        self._unclosed = 0

    def why_gone(
        self,
        evidence: Evidence,
        *,
        is_probe: bool,
        has_answered: bool,
        ask: Callable[[], Evidence | None],
    ) -> str | None:
        """Why a run has to stop after a scenario, None where it goes on.

        ``has_answered`` is true where a healthy turn was had of the target at its best; ``ask``
        asks for another one, and gives None where nobody may ask.
        """
        if is_probe and was(evidence, Cause.TRANSIENT):
            return f"no healthy turn: {_why(evidence)}"
        if not was(evidence, Cause.TIME):
            self._expiries, self._silence = 0, 0.0
            return None
        self._expiries += 1
        if any(x.events or x.error is not None for x in evidence.exchanges):
            self._silence = 0.0
            must_ask = is_gone = self._expiries >= EXPIRIES_BEFORE_PROBE
        else:
            self._silence += evidence.transcript.entries[-1].t
            is_gone = self._silence >= 2 * self._timing.first_event
            # One that has answered is asked again; one that never did is given a second time only.
            must_ask = is_gone if has_answered else is_probe and not is_gone
        if must_ask:
            answer = ask()
            is_gone = answer is not None and not is_healthy(answer)
            if answer is not None and not is_gone:
                self._expiries, self._silence = 0, 0.0
        if not is_gone:
            return None
        return (
            f"{self._target}: no answer in {self._expiries} scenarios in a row "
            f"({_why(evidence)}); the limits are {self._timing.first_event:g} s to the "
            f"first event and {self._timing.idle:g} s of silence after it "
            "(timing in the profile raises them)"
        )

    def never_closes(self, evidence: Evidence) -> bool:
        """True where the target has been seen to send no close frames."""
        self._unclosed += any(
            isinstance(e, Expired) and e.clock == "close" and e.limit == self._timing.close
            for e in evidence.transcript.entries
        )
        return self._unclosed >= UNCLOSED_THAT_TELL


def is_healthy(evidence: Evidence) -> bool:
    """True where nothing kept a scenario from going on."""
    return not any(True for _ in evidence.transcript.notes("blocked"))


def was(evidence: Evidence, cause: Cause) -> bool:
    """True where this kept a scenario from going on."""
    return any(n.facts.get("cause") == cause.value for n in evidence.transcript.notes("blocked"))


def _why(evidence: Evidence) -> str:
    return next((str(n.facts["why"]) for n in evidence.transcript.notes("blocked")), "")
