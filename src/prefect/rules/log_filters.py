"""Whether a log record is one that a filter is about. `store/conditions/logs.py` says the same in SQL."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from prefect.rules.text_search import parse_text_search
from prefect.schemas.filters import LogFilter, Operator
from prefect.schemas.objects import Log
from prefect.types import aware

__all__ = ["log_matches"]

_TESTS: Mapping[str, Callable[[Any, Any], bool]] = {
    "any_": lambda value, wanted: value in wanted,
    "ge_": lambda value, least: value >= least,
    "le_": lambda value, most: value <= most,
    "before_": lambda value, moment: aware(value) <= aware(moment),
    "after_": lambda value, moment: aware(value) >= aware(moment),
    "is_null_": lambda value, wanted: (value is None) is wanted,
}


def log_matches(filter: LogFilter, log: Log) -> bool:
    """Tell whether a filter is about a log record.

    Args:
        filter: The filter.
        log: The record.
    """
    results: list[bool] = []
    for name in ("level", "timestamp", "flow_run_id", "task_run_id"):
        criterion = getattr(filter, name)
        if criterion is not None:
            value = getattr(log, name)
            given = ((test, getattr(criterion, test, None)) for test in _TESTS)
            results += [_TESTS[test](value, wanted) for test, wanted in given if wanted is not None]
    if filter.text is not None:
        results.append(_says(filter.text.query, f"{log.message}\n{log.name}"))
    if not results:
        return True
    return any(results) if filter.operator is Operator.or_ else all(results)


def _says(query: str, text: str) -> bool:
    search = parse_text_search(query.lower())
    text = text.lower()
    return (
        (not search.some_of or any(term in text for term in search.some_of))
        and all(term in text for term in search.all_of)
        and not any(term in text for term in search.none_of)
    )
