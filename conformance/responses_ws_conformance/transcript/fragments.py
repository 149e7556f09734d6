"""How a message is cut into WebSocket fragments: into parts of one size, and through characters."""

from __future__ import annotations


def cuts(data: bytes, fragments: int) -> list[int]:
    """Where each fragment but the first begins.

    A fragment may end within a character of several bytes (RFC 6455, section 5.6). A cut that has
    such a character before the next cut goes through it, because a server that decodes fragments
    one by one does not survive that.
    """
    size = -(-len(data) // fragments) or 1
    return [_within_a_character(data[at : at + size]) + at for at in range(size, len(data), size)]


def _within_a_character(part: bytes) -> int:
    """The place of the first byte that begins no character; 0 where there is none."""
    return next((place for place, byte in enumerate(part) if byte & 0xC0 == 0x80), 0)
