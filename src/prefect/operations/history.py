"""Operations that tell of runs in figures."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Table

from prefect.exceptions import RequestRefused
from prefect.operations.registry import operation
from prefect.schemas.figures import HistoryResponse, HistoryResponseState
from prefect.schemas.queries import HistoryQuery, RunFilters
from prefect.store import figures
from prefect.store.base import Store
from prefect.store.tables import flow_runs, task_runs
from prefect.types import aware, now

__all__ = ["average_flow_run_lateness", "flow_run_history", "task_run_history"]

MOST_INTERVALS = 20_000


@operation("POST", "/flow_runs/history")
def flow_run_history(store: Store, query: HistoryQuery) -> list[HistoryResponse]:
    """Return how many flow runs were due in each interval of a time, by state.

    Raises:
        prefect.exceptions.RequestRefused: The intervals are shorter than a second, or too many.
    """
    return _history(store, flow_runs, query)


@operation("POST", "/task_runs/history")
def task_run_history(store: Store, query: HistoryQuery) -> list[HistoryResponse]:
    """Return how many task runs were due in each interval of a time, by state.

    Raises:
        prefect.exceptions.RequestRefused: The intervals are shorter than a second, or too many.
    """
    return _history(store, task_runs, query)


def _history(store: Store, runs: Table, query: HistoryQuery) -> list[HistoryResponse]:
    intervals = _intervals(query)
    if not intervals:
        return []
    start, end = intervals[0].interval_start, intervals[-1].interval_end
    rows = store.select(figures.history(runs, query, start, end, query.history_interval_seconds, now()))
    for bucket, kind, name, count, run_time, late in rows:
        # A time may be counted to the next interval where a fraction is rounded.
        interval = intervals[min(int(bucket), len(intervals) - 1)]
        interval.states.append(
            HistoryResponseState(
                state_type=kind,
                state_name=name,
                count_runs=int(count),
                sum_estimated_run_time=float(run_time),
                sum_estimated_lateness=float(late),
            )
        )
    return intervals


def _intervals(query: HistoryQuery) -> list[HistoryResponse]:
    if query.history_interval_seconds < 1:
        raise RequestRefused("History interval must not be less than 1 second.")
    start, end = aware(query.history_start), aware(query.history_end)
    length = timedelta(seconds=query.history_interval_seconds)
    if (end - start) / length > MOST_INTERVALS:
        raise RequestRefused(f"There are more than {MOST_INTERVALS} intervals: make them longer.")
    found: list[HistoryResponse] = []
    moment: datetime = start
    while moment < end:
        found.append(HistoryResponse(interval_start=moment, interval_end=moment + length, states=[]))
        moment += length
    return found


@operation("POST", "/flow_runs/lateness", status=200)
def average_flow_run_lateness(store: Store, query: RunFilters) -> float | None:
    """Return how late flow runs are on average, in seconds; None where there are none."""
    found = store.select(figures.average_lateness(query, now()))[0][0]
    return None if found is None else float(found)
