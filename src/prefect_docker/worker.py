"""The worker of type `docker`, under the path that existing code imports it from."""

from __future__ import annotations

from prefect.workers.docker import DockerWorker, DockerWorkerJobConfiguration, DockerWorkerResult

__all__ = ["DockerWorker", "DockerWorkerJobConfiguration", "DockerWorkerResult"]
