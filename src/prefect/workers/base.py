"""`BaseWorker`: fetches the runs of a work pool, and has each carried out as its subclass does it.

A worker looks for runs again and again, takes those that nobody else has taken, and lets each be carried out
beside the others. Where it looks is a server, or the store on this machine: there it also does what a server
does unasked, so that nothing else has to be up.

What goes wrong with one run is that run's affair. What goes wrong with the server is waited out: the next
look tries again.
"""

from __future__ import annotations

import abc
import asyncio
import time
from collections.abc import Callable
from contextlib import nullcontext, suppress
from datetime import timedelta
from functools import partial
from types import TracebackType
from typing import Any, Generic, Self, TypeVar
from uuid import UUID, uuid4

from prefect.client.local import LocalClient
from prefect.logging.loggers import flow_run_logger, get_logger
from prefect.operations.flow_runs import read_flow_runs
from prefect.operations.work_pools import get_scheduled_flow_runs
from prefect.operations.workers import send_worker_heartbeat
from prefect.rules.beginning import WORKER
from prefect.runner.bell import Bell
from prefect.runner.claims import KEEP_SECONDS, caller_of_runners
from prefect.runner.health import HealthServer
from prefect.runner.outage import Outage
from prefect.schemas.filters import FlowRunFilter, FlowRunFilterId
from prefect.schemas.objects import FlowRun
from prefect.schemas.queries import FlowRunQuery
from prefect.schemas.states import StateType
from prefect.schemas.work_pools import WorkPool
from prefect.services.loop import ServiceThread
from prefect.services.table import services_of
from prefect.settings import get_current_settings
from prefect.types import now
from prefect.workers.configuration import (
    BaseJobConfiguration,
    BaseVariables,
    BaseWorkerResult,
)
from prefect.workers.jobs import JobKeeper
from prefect.workers.kinds import find_or_make_pool
from prefect.workers.stranded import stranded_runs

__all__ = ["BaseJobConfiguration", "BaseVariables", "BaseWorker", "BaseWorkerResult"]

C = TypeVar("C", bound=BaseJobConfiguration)
V = TypeVar("V", bound=BaseVariables)
R = TypeVar("R", bound=BaseWorkerResult)

_HERE_SECONDS = 1.0
"""How often the store on this machine is looked at: that is no request to anybody."""
_CANCELLING_SECONDS = 2.0
"""How often it is looked whether a run is to be cancelled."""
_TERMINATED = -15  # the exit code of a job that was asked to end
_LAST_SECONDS = 60.0
"""How long a worker that ends waits for a server that is away."""
_SILENT_LOOKS = 10


