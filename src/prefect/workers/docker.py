"""`DockerWorker`: carries out each flow run in a container of a Docker engine.

It takes the package `docker`: `pip install 'proconsul[docker]'`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from prefect.exceptions import ConfigurationError
from prefect.rules.job_templates import DOCKER_TEMPLATE
from prefect.schemas.deployments import DeploymentResponse
from prefect.schemas.objects import Flow, FlowRun
from prefect.schemas.work_pools import WorkPool
from prefect.settings import get_current_settings
from prefect.workers.base import BaseWorker
from prefect.workers.configuration import BaseJobConfiguration, BaseVariables, BaseWorkerResult
from prefect.workers.containers import Container, Engine, as_seen_from_inside

__all__ = ["DockerVariables", "DockerWorker", "DockerWorkerJobConfiguration", "DockerWorkerResult"]

_GRACE_SECONDS = 30
"""How long a container may take to end when it is asked to."""
_OF_THIS_MACHINE = (
    "PREFECT_HOME",
    "PREFECT_PROFILES",
    "PREFECT_LOCAL_STORAGE_PATH",
    "PREFECT_RESULTS_LOCAL_STORAGE_PATH",
    "PREFECT_SERVER_",
    "PREFECT_API_DATABASE",
    "PREFECT_WORKER_",
    "PREFECT_RUNNER_",
)
"""What the names of settings begin with that say nothing inside of a container."""

PullPolicy = Literal["IfNotPresent", "Always", "Never"]


class DockerWorkerJobConfiguration(BaseJobConfiguration):
    """A container that carries out a flow run."""

    image: str | None = None
    image_pull_policy: PullPolicy | None = None
    networks: list[str] = Field(default_factory=list)
    network_mode: str | None = None
    auto_remove: bool = False
    volumes: list[str] = Field(default_factory=list)
    stream_output: bool = True
    mem_limit: str | None = None
    memswap_limit: str | None = None
    privileged: bool = False
    container_create_kwargs: dict[str, Any] | None = None

    def prepare_for_flow_run(
        self,
        flow_run: FlowRun,
        deployment: DeploymentResponse | None = None,
        flow: Flow | None = None,
        work_pool: WorkPool | None = None,
        worker_name: str | None = None,
        worker_id: UUID | None = None,
    ) -> None:
        """Complete the job for a flow run; see `BaseJobConfiguration.prepare_for_flow_run`.

        Raises:
            prefect.exceptions.ConfigurationError: The job names no image.
        """
        super().prepare_for_flow_run(flow_run, deployment, flow, work_pool, worker_name, worker_id)
        if not self.image:
            raise ConfigurationError(
                "The job names no image: give `image` in the deployment's job variables, or in the template "
                "of the work pool."
            )
        settings = get_current_settings().to_environment_variables(exclude_unset=True)
        ours = {name: value for name, value in settings.items() if not name.startswith(_OF_THIS_MACHINE)}
        self.env = {**ours, **self.env}

    @property
    def pulls(self) -> PullPolicy:
        """When the image is fetched; where the job does not say, always for an image that may change."""
        if self.image_pull_policy is not None:
            return self.image_pull_policy
        _, _, name = (self.image or "").rpartition("/")
        tag = name.partition(":")[2]
        return "Always" if "@" not in name and tag in ("", "latest") else "IfNotPresent"


class DockerVariables(BaseVariables):
    """What the placeholders of a container's template stand for."""

    image: str | None = Field(None, description="The image that the container is made from.")
    image_pull_policy: PullPolicy | None = Field(None, description="When the image is fetched.")
    networks: list[str] = Field(default_factory=list, description="The networks that the container joins.")
    network_mode: str | None = Field(None, description="How it is connected, such as `host` or `bridge`.")
    auto_remove: bool = Field(False, description="Whether the container is removed when it has ended.")
    volumes: list[str] = Field(
        default_factory=list, description="What is mounted, as `local:path` or `local:path:mode`."
    )
    stream_output: bool = Field(True, description="Whether the worker shows what the container prints.")
    mem_limit: str | None = Field(
        None, title="Memory Limit", description="How much memory it may use, such as `512m`."
    )
    memswap_limit: str | None = Field(
        None, title="Memory Swap Limit", description="How much memory and swap; `-1`: any."
    )
    privileged: bool = Field(False, description="Whether the container is privileged.")
    container_create_kwargs: dict[str, Any] | None = Field(
        None, description="Further arguments with which the engine makes the container."
    )


class DockerWorkerResult(BaseWorkerResult):
    """How a container ended."""


