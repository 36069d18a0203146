"""The listings that people ask for all the time, and their conditions, as SQLAlchemy composes them.

`python -m prefect.store.compile` writes their texts to `prefect.store.statements`, so that who lists runs
does not wait for SQLAlchemy. A condition goes by the path of the filter's field that it stands for.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Integer, Select, Table, bindparam, func, literal_column, select
from sqlalchemy.sql import ClauseElement

from prefect.schemas.sorting import FlowRunSort
from prefect.store.conditions import TAG_TESTS, TESTS, Condition, Test
from prefect.store.hot import FLOW_RUN_COLUMNS, FLOW_RUN_SOURCE
from prefect.store.queries import FLOW_RUN_ORDERS
from prefect.store.statement import MARK
from prefect.store.tables import flow_runs, flows, logs, task_runs

__all__ = ["CONDITIONS", "LISTINGS"]

Texts = tuple[Condition, Condition | None]
_MARK: ColumnElement[bool] = literal_column(MARK)


def _window(query: Select[Any], *order: ColumnElement[Any]) -> Select[Any]:
    limit, offset = (bindparam(name, type_=Integer) for name in ("limit", "offset"))
    return query.order_by(*order).limit(limit).offset(offset)


def _ordered(query: Select[Any], table: Table, *order: ColumnElement[Any]) -> Select[Any]:
    """Choose ids first: what is sorted is small then, and often an index alone gives the answer."""
    ids = _window(select(table.c.id).where(_MARK), *order)
    return query.where(table.c.id.in_(ids)).order_by(*order)


_flow_runs = select(*FLOW_RUN_COLUMNS).select_from(FLOW_RUN_SOURCE)


def _count(table: Table) -> Select[Any]:
    """Count no further than to a limit, which keeps it cheap."""
    some = _window(select(table.c.id).where(_MARK))
    return select(func.count()).select_from(some.subquery())


_FLOW_RUNS = {
    "FLOW_RUNS": FLOW_RUN_ORDERS[FlowRunSort.ID_DESC],
    "FLOW_RUNS_BY_EXPECTED_START": FLOW_RUN_ORDERS[FlowRunSort.EXPECTED_START_TIME_DESC],
    "FLOW_RUNS_BY_START": FLOW_RUN_ORDERS[FlowRunSort.START_TIME_DESC],
}
LISTINGS: dict[str, ClauseElement] = {
    **{name: _ordered(_flow_runs, flow_runs, *order) for name, order in _FLOW_RUNS.items()},
    # Without a condition, the first of them come from an index one by one: there is nothing to choose.
    **{f"FIRST_{name}": _window(_flow_runs.where(_MARK), *order) for name, order in _FLOW_RUNS.items()},
    "TASK_RUNS": _ordered(select(task_runs), task_runs, task_runs.c.id.desc()),
    "LOGS": _window(select(logs).where(_MARK), logs.c.timestamp, logs.c.id),
    "LATEST_LOGS": _window(select(logs).where(_MARK), logs.c.timestamp.desc(), logs.c.id.desc()),
    "FLOW_RUN_COUNT": _count(flow_runs),
    "TASK_RUN_COUNT": _count(task_runs),
}


def _list(column: Any, test: Test) -> Texts:
    return test(column, ["one"]), test(column, ["one", "two"])


def _any(column: Any) -> Texts:
    return _list(column, TESTS["any_"])


def _all_tags(column: Any) -> Texts:
    return _list(column, TAG_TESTS["all_"])


def _value(column: Any, test: str) -> Texts:
    return TESTS[test](column, bindparam("value", type_=column.type)), None


def _range(path: str, column: Any, *tests: str) -> dict[str, Texts]:
    return {f"{path}.{test}": _value(column, test) for test in tests}


_one_flow, _some_flows = (
    flow_runs.c.flow_id.in_(select(flows.c.id).where(named))
    for named in _any(flows.c.name)
    if named is not None
)

CONDITIONS: dict[str, dict[str, Texts]] = {
    "FLOW_RUN_CONDITIONS": {
        "flows.name.any_": (_one_flow, _some_flows),
        "flow_runs.id.any_": _any(flow_runs.c.id),
        "flow_runs.name.any_": _any(flow_runs.c.name),
        "flow_runs.tags.all_": _all_tags(flow_runs.c.tags),
        "flow_runs.state.type.any_": _any(flow_runs.c.state_type),
        "flow_runs.state.name.any_": _any(flow_runs.c.state_name),
        **_range("flow_runs.expected_start_time", flow_runs.c.expected_start_time, "before_", "after_"),
    },
    "TASK_RUN_CONDITIONS": {
        "task_runs.id.any_": _any(task_runs.c.id),
        "task_runs.name.any_": _any(task_runs.c.name),
        "task_runs.tags.all_": _all_tags(task_runs.c.tags),
        "task_runs.state.type.any_": _any(task_runs.c.state_type),
        "task_runs.state.name.any_": _any(task_runs.c.state_name),
        "task_runs.flow_run_id.any_": _any(task_runs.c.flow_run_id),
    },
    "LOG_CONDITIONS": {
        "logs.flow_run_id.any_": _any(logs.c.flow_run_id),
        "logs.task_run_id.any_": _any(logs.c.task_run_id),
        **_range("logs.timestamp", logs.c.timestamp, "before_", "after_"),
        **_range("logs.level", logs.c.level, "ge_", "le_"),
    },
}
