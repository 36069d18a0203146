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
    from prefect.futures import PrefectFuture

__all__ = ["Flow", "FlowOptions", "flow", "load_flow_from_entrypoint"]

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

    @property
    def version(self) -> str | None:
        """The version; a checksum of the flow's file, unless one was given."""
        if self._version is None:
            source = getattr(getattr(self.fn, "__code__", None), "co_filename", "")
            try:
                self._version = f"{crc32(Path(source).read_bytes()):08x}"
            except OSError:  # typed at a prompt, or made by exec
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

    def __repr__(self) -> str:
        return f"<prefect.flows.Flow {self.name!r}>"


@overload
def flow(fn: Callable[P, R], /) -> Flow[P, R]: ...


@overload
def flow(fn: None = None, /, **options: Unpack[FlowOptions]) -> Callable[[Callable[P, R]], Flow[P, R]]: ...


def flow(fn: Callable[P, R] | None = None, /, **options: Unpack[FlowOptions]) -> Any:
    """Make a flow of a function; a decorator, with or without options.

    Args:
        fn: The function.
        **options: See `FlowOptions`.
    """
    if fn is not None:
        return Flow(fn, **options)
    return lambda function: Flow(function, **options)


def load_flow_from_entrypoint(entrypoint: str) -> Flow[Any, Any]:
    """Return the flow that an entrypoint leads to; see `prefect.utilities.entrypoints.load_from_entrypoint`.

    Args:
        entrypoint: `path/to/file.py:name`, `package.module:name` or `package.module.name`.
    """
    from prefect.utilities.entrypoints import load_from_entrypoint  # noqa: PLC0415 - only for deployed flows

    return load_from_entrypoint(entrypoint, Flow)