class DockerWorker(BaseWorker[DockerWorkerJobConfiguration, DockerVariables, DockerWorkerResult]):
    """Carries out each flow run in a container of the Docker engine that it reaches; see `BaseWorker`."""

    type = "docker"
    job_configuration = DockerWorkerJobConfiguration
    job_configuration_variables = DockerVariables
    _description = "Runs each flow run in a container of the Docker that the worker can reach."
    _engine: Engine | None = None

    @classmethod
    def get_default_base_job_template(cls) -> dict[str, Any]:
        """Return what a pool's jobs are made from where the pool does not say."""
        return dict(DOCKER_TEMPLATE) if cls is DockerWorker else super().get_default_base_job_template()

    async def setup(self) -> None:
        """Prepare to work; see `BaseWorker.setup`.

        Raises:
            prefect.exceptions.ConfigurationError: There is no engine, or no package to talk to it; or runs
                are kept in a file of this machine.
        """
        if get_current_settings().api.url is None:
            raise ConfigurationError(
                "Flow runs in containers cannot write to the store of this machine: set PREFECT_API_URL to "
                "the address of a server. `prefect server start` starts one."
            )
        self._engine = await asyncio.to_thread(Engine)
        await super().setup()

    async def teardown(self, *exc_info: Any) -> None:
        """End what is being carried out."""
        await super().teardown(*exc_info)
        if self._engine is not None:
            self._engine.close()

    async def run(
        self,
        flow_run: FlowRun,
        configuration: DockerWorkerJobConfiguration,
        task_status: Any = None,
    ) -> DockerWorkerResult:
        """Carry out a flow run in a container, and return how that ended.

        Args:
            flow_run: The run.
            configuration: The container.
            task_status: Is told the engine and the id of the container.
        """
        engine = self._engine
        if engine is None:
            raise RuntimeError("The worker was not set up: use it in `async with`, or start it.")
        if configuration.pulls != "Never":
            await asyncio.to_thread(
                engine.fetch, configuration.image or "", again=configuration.pulls == "Always"
            )
        making = asyncio.ensure_future(asyncio.to_thread(engine.make, *arguments_of(configuration)))
        try:
            container = await asyncio.shield(making)
        except asyncio.CancelledError:
            # One that was made meanwhile would be nobody's.
            await asyncio.to_thread((await making).remove)
            raise
        code = await self._seen_through(container, configuration, task_status)
        if code:
            self._logger.info("The container of flow run %r ended with %s", flow_run.name, code)
        if code and await asyncio.to_thread(container.ran_out_of_memory):
            self.get_flow_run_logger(flow_run).error(
                "The container used more memory than its limit of %s allows.", configuration.mem_limit
            )
        return DockerWorkerResult(identifier=container.identifier, status_code=code)

    async def _seen_through(
        self, container: Container, job: DockerWorkerJobConfiguration, task_status: Any
    ) -> int:
        await asyncio.to_thread(container.start, is_shown=job.stream_output)
        if task_status is not None:
            task_status.started(container.identifier)
        try:
            return await container.end()
        except asyncio.CancelledError:
            await asyncio.to_thread(container.stop, _GRACE_SECONDS)
            return await container.end()

    async def kill_infrastructure(
        self,
        infrastructure_id: str,
        configuration: DockerWorkerJobConfiguration,
        grace_seconds: int = _GRACE_SECONDS,
    ) -> None:
        """End a container.

        Args:
            infrastructure_id: The engine and the id of the container, as `run` tells them.
            configuration: The job.
            grace_seconds: How long it may take to end by itself.

        Raises:
            prefect.exceptions.InfrastructureNotFound: There is no such container.
        """
        engine = self._engine
        own = engine if engine is not None else await asyncio.to_thread(Engine)
        try:
            await asyncio.to_thread(own.stop, infrastructure_id.rpartition(":")[2], grace_seconds)
        finally:
            if engine is None:
                own.close()


def arguments_of(job: DockerWorkerJobConfiguration) -> tuple[dict[str, Any], list[str]]:
    """Return what a container is made with, and the further networks that it joins.

    Args:
        job: The job.
    """
    env, network_mode, hosts = as_seen_from_inside(job.env, job.networks, job.network_mode)
    first = job.networks[0] if job.networks else None
    given: Mapping[str, Any] = {
        "image": job.image,
        "name": job.name,
        "command": job.command,
        "environment": env,
        "labels": job.labels,
        "network": first,
        "network_mode": None if job.networks else network_mode,
        "extra_hosts": hosts,
        "auto_remove": job.auto_remove,
        "volumes": job.volumes,
        "mem_limit": job.mem_limit,
        "memswap_limit": job.memswap_limit,
        "privileged": job.privileged,
        **(job.container_create_kwargs or {}),
    }
    return {name: value for name, value in given.items() if value not in (None, [], {})}, job.networks[1:]
