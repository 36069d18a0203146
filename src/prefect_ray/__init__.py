"""The names that code written for `prefect-ray` imports; they live in `prefect.task_runners.ray`."""

from __future__ import annotations

from prefect.task_runners.ray import PrefectRayFuture, RayTaskRunner, remote_options

__all__ = ["PrefectRayFuture", "RayTaskRunner", "remote_options"]
