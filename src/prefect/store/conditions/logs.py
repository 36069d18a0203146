"""Filters of log records as conditions."""

from __future__ import annotations

from sqlalchemy import and_, not_, or_

from prefect.rules.text_search import parse_text_search
from prefect.schemas.filters import LogFilterTextSearch
from prefect.store.conditions.base import Condition, Criterion, all_of, of
from prefect.store.tables.runs import logs

__all__ = ["log_condition"]


def _text(filter_: LogFilterTextSearch) -> Condition | None:
    search = parse_text_search(filter_.query)
    parts = [_says(term) for term in search.all_of] + [not_(_says(term)) for term in search.none_of]
    if search.some_of:
        parts.append(or_(*map(_says, search.some_of)))
    return and_(*parts) if parts else None


def _says(term: str) -> Condition:
    return or_(logs.c.message.icontains(term, autoescape=True), logs.c.name.icontains(term, autoescape=True))


log_condition: Criterion = all_of(
    {
        "level": of(logs.c.level),
        "timestamp": of(logs.c.timestamp),
        "flow_run_id": of(logs.c.flow_run_id),
        "task_run_id": of(logs.c.task_run_id),
        "text": _text,
    }
)
"""Which log records a filter is about."""
