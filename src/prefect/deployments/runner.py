"""Deployments as users make them in code: `flow.to_deployment(...)`, `deploy(...)`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypedDict, Unpack
from uuid import UUID

import msgspec

from prefect.client.awaiting import either_way
from prefect.client.current import get_caller
from prefect.deployments.schedules import schedules_of
from prefect.deployments.sources import fetched, load_flow
from prefect.deployments.storage import RunnerStorage
from prefect.deployments.triggers import AnyTrigger, settle_triggers, triggers_of
from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound, RequestRefused
from prefect.logging.loggers import get_logger
from prefect.operations.deployments import create_deployment
from prefect.operations.flows import create_flow
from prefect.operations.work_pools import read_work_pool
from prefect.parameters.json_schema import parameter_schema
from prefect.rules.names import validate_name
from prefect.schedules import Schedule
from prefect.schemas.actions import FlowCreate
from prefect.schemas.base import Schema, jsonable
from prefect.schemas.deployments import (
    ConcurrencyLimitConfig,
    ConcurrencyOptions,
    DeploymentCreate,
    DeploymentScheduleCreate,
)
from prefect.settings import get_current_settings
from prefect.utilities.entrypoints import entrypoint_of

if TYPE_CHECKING:
    from prefect.flows import Flow

__all__ = [
    "DeploymentApplyError",
    "DeploymentOptions",
    "EntrypointType",
    "RunnerDeployment",
    "deploy",
    "deploy_all",
]


class DeploymentApplyError(RuntimeError):
    """A deployment could not be written down."""


class EntrypointType(Enum):
    """How an entrypoint leads to a flow."""

    FILE_PATH = "file_path"
    """By its file."""
    MODULE_PATH = "module_path"
    """By its module, which can be imported where the flow runs."""


class ServedOptions(TypedDict, total=False):
    """The options of a deployment but for its work pool."""

    interval: Iterable[float | timedelta] | float | timedelta | None
    cron: Iterable[str] | str | None
    rrule: Iterable[str] | str | None
    schedule: Schedule | None
    schedules: Sequence[Any] | None
    paused: bool | None
    """Whether its schedules rest."""
    parameters: dict[str, Any] | None
    """Of its runs, unless a run has others."""
    description: str | None
    """The flow's own, if not given."""
    tags: list[str] | None
    """Of its runs, beside the flow's."""
    version: str | None
    """The flow's own, if not given."""
    enforce_parameter_schema: bool
    """Whether runs whose parameters do not fit are refused; True, if not given."""
    concurrency_limit: int | ConcurrencyLimitConfig | None
    """How many of its runs are let run at a time."""
    triggers: Sequence[Any] | None
    """What has it run when events come, such as `DeploymentEventTrigger`; they replace those that it had."""
    work_queue_name: str | None
    job_variables: dict[str, Any] | None
    """In the place of the work pool's defaults."""
    entrypoint_type: EntrypointType


class DeploymentOptions(ServedOptions, total=False):
    """The options of a deployment."""

    work_pool_name: str | None


