"""Flows: functions whose calls are recorded, with all that runs inside them."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Literal, ParamSpec, TypedDict, TypeVar, Unpack, cast, overload
from zlib import crc32

from prefect.engine.definition import Definition, Delay, Hook, RunName
from prefect.engine.entry import call_flow
from prefect.engine.inputs import listed
from prefect.engine.options import run_name_of
from prefect.rules.names import validate_name
from prefect.schemas.states import State
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner

if TYPE_CHECKING:
    from uuid import UUID

    from prefect.deployments.loading import (
        load_flow_arguments_from_entrypoint as load_flow_arguments_from_entrypoint,
    )
    from prefect.deployments.loading import (
        safe_load_flow_from_entrypoint as safe_load_flow_from_entrypoint,
    )
    from prefect.deployments.runner import DeploymentOptions, RunnerDeployment, ServedOptions
    from prefect.deployments.storage import RunnerStorage
    from prefect.futures import PrefectFuture
    from prefect.runner.serving import aserve as aserve
    from prefect.runner.serving import serve as serve

__all__ = [
    "Flow",
    "FlowDecorator",
    "FlowOptions",
    "aserve",
    "flow",
    "load_flow_arguments_from_entrypoint",
    "load_flow_from_entrypoint",
    "load_function_and_convert_to_flow",
    "safe_load_flow_from_entrypoint",
    "serve",
]

_IN_LOADING = {"load_flow_arguments_from_entrypoint", "safe_load_flow_from_entrypoint"}

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")


class FlowOptions(TypedDict, total=False):
    """The options of a flow; each may be given to `@flow(...)` and to `with_options(...)`."""

    name: str | None
    """The function's own with dashes, if not given."""
    description: str | None
    tags: Iterable[str] | None
    """Given to every run."""
    version: str | None
    """The checksum of the flow's file, if not given."""
    flow_run_name: RunName | None
    """A template over the parameters (`"load-{day}"`), or a function that gives the name."""
    retries: int | None
    retry_delay_seconds: Delay | None
    task_runner: TaskRunner | type[TaskRunner] | None
    """Where `.submit()` and `.map()` run tasks; threads, if not given."""
    timeout_seconds: float | None
    validate_parameters: bool
    """Whether arguments are coerced and checked by their annotations; True, if not given."""
    persist_result: bool | None
    result_storage: Any
    result_serializer: Any
    cache_result_in_memory: bool
    log_prints: bool | None
    """Whether `print` writes to the run's log."""
    on_completion: Sequence[Hook] | None
    on_failure: Sequence[Hook] | None
    on_cancellation: Sequence[Hook] | None
    on_crashed: Sequence[Hook] | None
    on_running: Sequence[Hook] | None


