"""Reasoning that a client carries along, sealed: only what this server has written is taken back.

A seal is no secret. It makes a changed or foreign reasoning known, which is all that a reference
server needs to do with it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import Any, Final

from responses_ws_reference import rules
from responses_ws_reference.refusals import quoted, refuse

_KEY: Final = b"the reasoning of a reference server"


def seal(text: str) -> str:
    """The text in a form that this server recognises."""
    payload = text.encode()
    return base64.urlsafe_b64encode(_mark(payload) + payload).decode()


def sealed(value: Any, path: str) -> None:
    """A string that this server has sealed."""
    rules.text()(value, path)
    try:
        raw = base64.b64decode(value, altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        raw = b""
    mark, payload = raw[:32], raw[32:]
    if not hmac.compare_digest(mark, _mark(payload)):
        message = f"The encrypted content {quoted(value)} could not be verified."
        raise refuse("invalid_encrypted_content", message)


def _mark(payload: bytes) -> bytes:
    return hashlib.blake2b(payload, key=_KEY, digest_size=32).digest()
