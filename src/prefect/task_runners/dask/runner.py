"""`DaskTaskRunner`: tasks on a Dask cluster, of this machine or of many."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Self

from prefect.states import exception_to_crashed_state
from prefect.task_runners.base import TaskRunner
from prefect.task_runners.dask.cluster import Place
from prefect.task_runners.remote import RemoteFuture, RemoteRun

if TYPE_CHECKING:
    from distributed import Client

    from prefect.task_runners.dask.session import Session
    from prefect.tasks import Task

__all__ = ["DaskTaskRunner", "PrefectDaskFuture"]

PrefectDaskFuture = RemoteFuture
_starting = threading.Lock()


class DaskTaskRunner(TaskRunner):
    """Runs tasks on a Dask cluster: a temporary one of this machine, unless it is told of another.

    Tasks and arguments travel pickled; results stay on the cluster until somebody asks for them. On the
    workers a task knows its run and its flow's facts (`prefect.runtime`), while `FlowRunContext.get()` is
    None.

    Args:
        cluster: A cluster that is there: an object of `LocalCluster`, `KubeCluster` and the like.
        address: The address of a scheduler that is there.
        cluster_class: Makes a temporary cluster: a class or function, or its import path.
        cluster_kwargs: What it is called with; for `LocalCluster`, where no class is given.
        adapt_kwargs: Has the temporary cluster grow and shrink: arguments of its `adapt`.
        client_kwargs: Further arguments of `distributed.Client`.
        performance_report_path: Where Dask writes a report of what was run, as HTML.

    Raises:
        ValueError: The arguments contradict each other.
        ImportError: There is no Dask here.
    """

    def __init__(
        self,
        cluster: Any = None,
        address: str | None = None,
        cluster_class: str | Callable[..., Any] | None = None,
        cluster_kwargs: dict[str, Any] | None = None,
        adapt_kwargs: dict[str, Any] | None = None,
        client_kwargs: dict[str, Any] | None = None,
        performance_report_path: str | None = None,
    ) -> None:
        if address is not None and (cluster is not None or cluster_class or cluster_kwargs or adapt_kwargs):
            raise ValueError(
                "An address names a cluster that is there: give it without cluster, cluster_class, "
                "cluster_kwargs and adapt_kwargs."
            )
        if cluster is not None and (cluster_class or cluster_kwargs):
            raise ValueError(
                "cluster is a cluster that is there: give it without cluster_class and cluster_kwargs."
            )
        if cluster is not None and adapt_kwargs:
            raise ValueError("cluster is a cluster that is there: have it adapt by `cluster.adapt(...)`.")
        for options in (cluster_kwargs, client_kwargs):
            if options and options.get("asynchronous"):
                raise ValueError("The cluster must not be asynchronous: leave `asynchronous` away.")
        if getattr(cluster, "asynchronous", False):
            raise ValueError("The cluster must not be asynchronous.")
        self._place = Place(
            cluster=cluster,
            address=address,
            cluster_class=cluster_class,
            cluster_kwargs=dict(cluster_kwargs or {}),
            adapt_kwargs=dict(adapt_kwargs or {}),
            client_kwargs=dict(client_kwargs or {}),
            performance_report_path=performance_report_path,
        )
        self._session: Session | None = None

    @property
    def is_started(self) -> bool:
        """Whether any task was submitted, or the client was asked for."""
        return self._session is not None

    @property
    def client(self) -> Client:
        """The runner's client of the cluster; starts it, if need be."""
        return self._start().client

    @property
    def client_kwargs(self) -> dict[str, Any]:
        """The further arguments of `distributed.Client` that it was given."""
        return dict(self._place.client_kwargs)

    def duplicate(self) -> Self:
        """Return a runner of the same configuration, with no tasks and no connection."""
        place = self._place
        return type(self)(**place._asdict())

    def submit(
        self, task: Task[Any, Any], parameters: dict[str, Any], wait_for: Iterable[Any] | None = None
    ) -> PrefectDaskFuture[Any]:
        """Have a task run on the cluster; see `TaskRunner.submit`. Waits while too many are there.

        `dask.annotate` around it tells Dask of resources, priorities or workers.
        """
        import dask  # noqa: PLC0415 - an optional extra

        session = self._start()
        run = RemoteRun(task, parameters, wait_for, owner=session)
        try:
            session.submit(run, dask.get_annotations())
        except BaseException as error:
            # Ctrl-C, most likely: nobody gets the future, so nobody would hear of the run again.
            session.drop(run, exception_to_crashed_state(error))
            raise
        return run.future

    def sharing(self, values: list[Any]) -> Callable[[], None]:
        """Take large arguments of a map to the cluster once; see `TaskRunner.sharing`."""
        return self._start().sharing(values)

    def finish(self) -> None:
        """Wait until all submitted tasks have ended, and leave the cluster; a temporary one is ended."""
        session = self._session
        if session is None:
            return
        session.wait()
        self._leave(session)

    def cancel_queued(self) -> None:
        """Take back the tasks that no worker has begun; their runs end as Cancelled."""
        if self._session is not None:
            self._session.cancel_queued("The flow run ended before this task began.")

    def cancel_all(self) -> None:
        """Take back all tasks; those that have begun end as Crashed, and are not waited for."""
        session = self._session
        if session is not None:
            self.cancel_queued()
            session.give_up("The flow run ended before this task did.")
            self._leave(session)

    def _start(self) -> Session:
        with _starting:
            if self._session is None:
                from prefect.task_runners.dask.session import Session  # noqa: PLC0415 - loads Dask

                self._session = Session(self._place)
            return self._session

    def _leave(self, session: Session) -> None:
        with _starting:
            if self._session is session:
                self._session = None
        session.close()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DaskTaskRunner) and self._place == other._place

    __hash__ = TaskRunner.__hash__
