"""What is said of a row that cannot be read."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TypeVar
from uuid import UUID

import msgspec

from prefect.exceptions import UnreadableRow
from prefect.store.values import Row

__all__ = ["reads"]

T = TypeVar("T")


def reads(table: str) -> Callable[[Callable[[Row], T]], Callable[[Row], T]]:
    """Let a function that reads a row raise `UnreadableRow` where it cannot.

    Args:
        table: Where such rows come from. A row's id is its first value.
    """

    def decorate(read: Callable[[Row], T]) -> Callable[[Row], T]:
        @wraps(read)
        def reading(row: Row) -> T:
            try:
                return read(row)
            except KeyError as error:
                raise UnreadableRow(table, _id(row[0]), f"there is no {error}") from error
            except (msgspec.MsgspecError, TypeError, ValueError) as error:
                raise UnreadableRow(table, _id(row[0]), str(error).rstrip(".")) from error

        return reading

    return decorate


def _id(value: object) -> str:
    try:
        return str(UUID(str(value)))
    except ValueError:
        return repr(value)
