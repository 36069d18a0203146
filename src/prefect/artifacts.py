"""Artifacts: what runs show of their work. One of the same key again is a new version of it.

Each function has an `a…` twin to be awaited. Called by asynchronous code, the plain one gives a coroutine.
"""

from __future__ import annotations

import json
import math
from typing import Any
from uuid import UUID

from prefect.client.awaiting import awaited, either_way
from prefect.client.current import get_caller
from prefect.context.runs import current_flow_run, current_task_run
from prefect.logging.loggers import get_logger
from prefect.operations.artifacts import create_artifact, read_artifacts, update_artifact
from prefect.schemas.artifacts import Artifact as ArtifactResponse
from prefect.schemas.artifacts import (
    ArtifactCreate,
    ArtifactQuery,
    ArtifactSort,
    ArtifactUpdate,
    check_artifact_key,
)
from prefect.schemas.base import Schema
from prefect.schemas.filters.artifacts import ArtifactFilter, ArtifactFilterKey

__all__ = [
    "Artifact",
    "ImageArtifact",
    "LinkArtifact",
    "MarkdownArtifact",
    "ProgressArtifact",
    "TableArtifact",
    "acreate_image_artifact",
    "acreate_link_artifact",
    "acreate_markdown_artifact",
    "acreate_progress_artifact",
    "acreate_table_artifact",
    "aupdate_progress_artifact",
    "create_image_artifact",
    "create_link_artifact",
    "create_markdown_artifact",
    "create_progress_artifact",
    "create_table_artifact",
    "update_progress_artifact",
]

logger = get_logger("artifacts")

Table = dict[str, list[Any]] | list[dict[str, Any]] | list[list[Any]]


class Artifact(Schema):
    """An artifact of any type; `create` keeps it."""

    key: str | None = None
    """Lower-case letters, digits and dashes; None: it is shown with its run only."""
    type: str | None = None
    description: str | None = None
    data: Any = None
    metadata_: dict[str, str] | None = None
    flow_run_id: UUID | None = None
    """None: that of the run which creates it."""
    task_run_id: UUID | None = None

    def __post_init__(self) -> None:
        check_artifact_key(self.key)

    def format(self) -> Any:
        """Return the data as they are kept."""
        return json.dumps(self.data)

    async def aformat(self) -> Any:
        """Return the data as they are kept."""
        return self.format()

    def create(self, client: Any = None) -> ArtifactResponse:
        """Keep the artifact, as one of the run that calls this.

        Args:
            client: Accepted, and not needed.

        Returns:
            It, with its id. In asynchronous code, a coroutine of it.
        """
        return either_way(_create)(self)

    async def acreate(self, client: Any = None) -> ArtifactResponse:
        """Keep the artifact; see `create`."""
        return await awaited(_create)(self)

    @classmethod
    def get(cls, key: str | None = None, client: Any = None) -> ArtifactResponse | None:
        """Return the artifact of a key that was changed last.

        Args:
            key: The key.
            client: Accepted, and not needed.

        Returns:
            It, or None. In asynchronous code, a coroutine of that.
        """
        return either_way(_get)(key)

    @classmethod
    async def aget(cls, key: str | None = None, client: Any = None) -> ArtifactResponse | None:
        """Return the artifact of a key that was changed last; see `get`."""
        return await awaited(_get)(key)

    @classmethod
    def get_or_create(
        cls,
        key: str | None = None,
        description: str | None = None,
        data: Any = None,
        client: Any = None,
        **kwargs: Any,
    ) -> tuple[ArtifactResponse, bool]:
        """Return the artifact of a key; where there is none, one is made.

        Args:
            key: The key.
            description: What to say of one that is made.
            data: Its data.
            client: Accepted, and not needed.
            kwargs: Its further fields.

        Returns:
            It, and whether it was made. In asynchronous code, a coroutine of both.
        """
        return either_way(_get_or_create)(cls(key=key, description=description, data=data, **kwargs))

    @classmethod
    async def aget_or_create(
        cls,
        key: str | None = None,
        description: str | None = None,
        data: Any = None,
        client: Any = None,
        **kwargs: Any,
    ) -> tuple[ArtifactResponse, bool]:
        """Return the artifact of a key; see `get_or_create`."""
        return await awaited(_get_or_create)(cls(key=key, description=description, data=data, **kwargs))


class LinkArtifact(Artifact):
    """A link."""

    type: str | None = "markdown"
    link: str = ""
    link_text: str | None = None

    def format(self) -> str:
        """Return the link as Markdown."""
        return f"[{self.link_text or self.link}]({self.link})"


class MarkdownArtifact(Artifact):
    """A text with Markdown."""

    type: str | None = "markdown"
    markdown: str = ""

    def format(self) -> str:
        """Return the text."""
        return self.markdown


class TableArtifact(Artifact):
    """A table: a list of rows, or columns by name."""

    type: str | None = "table"
    table: Any = None

    def format(self) -> str:
        """Return the table as JSON; numbers that JSON lacks become null."""
        return json.dumps(_finite(self.table))


class ProgressArtifact(Artifact):
    """How far something has come, in percent."""

    type: str | None = "progress"
    progress: float = 0.0

    def format(self) -> float:
        """Return the percentage, from 0 to 100."""
        return _percentage(self.progress)


