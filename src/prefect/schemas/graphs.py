"""What a picture of a flow run shows: its runs, what they wait for, and what they left."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from prefect.schemas.base import Schema
from prefect.schemas.objects import TaskRunResult
from prefect.schemas.states import State, StateType

__all__ = ["DependencyResult", "Edge", "Graph", "GraphArtifact", "GraphState", "Node"]


class GraphState(Schema):
    """A state that the flow run was in."""

    id: UUID
    timestamp: datetime
    type: StateType
    name: str


class GraphArtifact(Schema):
    """Something that a run left."""

    id: UUID
    created: datetime
    key: str | None
    type: str | None
    is_latest: bool
    """Whether nothing newer has its key."""
    data: Any = None
    """How far it is, for a progress; None for all others, which may be large."""


class Edge(Schema):
    """The other end of what joins two runs."""

    id: UUID


class Node(Schema):
    """A run within the flow run."""

    kind: Literal["flow-run", "task-run"]
    id: UUID
    label: str
    state_type: StateType
    start_time: datetime
    """When it is due, where it has not started."""
    end_time: datetime | None
    parents: list[Edge]
    """Those whose results it took."""
    children: list[Edge]
    """Those that took its result."""
    encapsulating: list[Edge]
    """Those that it was called in."""
    artifacts: list[GraphArtifact]


class Graph(Schema):
    """A flow run as a picture."""

    start_time: datetime | None
    end_time: datetime | None
    root_node_ids: list[UUID]
    """The runs that wait for no other."""
    nodes: list[tuple[UUID, Node]]
    artifacts: list[GraphArtifact]
    """What the flow run itself left."""
    states: list[GraphState]


class DependencyResult(Schema):
    """A task run, and the task runs whose results it took."""

    id: UUID
    name: str
    upstream_dependencies: list[TaskRunResult]
    state: State[Any] | None
    expected_start_time: datetime | None
    start_time: datetime | None
    end_time: datetime | None
    total_run_time: float | None
    estimated_run_time: float | None
    untrackable_result: bool
    """Whether it returned something that cannot be recognised where it is used."""
