"""The names that code written for `prefect-docker` imports; they live in `prefect.workers.docker`."""

from __future__ import annotations

from prefect.workers.docker import DockerWorker

__all__ = ["DockerWorker"]
