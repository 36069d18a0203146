"""What every task runner is."""

from __future__ import annotations

import abc
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from prefect.engine.future import PrefectFuture

if TYPE_CHECKING:
    from prefect.tasks import Task

__all__ = ["TaskRunner", "runner_here"]

runner_here: ContextVar[TaskRunner | None] = ContextVar("runner_here", default=None)
"""Has tasks run that are submitted outside of a flow: in a task on a worker, threads of that worker."""


class TaskRunner(abc.ABC):
    """Runs submitted tasks side by side.

    A flow holds a runner as its configuration; each of its runs works with a `duplicate`, which costs nothing
    until the first task is submitted.
    """

    @property
    def name(self) -> str:
        """The runner's name, as people know it."""
        return type(self).__name__.lower().replace("taskrunner", "")

    @property
    def is_started(self) -> bool:
        """Whether any task was submitted."""
        return False

    @abc.abstractmethod
    def duplicate(self) -> Self:
        """Return a runner of the same configuration, with no tasks."""

    @abc.abstractmethod
    def submit(
        self, task: Task[Any, Any], parameters: dict[str, Any], wait_for: Iterable[Any] | None = None
    ) -> PrefectFuture[Any]:
        """Have a task run.

        Args:
            task: The task.
            parameters: Its arguments by name; futures among them are waited for where the task runs.
            wait_for: Runs that must have completed before.

        Returns:
            A future of the run.
        """

    def sharing(self, values: list[Any]) -> Callable[[], None]:
        """Take it that values are arguments of many tasks that are submitted next.

        Args:
            values: The values.

        Returns:
            A function to call once the tasks have been submitted.
        """
        return _nothing

    @abc.abstractmethod
    def finish(self) -> None:
        """Wait until all submitted tasks have ended, and free what the runner holds."""

    @abc.abstractmethod
    def cancel_queued(self) -> None:
        """Take back the tasks that have not begun; their runs end as Cancelled."""

    @abc.abstractmethod
    def cancel_all(self) -> None:
        """Give up on all tasks at once: those not begun are taken back, the others are not waited for."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self.cancel_queued()
        self.finish()


def _nothing() -> None:
    """There is nothing to end: within a process values are shared as they are."""
