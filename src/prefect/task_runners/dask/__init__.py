"""Tasks on a Dask cluster."""

from __future__ import annotations

from prefect.task_runners.dask.clients import get_async_dask_client, get_dask_client
from prefect.task_runners.dask.runner import DaskTaskRunner, PrefectDaskFuture

__all__ = ["DaskTaskRunner", "PrefectDaskFuture", "get_async_dask_client", "get_dask_client"]
