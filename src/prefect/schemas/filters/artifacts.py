"""Filters of artifacts."""

from __future__ import annotations

from uuid import UUID

from prefect.schemas.filters.base import Filter, Operator

__all__ = [
    "ArtifactCollectionFilter",
    "ArtifactCollectionFilterFlowRunId",
    "ArtifactCollectionFilterKey",
    "ArtifactCollectionFilterLatestId",
    "ArtifactCollectionFilterTaskRunId",
    "ArtifactCollectionFilterType",
    "ArtifactFilter",
    "ArtifactFilterFlowRunId",
    "ArtifactFilterId",
    "ArtifactFilterKey",
    "ArtifactFilterTaskRunId",
    "ArtifactFilterType",
]


class ArtifactFilterId(Filter):
    """By id."""

    any_: list[UUID] | None = None


class ArtifactFilterKey(Filter):
    """By key, or by whether there is one."""

    any_: list[str] | None = None
    like_: str | None = None
    exists_: bool | None = None


class ArtifactFilterFlowRunId(Filter):
    """By the flow run that made it."""

    any_: list[UUID] | None = None


class ArtifactFilterTaskRunId(Filter):
    """By the task run that made it."""

    any_: list[UUID] | None = None


class ArtifactFilterType(Filter):
    """By type, such as `markdown`."""

    any_: list[str] | None = None
    not_any_: list[str] | None = None


class ArtifactFilter(Filter):
    """Which artifacts."""

    operator: Operator = Operator.and_
    id: ArtifactFilterId | None = None
    key: ArtifactFilterKey | None = None
    flow_run_id: ArtifactFilterFlowRunId | None = None
    task_run_id: ArtifactFilterTaskRunId | None = None
    type: ArtifactFilterType | None = None


class ArtifactCollectionFilterLatestId(Filter):
    """By the id of the latest artifact."""

    any_: list[UUID] | None = None


class ArtifactCollectionFilterKey(ArtifactFilterKey):
    """By key."""


class ArtifactCollectionFilterFlowRunId(ArtifactFilterFlowRunId):
    """By the flow run that made the latest artifact."""


class ArtifactCollectionFilterTaskRunId(ArtifactFilterTaskRunId):
    """By the task run that made the latest artifact."""


class ArtifactCollectionFilterType(ArtifactFilterType):
    """By the latest artifact's type."""


class ArtifactCollectionFilter(Filter):
    """Which keys, judged by the latest artifact of each."""

    operator: Operator = Operator.and_
    latest_id: ArtifactCollectionFilterLatestId | None = None
    key: ArtifactCollectionFilterKey | None = None
    flow_run_id: ArtifactCollectionFilterFlowRunId | None = None
    task_run_id: ArtifactCollectionFilterTaskRunId | None = None
    type: ArtifactCollectionFilterType | None = None
