"""A run that is on a Dask cluster."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import TYPE_CHECKING, Any, ClassVar

from prefect.exceptions import MissingResult
from prefect.task_runners.remote import RemoteRun
from prefect.task_runners.remote.packing import NotTaken

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["LOST", "MARK", "SHARED", "Over", "Scattered", "Sent", "fetching", "forget_names", "id_of"]

MARK = "-prefect-"
"""In the key of each of our tasks."""
SHARED = "prefect-shared"
"""Where the scheduler keeps shared parts."""
LOST = "prefect-lost"
"""The topic of the workers that have left the scheduler."""


class Sent:
    """A run that is on the cluster."""

    __slots__ = ("annotations", "is_overdue", "key", "number", "place", "run", "runs_before", "times")

    def __init__(self, run: RemoteRun, annotations: dict[str, Any]) -> None:
        self.run = run
        self.annotations = annotations
        self.key = ""
        """Dask's; another one each time that the run is sent."""
        self.number = 0
        """Of all sendings; a worker takes those first that were sent first."""
        self.runs_before = 0
        """How often the task had been run when it was sent."""
        self.times = 0
        """How often it was sent."""
        self.is_overdue = False
        """Whether Dask says that it has finished, and no answer had come."""
        self.place = ""
        """The address of the worker that has told of it last."""

    @property
    def has_begun(self) -> bool:
        """Whether it has begun since it was sent last."""
        return bool(self.run.record.run.run_count > self.runs_before)

    def next_key(self) -> str:
        """Return the key to send the run by: under one of before, Dask would give the answer of before."""
        self.times += 1
        self.is_overdue = False
        return f"{self.run.task.name}-{self.run.record.run.id.hex}{MARK}{self.times}"


def id_of(run: RemoteRun) -> bytes:
    """Return what messages name a run by."""
    return run.record.run.id.bytes


def fetching(run: RemoteRun) -> Callable[[], Any]:
    """Return a function that brings the result of a run from the cluster.

    Args:
        run: The run, whose future has a handle.
    """
    handle, run_id, name = run.future.handle, run.record.run.id, run.task.name

    def fetch() -> Any:
        try:
            outcome = handle.result()
        except Exception as error:
            raise MissingResult(
                f"The result of task run {run_id} of task {name!r} stayed on the Dask cluster, and cannot be "
                f"fetched from there: {error}"
            ) from error
        return outcome.value

    return fetch


def forget_names() -> None:
    """Have Dask forget how it has shortened the names of tasks.

    It would remember 100,000 of them, which takes 30 MB: here, where its scheduler may be as well.
    """
    from dask.utils import key_split  # noqa: PLC0415 - an optional extra

    key_split.cache_clear()


class Over:
    """What Dask is to forget; its methods are called under the lock of the session.

    Of each task alone, that takes Dask half as long as to run a small one. So of those that come quickly one
    after the other, it is told together. Soon: a result that is lost before, Dask makes again.
    """

    SECONDS: ClassVar = 0.02
    """In which Dask is told once."""

    def __init__(self) -> None:
        self._handles: list[Any] = []
        self._told_at = 0.0

    def __bool__(self) -> bool:
        return bool(self._handles)

    def add(self, handle: Any) -> None:
        """Have something forgotten."""
        self._handles.append(handle)
        if monotonic() - self._told_at >= self.SECONDS:
            self.let_go()

    def let_go(self) -> None:
        """Tell Dask."""
        self._told_at = monotonic()
        self._handles.clear()


class Scattered:
    """Takes large values to the cluster; its methods are called under the lock of the session.

    Args:
        client: Of the cluster.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._shared: dict[int, Any] = {}
        """Arguments of many runs, by identity; with each what it is known by there, once it is."""

    def share(self, values: list[Any]) -> None:
        """Take it that these values are arguments of many runs, which go to the cluster once."""
        for value in values:
            self._shared.setdefault(id(value), (value, None))

    def forget(self, values: list[Any]) -> None:
        """End what `share` has begun."""
        for value in values:
            self._shared.pop(id(value), None)

    def take(self, value: Any) -> Any:
        """Take a value there, and return what it is known by.

        Args:
            value: The value.

        Raises:
            NotTaken: The cluster is gone, or has had no worker for too long.
            Exception: The value cannot be sent.
        """
        known = self._shared.get(id(value))
        if known is not None and known[1] is not None:
            return known[1]
        try:
            handle = self._client.scatter(value, hash=False)
        except Exception as error:
            # What a client without a scheduler raises is its own affair.
            if isinstance(error, OSError) or self._client.status != "running":
                raise NotTaken(f"a large argument was not taken: {error!r}") from error
            raise
        if known is not None:
            self._shared[id(value)] = (value, handle)
        return handle
