"""Listings that are asked for all the time, whose statements are known ahead.

Composing a query takes SQLAlchemy, and importing that takes longer than all the rest of a command that lists
runs. So the texts of listings and of conditions are compiled ahead (`prefect.store.listings`), and put
together here: any number of conditions that must all hold, newest first. Other queries are composed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from prefect.schemas.base import Schema
from prefect.schemas.filters.base import Filter, Operator
from prefect.schemas.queries import DEFAULT_LIMIT, FlowQuery, FlowRunQuery, LogQuery, TaskRunQuery
from prefect.schemas.sorting import FlowRunSort, FlowSort, LogSort, TaskRunSort
from prefect.store import statements
from prefect.store.statement import Condition, Listing, Statement
from prefect.store.values import Row, json_text, plain

__all__ = [
    "Known",
    "asked",
    "known_flow_run_count",
    "known_flow_runs",
    "known_flows",
    "known_logs",
    "known_task_run_count",
    "known_task_runs",
]

Known = tuple[Statement, Row] | None
"""A statement with its parameters, or None for a query that must be composed."""
_NO_FILTERS = frozenset({"sort", "limit", "offset"})
_ALWAYS_THERE: Mapping[type[Schema], frozenset[str]] = {
    FlowRunQuery: frozenset({"flow_runs", "flows"}),
    TaskRunQuery: frozenset({"task_runs"}),
    LogQuery: frozenset({"logs"}),
}
_MOST = 2**31 - 1
_FLOW_RUNS = {
    FlowRunSort.ID_DESC: (statements.FLOW_RUNS, statements.FIRST_FLOW_RUNS),
    FlowRunSort.EXPECTED_START_TIME_DESC: (
        statements.FLOW_RUNS_BY_EXPECTED_START,
        statements.FIRST_FLOW_RUNS_BY_EXPECTED_START,
    ),
    FlowRunSort.START_TIME_DESC: (statements.FLOW_RUNS_BY_START, statements.FIRST_FLOW_RUNS_BY_START),
}
"""For each order a listing, and the one of the first runs of all."""


def known_flows(query: FlowQuery) -> Known:
    """Find the statement of a query of the newest flows."""
    plain = FlowQuery(sort=FlowSort.CREATED_DESC, limit=query.limit, offset=query.offset)
    return (statements.RECENT_FLOWS, _window(query)) if query == plain else None


def known_flow_runs(query: FlowRunQuery) -> Known:
    """Find the statement of a query of flow runs, newest first or latest first."""
    listings = _FLOW_RUNS.get(query.sort)
    if listings is None:
        return None
    is_plain = query.offset == 0 and next(asked(query), None) is None
    return _known(listings[is_plain], statements.FLOW_RUN_CONDITIONS, query, _window(query))


def known_flow_run_count(query: FlowRunQuery, most: int = _MOST) -> Known:
    """Find the statement that counts the flow runs that a query is about, whatever its window.

    Args:
        query: The query.
        most: How far to count.
    """
    return _known(statements.FLOW_RUN_COUNT, statements.FLOW_RUN_CONDITIONS, query, (most, 0))


def known_task_runs(query: TaskRunQuery) -> Known:
    """Find the statement of a query of task runs, newest first."""
    if query.sort is not TaskRunSort.ID_DESC:
        return None
    return _known(statements.TASK_RUNS, statements.TASK_RUN_CONDITIONS, query, _window(query))


def known_task_run_count(query: TaskRunQuery, most: int = _MOST) -> Known:
    """Find the statement that counts the task runs that a query is about, whatever its window.

    Args:
        query: The query.
        most: How far to count.
    """
    return _known(statements.TASK_RUN_COUNT, statements.TASK_RUN_CONDITIONS, query, (most, 0))


def known_logs(query: LogQuery) -> Known:
    """Find the statement of a query of logs, by run, time and level."""
    listing = statements.LOGS if query.sort is LogSort.TIMESTAMP_ASC else statements.LATEST_LOGS
    return _known(listing, statements.LOG_CONDITIONS, query, _window(query))


def _known(listing: Listing, known: Mapping[str, Condition], query: Schema, window: tuple[int, int]) -> Known:
    texts: list[Statement] = []
    params: list[Any] = []
    for path, value in asked(query):
        condition = known.get(path)
        if condition is None:
            return None
        if condition.many is not None and len(value) != 1:
            texts.append(condition.many)
            params.append(json_text([plain(item) for item in value]))
        else:
            texts.append(condition.one)
            params.append(plain(value if condition.many is None else value[0]))
    return listing.where(texts, tuple(params), window)


def asked(given: Schema, path: str = "") -> Iterator[tuple[str, Any]]:
    """Give what a query's filters ask: the path of a field, such as `flow_runs.name.any_`, and its value.

    A filter of others that asks for nothing stands for itself.

    Args:
        given: The query.
        path: Where in the query it stands.
    """
    for name in given.__struct_fields__:
        value = getattr(given, name)
        if isinstance(value, Filter):
            inside = list(asked(value, f"{path}{name}."))
            if not (inside or path or name in _ALWAYS_THERE[type(given)]):
                yield name, value  # that somebody is related
            yield from inside
        elif name not in _NO_FILTERS and not _is_void(given, name, value):
            yield path + name, value


def _is_void(given: Schema, name: str, value: Any) -> bool:
    """Whether a field asks nothing; so does that there be a value where it must be one of some anyway."""
    if value is None or value is Operator.and_:
        return True
    return name == "is_null_" and value is False and getattr(given, "any_", None) is not None


def _window(query: FlowQuery | FlowRunQuery | TaskRunQuery | LogQuery) -> tuple[int, int]:
    return DEFAULT_LIMIT if query.limit is None else query.limit, query.offset
