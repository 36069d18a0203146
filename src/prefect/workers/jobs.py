"""How a worker sees one run through: takes it, makes its job, has that carried out, and says how it ended.

What goes wrong with one run is that run's affair. A server that goes away meanwhile is waited for, so that
nothing that a run has become is forgotten.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from prefect.client.base import Caller
from prefect.client.patience import is_away
from prefect.exceptions import ConfigurationError
from prefect.operations.deployments import read_deployment
from prefect.operations.flow_run_details import update_flow_run_labels
from prefect.operations.flow_runs import set_flow_run_state, update_flow_run
from prefect.operations.flows import read_flow
from prefect.runner.claims import claim, end_left_run, give_up, keep
from prefect.runner.outage import Outage
from prefect.schemas.actions import FlowRunUpdate
from prefect.schemas.deployments import DeploymentResponse
from prefect.schemas.objects import FlowRun
from prefect.schemas.states import NO_DETAILS, State, StateType
from prefect.schemas.work_pools import WorkPool
from prefect.settings.runtime_variables import FLOW_RUN_CLAIM
from prefect.workers.configuration import overlaid, problem_of
from prefect.workers.kinds import Started, WorkerKind

__all__ = ["JobKeeper"]

_TERMINATED = -15  # the exit code of a job that was asked to end
_AWAY_SECONDS = 2.0
"""How long to wait where nobody answers."""


class JobKeeper(WorkerKind):
    """What a worker does with each run; `prefect.workers.base.BaseWorker` says which runs these are."""

    name: str
    _caller: Caller
    _logger: logging.Logger | logging.LoggerAdapter[Any]
    _outage: Outage
    _running: dict[UUID, asyncio.Task[None]]
    _patience_ends = math.inf
    """Until when a server that is away is waited for, on the monotonic clock."""

    run: Callable[..., Awaitable[Any]]

    @property
    def work_pool(self) -> WorkPool:
        """The pool, as it was when it was last looked at."""
        raise NotImplementedError

    async def _call(self, operation: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return await asyncio.to_thread(self._caller.call, operation, *args, **kwargs)

    async def _surviving(self, step: Callable[[], Any]) -> None:
        """Take a step; whatever goes wrong, it is tried again another time."""
        try:
            await step()
        except ConfigurationError:
            raise
        except Exception as error:  # noqa: BLE001 - one failed look must not end the worker
            self._outage.failed(error)
        else:
            self._outage.succeeded()

    async def _insisting(self, step: Callable[[], Any]) -> Any:
        """Take a step, again as long as nobody answers, and return what it gives."""
        while True:
            try:
                return await asyncio.to_thread(step)
            except Exception as error:
                if not is_away(error) or time.monotonic() >= self._patience_ends:
                    raise
                self._outage.failed(error)
            await asyncio.sleep(_AWAY_SECONDS)

    async def _written(self, step: Callable[[], Any]) -> None:
        """Write down what became of a run, however long that takes."""
        try:
            await self._insisting(step)
        except Exception as error:  # noqa: BLE001 - it is refused; the other runs go on
            self._logger.error("What became of a flow run could not be written down: %s", error)

    async def _keep_claims(self) -> None:
        await asyncio.to_thread(keep, self._caller, list(self._running))

    async def _carry_out(self, run: FlowRun) -> None:
        """Take a run, and see it through to its end."""
        taking = asyncio.ensure_future(asyncio.to_thread(claim, self._caller, run))
        try:
            taken = await asyncio.shield(taking)
        except asyncio.CancelledError:
            if await taking is not None:
                await self._give_back(run)
            raise
        except Exception as error:  # noqa: BLE001 - it is there at the next look
            if not self._outage.failed(error):
                self._logger.warning("Flow run %r could not be taken: %s", run.name, error)
            return
        if taken is None:
            return
        try:
            configuration = await self._job(run, taken)
        except asyncio.CancelledError:
            await self._give_back(run)
            raise
        except ValidationError as error:
            await self._refuse(run, problem_of(error))
            return
        except Exception as error:  # noqa: BLE001 - whatever a template or a subclass raises
            await self._refuse(run, f"{type(error).__name__}: {error}")
            return
        self._logger.info("Starting flow run %r", run.name)
        await self._run_job(run, configuration)

    async def _job(self, run: FlowRun, taken: UUID) -> Any:
        pool, call = self.work_pool, self._caller.call
        labels = {
            "prefect.worker.name": self.name,
            "prefect.worker.type": self.type,
            "prefect.work-pool.name": pool.name,
            "prefect.work-pool.id": str(pool.id),
        }
        deployment_id = run.deployment_id

        def read_its_deployment() -> DeploymentResponse | None:
            return None if deployment_id is None else call(read_deployment, deployment_id)

        # At once, since to a server each is a way of its own.
        _, deployment, flow = await asyncio.gather(
            self._insisting(lambda: call(update_flow_run_labels, run.id, labels)),
            self._insisting(read_its_deployment),
            self._insisting(lambda: call(read_flow, run.flow_id)),
        )
        values = overlaid({}, deployment.job_variables if deployment else None, run.job_variables)
        template = pool.base_job_template or self.get_default_base_job_template()
        kind: Any = self.job_configuration
        configuration = await self._insisting(lambda: kind.of(template, values, self._caller))
        configuration.prepare_for_flow_run(run, deployment, flow, pool, self.name)
        configuration.env[FLOW_RUN_CLAIM] = str(taken)
        return configuration

    async def _run_job(self, run: FlowRun, configuration: Any) -> None:
        notes: list[asyncio.Task[None]] = []
        started = Started(lambda where: notes.append(asyncio.create_task(self._note(run, where))))
        try:
            result = await self.run(run, configuration, started)
        except asyncio.CancelledError:
            await self._end_left(run, _TERMINATED)
            return
        except Exception as error:  # noqa: BLE001 - whatever a subclass raises
            await self._refuse(run, f"{type(error).__name__}: {error}")
            return
        finally:
            await asyncio.gather(*notes, return_exceptions=True)
        if result.status_code:
            await self._end_left(run, result.status_code)

    async def _end_left(
        self, run: FlowRun, code: int, claim: UUID | None = None, ran_out: str | None = None
    ) -> None:
        """Give a run whose job has ended its last state, if it has none."""
        await self._written(partial(end_left_run, self._caller, run.id, code, claim, ran_out))

    async def _note(self, run: FlowRun, where: Any) -> None:
        """Write down what names a run's job where it runs."""
        change = FlowRunUpdate(infrastructure_pid=str(where))
        await self._written(partial(self._caller.call, update_flow_run, run.id, change))

    async def _refuse(self, run: FlowRun, reason: str) -> None:
        self._logger.error("Flow run %r could not be started: %s", run.name, reason)
        await self._written(partial(give_up, self._caller, run.id, reason))

    async def _give_back(self, run: FlowRun) -> None:
        """Let another worker have a run that was taken, and not begun."""
        details = run.state.state_details if run.state else NO_DETAILS
        message = "The worker that was to start this run has stopped: another one takes it."
        state: State[Any] = State(type=StateType.SCHEDULED, message=message, state_details=details)
        await self._written(partial(self._caller.call, set_flow_run_state, run.id, state, force=True))
