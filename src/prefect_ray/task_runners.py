"""The task runner, and the futures that it gives."""

from __future__ import annotations

from prefect.task_runners.ray import PrefectRayFuture, RayTaskRunner

__all__ = ["PrefectRayFuture", "RayTaskRunner"]
