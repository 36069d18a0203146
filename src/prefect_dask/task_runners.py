"""The task runner, and the futures that it gives."""

from __future__ import annotations

from prefect.task_runners.dask import DaskTaskRunner, PrefectDaskFuture

__all__ = ["DaskTaskRunner", "PrefectDaskFuture"]
