"""Artifacts: what runs show of their work, such as a table or a text."""

from __future__ import annotations

import re
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from prefect.schemas.base import Schema
from prefect.schemas.filters import DeploymentFilter, FlowFilter, FlowRunFilter, TaskRunFilter
from prefect.schemas.filters.artifacts import ArtifactCollectionFilter, ArtifactFilter
from prefect.schemas.pages import Page
from prefect.types import uuid7

__all__ = [
    "Artifact",
    "ArtifactCollection",
    "ArtifactCollectionQuery",
    "ArtifactCollectionSort",
    "ArtifactCreate",
    "ArtifactQuery",
    "ArtifactSort",
    "ArtifactUpdate",
    "check_artifact_key",
]

_KEY = re.compile(r"[a-z0-9-]*")


def check_artifact_key(key: str | None) -> None:
    """Check what an artifact is called.

    Raises:
        ValueError: The key holds other characters than it may.
    """
    if key is not None and not _KEY.fullmatch(key):
        raise ValueError("Artifact key must only contain lowercase letters, numbers, and dashes.")


class Artifact(Schema):
    """An artifact."""

    id: UUID = msgspec.field(default_factory=uuid7)
    created: datetime | None = None
    updated: datetime | None = None
    key: str | None = None
    """What it is called; artifacts of the same key are versions of one."""
    type: str | None = None
    """Such as `markdown`, `table`, `progress` or `image`."""
    description: str | None = None
    data: Any = None
    metadata_: dict[str, str] | None = None
    flow_run_id: UUID | None = None
    task_run_id: UUID | None = None


class ArtifactCollection(Schema):
    """A key, with the latest artifact of it."""

    id: UUID
    key: str
    latest_id: UUID
    created: datetime | None = None
    """When the first was made."""
    updated: datetime | None = None
    type: str | None = None
    description: str | None = None
    data: Any = None
    metadata_: dict[str, str] | None = None
    flow_run_id: UUID | None = None
    task_run_id: UUID | None = None


class ArtifactCreate(Schema, forbid_unknown_fields=True):
    """An artifact to be made."""

    key: str | None = None
    type: str | None = None
    description: str | None = None
    data: Any = None
    metadata_: dict[str, str] | None = None
    flow_run_id: UUID | None = None
    task_run_id: UUID | None = None

    def __post_init__(self) -> None:
        check_artifact_key(self.key)


class ArtifactUpdate(Schema, forbid_unknown_fields=True):
    """Changes of an artifact; what is left out stays."""

    data: Any = UNSET
    description: str | UnsetType | None = UNSET
    metadata_: dict[str, str] | UnsetType | None = UNSET


class ArtifactSort(StrEnum):
    """Orders of artifacts."""

    CREATED_DESC = "CREATED_DESC"
    UPDATED_DESC = "UPDATED_DESC"
    ID_DESC = "ID_DESC"
    KEY_DESC = "KEY_DESC"
    KEY_ASC = "KEY_ASC"


class ArtifactCollectionSort(StrEnum):
    """Orders of the latest artifacts."""

    CREATED_DESC = "CREATED_DESC"
    UPDATED_DESC = "UPDATED_DESC"
    ID_DESC = "ID_DESC"
    KEY_DESC = "KEY_DESC"
    KEY_ASC = "KEY_ASC"


class ArtifactQuery(Page):
    """A query of artifacts; the further filters are about the runs that made them."""

    artifacts: ArtifactFilter | None = None
    flow_runs: FlowRunFilter | None = None
    task_runs: TaskRunFilter | None = None
    flows: FlowFilter | None = None
    deployments: DeploymentFilter | None = None
    sort: ArtifactSort = ArtifactSort.ID_DESC


class ArtifactCollectionQuery(Page):
    """A query of the latest artifacts; the further filters are about the runs that made them."""

    artifacts: ArtifactCollectionFilter | None = None
    flow_runs: FlowRunFilter | None = None
    task_runs: TaskRunFilter | None = None
    flows: FlowFilter | None = None
    deployments: DeploymentFilter | None = None
    sort: ArtifactCollectionSort = ArtifactCollectionSort.ID_DESC
