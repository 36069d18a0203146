"""What is known of the workers of a type, and how one finds its pool."""

from __future__ import annotations

import builtins
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any, ClassVar

from prefect.client.base import Caller
from prefect.exceptions import ConfigurationError, ObjectAlreadyExists, ObjectNotFound
from prefect.operations.work_pools import create_work_pool, read_work_pool
from prefect.schemas.work_pools import WorkPool, WorkPoolCreate
from prefect.workers.configuration import BaseJobConfiguration, BaseVariables, default_template

__all__ = ["Started", "WorkerKind", "find_or_make_pool"]

_OURS = {"process": "prefect.workers.process", "docker": "prefect.workers.docker"}
"""The modules of the workers that come with this package."""
_types: dict[str, type[WorkerKind]] = {}


class Started:
    """What `run` is given to say that a job has begun, and what names it where it runs.

    Args:
        tell: Is told the name.
    """

    def __init__(self, tell: Callable[[Any], None]) -> None:
        self._tell = tell

    def started(self, value: Any = None) -> None:
        """Say that the job has begun.

        Args:
            value: What names it where it runs, such as the id of a process.
        """
        if value is not None:
            self._tell(value)


class WorkerKind:
    """What all workers of a type have in common."""

    type: ClassVar[str]
    job_configuration: builtins.type[BaseJobConfiguration] = BaseJobConfiguration
    job_configuration_variables: builtins.type[BaseVariables] | None = None
    serves: ClassVar[frozenset[str]] = frozenset()
    """Types of pools that it serves too."""
    _description = ""
    _documentation_url = ""
    _logo_url = ""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if isinstance(cls.__dict__.get("type"), str):
            _types[cls.type] = cls

    @classmethod
    def get_default_base_job_template(cls) -> dict[str, Any]:
        """Return what a pool's jobs are made from where the pool does not say."""
        return default_template(cls.job_configuration, cls.job_configuration_variables)

    @classmethod
    def get_description(cls) -> str:
        """Return what people are told of such workers."""
        return cls._description

    @classmethod
    def get_documentation_url(cls) -> str:
        """Return where such workers are described."""
        return cls._documentation_url

    @classmethod
    def get_logo_url(cls) -> str:
        """Return where their logo is."""
        return cls._logo_url

    @staticmethod
    def get_worker_class_from_type(type: str) -> Any:
        """Return the class of the workers of a type; None: no package that is installed brings such workers.

        Args:
            type: The type.
        """
        if type not in _types and type in _OURS:
            import_module(_OURS[type])
        if type not in _types:
            for entry in entry_points(group="prefect.collections"):
                entry.load()
        return _types.get(type)

    @staticmethod
    def get_all_available_worker_types() -> list[str]:
        """Return the types of workers there are."""
        WorkerKind.get_worker_class_from_type("")
        return sorted({*_types, *_OURS})

    async def kill_infrastructure(
        self, infrastructure_id: str, configuration: Any, grace_seconds: int = 30
    ) -> None:
        """End a job; by default a run that is cancelled ends as its `run` is cancelled.

        Args:
            infrastructure_id: What names the job where it runs.
            configuration: The job.
            grace_seconds: How long it may take to end by itself.
        """
        raise NotImplementedError("This worker does not support killing infrastructure")


def find_or_make_pool(
    caller: Caller, name: str, kind: type[WorkerKind], template: dict[str, Any] | None, creates: bool
) -> WorkPool:
    """Return the work pool that a worker serves.

    Args:
        caller: Where it is.
        name: Its name.
        kind: The worker's class.
        template: What the jobs of a pool that is made are made from; None: as of the type.
        creates: Whether a pool that is not there is made.

    Raises:
        prefect.exceptions.ConfigurationError: It is not for workers of this type, or not there.
    """
    try:
        pool = caller.call(read_work_pool, name)
    except ObjectNotFound:
        if not creates:
            raise ConfigurationError(
                f"There is no work pool {name!r}. "
                f"`prefect work-pool create {name} --type {kind.type}` makes it."
            ) from None
        made = template or kind.get_default_base_job_template()
        pool = _make(caller, WorkPoolCreate(name=name, type=kind.type, base_job_template=made))
    if pool.type != kind.type and pool.type not in kind.serves:
        raise ConfigurationError(
            f"Work pool {pool.name!r} is for workers of type {pool.type!r}, and this one is of type "
            f"{kind.type!r}. Start one of the other type, or make a pool of this one."
        )
    return pool


def _make(caller: Caller, wanted: WorkPoolCreate) -> WorkPool:
    try:
        return caller.call(create_work_pool, wanted)
    except ObjectAlreadyExists:  # another worker was faster
        return caller.call(read_work_pool, wanted.name)