class RunnerDeployment(Schema):
    """A flow with what it takes to run it from elsewhere; `apply` writes it down."""

    name: str
    flow_name: str | None = None
    description: str | None = None
    version: str | None = None
    tags: list[str] | None = None
    schedules: list[DeploymentScheduleCreate] | None = None
    concurrency_limit: int | None = None
    concurrency_options: ConcurrencyOptions | None = None
    paused: bool = False
    parameters: dict[str, Any] = msgspec.field(default_factory=dict)
    entrypoint: str | None = None
    enforce_parameter_schema: bool = True
    storage: Any = None
    """Where the code comes from; None: it is where the deployment is made."""
    work_pool_name: str | None = None
    work_queue_name: str | None = None
    job_variables: dict[str, Any] = msgspec.field(default_factory=dict)
    parameter_openapi_schema: dict[str, Any] = msgspec.field(default_factory=dict)
    triggers: list[AnyTrigger] = msgspec.field(default_factory=list)

    @property
    def full_name(self) -> str:
        """The flow's name and its own, as `run_deployment` takes them."""
        return f"{self.flow_name}/{self.name}"

    @classmethod
    def from_flow(cls, flow: Flow[Any, Any], name: str, **options: Unpack[DeploymentOptions]) -> Self:
        """Make a deployment of a flow.

        Args:
            flow: The flow.
            name: The deployment's name.
            **options: See `DeploymentOptions`.

        Raises:
            ValueError: The flow is where no other process finds it, or an option does not fit.
            TypeError: An option does not exist.
        """
        _refuse_unknown(options)
        entrypoint = flow._entrypoint
        if entrypoint is None and options.get("entrypoint_type") is EntrypointType.MODULE_PATH:
            entrypoint = f"{flow.fn.__module__}.{flow.fn.__qualname__}"
        tags = options.get("tags")
        return cls(
            name=_checked_name(name),
            flow_name=flow.name,
            description=options.get("description") or flow.description,
            version=options.get("version") or flow.version,
            tags=sorted({*flow.tags, *(tags or ())}),
            entrypoint=entrypoint or entrypoint_of(flow.fn),
            storage=flow._storage,
            parameter_openapi_schema=parameter_schema(flow.fn, flow.name),
            triggers=triggers_of(options.get("triggers"), _checked_name(name)),
            **_common(options),
        )

    @classmethod
    def from_entrypoint(
        cls, entrypoint: str, name: str, flow_name: str | None = None, **options: Unpack[DeploymentOptions]
    ) -> Self:
        """Make a deployment of the flow that an entrypoint leads to.

        Args:
            entrypoint: See `prefect.utilities.entrypoints.load_from_entrypoint`.
            name: The deployment's name.
            flow_name: The flow's name, in place of its own.
            **options: See `DeploymentOptions`.
        """
        made = cls.from_flow(load_flow(entrypoint), name, **options)
        return made.model_copy(update={"entrypoint": entrypoint, "flow_name": flow_name or made.flow_name})

    @classmethod
    def from_storage(
        cls,
        storage: RunnerStorage,
        entrypoint: str,
        name: str,
        flow_name: str | None = None,
        **options: Unpack[DeploymentOptions],
    ) -> Self:
        """Make a deployment of a flow whose code is elsewhere.

        Args:
            storage: Where the code is.
            entrypoint: The flow's file there, and its name.
            name: The deployment's name.
            flow_name: The flow's name, in place of its own.
            **options: See `DeploymentOptions`.
        """
        made = cls.from_flow(load_flow(str(fetched(storage) / entrypoint)), name, **options)
        return made.model_copy(
            update={"entrypoint": entrypoint, "storage": storage, "flow_name": flow_name or made.flow_name}
        )

    @either_way
    def apply(
        self, schedules: list[Any] | None = None, work_pool_name: str | None = None, image: str | None = None
    ) -> UUID:
        """Write the deployment down: it is made, or changed to what it is here. Asynchronous code awaits it.

        Args:
            schedules: In the place of its own.
            work_pool_name: In the place of its own.
            image: What its runs run in.

        Returns:
            Its id.

        Raises:
            DeploymentApplyError: It was refused.
        """
        return self._write_down(schedules, work_pool_name, image)

    def _write_down(self, schedules: list[Any] | None, work_pool_name: str | None, image: str | None) -> UUID:
        client = get_caller()
        try:
            flow_id = client.call(create_flow, FlowCreate(name=self.flow_name or "")).id
            data = self._creation(flow_id, schedules, work_pool_name or self.work_pool_name, image)
            deployment_id = client.call(create_deployment, data).id
            settle_triggers(client, deployment_id, self.triggers)
            return deployment_id
        except (ObjectNotFound, ObjectAlreadyExists, RequestRefused) as error:
            raise DeploymentApplyError(
                f"The deployment {self.full_name!r} could not be made: {error}"
            ) from error

    def _creation(
        self, flow_id: UUID, schedules: list[Any] | None, work_pool_name: str | None, image: str | None
    ) -> DeploymentCreate:
        job_variables = {**self.job_variables, **({"image": image} if image else {})}
        steps = None
        if self.storage is not None:
            steps = [self.storage.to_pull_step()]
        elif work_pool_name is not None and image is None:
            # Workers of this machine find the code where it is now, wherever they were started.
            steps = [{"prefect.deployments.steps.set_working_directory": {"directory": str(Path.cwd())}}]
        return DeploymentCreate(
            name=self.name,
            flow_id=flow_id,
            paused=self.paused,
            schedules=schedules_of(schedules=schedules) if schedules is not None else self.schedules or [],
            concurrency_limit=self.concurrency_limit,
            concurrency_options=self.concurrency_options,
            enforce_parameter_schema=self.enforce_parameter_schema,
            parameter_openapi_schema=self.parameter_openapi_schema,
            parameters=jsonable(self.parameters),
            tags=self.tags or [],
            pull_steps=steps if work_pool_name is not None else None,
            work_queue_name=self.work_queue_name,
            work_pool_name=work_pool_name,
            description=self.description,
            path=None if work_pool_name is not None else str(self._folder()),
            version=self.version,
            entrypoint=self.entrypoint,
            job_variables=job_variables,
        )

    def _folder(self) -> Path:
        return Path.cwd() if self.storage is None else self.storage.destination


