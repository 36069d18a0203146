"""Statements known ahead of time, in both databases' words; parameters are given by position."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

__all__ = ["MARK", "Condition", "Listing", "Statement"]

MARK = "_conditions_"
"""Stands in a listing where its conditions come."""


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

    def where(self, conditions: Sequence[Statement]) -> Statement:
        """Return the statement for rows for which all of some conditions hold.

        Args:
            conditions: The conditions; their parameters come before the statement's own, in this order.
        """
        texts = [
            " AND ".join(condition[dialect] for condition in conditions) or "1 = 1" for dialect in range(2)
        ]
        return Statement(self.sqlite.replace(MARK, texts[0]), self.postgresql.replace(MARK, texts[1]))