class ImageArtifact(Artifact):
    """An image, by its address."""

    type: str | None = "image"
    image_url: str = ""

    def format(self) -> str:
        """Return the address."""
        return self.image_url


def _create(artifact: Artifact) -> ArtifactResponse:
    flow_run_id, task_run_id = _ids_of_runs()
    wanted = ArtifactCreate(
        key=artifact.key,
        type=artifact.type,
        description=artifact.description,
        data=artifact.format(),
        metadata_=artifact.metadata_,
        flow_run_id=artifact.flow_run_id or flow_run_id,
        task_run_id=artifact.task_run_id or task_run_id,
    )
    return get_caller().call(create_artifact, wanted)


def _ids_of_runs() -> tuple[UUID | None, UUID | None]:
    task_run, flow_run = current_task_run(), current_flow_run()
    flow_run_id = task_run.flow_run_id if task_run else None
    if flow_run_id is None and flow_run is not None:
        flow_run_id = flow_run.id
    return UUID(flow_run_id) if flow_run_id else None, UUID(task_run.id) if task_run else None


def _get(key: str | None) -> ArtifactResponse | None:
    named = ArtifactFilter(key=ArtifactFilterKey(any_=[key])) if key is not None else None
    query = ArtifactQuery(artifacts=named, sort=ArtifactSort.UPDATED_DESC, limit=1)
    found = get_caller().call(read_artifacts, query)
    return found[0] if found else None


def _get_or_create(wanted: Artifact) -> tuple[ArtifactResponse, bool]:
    found = _get(wanted.key)
    return (found, False) if found is not None else (_create(wanted), True)


@either_way
def create_link_artifact(
    link: str,
    link_text: str | None = None,
    key: str | None = None,
    description: str | None = None,
    client: Any = None,
) -> UUID:
    """Keep a link.

    Args:
        link: The address.
        link_text: What to show in its place.
        key: Lower-case letters, digits and dashes; what has the same key again is a new version.
        description: What to say of it.
        client: Accepted, and not needed.

    Returns:
        The artifact's id. In asynchronous code, a coroutine of it.
    """
    return _create(LinkArtifact(key=key, description=description, link=link, link_text=link_text)).id


@either_way
def create_markdown_artifact(markdown: str, key: str | None = None, description: str | None = None) -> UUID:
    """Keep a text with Markdown.

    Args:
        markdown: The text.
        key: Lower-case letters, digits and dashes; what has the same key again is a new version.
        description: What to say of it.

    Returns:
        The artifact's id. In asynchronous code, a coroutine of it.
    """
    return _create(MarkdownArtifact(key=key, description=description, markdown=markdown)).id


@either_way
def create_table_artifact(table: Table, key: str | None = None, description: str | None = None) -> UUID:
    """Keep a table.

    Args:
        table: A list of rows, or columns by name; numbers that JSON lacks become null.
        key: Lower-case letters, digits and dashes; what has the same key again is a new version.
        description: What to say of it.

    Returns:
        The artifact's id. In asynchronous code, a coroutine of it.
    """
    return _create(TableArtifact(key=key, description=description, table=table)).id


@either_way
def create_progress_artifact(progress: float, key: str | None = None, description: str | None = None) -> UUID:
    """Keep how far something has come.

    Args:
        progress: Percent, from 0 to 100.
        key: Lower-case letters, digits and dashes; what has the same key again is a new version.
        description: What to say of it.

    Returns:
        The artifact's id. In asynchronous code, a coroutine of it.
    """
    return _create(ProgressArtifact(key=key, description=description, progress=progress)).id


@either_way
def create_image_artifact(image_url: str, key: str | None = None, description: str | None = None) -> UUID:
    """Keep the address of an image.

    Args:
        image_url: The address.
        key: Lower-case letters, digits and dashes; what has the same key again is a new version.
        description: What to say of it.

    Returns:
        The artifact's id. In asynchronous code, a coroutine of it.
    """
    return _create(ImageArtifact(key=key, description=description, image_url=image_url)).id


@either_way
def update_progress_artifact(
    artifact_id: UUID, progress: float, description: str | None = None, client: Any = None
) -> UUID:
    """Say how far something has come now.

    Args:
        artifact_id: The artifact's id.
        progress: Percent, from 0 to 100.
        description: What to say of it; None: what was said stays.
        client: Accepted, and not needed.

    Returns:
        The artifact's id. In asynchronous code, a coroutine of it.

    Raises:
        prefect.exceptions.ObjectNotFound: There is no such artifact.
    """
    this = artifact_id if isinstance(artifact_id, UUID) else UUID(artifact_id)
    change = ArtifactUpdate(data=_percentage(progress))
    if description is not None:
        change.description = description
    get_caller().call(update_artifact, this, change)
    return this


def _percentage(progress: float) -> float:
    within = min(100.0, max(0.0, float(progress)))
    if within != progress:
        logger.warning("ProgressArtifact received an invalid value, Progress: %s%%", progress)
        logger.warning("Interpreting as %s%% progress", within)
    return within


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _finite(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


acreate_link_artifact = awaited(create_link_artifact)
acreate_markdown_artifact = awaited(create_markdown_artifact)
acreate_table_artifact = awaited(create_table_artifact)
acreate_progress_artifact = awaited(create_progress_artifact)
acreate_image_artifact = awaited(create_image_artifact)
aupdate_progress_artifact = awaited(update_progress_artifact)
