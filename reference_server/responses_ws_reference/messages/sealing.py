"""What a client carries along unread, sealed: only what this server has written is taken back.

A seal is no secret. It makes known what was changed, is foreign or was sealed for something else,
which is all that a reference server needs to do with it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import Any, Final

from responses_ws_reference.messages import rules
from responses_ws_reference.messages.refusals import quoted, refuse

_KEY: Final = b"the seal of a reference server"
_MARK_BYTES: Final = 32

# What seals are put on.
REASONING: Final = "reasoning"
COMPACTION: Final = "compaction"


def seal(what: str, text: str) -> str:
    """The text in a form that this server recognises."""
    payload = text.encode()
    return base64.urlsafe_b64encode(_mark(what, payload) + payload).decode()


def unseal(value: str) -> str:
    """The text under a seal that was found to be whole."""
    return base64.b64decode(value, altchars=b"-_")[_MARK_BYTES:].decode()


def sealed(what: str) -> rules.Rule:
    """A string that this server has sealed."""

    def rule(value: Any, path: str) -> None:
        rules.text()(value, path)
        try:
            raw = base64.b64decode(value, altchars=b"-_", validate=True)
        except (ValueError, binascii.Error):
            raw = b""
        mark, payload = raw[:_MARK_BYTES], raw[_MARK_BYTES:]
        if not hmac.compare_digest(mark, _mark(what, payload)):
            message = f"The encrypted content {quoted(value)} could not be verified."
            raise refuse("invalid_encrypted_content", message)

    return rule


def _mark(what: str, payload: bytes) -> bytes:
    key, person = _KEY, what.encode()
    return hashlib.blake2b(payload, key=key, person=person, digest_size=_MARK_BYTES).digest()
