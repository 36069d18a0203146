"""Statements known ahead of time, in both databases' words; parameters are given by position."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

__all__ = ["MARK", "Condition", "Listing", "Statement"]

MARK = "_conditions_"
"""Stands in a listing where its conditions come."""
_WINDOWS = ("LIMIT ? OFFSET ?", "LIMIT %s::INTEGER OFFSET %s::INTEGER")
_USUAL = frozenset((limit, 0) for limit in (1, 5, 10, 15, 20, 25, 50, 100, 200))
"""First pages as they are asked for; each makes a text of its own, and few are prepared."""


class Statement(NamedTuple):
    """A statement, or a part of one."""

    sqlite: str
    postgresql: str


class Condition(NamedTuple):
    """A condition on the rows of a listing; it takes one parameter."""

    one: Statement
    """The parameter is a value."""
    many: Statement | None = None
    """The parameter is a JSON list of values; None where the filter asks for no list."""


class Listing(NamedTuple):
    """A statement that lists rows, to which conditions can be put."""

    sqlite: str
    postgresql: str

    def where(
        self, conditions: Sequence[Statement], params: tuple[Any, ...], window: tuple[int, int]
    ) -> tuple[Statement, tuple[Any, ...]]:
        """Return the statement for rows for which all of some conditions hold, and its parameters.

        A usual window stands in the text itself: PostgreSQL cannot plan for a limit that it does not know,
        and would plan anew each time, which takes as long as fetching the rows.

        Args:
            conditions: The conditions.
            params: Their parameters.
            window: How many rows to give at most, and how many to leave out before.
        """
        here = window in _USUAL
        texts: list[str] = []
        for dialect, text in enumerate(self):
            held = " AND ".join(condition[dialect] for condition in conditions) or "1 = 1"
            text = text.replace(MARK, held)
            if here:
                text = text.replace(_WINDOWS[dialect], f"LIMIT {window[0]} OFFSET {window[1]}")
            texts.append(text)
        return Statement(*texts), params if here else (*params, *window)
