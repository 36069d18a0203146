"""The client's methods for artifacts."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from prefect.client.orchestration.base import Group
from prefect.operations.artifacts import (
    create_artifact,
    delete_artifact,
    read_artifacts,
    read_latest_artifacts,
    update_artifact,
)
from prefect.schemas.artifacts import (
    Artifact,
    ArtifactCollection,
    ArtifactCollectionQuery,
    ArtifactCollectionSort,
    ArtifactCreate,
    ArtifactQuery,
    ArtifactSort,
    ArtifactUpdate,
)

__all__ = ["ArtifactMethods"]

_FILTERS = {
    "artifact_filter": "artifacts",
    "flow_filter": "flows",
    "flow_run_filter": "flow_runs",
    "task_run_filter": "task_runs",
    "deployment_filter": "deployments",
}
_WINDOW = {"sort": "sort", "limit": "limit", "offset": "offset"}


class ArtifactMethods(Group):
    """Makes, reads, changes and deletes artifacts."""

    def create_artifact(self, artifact: ArtifactCreate) -> Artifact:
        """Make an artifact."""
        return self._call(create_artifact, artifact)

    def read_artifacts(self, **kwargs: Any) -> list[Artifact]:
        """Return artifacts, the latest first.

        Args:
            kwargs: `artifact_filter`, `flow_run_filter` and `task_run_filter` say which, `sort` their order,
                `limit` and `offset` the window.
        """
        query = ArtifactQuery(**_asked(kwargs))
        query.sort = ArtifactSort(query.sort)
        return self._call(read_artifacts, query)

    def read_latest_artifacts(self, **kwargs: Any) -> list[ArtifactCollection]:
        """Return the latest artifact of each key; see `read_artifacts`."""
        query = ArtifactCollectionQuery(**_asked(kwargs))
        query.sort = ArtifactCollectionSort(query.sort)
        return self._call(read_latest_artifacts, query)

    def update_artifact(self, artifact_id: UUID, artifact: ArtifactUpdate) -> None:
        """Change an artifact.

        Raises:
            prefect.exceptions.ObjectNotFound: There is no such artifact.
        """
        self._call(update_artifact, artifact_id, artifact)

    def delete_artifact(self, artifact_id: UUID) -> None:
        """Delete an artifact.

        Raises:
            prefect.exceptions.ObjectNotFound: There is no such artifact.
        """
        self._call(delete_artifact, artifact_id)


def _asked(given: dict[str, Any]) -> dict[str, Any]:
    names = _FILTERS | _WINDOW
    unknown = given.keys() - names.keys()
    if unknown:
        raise TypeError(f"Artifacts are read by {', '.join(names)}, not by {', '.join(sorted(unknown))}.")
    return {names[name]: value for name, value in given.items() if value is not None}
