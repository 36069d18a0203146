"""Tasks on Ray."""

from __future__ import annotations

from prefect.task_runners.ray.options import RemoteOptionsContext, remote_options
from prefect.task_runners.ray.runner import RayTaskRunner
from prefect.task_runners.remote import RemoteFuture

__all__ = ["PrefectRayFuture", "RayTaskRunner", "RemoteOptionsContext", "remote_options"]

PrefectRayFuture = RemoteFuture
