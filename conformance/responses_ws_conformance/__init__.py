"""Conformance suite for the Responses API over WebSocket."""

from typing import Final

__version__: Final = "0.1.0"