class BaseWorker(JobKeeper, abc.ABC, Generic[C, V, R]):
    """Fetches the runs of a work pool and has them carried out.

    Subclasses say of which `type` the pools are that they serve, what a job is made of (`job_configuration`),
    and how one is carried out (`run`).

    Args:
        work_pool_name: The pool.
        work_queues: Only runs of these of its queues; None or none: of all.
        name: The worker's name, by which it is known in the pool; None: a generated one.
        prefetch_seconds: How long before its time a run is started; None: as the settings say.
        create_pool_if_not_found: Whether a pool that is not there is made.
        limit: How many runs are carried out at a time; None: any number.
        heartbeat_interval_seconds: How often the worker says that it is there; None: as the settings say.
        base_job_template: What a pool that is made has its jobs made from; None: as of this type.
    """

    def __init__(
        self,
        work_pool_name: str,
        work_queues: list[str] | None = None,
        name: str | None = None,
        prefetch_seconds: float | None = None,
        create_pool_if_not_found: bool = True,
        limit: int | None = None,
        heartbeat_interval_seconds: float | None = None,
        *,
        base_job_template: dict[str, Any] | None = None,
    ) -> None:
        if name is not None and ("/" in name or "%" in name or not name):
            raise ValueError("A worker's name cannot be empty, nor contain '/' or '%'.")
        if limit is not None and limit < 1:
            raise ValueError(
                "A worker that carries out no run at a time does nothing: give a limit from 1 on."
            )
        settings = get_current_settings().worker
        self.name = name or f"{type(self).__name__} {uuid4()}"
        self.limit = limit
        self._pool_name = work_pool_name
        self._queues = list(work_queues or [])
        self._prefetch = settings.prefetch_seconds if prefetch_seconds is None else prefetch_seconds
        self._creates_pool = create_pool_if_not_found
        self._template = base_job_template
        self._heartbeat = heartbeat_interval_seconds or settings.heartbeat_seconds
        self._caller = caller_of_runners()
        here = isinstance(self._caller, LocalClient)
        # A pool on this machine is looked at as often as that costs nothing.
        self._query = min(settings.query_seconds, _HERE_SECONDS) if here else settings.query_seconds
        self._pool: WorkPool | None = None
        self._running: dict[UUID, asyncio.Task[None]] = {}
        self._stopping: set[UUID] = set()
        self._begun: set[UUID] = set()
        self._looked = time.monotonic()
        self._logger = get_logger(f"worker.{self.type}")
        self._outage = Outage(self._logger)
        self._rung = asyncio.Event()

    @property
    def work_pool(self) -> WorkPool:
        """The pool, as it was when it was last looked at.

        Raises:
            RuntimeError: It was not looked at yet.
        """
        if self._pool is None:
            raise RuntimeError("The worker has not looked at its work pool yet: start it first.")
        return self._pool

    def get_name_slug(self) -> str:
        """Return the worker's name as a word for addresses."""
        return "-".join("".join(c if c.isalnum() else " " for c in self.name.lower()).split())

    def is_worker_still_polling(self, query_interval_seconds: float) -> bool:
        """Return whether the worker has looked for runs lately.

        Args:
            query_interval_seconds: How often it is to look.
        """
        # One that has missed so many looks does not count as looking any more.
        return time.monotonic() - self._looked <= query_interval_seconds * _SILENT_LOOKS

    def get_flow_run_logger(self, flow_run: FlowRun) -> Any:
        """Return a logger whose lines are among the logs of a flow run.

        Args:
            flow_run: The run.
        """
        return flow_run_logger(flow_run).getChild("worker", extra={"worker_name": self.name})

    # --- what subclasses do ---------------------------------------------------------------------------------

    @abc.abstractmethod
    async def run(self, flow_run: FlowRun, configuration: C, task_status: Any = None) -> R:
        """Carry out a job, and return how it ended.

        Args:
            flow_run: The run.
            configuration: The job.
            task_status: Is told, by `started`, what names the job where it runs.
        """

    # --- the worker at work ---------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        await self.setup()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.teardown(kind, error, traceback)

    async def setup(self) -> None:
        """Prepare to work: look at the pool, if it can be reached."""
        await self._surviving(self.sync_with_backend)

    async def teardown(self, *exc_info: Any) -> None:
        """End what is being carried out."""
        self._patience_ends = time.monotonic() + _LAST_SECONDS
        for run_id, task in self._running.items():
            # What is being ended already has its time for that.
            if run_id not in self._stopping:
                task.cancel()
        await asyncio.gather(*self._running.values(), return_exceptions=True)

    async def start(
        self,
        run_once: bool = False,
        with_healthcheck: bool = False,
        printer: Callable[[str], None] | None = None,
    ) -> None:
        """Look for runs and have them carried out, until cancelled.

        Args:
            run_once: Look once, wait for what is carried out then, and return.
            with_healthcheck: Whether to answer `GET /health`, where PREFECT_WORKER_WEBSERVER_HOST and
                PREFECT_WORKER_WEBSERVER_PORT say.
            printer: Is told that the worker has started.

        Raises:
            prefect.exceptions.ConfigurationError: The pool is not for workers of this type, or not there;
                or health is to be served where nobody can listen.
        """
        caller = self._caller
        # Without a server nobody else plans runs and ends what is overdue.
        services = (
            ServiceThread(caller.store, services_of(get_current_settings()))
            if isinstance(caller, LocalClient)
            else nullcontext()
        )
        with services, self._health() if with_healthcheck else nullcontext():
            async with self:
                if printer is not None:
                    printer(f"Worker {self.name!r} started!")
                if run_once:
                    await self.get_and_submit_flow_runs()
                    await asyncio.gather(*self._running.values())
                    return
                with self._bell():
                    await asyncio.gather(
                        self._again(self.sync_with_backend, self._heartbeat),
                        self._again(self._look, self._query, is_rung=True),
                        self._again(self._cancel_runs, _CANCELLING_SECONDS),
                        self._again(self._keep_claims, KEEP_SECONDS),
                        self._again(self._take_up_stranded, self._heartbeat),
                    )

    async def _again(self, step: Callable[[], Any], every: float, *, is_rung: bool = False) -> None:
        while True:
            began = time.monotonic()
            await self._surviving(step)
            left = max(0.0, every - (time.monotonic() - began))
            if not is_rung:
                await asyncio.sleep(left)
                continue
            with suppress(TimeoutError):
                await asyncio.wait_for(self._rung.wait(), left)
            self._rung.clear()

    def _health(self) -> HealthServer:
        at = get_current_settings().worker.webserver
        return HealthServer(at.host, at.port, lambda: self.is_worker_still_polling(self._query))

    def _bell(self) -> Bell:
        """Return what rings where there may be a run to start, or to end."""
        loop = asyncio.get_running_loop()

        def about() -> list[str]:
            return [] if self._pool is None else [f"prefect.work-pool.{self._pool.id}"]

        return Bell(self._caller, about, lambda: loop.call_soon_threadsafe(self._rung.set))

    async def _look(self) -> None:
        await self.get_and_submit_flow_runs()
        await self._cancel_runs()

    async def sync_with_backend(self) -> None:
        """Look at the pool, and say that the worker is there.

        Raises:
            prefect.exceptions.ConfigurationError: The pool is not for workers of this type, or not there.
        """
        pool = await asyncio.to_thread(
            find_or_make_pool, self._caller, self._pool_name, type(self), self._template, self._creates_pool
        )
        if pool.is_paused and (self._pool is None or not self._pool.is_paused):
            self._logger.warning(
                "Work pool %r is paused: its runs wait until `prefect work-pool resume %s`",
                pool.name,
                pool.name,
            )
        self._pool = pool
        beat = max(1, round(self._heartbeat))
        await self._call(send_worker_heartbeat, self._pool_name, self.name, beat)

    async def get_and_submit_flow_runs(self) -> list[FlowRun]:
        """Look for runs, and start those that this worker gets and has room for.

        Returns:
            The runs that it started.
        """
        room = None if self.limit is None else self.limit - len(self._running)
        if room is not None and room <= 0:
            return []
        found = await self._call(
            get_scheduled_flow_runs,
            self._pool_name,
            work_queue_names=self._queues or None,
            scheduled_before=now() + timedelta(seconds=self._prefetch),
            limit=room,
        )
        self._looked = time.monotonic()
        runs = [each.flow_run for each in found if each.flow_run.id not in self._running]
        for run in runs:
            task = asyncio.create_task(self._carry_out(run))
            self._running[run.id] = task
            task.add_done_callback(partial(self._forget, run.id))
        return runs

    async def _take_up_stranded(self) -> None:
        """Start runs that workers had taken who are gone, where the server does not give them back itself."""
        settled = timedelta(seconds=2 * self._heartbeat)
        for run in await asyncio.to_thread(stranded_runs, self._caller, self._pool_name, settled):
            if run.id in self._running or len(self._running) == self.limit:
                continue
            self._logger.warning(
                "Worker %r is gone, and had not started flow run %r: it is started here",
                run.labels[WORKER],
                run.name,
            )
            task = asyncio.create_task(self._carry_out_stranded(run))
            self._running[run.id] = task
            task.add_done_callback(partial(self._forget, run.id))

    async def _carry_out_stranded(self, run: FlowRun) -> None:
        assert run.state is not None
        try:
            configuration = await self._job(run, run.state.id)
        except Exception as error:  # noqa: BLE001 - whatever a template or a subclass raises
            # Another worker may have started it meanwhile: it is not for this one to say what became of it.
            self._outage.failed(error)
            return
        await self._run_job(run, configuration)

    async def _run_job(self, run: FlowRun, configuration: Any) -> None:
        self._begun.add(run.id)
        await super()._run_job(run, configuration)

    def _forget(self, run_id: UUID, _: asyncio.Task[None]) -> None:
        self._running.pop(run_id, None)
        self._stopping.discard(run_id)
        # There is room for another one: here, in the pool or in the queue. Where somebody else has got the
        # run there is not, and to look at once would be to look again and again.
        if run_id in self._begun:
            self._begun.discard(run_id)
            self._rung.set()

    async def _cancel_runs(self) -> None:
        """End the jobs of runs that are to be cancelled."""
        ids = [run_id for run_id in self._running if run_id not in self._stopping]
        for first in range(0, len(ids), 200):
            query = FlowRunQuery(
                flow_runs=FlowRunFilter(id=FlowRunFilterId(any_=ids[first : first + 200])), limit=200
            )
            for run in await self._call(read_flow_runs, query):
                is_here = run.id in self._running and run.id not in self._stopping
                if run.state_type is StateType.CANCELLING and is_here:
                    self._stopping.add(run.id)
                    self._logger.info("Flow run %r is cancelled", run.name)
                    self._running[run.id].cancel()
