"""Filters as SQL conditions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, false, literal, not_, or_, select

from prefect.rules.text_search import parse_text_search
from prefect.schemas.filters import Filter, LogFilterTextSearch, Operator
from prefect.store.functions import Among, Holds, HoldsAll, HoldsAny, Member
from prefect.store.tables import Json, flow_runs, flows, logs, task_runs
from prefect.store.values import json_text, plain

__all__ = [
    "Condition",
    "deployment_condition",
    "flow_condition",
    "flow_run_condition",
    "log_condition",
    "task_run_condition",
    "work_pool_condition",
    "work_queue_condition",
]

Condition = ColumnElement[bool]
Criterion = Callable[[Any], Condition | None]
Test = Callable[[Any, Any], Condition]


def _is_null(column: Any, wanted: bool) -> Condition:
    condition: Condition = column.is_(None) if wanted else column.is_not(None)
    return condition


def _has_no_tags(column: Any, wanted: bool) -> Condition:
    empty: Condition = column == literal("[]", column.type)
    return empty if wanted else not_(empty)


def _any(column: Any, wanted: Sequence[Any]) -> Condition:
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
    "any_": _any,
    "not_any_": lambda column, unwanted: not_(_any(column, unwanted)),
    "like_": lambda column, part: column.ilike(f"%{part}%"),
    "startswith_": lambda column, starts: or_(false(), *(column.ilike(f"{start}%") for start in starts)),
    "is_null_": _is_null,
    "before_": lambda column, moment: column <= moment,
    "after_": lambda column, moment: column >= moment,
    "ge_": lambda column, least: column >= least,
    "le_": lambda column, most: column <= most,
}
TAG_TESTS: dict[str, Test] = {
    "all_": _holds_all,
    "any_": _holds_any,
    "is_null_": _has_no_tags,
}


def _joined(filter_: Filter, parts: list[Condition]) -> Condition | None:
    if not parts:
        return None
    return or_(*parts) if getattr(filter_, "operator", None) is Operator.or_ else and_(*parts)


def _of(column: Any, tests: Mapping[str, Test] = TESTS) -> Criterion:
    """Return how a criterion about a column becomes a condition."""

    def criterion(filter_: Filter) -> Condition | None:
        wanted = {name: getattr(filter_, name) for name in filter_.__struct_fields__ if name in tests}
        return _joined(
            filter_, [tests[name](column, value) for name, value in wanted.items() if value is not None]
        )

    return criterion


def _all_of(criteria: Mapping[str, Criterion]) -> Criterion:
    """Return how a filter with several criteria becomes a condition."""

    def condition(filter_: Filter) -> Condition | None:
        given = {name: getattr(filter_, name) for name in filter_.__struct_fields__ if name in criteria}
        parts = [criteria[name](value) for name, value in given.items() if value is not None]
        return _joined(filter_, [part for part in parts if part is not None])

    return condition


def _nothing(_filter: Filter) -> Condition:
    return false()


def _parent_flow_run(filter_: Any) -> Condition | None:
    inside = _of(task_runs.c.flow_run_id)(filter_)
    return (
        None if inside is None else flow_runs.c.parent_task_run_id.in_(select(task_runs.c.id).where(inside))
    )


def _created_by(filter_: Any) -> Condition | None:
    column = flow_runs.c.created_by
    tests: dict[str, Test] = {
        "id_": lambda _, ids: _any(Member(column, "id"), [str(one) for one in ids]),
        "type_": lambda _, types: _any(Member(column, "type"), types),
        "is_null_": _is_null,
    }
    return _of(column, tests)(filter_)


def _in_flow_run(filter_: Any) -> Condition | None:
    # As the interface has it: either task runs without a flow run or, by default, those with one.
    if filter_.is_null_:
        return task_runs.c.flow_run_id.is_(None)
    wanted = filter_.any_
    return task_runs.c.flow_run_id.is_not(None) if wanted is None else _any(task_runs.c.flow_run_id, wanted)


def _stands_for_a_flow_run(filter_: Any) -> Condition | None:
    if filter_.exists_ is None:
        return None
    standing = task_runs.c.id.in_(
        select(flow_runs.c.parent_task_run_id).where(flow_runs.c.parent_task_run_id.is_not(None))
    )
    return standing if filter_.exists_ else not_(standing)


def _text(filter_: LogFilterTextSearch) -> Condition | None:
    search = parse_text_search(filter_.query)
    parts = [_says(term) for term in search.all_of] + [not_(_says(term)) for term in search.none_of]
    if search.some_of:
        parts.append(or_(*map(_says, search.some_of)))
    return and_(*parts) if parts else None


def _says(term: str) -> Condition:
    return or_(logs.c.message.icontains(term, autoescape=True), logs.c.name.icontains(term, autoescape=True))


flow_condition: Criterion = _all_of(
    {
        "id": _of(flows.c.id),
        "name": _of(flows.c.name),
        "tags": _of(flows.c.tags, TAG_TESTS),
        "deployment": lambda filter_: None if filter_.is_null_ in (None, True) else false(),
    }
)
flow_run_condition: Criterion = _all_of(
    {
        "id": _of(flow_runs.c.id),
        "name": _of(flow_runs.c.name),
        "tags": _of(flow_runs.c.tags, TAG_TESTS),
        "deployment_id": _of(flow_runs.c.deployment_id),
        "work_queue_name": _of(flow_runs.c.work_queue_name),
        "state": _all_of({"type": _of(flow_runs.c.state_type), "name": _of(flow_runs.c.state_name)}),
        "flow_version": _of(flow_runs.c.flow_version),
        "start_time": _of(flow_runs.c.start_time),
        "end_time": _of(flow_runs.c.end_time),
        "expected_start_time": _of(flow_runs.c.expected_start_time),
        "next_scheduled_start_time": _of(flow_runs.c.next_scheduled_start_time),
        "parent_flow_run_id": _parent_flow_run,
        "parent_task_run_id": _of(flow_runs.c.parent_task_run_id),
        "idempotency_key": _of(flow_runs.c.idempotency_key),
        "created_by": _created_by,
    }
)
task_run_condition: Criterion = _all_of(
    {
        "id": _of(task_runs.c.id),
        "name": _of(task_runs.c.name),
        "tags": _of(task_runs.c.tags, TAG_TESTS),
        "state": _all_of({"type": _of(task_runs.c.state_type), "name": _of(task_runs.c.state_name)}),
        "start_time": _of(task_runs.c.start_time),
        "end_time": _of(task_runs.c.end_time),
        "expected_start_time": _of(task_runs.c.expected_start_time),
        "subflow_runs": _stands_for_a_flow_run,
        "flow_run_id": _in_flow_run,
    }
)
log_condition: Criterion = _all_of(
    {
        "level": _of(logs.c.level),
        "timestamp": _of(logs.c.timestamp),
        "flow_run_id": _of(logs.c.flow_run_id),
        "task_run_id": _of(logs.c.task_run_id),
        "text": _text,
    }
)
# Deployments, work pools and queues have no tables yet; what a flow run says of its own can be asked for, and
# nothing else can be found.
deployment_condition: Criterion = _all_of(
    {
        "id": _of(flow_runs.c.deployment_id),
        "work_queue_name": _of(flow_runs.c.work_queue_name),
        "name": _nothing,
        "flow_or_deployment_name": _nothing,
        "paused": _nothing,
        "tags": _nothing,
        "concurrency_limit": _nothing,
    }
)
work_pool_condition: Criterion = _all_of(
    {"id": _of(flow_runs.c.work_pool_id), "name": _of(flow_runs.c.work_pool_name), "type": _nothing}
)
work_queue_condition: Criterion = _all_of(
    {"id": _of(flow_runs.c.work_queue_id), "name": _of(flow_runs.c.work_queue_name)}
)
