"""The names that code written for `prefect-dask` imports; they live in `prefect.task_runners.dask`."""

from __future__ import annotations

from prefect.task_runners.dask import (
    DaskTaskRunner,
    PrefectDaskFuture,
    get_async_dask_client,
    get_dask_client,
)

__all__ = ["DaskTaskRunner", "PrefectDaskFuture", "get_async_dask_client", "get_dask_client"]
