"""Where submitted tasks run: threads or processes of this machine."""

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


def __getattr__(name: str) -> object:
    if name == "ProcessPoolTaskRunner":
        # multiprocessing is loaded by those who use it.
        from prefect.task_runners.processes import ProcessPoolTaskRunner  # noqa: PLC0415 - import budget

        return ProcessPoolTaskRunner
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
