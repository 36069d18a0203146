"""Filters of deployments."""

from __future__ import annotations

from uuid import UUID

from prefect.schemas.filters.base import Filter, Operator

__all__ = [
    "DeploymentFilter",
    "DeploymentFilterConcurrencyLimit",
    "DeploymentFilterId",
    "DeploymentFilterName",
    "DeploymentFilterPaused",
    "DeploymentFilterTags",
    "DeploymentFilterWorkQueueName",
    "DeploymentOrFlowNameFilter",
]


class DeploymentFilterId(Filter):
    """By id."""

    any_: list[UUID] | None = None
    not_any_: list[UUID] | None = None


class DeploymentFilterName(Filter):
    """By name."""

    any_: list[str] | None = None
    like_: str | None = None


class DeploymentOrFlowNameFilter(Filter):
    """By the deployment's name or its flow's."""

    like_: str | None = None


class DeploymentFilterPaused(Filter):
    """By whether it is paused."""

    eq_: bool | None = None


class DeploymentFilterTags(Filter):
    """By tags."""

    operator: Operator = Operator.and_
    all_: list[str] | None = None
    any_: list[str] | None = None
    is_null_: bool | None = None


class DeploymentFilterWorkQueueName(Filter):
    """By the name of the work queue."""

    any_: list[str] | None = None


class DeploymentFilterConcurrencyLimit(Filter):
    """By the limit of runs at a time."""

    ge_: int | None = None
    le_: int | None = None
    is_null_: bool | None = None


class DeploymentFilter(Filter):
    """Which deployments."""

    operator: Operator = Operator.and_
    id: DeploymentFilterId | None = None
    name: DeploymentFilterName | None = None
    flow_or_deployment_name: DeploymentOrFlowNameFilter | None = None
    paused: DeploymentFilterPaused | None = None
    tags: DeploymentFilterTags | None = None
    work_queue_name: DeploymentFilterWorkQueueName | None = None
    concurrency_limit: DeploymentFilterConcurrencyLimit | None = None
