"""The runner: looks for scheduled runs of deployments, and has each carried out by a process of its own."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from functools import partial
from math import inf
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, Unpack
from uuid import UUID

from prefect.client.awaiting import awaited, either_way
from prefect.client.base import Caller
from prefect.client.current import get_caller
from prefect.client.local import LocalClient
from prefect.deployments.runner import DeploymentOptions, RunnerDeployment
from prefect.deployments.sources import fetched
from prefect.engine.signals import termination_as_exception
from prefect.exceptions import PrefectException
from prefect.logging.configuration import ensure_logging_setup
from prefect.logging.loggers import get_logger
from prefect.operations.deployment_runs import read_scheduled_runs_of_deployments
from prefect.operations.deployments import pause_deployment
from prefect.runner.bell import Bell
from prefect.runner.claims import KEEP_SECONDS, caller_of_runners
from prefect.runner.crew import Crew
from prefect.runner.outage import Outage
from prefect.runner.template import Templates
from prefect.settings import get_current_settings
from prefect.types import now
from prefect.types.annotations import NotSet

if TYPE_CHECKING:
    from prefect.flows import Flow

__all__ = ["Runner"]

LOCAL_LOOK = 0.5
"""Seconds from one look to the next where the store is on this machine, and a look costs next to nothing."""
WATCH = 0.1
"""Seconds from one look at the processes to the next."""
AWAY = 2.0
"""Seconds to wait where nobody answers."""
CANCEL_LOOK = 2.0
"""Seconds from one look for cancelled runs to the next, where a server is asked."""

_logger = get_logger("runner")


class Runner:
    """Runs deployments from this process, until it is stopped.

    Where the settings name no server, it also makes the runs that schedules say.

    Args:
        name: What messages call it.
        query_seconds: Seconds from one look for runs to the next; None: as
            PREFECT_RUNNER_POLL_FREQUENCY says.
        prefetch_seconds: How long before it is due a run's process is started.
        heartbeat_seconds: Accepted for the interface's sake: each run's process says itself that it lives.
        limit: How many runs are carried out at a time; None: any number; left out: as
            PREFECT_RUNNER_PROCESS_LIMIT says.
        pause_on_shutdown: Whether the deployments' schedules rest when it is stopped.
        webserver: Whether to answer `GET /health`, where PREFECT_RUNNER_SERVER_HOST and
            PREFECT_RUNNER_SERVER_PORT say; PREFECT_RUNNER_SERVER_ENABLE has the same effect.

    Raises:
        ValueError: The limit is less than 1.
    """

    def __init__(
        self,
        name: str | None = None,
        query_seconds: float | None = None,
        prefetch_seconds: float = 10,
        heartbeat_seconds: float | None = None,
        limit: int | type[NotSet] | None = NotSet,
        pause_on_shutdown: bool = True,
        webserver: bool = False,
    ) -> None:
        settings = get_current_settings().runner
        if isinstance(limit, int) and limit < 1:
            raise ValueError(
                "A runner that carries out no run at a time does nothing: give a limit from 1 on, or None."
            )
        self.name = Path(name).stem if name is not None else "runner"
        self.pause_on_shutdown = pause_on_shutdown
        self.query_seconds = settings.poll_frequency if query_seconds is None else query_seconds
        self._webserver = webserver or settings.server.enable
        self._prefetch = timedelta(seconds=prefetch_seconds)
        self._limit: Any = settings.process_limit if limit is NotSet else limit
        self._deployments: dict[UUID, RunnerDeployment] = {}
        self._paused: set[UUID] = set()
        self._fetched_at: dict[UUID, float] = {}
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._stop = threading.Event()
        self._rung = threading.Event()
        """Set where there may be something to do."""
        self._looked = monotonic()

    @either_way
    def add_flow(
        self, flow: Flow[Any, Any], name: str | None = None, **options: Unpack[DeploymentOptions]
    ) -> UUID:
        """Make a deployment of a flow, and run it. Asynchronous code awaits it.

        Args:
            flow: The flow.
            name: The deployment's name; None: the runner's.
            **options: See `DeploymentOptions`.

        Returns:
            The deployment's id.
        """
        return self._add(RunnerDeployment.from_flow(flow, name or self.name, **options))

    @either_way
    def add_deployment(self, deployment: RunnerDeployment) -> UUID:
        """Run a deployment. Asynchronous code awaits it.

        Args:
            deployment: The deployment, which is written down.

        Returns:
            Its id.
        """
        return self._add(deployment)

    aadd_flow = awaited(add_flow)
    aadd_deployment = awaited(add_deployment)

    def _add(self, deployment: RunnerDeployment) -> UUID:
        if deployment.storage is not None:
            if self._folder is None:
                self._folder = tempfile.TemporaryDirectory(prefix="prefect-runner-")
            deployment.storage.set_base_path(Path(self._folder.name))
            fetched(deployment.storage)
        deployment_id = deployment._write_down(None, None, None)
        self._deployments[deployment_id] = deployment
        self._fetched_at[deployment_id] = monotonic()
        return deployment_id

    async def start(self, run_once: bool = False, webserver: bool | None = None) -> None:
        """Run the deployments until `stop` is called, or this is cancelled.

        Args:
            run_once: Carry out what is due now, and return.
            webserver: As in `Runner`; None: as was said there.

        Raises:
            prefect.exceptions.ConfigurationError: Health is to be served where nobody can listen.
        """
        import asyncio  # noqa: PLC0415 - slow to load; whoever awaits has it

        if webserver is not None:
            self._webserver = webserver
        try:
            await asyncio.to_thread(self.run, run_once)
        except asyncio.CancelledError:
            self._end()
            raise

    @either_way
    def stop(self) -> None:
        """Have `start` end the processes and return. Asynchronous code awaits it."""
        self._end()

    astop = awaited(stop)

    def _end(self) -> None:
        self._stop.set()
        self._rung.set()

    def run(self, run_once: bool = False) -> None:
        """Run the deployments until `stop` is called, Ctrl-C is pressed, or the process is told to end.

        Args:
            run_once: Carry out what is due now, and return.
        """
        ensure_logging_setup()
        self._stop.clear()
        self._rung.clear()
        self._paused.clear()
        with ExitStack() as stack, ExitStack() as pausing:
            stack.callback(self._clean_up)
            if self.pause_on_shutdown and not run_once:
                # First of all that is done at the end, and also where it is interrupted while it starts.
                pausing.callback(self._pause)
            client = caller_of_runners()
            if isinstance(client, LocalClient):
                stack.enter_context(_services(client))
            templates = None if run_once else stack.enter_context(Templates())
            crew = Crew(client, self._limit, _settings_for_children(), templates)
            stack.callback(crew.end)
            stack.enter_context(termination_as_exception())
            if self._webserver:
                stack.enter_context(self._health())
            if not run_once:
                stack.enter_context(Bell(client, self._resources, self._rung.set))
            self._look_and_watch(crew, client, run_once)

    def _look_and_watch(self, crew: Crew, client: Caller, run_once: bool) -> None:
        is_local = isinstance(client, LocalClient)
        every = min(LOCAL_LOOK, self.query_seconds) if is_local else self.query_seconds
        look = partial(self._take_due_runs, crew, client)
        duties: dict[Callable[[], None], float] = {
            look: every,
            crew.end_cancelled: min(every, LOCAL_LOOK if is_local else CANCEL_LOOK),
            crew.keep_claims: KEEP_SECONDS,
        }
        due = dict.fromkeys(duties, monotonic())
        outage = Outage(_logger)
        while not self._stop.is_set():
            try:
                at_work = len(crew)
                crew.reap()
                if len(crew) < at_work and not run_once:  # there is room for another one
                    due[look] = monotonic()
                for duty in duties:
                    if monotonic() >= due[duty]:
                        duty()
                        due[duty] = monotonic() + duties[duty]
                outage.succeeded()
                pause = WATCH if crew else max(0.0, min(due.values()) - monotonic())
            except PrefectException as error:
                pause = AWAY if outage.failed(error) else WATCH
            if run_once and not crew:
                return
            if self._rung.wait(pause):
                self._rung.clear()
                due[look] = due[crew.end_cancelled] = monotonic()
            if run_once:
                due[look] = inf

    def _health(self) -> Any:
        """Return what answers whether this runner is at work."""
        from prefect.runner.health import HealthServer  # noqa: PLC0415 - mostly nobody asks

        server = get_current_settings().runner.server
        silence = self.query_seconds * max(1, server.missed_polls_tolerance)
        return HealthServer(server.host, server.port, lambda: monotonic() - self._looked <= silence)

    def _resources(self) -> list[str]:
        return [f"prefect.deployment.{deployment_id}" for deployment_id in self._deployments]

    def _take_due_runs(self, crew: Crew, client: Caller) -> None:
        self._looked = monotonic()
        if not self._deployments or crew.free == 0:
            return
        self._fetch()
        runs = client.call(
            read_scheduled_runs_of_deployments, list(self._deployments), now() + self._prefetch, 200
        )
        for run in runs:
            if crew.free == 0:
                _logger.info("The limit of %s runs at a time is reached: others wait", self._limit)
                return
            if run.id not in crew:
                crew.take(run)

    def _fetch(self) -> None:
        """Get new code where it is time to."""
        for deployment_id, deployment in self._deployments.items():
            every = None if deployment.storage is None else deployment.storage.pull_interval
            if every is not None and monotonic() >= self._fetched_at[deployment_id] + every:
                self._fetched_at[deployment_id] = monotonic()
                try:
                    fetched(deployment.storage)
                except (OSError, RuntimeError) as error:
                    _logger.error("The code of %s stays as it is: %s", deployment.full_name, error)

    async def execute_flow_run(
        self,
        flow_run_id: UUID,
        entrypoint: str | None = None,
        command: str | None = None,
        cwd: Path | str | None = None,
        env: dict[str, str | None] | None = None,
        stream_output: bool = True,
    ) -> int | None:
        """Have one flow run carried out by a process, and wait until that has ended.

        Args:
            flow_run_id: The run.
            entrypoint: Where its flow is, in place of what its deployment says.
            command: What carries it out, in place of our own.
            cwd: Where the process starts.
            env: Variables that it gets.
            stream_output: Whether what it prints is printed here.

        Returns:
            The process's exit code; None where the run was another runner's.
        """
        import asyncio  # noqa: PLC0415 - slow to load; whoever awaits has it

        from prefect.runner.single import carry_out_one  # noqa: PLC0415 - only here

        return await asyncio.to_thread(
            carry_out_one,
            flow_run_id,
            entrypoint,
            command,
            cwd,
            {**_settings_for_children(), **(env or {})},
            stream_output,
        )

    def _pause(self) -> None:
        left = [each for each in self._deployments if each not in self._paused]
        if not left:
            return
        _logger.info("Pausing the schedules of all deployments …")
        # A second SIGTERM ends this, and not the whole process: the runs are still to be ended.
        with termination_as_exception():
            for deployment_id in left:
                self._paused.add(deployment_id)
                try:
                    get_caller().call(pause_deployment, deployment_id)
                except PrefectException as error:
                    _logger.error("A deployment could not be paused: %s", error)

    def _clean_up(self) -> None:
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None


def _settings_for_children() -> dict[str, str | None]:
    return dict(get_current_settings().to_environment_variables(exclude_unset=True))


def _services(client: LocalClient) -> Any:
    """Return what a server would do unasked: there is none, and the store is here."""
    from prefect.services.loop import ServiceThread  # noqa: PLC0415 - SQLAlchemy
    from prefect.services.table import services_of  # noqa: PLC0415 - the same

    return ServiceThread(client.store, services_of(get_current_settings()))