def _refuse_unknown(options: DeploymentOptions) -> None:
    unknown = options.keys() - DeploymentOptions.__annotations__.keys()
    if unknown:
        raise TypeError(f"A deployment has no option(s) {', '.join(sorted(unknown))}.")


def _checked_name(name: str) -> str:
    if name.endswith(".py"):  # flow.serve(__file__)
        name = Path(name).stem
    validate_name(name)
    return name


def _common(options: DeploymentOptions) -> dict[str, Any]:
    given_limit = options.get("concurrency_limit")
    if isinstance(given_limit, ConcurrencyLimitConfig):
        limit: int | None = given_limit.limit
        strategy: ConcurrencyOptions | None = ConcurrencyOptions(
            collision_strategy=given_limit.collision_strategy,
            grace_period_seconds=given_limit.grace_period_seconds,
        )
    else:
        limit, strategy = given_limit, None
    given: Any = {name: options.get(name) for name in ("interval", "cron", "rrule", "schedule", "schedules")}
    return {
        "schedules": schedules_of(**given),
        "paused": bool(options.get("paused")),
        "parameters": dict(options.get("parameters") or {}),
        "enforce_parameter_schema": options.get("enforce_parameter_schema", True),
        "concurrency_limit": limit,
        "concurrency_options": strategy,
        "work_pool_name": options.get("work_pool_name"),
        "work_queue_name": options.get("work_queue_name"),
        "job_variables": dict(options.get("job_variables") or {}),
    }


@either_way
def deploy(
    *deployments: RunnerDeployment,
    work_pool_name: str | None = None,
    image: str | None = None,
    build: bool = True,
    push: bool = True,
    print_next_steps_message: bool = True,
    ignore_warnings: bool = False,
) -> list[UUID]:
    """Write deployments down, for the workers of a pool. Asynchronous code awaits it.

    Args:
        *deployments: The deployments.
        work_pool_name: The pool; None: the one that `PREFECT_DEFAULT_WORK_POOL_NAME` names.
        image: What runs run in. It must be there: images are not built here.
        build: Must be False where there is an image.
        push: Accepted for the interface's sake.
        print_next_steps_message: Whether to say how runs of them are started.
        ignore_warnings: Accepted for the interface's sake.

    Returns:
        Their ids.

    Raises:
        ValueError: No pool is named, or an image was to be built.
        prefect.exceptions.ObjectNotFound: There is no such pool.
        DeploymentApplyError: One was refused.
    """
    return deploy_all(
        deployments,
        work_pool_name,
        image,
        build=build,
        print_next_steps_message=print_next_steps_message,
    )


def deploy_all(
    deployments: Sequence[RunnerDeployment],
    work_pool_name: str | None,
    image: str | None,
    *,
    build: bool,
    print_next_steps_message: bool,
) -> list[UUID]:
    """Write deployments down; see `deploy`."""
    pool = work_pool_name or get_current_settings().deployments.default_work_pool_name
    if pool is None:
        raise ValueError(
            "A deployment needs a work pool, whose workers run it: give work_pool_name, or set "
            "PREFECT_DEFAULT_WORK_POOL_NAME. To run it from this process, use flow.serve()."
        )
    if image is not None and build:
        raise ValueError(
            f"The image {image!r} is not built here: build and push it yourself, and deploy with build=False."
        )
    _require_pool(pool)
    ids = [each._write_down(None, pool, image) for each in deployments]
    if print_next_steps_message:
        logger = get_logger("deployments")
        for each in deployments:
            logger.info("Deployed %s. Run it: prefect deployment run %r", each.full_name, each.full_name)
        logger.info("Runs wait for a worker: prefect worker start --pool %r", pool)
    return ids


def _require_pool(name: str) -> None:
    try:
        get_caller().call(read_work_pool, name)
    except ObjectNotFound as error:
        raise ObjectNotFound(
            error,
            f"There is no work pool {name!r}. Make it: prefect work-pool create {name!r} --type process",
        ) from error
