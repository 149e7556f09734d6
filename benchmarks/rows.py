"""A measurement is a row of the table: what was measured, the number, its unit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One number; ``digits`` after its decimal point are shown."""

    name: str
    value: float
    unit: str
    digits: int = 0

    def __str__(self) -> str:
        return f"{self.name:<58}{self.value:>12,.{self.digits}f} {self.unit}"

    def cells(self) -> str:
        """The row of a Markdown table."""
        return f"| {self.name} | {self.value:,.{self.digits}f} {self.unit} |"


Rows = Iterator[Row]
