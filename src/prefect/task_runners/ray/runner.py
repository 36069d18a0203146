"""`RayTaskRunner`."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Self

from prefect.settings import get_current_settings
from prefect.task_runners.base import TaskRunner
from prefect.task_runners.ray.cluster import connect
from prefect.task_runners.ray.dispatch import Dispatch
from prefect.task_runners.ray.options import current_options
from prefect.task_runners.remote import RemoteFuture, RemoteRun

if TYPE_CHECKING:
    from prefect.tasks import Task

__all__ = ["RayTaskRunner"]

_CANCEL_SECONDS = 1.0


class RayTaskRunner(TaskRunner):
    """Runs tasks on a Ray cluster.

    By default that is one of its own on this machine, which begins with the first task and ends with the
    flow run. In a process that is connected to Ray already (`ray.init`, a job of a cluster) it is that one,
    and stays.

    Args:
        address: Another cluster: `host:port`, `ray://host:port`, or `auto` for what this machine belongs to.
        init_kwargs: Further arguments of `ray.init`: `num_cpus`, `runtime_env` and so on.

    Raises:
        TypeError: `init_kwargs` is no dict.
        ValueError: The address is given twice.
    """

    def __init__(self, address: str | None = None, init_kwargs: dict[str, Any] | None = None) -> None:
        if init_kwargs is not None and not isinstance(init_kwargs, dict):
            raise TypeError(
                "init_kwargs must be a dict of arguments of ray.init, such as {'num_cpus': 4}, "
                f"not {init_kwargs!r}."
            )
        given = dict(init_kwargs or {})
        named = given.pop("address", None)
        if address is not None and named is not None:
            raise ValueError("The address of the Ray cluster is given twice: leave it out of init_kwargs.")
        self.address = address or named
        self.init_kwargs = given
        self._dispatch: Dispatch | None = None
        self._starting = threading.Lock()

    @property
    def is_started(self) -> bool:
        """Whether any task was submitted."""
        return self._dispatch is not None

    def duplicate(self) -> Self:
        """Return a runner of the same configuration, with no tasks."""
        return type(self)(address=self.address, init_kwargs=self.init_kwargs)

    def submit(
        self, task: Task[Any, Any], parameters: dict[str, Any], wait_for: Iterable[Any] | None = None
    ) -> RemoteFuture[Any]:
        """Have a task run; see `TaskRunner.submit`. Waits while 2,000 tasks and more are under way.

        Raises:
            prefect.exceptions.ConfigurationError: There is no cluster at the address, or Ray cannot start.
        """
        dispatch = self._dispatch or self._start()
        run = RemoteRun(task, parameters, wait_for, dispatch.cluster)
        dispatch.has_server = dispatch.has_server or get_current_settings().api.url is not None
        dispatch.add(run, current_options())
        return run.future

    def _start(self) -> Dispatch:
        with self._starting:
            if self._dispatch is None:
                self._dispatch = Dispatch(connect(self.address, self.init_kwargs))
            return self._dispatch

    def finish(self) -> None:
        """Wait until all submitted tasks have ended, and let the cluster go."""
        dispatch = self._dispatch
        if dispatch is not None:
            dispatch.join()
            self._dispatch = None

    def cancel_queued(self) -> None:
        """Take back the tasks that have not begun; their runs end as Cancelled."""
        if self._dispatch is not None:
            self._dispatch.cancel_queued()

    def cancel_all(self) -> None:
        """Take back what has not begun, and end the workers of the rest: its runs end as Crashed."""
        dispatch, self._dispatch = self._dispatch, None
        if dispatch is not None:
            dispatch.cancel_all(_CANCEL_SECONDS)
            dispatch.close()

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, RayTaskRunner)
            and type(self) is type(other)
            and (self.address, self.init_kwargs) == (other.address, other.init_kwargs)
        )

    __hash__ = TaskRunner.__hash__

    def __repr__(self) -> str:
        return f"{type(self).__name__}(address={self.address!r}, init_kwargs={self.init_kwargs!r})"
