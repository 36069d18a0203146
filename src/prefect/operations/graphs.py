"""Operations that return a flow run as a picture."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import or_, select

from prefect.exceptions import ObjectNotFound, RequestRefused
from prefect.operations.registry import operation
from prefect.rules.inputs import PARENTS
from prefect.schemas.graphs import DependencyResult, Edge, Graph, GraphArtifact, GraphState, Node
from prefect.schemas.objects import FlowRun, TaskRun, TaskRunResult
from prefect.schemas.states import StateType
from prefect.store import statements
from prefect.store.base import Connection, Store
from prefect.store.codec import flow_run_from_row, flow_run_state_from_row, task_run_from_row
from prefect.store.hot import FLOW_RUN_COLUMNS, FLOW_RUN_SOURCE
from prefect.store.tables import artifact_collections, artifacts, flow_runs, flows, task_runs
from prefect.store.values import id_or_none, read_id, read_time
from prefect.types import aware, format_utc

__all__ = ["read_flow_run_dependencies", "read_flow_run_graph"]

MOST_NODES = 10_000
"""More than this no picture shows."""
_RESULTS = "result"


@operation("GET", "/flow_runs/{flow_run_id}/graph-v2")
def read_flow_run_graph(store: Store, flow_run_id: UUID, since: datetime | None = None) -> Graph:
    """Return a flow run as a picture: its task runs and subflows, and what joins them.

    Args:
        store: The store.
        flow_run_id: The flow run.
        since: Only runs that ended then or later, or have not ended; None: all.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such run.
        prefect.exceptions.RequestRefused: It has too many runs for a picture.
    """
    with store.reading() as connection:
        rows = connection.fetch(statements.FLOW_RUN_BY_ID, (flow_run_id.hex,))
        if not rows:
            raise ObjectNotFound(help_message=f"Flow run {flow_run_id} not found")
        run = flow_run_from_row(rows[0])
        tasks = _task_runs(connection, flow_run_id, since)
        subflows = _subflows(connection, flow_run_id)
        own, of_tasks = _artifacts(connection, flow_run_id)
        states = connection.fetch(statements.FLOW_RUN_STATES, (flow_run_id.hex,))
    nodes = _nodes(tasks, subflows, of_tasks)
    return Graph(
        start_time=run.start_time or run.expected_start_time,
        end_time=run.end_time,
        root_node_ids=[node.id for node in nodes if not node.parents],
        nodes=[(node.id, node) for node in nodes],
        artifacts=own,
        states=[_graph_state(row) for row in states],
    )


@operation("GET", "/flow_runs/{flow_run_id}/graph")
def read_flow_run_dependencies(store: Store, flow_run_id: UUID) -> list[DependencyResult]:
    """Return the task runs of a flow run, each with those whose results it took.

    Args:
        store: The store.
        flow_run_id: The flow run.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such run.
        prefect.exceptions.RequestRefused: It has too many task runs for one answer.
    """
    with store.reading() as connection:
        if not connection.fetch(statements.FLOW_RUN_BY_ID, (flow_run_id.hex,)):
            raise ObjectNotFound(help_message=f"Flow run with id {flow_run_id} not found")
        return [_dependencies(run) for run in _task_runs(connection, flow_run_id, None)]


def _dependencies(run: TaskRun) -> DependencyResult:
    inputs = (each for sources in run.task_inputs.values() for each in sources)
    return DependencyResult(
        id=run.id,
        name=run.name,
        upstream_dependencies=[each for each in inputs if isinstance(each, TaskRunResult)],
        state=run.state,
        expected_start_time=run.expected_start_time,
        start_time=run.start_time,
        end_time=run.end_time,
        total_run_time=run.total_run_time,
        estimated_run_time=run.estimated_run_time,
        untrackable_result=run.state is not None and bool(run.state.state_details.untrackable_result),
    )


def _task_runs(connection: Connection, flow_run_id: UUID, since: datetime | None) -> list[TaskRun]:
    query = select(task_runs).where(
        task_runs.c.flow_run_id == flow_run_id.hex, task_runs.c.state_type.is_not(None)
    )
    if since is not None:
        query = query.where(
            or_(task_runs.c.end_time.is_(None), task_runs.c.end_time >= format_utc(aware(since)))
        )
    rows = connection.select(query.order_by(task_runs.c.id).limit(MOST_NODES + 1))
    if len(rows) > MOST_NODES:
        raise RequestRefused(f"The flow run has more than {MOST_NODES} runs, which no picture can show.")
    return [task_run_from_row(row) for row in rows]


def _subflows(connection: Connection, flow_run_id: UUID) -> dict[UUID, tuple[FlowRun, str]]:
    """Return the subflows of a flow run with the names of their flows, by who stands for them."""
    standing = select(task_runs.c.id).where(task_runs.c.flow_run_id == flow_run_id.hex)
    query = (
        select(*FLOW_RUN_COLUMNS, flows.c.name)
        .select_from(FLOW_RUN_SOURCE.join(flows, flows.c.id == flow_runs.c.flow_id))
        .where(flow_runs.c.parent_task_run_id.in_(standing))
        .order_by(flow_runs.c.id)
    )
    found = ((flow_run_from_row(row), row[-1]) for row in connection.select(query))
    return {run.parent_task_run_id: (run, flow) for run, flow in found if run.parent_task_run_id is not None}


def _artifacts(
    connection: Connection, flow_run_id: UUID
) -> tuple[list[GraphArtifact], dict[UUID, list[GraphArtifact]]]:
    """Return what a flow run left itself, and what its task runs did, by them."""
    table = artifacts.c
    query = (
        select(
            table.id,
            table.created,
            table.key,
            table.type,
            table.data,
            table.task_run_id,
            artifact_collections.c.id,
        )
        .outerjoin(artifact_collections, artifact_collections.c.latest_id == table.id)
        .where(table.flow_run_id == flow_run_id.hex, or_(table.type.is_(None), table.type != _RESULTS))
        .order_by(table.created, table.id)
    )
    own: list[GraphArtifact] = []
    of_tasks: dict[UUID, list[GraphArtifact]] = {}
    for artifact_id, created, key, kind, data, task_run, collection in connection.select(query):
        made = GraphArtifact(
            id=read_id(artifact_id),
            created=read_time(created),
            key=key,
            type=kind,
            is_latest=collection is not None,
            data=msgspec.json.decode(data) if kind == "progress" and data is not None else None,
        )
        owner = id_or_none(task_run)
        (own if owner is None else of_tasks.setdefault(owner, [])).append(made)
    return own, of_tasks


def _nodes(
    tasks: Iterable[TaskRun],
    subflows: Mapping[UUID, tuple[FlowRun, str]],
    left: Mapping[UUID, list[GraphArtifact]],
) -> list[Node]:
    nodes: dict[UUID, Node] = {}
    inputs: dict[UUID, TaskRun] = {}
    # In the picture, a subflow stands in the place of the task run that stands for it.
    shown = {task_id: run.id for task_id, (run, _) in subflows.items()}
    for task in tasks:
        run, flow = subflows.get(task.id, (None, None))
        node = (
            _node(task, task.name, "task-run")
            if run is None
            else _node(run, f"{flow} / {run.name}", "flow-run")
        )
        if node is not None:
            node.artifacts = left.get(task.id, [])
            nodes[node.id] = node
            inputs[node.id] = task
    for node_id, task in inputs.items():
        node = nodes[node_id]
        for name, sources in task.task_inputs.items():
            edges = node.encapsulating if name == PARENTS else node.parents
            for source in sources:
                other = shown.get(source.id, source.id) if isinstance(source, TaskRunResult) else None
                if other in nodes and Edge(id=other) not in edges:
                    edges.append(Edge(id=other))
        for parent in node.parents:
            nodes[parent.id].children.append(Edge(id=node_id))
    return sorted(nodes.values(), key=lambda node: (node.start_time, node.id))


def _node(run: FlowRun | TaskRun, label: str, kind: Any) -> Node | None:
    start = run.start_time or run.expected_start_time
    if start is None or run.state_type is None:
        return None
    return Node(
        kind=kind,
        id=run.id,
        label=label,
        state_type=run.state_type,
        start_time=start,
        end_time=run.end_time,
        parents=[],
        children=[],
        encapsulating=[],
        artifacts=[],
    )


def _graph_state(row: tuple[Any, ...]) -> GraphState:
    state = flow_run_state_from_row(row)
    return GraphState(
        id=state.id, timestamp=state.timestamp, type=StateType(state.type), name=str(state.name)
    )
