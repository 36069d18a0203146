"""Where submitted tasks run: threads or processes of this machine, or a cluster."""

from __future__ import annotations

from prefect.task_runners.base import TaskRunner
from prefect.task_runners.threads import PrefectTaskRunner, ThreadPoolTaskRunner, default_task_runner

__all__ = [
    "ConcurrentTaskRunner",
    "PrefectTaskRunner",
    "ProcessPoolTaskRunner",
    "TaskRunner",
    "ThreadPoolTaskRunner",
    "default_task_runner",
]

ConcurrentTaskRunner = ThreadPoolTaskRunner


_EXTRAS = {
    "DaskTaskRunner": ("prefect.task_runners.dask", "distributed", "dask"),
    "RayTaskRunner": ("prefect.task_runners.ray", "ray", "ray"),
}
"""Runners of clusters: where they are, what they need, and the extra that brings it."""


def __getattr__(name: str) -> object:
    if name == "ProcessPoolTaskRunner":
        # multiprocessing is loaded by those who use it.
        from prefect.task_runners.processes import ProcessPoolTaskRunner  # noqa: PLC0415 - import budget

        return ProcessPoolTaskRunner
    if name in _EXTRAS:
        import importlib.util  # noqa: PLC0415 - import budget

        module, library, extra = _EXTRAS[name]
        if importlib.util.find_spec(library) is None:
            raise ImportError(
                f'{name} needs {library!r}, which is not installed: pip install "proconsul[{extra}]"'
            )
        return getattr(importlib.import_module(module), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