class Flow(Definition, Generic[P, R]):
    """A function whose calls are recorded as flow runs.

    Args:
        fn: The function.
        **options: See `FlowOptions`.

    Raises:
        prefect.exceptions.InvalidNameError: The name holds one of `/ % & > <`.
        TypeError: An option does not exist, or does not fit.
    """

    def __init__(self, fn: Callable[P, R], **options: Unpack[FlowOptions]) -> None:
        unknown = options.keys() - FlowOptions.__annotations__.keys()
        if unknown:
            raise TypeError(f"@flow got unknown option(s): {', '.join(sorted(unknown))}")
        super().__init__(fn, "flow", dict(options))
        self.refuse_reserved_parameters()
        validate_name(self.name)
        runner = options.get("task_runner")
        if runner is not None and not isinstance(runner, TaskRunner | type):
            raise TypeError(
                f"'task_runner' of flow {self.name!r} must be a task runner, "
                f"such as ThreadPoolTaskRunner(max_workers=4), not {runner!r}."
            )
        self.task_runner: TaskRunner = (
            runner() if isinstance(runner, type) else runner or ThreadPoolTaskRunner()
        )
        self.flow_run_name = run_name_of(options, "flow")
        self.should_validate_parameters = options.get("validate_parameters", True)
        self._version: str | None = options.get("version")
        self._entrypoint: str | None = None
        """Where it was loaded from, in its storage."""
        self._storage: RunnerStorage | None = None
        """Where its code comes from; None: it is on this machine."""

    @property
    def version(self) -> str | None:
        """The version; a checksum of the flow's file, unless one was given."""
        if self._version is None:
            source = getattr(getattr(self.fn, "__code__", None), "co_filename", "")
            try:
                self._version = f"{crc32(Path(source).read_bytes()):08x}"
            except (OSError, TypeError):  # typed at a prompt, made by exec, or a mock
                self._version = ""
        return self._version or None

    def validate(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """Coerce and check parameters by the function's annotations.

        Args:
            parameters: Values by name.

        Returns:
            The values to call the function with.

        Raises:
            prefect.exceptions.ParameterTypeError: A value does not fit; the text names flow, parameter and
            problem.
        """
        return self.signature.validate(parameters)

    validate_parameters = validate

    def with_options(self, **changes: Unpack[FlowOptions]) -> Flow[P, R]:
        """Return a flow of the same function with some options changed.

        Args:
            **changes: The options; see `FlowOptions`.
        """
        changed = type(self)(self.fn, **cast("FlowOptions", self._changed(dict(changes))))
        changed._entrypoint, changed._storage = self._entrypoint, self._storage
        changed._is_static, changed._is_class_method = self._is_static, self._is_class_method
        return changed

    def on_crashed(self, fn: Hook) -> Hook:
        """Have a function called when a run crashes; a decorator."""
        self.on_crashed_hooks.append(fn)
        return fn

    def on_cancellation(self, fn: Hook) -> Hook:
        """Have a function called when a run is cancelled; a decorator."""
        self.on_cancellation_hooks.append(fn)
        return fn

    @overload
    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R: ...

    @overload
    def __call__(
        self: Flow[P, Coroutine[Any, Any, T]], *args: Any, return_state: Literal[True], **kwargs: Any
    ) -> Coroutine[Any, Any, State[T]]: ...

    @overload
    def __call__(self, *args: Any, return_state: Literal[True], **kwargs: Any) -> State[R]: ...

    @overload
    def __call__(self, *args: Any, wait_for: Iterable[PrefectFuture[Any]] | None, **kwargs: Any) -> R: ...

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the flow.

        Args:
            *args: For the function; futures among them are waited for.
            return_state: Return the final state, and raise nothing.
            wait_for: Runs that must have completed before.
            **kwargs: For the function.

        Returns:
            What the function returns; for a coroutine function, a coroutine of it.

        Raises:
            prefect.exceptions.ParameterBindError: The arguments do not fit the function.
            prefect.exceptions.ParameterTypeError: A value does not fit its annotation.
            Exception: What the function raised in its last attempt.
        """
        return_state, wait_for = kwargs.pop("return_state", False), listed(kwargs.pop("wait_for", None))
        return call_flow(self, self.signature.bind(args, kwargs), wait_for, return_state)

    def to_deployment(self, name: str, **options: Unpack[DeploymentOptions]) -> RunnerDeployment:
        """Make a deployment of this flow, for `serve` or `deploy`. Asynchronous code awaits it.

        Args:
            name: The deployment's name.
            **options: See `prefect.deployments.runner.DeploymentOptions`.

        Raises:
            ValueError: The flow is where no other process finds it, or an option does not fit.
        """
        from prefect.deployments.making import to_deployment  # noqa: PLC0415 - only for deployments

        return to_deployment(self, name, **options)

    async def ato_deployment(self, name: str, **options: Unpack[DeploymentOptions]) -> RunnerDeployment:
        """Make a deployment of this flow; as `to_deployment`, for asynchronous code."""
        from prefect.deployments.making import ato_deployment  # noqa: PLC0415 - only for deployments

        return await ato_deployment(self, name, **options)

    def serve(
        self,
        name: str | None = None,
        *,
        pause_on_shutdown: bool = True,
        print_starting_message: bool = True,
        limit: int | None = None,
        global_limit: Any = None,
        webserver: bool = False,
        **options: Unpack[ServedOptions],
    ) -> None:
        """Deploy this flow and run it from this process, until Ctrl-C is pressed or the process has to end.

        Args:
            name: The deployment's name; the flow's own, if not given.
            pause_on_shutdown: Whether the deployment's schedules rest from then on.
            print_starting_message: Whether to say how runs of it are started.
            limit: How many runs are carried out by this process at a time.
            global_limit: How many runs are let run at a time, wherever they run.
            webserver: Accepted for the interface's sake: there is none.
            **options: See `prefect.deployments.runner.ServedOptions`.
        """
        from prefect.deployments.runner import RunnerDeployment  # noqa: PLC0415 - only for deployments
        from prefect.runner.serving import serve  # noqa: PLC0415 - the same

        if global_limit is not None:
            options["concurrency_limit"] = global_limit
        deployment = RunnerDeployment.from_flow(self, name or self.name, **options)
        serve(
            deployment,
            pause_on_shutdown=pause_on_shutdown,
            print_starting_message=print_starting_message,
            limit=limit,
        )

    def deploy(
        self,
        name: str,
        work_pool_name: str | None = None,
        image: str | None = None,
        build: bool = True,
        push: bool = True,
        print_next_steps: bool = True,
        ignore_warnings: bool = False,
        **options: Unpack[ServedOptions],
    ) -> UUID:
        """Deploy this flow, for the workers of a pool. Asynchronous code awaits it.

        Args:
            name: The deployment's name.
            work_pool_name: The pool; None: the one that `PREFECT_DEFAULT_WORK_POOL_NAME` names.
            image: What runs run in. It must be there: images are not built here.
            build: Must be False where there is an image.
            push: Accepted for the interface's sake.
            print_next_steps: Whether to say how runs of it are started.
            ignore_warnings: Accepted for the interface's sake.
            **options: See `prefect.deployments.runner.ServedOptions`.

        Returns:
            The deployment's id.

        Raises:
            ValueError: No pool is named, an image was to be built, or an option does not fit.
            prefect.exceptions.ObjectNotFound: There is no such pool.
        """
        from prefect.deployments.making import deploy_flow  # noqa: PLC0415 - only for deployments

        return deploy_flow(self, name, work_pool_name, image, build, print_next_steps, **options)

    async def adeploy(
        self,
        name: str,
        work_pool_name: str | None = None,
        image: str | None = None,
        build: bool = True,
        push: bool = True,
        print_next_steps: bool = True,
        ignore_warnings: bool = False,
        **options: Unpack[ServedOptions],
    ) -> UUID:
        """Deploy this flow; as `deploy`, for asynchronous code."""
        from prefect.deployments.making import adeploy_flow  # noqa: PLC0415 - only for deployments

        return await adeploy_flow(self, name, work_pool_name, image, build, print_next_steps, **options)

    @classmethod
    def from_source(cls, source: str | Path | RunnerStorage, entrypoint: str) -> Flow[..., Any]:
        """Return a flow whose code is elsewhere, to be deployed or served. Asynchronous code awaits it.

        Args:
            source: A folder, the URL of a git repository, or a `prefect.runner.storage.RunnerStorage`.
            entrypoint: The flow's file there, and its name: `flows/etl.py:load`.

        Raises:
            FileNotFoundError: There is no such folder or file.
            RuntimeError: The code could not be got.
            prefect.exceptions.MissingFlowError: It has no such flow.
        """
        from prefect.deployments.making import flow_from_source  # noqa: PLC0415 - only for deployments

        return flow_from_source(source, entrypoint)

    @classmethod
    async def afrom_source(cls, source: str | Path | RunnerStorage, entrypoint: str) -> Flow[..., Any]:
        """Return a flow whose code is elsewhere; as `from_source`, for asynchronous code."""
        from prefect.deployments.making import aflow_from_source  # noqa: PLC0415 - only for deployments

        return await aflow_from_source(source, entrypoint)

    def __repr__(self) -> str:
        return f"<prefect.flows.Flow {self.name!r}>"


class FlowDecorator:
    """Makes flows of functions; `flow` is the one that there is."""

    __name__ = "flow"  # as a function has, and `task` too

    @overload
    def __call__(self, fn: Callable[P, R], /) -> Flow[P, R]: ...

    @overload
    def __call__(
        self, fn: None = None, /, **options: Unpack[FlowOptions]
    ) -> Callable[[Callable[P, R]], Flow[P, R]]: ...

    def __call__(self, fn: Callable[P, R] | None = None, /, **options: Unpack[FlowOptions]) -> Any:
        """Make a flow of a function; a decorator, with or without options.

        Args:
            fn: The function.
            **options: See `FlowOptions`.
        """
        if fn is not None:
            return Flow(fn, **options)
        return lambda function: Flow(function, **options)

    from_source = staticmethod(Flow.from_source)
    afrom_source = staticmethod(Flow.afrom_source)


flow = FlowDecorator()


def load_flow_from_entrypoint(entrypoint: str) -> Flow[Any, Any]:
    """Return the flow that an entrypoint leads to; see `prefect.utilities.entrypoints.load_from_entrypoint`.

    Args:
        entrypoint: `path/to/file.py:name`, `package.module:name` or `package.module.name`.
    """
    from prefect.utilities.entrypoints import load_from_entrypoint  # noqa: PLC0415 - only for deployed flows

    return load_from_entrypoint(entrypoint, Flow)


def load_function_and_convert_to_flow(entrypoint: str) -> Flow[Any, Any]:
    """Return a flow made of the plain function that an entrypoint leads to.

    Args:
        entrypoint: `path/to/file.py:name`, `package.module:name` or `package.module.name`.
    """
    from prefect.utilities.entrypoints import load_from_entrypoint  # noqa: PLC0415 - only for deployed flows

    callable_: Any = Callable
    found = load_from_entrypoint(entrypoint, callable_, "function")
    return found if isinstance(found, Flow) else flow(found)


def __getattr__(name: str) -> Any:
    if name in _IN_LOADING:
        from prefect.deployments import loading  # noqa: PLC0415 - only for deployments

        return getattr(loading, name)
    if name in ("serve", "aserve"):
        from prefect.runner import serving  # noqa: PLC0415 - only for deployments

        return getattr(serving, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
