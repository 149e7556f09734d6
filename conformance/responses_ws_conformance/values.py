"""Values: JSON in a sentence of a report, shortened, and written as it is sent."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import islice
from reprlib import Repr
from typing import Any, Final

DEPTH: Final = 4
MEMBERS: Final = 6
TEXT_LENGTH: Final = 80
INNER_TEXT_LENGTH: Final = 200


class Excerpts(Repr):
    """What ``Repr`` does for Python, for JSON: however deep it nests, only its top is looked at."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlevel = DEPTH
        self.maxdict = self.maxlist = MEMBERS
        self.maxstring = self.maxother = TEXT_LENGTH

    def repr_bool(self, value: bool, _level: int) -> str:
        return json.dumps(value)

    def repr_NoneType(self, _value: None, _level: int) -> str:
        return "null"

    def repr_str(self, value: str, level: int) -> str:
        if level == self.maxlevel:
            return super().repr_str(value, level)
        is_long = len(value) > INNER_TEXT_LENGTH
        text = f"{value[:INNER_TEXT_LENGTH]}…" if is_long else value
        return json.dumps(text, ensure_ascii=False)

    def repr_dict(self, value: Mapping[str, Any], level: int) -> str:
        if value and level <= 0:
            return "{...}"
        members = [
            f"{self.repr_str(name, 0)}: {self.repr1(member, level - 1)}"
            for name, member in islice(value.items(), self.maxdict)
        ]
        more = ["..."] if len(value) > self.maxdict else []
        return f"{{{', '.join([*members, *more])}}}"


EXCERPTS: Final = Excerpts()


def present(value: Any) -> str:
    """A value in a report: a text in single quotes, everything else as JSON has it."""
    return EXCERPTS.repr(value)


def excerpt(value: Any) -> str:
    """What may be there in a report: most checks do not tell null from what is not there."""
    return "none" if value is None else present(value)
