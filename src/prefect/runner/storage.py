"""Where the code of deployed flows comes from, under the path that existing code imports it from."""

from prefect.deployments.storage import (
    GitRepository,
    LocalStorage,
    RunnerStorage,
    create_storage_from_source,
)

__all__ = ["GitRepository", "LocalStorage", "RunnerStorage", "create_storage_from_source"]
