"""How criteria become SQL conditions.

A criterion about a column is made with `of`, a filter of several with `all_of`. What a test means is in
`TESTS`; what it means of a list of tags, in `TAG_TESTS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, literal, not_, or_

from prefect.schemas.filters.base import Filter, Operator
from prefect.store.functions import Among, Holds, HoldsAll, HoldsAny
from prefect.store.tables.kinds import Json
from prefect.store.values import json_text, plain

__all__ = [
    "TAG_TESTS",
    "TESTS",
    "Condition",
    "Criterion",
    "Test",
    "all_of",
    "among",
    "is_null",
    "joined",
    "of",
]

Condition = ColumnElement[bool]
Criterion = Callable[[Any], Condition | None]
Test = Callable[[Any, Any], Condition]


def is_null(column: Any, wanted: bool) -> Condition:
    """Whether a column has no value, or has one."""
    condition: Condition = column.is_(None) if wanted else column.is_not(None)
    return condition


def _has_no_tags(column: Any, wanted: bool) -> Condition:
    empty: Condition = column == literal("[]", column.type)
    return empty if wanted else not_(empty)


def among(column: Any, wanted: Sequence[Any]) -> Condition:
    """Whether a column has one of some values, of which there may be more than parameters are allowed."""
    if len(wanted) == 1:
        only: Condition = column.in_(wanted)
        return only
    return Among(column, _list(wanted))


def _list(values: Sequence[Any]) -> ColumnElement[str]:
    return literal(json_text([plain(value) for value in values]), Json())


def _holds_all(column: Any, wanted: Sequence[str]) -> Condition:
    return Holds(column, wanted[0]) if len(wanted) == 1 else HoldsAll(column, _list(wanted))


def _holds_any(column: Any, wanted: Sequence[str]) -> Condition:
    return Holds(column, wanted[0]) if len(wanted) == 1 else HoldsAny(column, _list(wanted))


TESTS: dict[str, Test] = {
    "any_": among,
    "not_any_": lambda column, unwanted: not_(among(column, unwanted)),
    "like_": lambda column, part: column.ilike(f"%{part}%"),
    "startswith_": lambda column, starts: or_(*(column.ilike(f"{start}%") for start in starts)),
    "is_null_": is_null,
    "before_": lambda column, moment: column <= moment,
    "after_": lambda column, moment: column >= moment,
    "eq_": lambda column, wanted: column == wanted,
    "ge_": lambda column, least: column >= least,
    "le_": lambda column, most: column <= most,
}
TAG_TESTS: dict[str, Test] = {
    "all_": _holds_all,
    "any_": _holds_any,
    "is_null_": _has_no_tags,
}


def joined(filter_: Filter, parts: list[Condition]) -> Condition | None:
    """Return the conditions of a filter put together as its operator says; None where there are none."""
    if not parts:
        return None
    return or_(*parts) if getattr(filter_, "operator", None) is Operator.or_ else and_(*parts)


def _asks(name: str, value: Any) -> bool:
    # Of no beginnings any will do; of no values none does.
    return value is not None and (name != "startswith_" or bool(value))


def of(column: Any, tests: Mapping[str, Test] = TESTS) -> Criterion:
    """Return how a criterion about a column becomes a condition."""

    def criterion(filter_: Filter) -> Condition | None:
        wanted = {name: getattr(filter_, name) for name in filter_.__struct_fields__ if name in tests}
        return joined(
            filter_, [tests[name](column, value) for name, value in wanted.items() if _asks(name, value)]
        )

    return criterion


def all_of(criteria: Mapping[str, Criterion]) -> Criterion:
    """Return how a filter with several criteria becomes a condition."""

    def condition(filter_: Filter) -> Condition | None:
        given = {name: getattr(filter_, name) for name in filter_.__struct_fields__ if name in criteria}
        parts = [criteria[name](value) for name, value in given.items() if value is not None]
        return joined(filter_, [part for part in parts if part is not None])

    return condition
