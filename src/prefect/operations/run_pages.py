"""Operations that return flows and runs page by page."""

from __future__ import annotations

from prefect.operations.paging import paginated
from prefect.operations.registry import operation
from prefect.rules.bookkeeping import estimate
from prefect.schemas.objects import Flow, FlowRun, TaskRun
from prefect.schemas.queries import FlowPage, FlowRunPage, TaskRunPage
from prefect.schemas.responses import Paginated
from prefect.store import queries
from prefect.store.base import Store
from prefect.store.codec import flow_from_row, flow_run_from_row, task_run_from_row
from prefect.types import now

__all__ = ["paginate_flow_runs", "paginate_flows", "paginate_task_runs"]


@operation("POST", "/flows/paginate")
def paginate_flows(store: Store, query: FlowPage) -> Paginated[Flow]:
    """Return one page of the flows that a query is about."""
    with store.reading() as connection:
        count = int(connection.select(queries.count_flows(query))[0][0])
        flows = [flow_from_row(row) for row in connection.select(queries.select_flows(query))]
    return paginated(query, flows, count)


@operation("POST", "/flow_runs/paginate")
def paginate_flow_runs(store: Store, query: FlowRunPage) -> Paginated[FlowRun]:
    """Return one page of the flow runs that a query is about."""
    with store.reading() as connection:
        count = int(connection.select(queries.count_flow_runs(query))[0][0])
        runs = [flow_run_from_row(row) for row in connection.select(queries.select_flow_runs(query))]
    at = now()
    for run in runs:
        estimate(run, at)
    return paginated(query, runs, count)


@operation("POST", "/task_runs/paginate")
def paginate_task_runs(store: Store, query: TaskRunPage) -> Paginated[TaskRun]:
    """Return one page of the task runs that a query is about."""
    with store.reading() as connection:
        count = int(connection.select(queries.count_task_runs(query))[0][0])
        runs = [task_run_from_row(row) for row in connection.select(queries.select_task_runs(query))]
    at = now()
    for run in runs:
        estimate(run, at)
    return paginated(query, runs, count)
