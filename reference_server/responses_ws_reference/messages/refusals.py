"""Why a client event is refused, and the ``error`` event that says so."""

from __future__ import annotations

from dataclasses import dataclass

from responses_ws_reference.messages.effects import Event

# What a client sent comes back in messages only in part, so that an answer stays small.
_QUOTED_CHARACTERS = 80


@dataclass(frozen=True, slots=True)
class Refusal:
    """A client event that is not carried out; the connection goes on."""

    code: str
    message: str
    param: str | None = None
    status: int = 400
    kind: str = "invalid_request_error"

    def event(self) -> Event:
        """The ``error`` event: an envelope with ``status`` and a nested ``error`` object."""
        return {
            "type": "error",
            "status": self.status,
            "error": {
                "type": self.kind,
                "code": self.code,
                "message": self.message,
                "param": self.param,
            },
        }


class Refused(Exception):
    """Carries a refusal out of the rules that found it."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


def refuse(code: str, message: str, param: str | None = None) -> Refused:
    """The exception for a client event that breaks a rule."""
    return Refused(Refusal(code, message, param))


def quoted(value: str) -> str:
    """A client's string, shortened for a message."""
    return repr(value if len(value) <= _QUOTED_CHARACTERS else value[:_QUOTED_CHARACTERS] + "…")
