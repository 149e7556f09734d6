"""Masking: no secret gets into a file or on a screen, however a target echoes it."""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

BEARER: Final = "Bearer "
SECRET_HEADERS: Final = frozenset({"authorization", "cookie", "set-cookie", "proxy-authorization"})
LEAST_SECRET: Final = 8
BROKEN: Final = "surrogateescape"


class Masker:
    """Replaces secrets, wherever they show up, by ``[secret: name]``.

    A secret is known also where it is escaped as in JSON, a URL or HTML, as a whole or in part, and
    where it stands, alone or in a longer text, in base64 or hexadecimal.

    A secret of less than 8 characters, such as the ``test`` of a server on a desk, cannot be told
    from ordinary text: it is masked as a header, and left alone in messages.
    """

    def __init__(self, secrets: Mapping[str, str]) -> None:
        self._values = {secret: name for name, secret in secrets.items()}
        long = [item for item in secrets.items() if len(item[1]) >= LEAST_SECRET]
        long.sort(key=lambda item: -len(item[1]))
        self._patterns = [(name, p) for name, secret in long for p in _patterns(secret)]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the secrets that are masked in messages."""
        return tuple(sorted({name for name, _ in self._patterns}))

    def __call__(self, value: Any) -> Any:
        """The text or bytes with every secret replaced; anything else as it is."""
        if isinstance(value, str):
            for name, pattern in self._patterns:
                value = pattern.sub(f"[secret: {name}]", value)
        elif isinstance(value, bytes):
            value = self(value.decode("utf-8", BROKEN)).encode("utf-8", BROKEN)
        return value

    def headers(self, headers: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
        """Headers without their secrets; those that hold nothing else are replaced whole.

        Which of our secrets it was is told, so that the handshake can be repeated.
        """
        return tuple((name, self._header(name, value)) for name, value in headers)

    def _header(self, name: str, value: str) -> str:
        known = self._values.get(value.removeprefix(BEARER))
        if known is not None:
            return f"[secret: {known}]"
        return "[secret]" if name.lower() in SECRET_HEADERS else str(self(value))


def _patterns(secret: str) -> Iterator[re.Pattern[str]]:
    """What a secret looks like in each spelling, and within what is encoded.

    Each alternative begins with a literal, which makes the search ten times as fast.
    """
    yield re.compile("".join(f"(?:{'|'.join(_spellings(c))})" for c in secret))
    yield re.compile("|".join(map(re.escape, _encodings(secret.encode()))))


def _spellings(character: str) -> Iterator[str]:
    """Patterns of one character: itself, and as JSON, URLs and HTML escape it."""
    code = ord(character)
    yield re.escape(character)
    yield rf"\\\\*u(?i:{code:04x})"
    yield "".join(f"%(?i:{byte:02x})" for byte in character.encode())
    yield rf"&#(?:{code}|[xX]0*(?i:{code:x}));"
    if character == " ":
        yield r"\+"
    if not character.isalnum():
        yield rf"\\\\*{re.escape(character)}"
        yield re.escape(html.escape(character))


def _encodings(secret: bytes) -> Iterator[str]:
    """The secret in hexadecimal, and what base64 makes of it wherever in a text it begins."""
    yield secret.hex()
    yield secret.hex().upper()
    for offset in range(3):
        # The characters at both ends depend on the neighbours of the secret as well.
        padded = bytes(offset) + secret
        begin, end = -(-offset * 8 // 6), len(padded) * 8 // 6
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            yield encode(padded).decode()[begin:end]
