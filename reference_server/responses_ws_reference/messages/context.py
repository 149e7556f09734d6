"""The context of a response: the items that its model is given, and what is known of them.

What is known is found out item by item. A context that goes on from another begins with what that
one knew, so a turn of a long conversation costs what a turn of a short one does.
"""

from __future__ import annotations

from collections.abc import Iterable

from responses_ws_reference.messages.calls import NO_CALLS, Calls
from responses_ws_reference.messages.items import Item, text_in


class Context(tuple[Item, ...]):
    """The items, how many ``words`` they hold, their ``calls``, and where the last fold stands."""

    words: int = 0
    calls: Calls = NO_CALLS
    last_fold: int | None = None

    def __new__(cls, items: Iterable[Item] = ()) -> Context:
        """Items as a context; what is one already keeps what it knows."""
        return items if isinstance(items, Context) else tuple.__new__(cls).then(tuple(items))

    def then(self, items: tuple[Item, ...]) -> Context:
        """This context, and some items behind it."""
        longer = tuple.__new__(Context, self + items)
        folds = [n for n, item in enumerate(items, len(self)) if item["type"] == "compaction"]
        longer.words = self.words + sum(len(text_in(item).split()) for item in items)
        longer.calls = self.calls.after(items)
        longer.last_fold = folds[-1] if folds else self.last_fold
        return longer
