"""Clients of the cluster that a flow or task runs on."""

from __future__ import annotations

from prefect.task_runners.dask import get_async_dask_client, get_dask_client

__all__ = ["get_async_dask_client", "get_dask_client"]
