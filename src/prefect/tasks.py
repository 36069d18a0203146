"""Tasks: functions whose calls are recorded, retried, cached, and run side by side."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, Literal, ParamSpec, TypedDict, TypeVar, Unpack, cast, overload

from prefect.context.runs import _FLOW_RUN
from prefect.engine.caching import choose_policy
from prefect.engine.definition import Definition, Delay, Hook, RunName
from prefect.engine.entry import call_task
from prefect.engine.future import PrefectFuture
from prefect.engine.inputs import listed
from prefect.engine.options import hooks_of, run_name_of
from prefect.futures import PrefectDistributedFuture, PrefectFutureList
from prefect.results.cache_policies import NO_CACHE, CachePolicy, task_input_hash
from prefect.rules.retries import exponential_backoff, spread
from prefect.schemas.objects import TaskRunPolicy
from prefect.schemas.states import State
from prefect.task_runners import TaskRunner, default_task_runner
from prefect.task_runners.base import runner_here
from prefect.task_runners.mapping import map_parameters
from prefect.task_runners.watching import watched
from prefect.types import uuid7

if TYPE_CHECKING:
    from prefect.context.runs import TaskRunContext

__all__ = ["Task", "TaskOptions", "exponential_backoff", "task", "task_input_hash"]

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")


class TaskOptions(TypedDict, total=False):
    """The options of a task; each may be given to `@task(...)` and to `with_options(...)`."""

    name: str | None
    """Shown with its runs; the function's own, if not given."""
    description: str | None
    tags: Iterable[str] | None
    version: str | None
    cache_policy: CachePolicy | None
    """Says when a result that is known already is used again."""
    cache_key_fn: Callable[[TaskRunContext, dict[str, Any]], str | None] | None
    cache_expiration: timedelta | None
    task_run_name: RunName | None
    """A template over the parameters (`"clean-{name}"`), or a function that gives the name."""
    retries: int | None
    retry_delay_seconds: Delay | None
    """Seconds, a list of seconds (one for each retry), or a function such as `exponential_backoff(10)`."""
    retry_jitter_factor: float | None
    retry_condition_fn: Callable[[Task[..., Any], Any, State[Any]], Any] | None
    """Asked after a failure, with task, run and state: a false answer means that the run is not retried."""
    persist_result: bool | None
    result_storage: Any
    result_storage_key: str | None
    result_serializer: Any
    cache_result_in_memory: bool
    timeout_seconds: float | None
    log_prints: bool | None
    refresh_cache: bool | None
    on_completion: Sequence[Hook] | None
    on_failure: Sequence[Hook] | None
    on_running: Sequence[Hook] | None
    on_commit: Sequence[Hook] | None
    """Called with the run's transaction when that is committed."""
    on_rollback: Sequence[Hook] | None
    """Called with the run's transaction when that is undone; the last hook goes first."""
    viz_return_value: Any
    """Accepted for the interface's sake: drawings of flows do not run tasks."""


class Task(Definition, Generic[P, R]):
    """A function whose calls are recorded as task runs.

    Args:
        fn: The function.
        **options: See `TaskOptions`.

    Raises:
        prefect.exceptions.ReservedArgumentError: The function has a parameter `return_state` or `wait_for`.
        TypeError: An option does not exist, or does not fit.
    """

    def __init__(self, fn: Callable[P, R], **options: Unpack[TaskOptions]) -> None:
        unknown = options.keys() - TaskOptions.__annotations__.keys()
        if unknown:
            raise TypeError(f"@task got unknown option(s): {', '.join(sorted(unknown))}")
        super().__init__(fn, "task", dict(options))
        self.refuse_reserved_parameters()
        self.version: str | None = options.get("version")
        self.retry_jitter_factor = options.get("retry_jitter_factor")
        self.retry_condition_fn = options.get("retry_condition_fn")
        if self.retry_condition_fn is not None and not callable(self.retry_condition_fn):
            raise TypeError(
                "Expected `retry_condition_fn` to be callable, "
                f"got {type(self.retry_condition_fn).__name__} instead."
            )
        self.task_run_name = run_name_of(options, "task")
        self.cache_policy = choose_policy(options)
        if not isinstance(self.cache_policy, CachePolicy):
            raise TypeError(
                f"'cache_policy' of task {self.name!r} must be a policy of prefect.cache_policies, "
                f"such as INPUTS, not {self.cache_policy!r}."
            )
        self.cache_expiration = options.get("cache_expiration")
        self.refresh_cache = options.get("refresh_cache")
        self.result_storage_key = options.get("result_storage_key")
        self.cache_key_fn = options.get("cache_key_fn")
        if self.persist_result is None and options.get("cache_policy") not in (None, NO_CACHE):
            self.persist_result = True
        self.on_commit_hooks = hooks_of(options, "on_commit", "task")
        self.on_rollback_hooks = hooks_of(options, "on_rollback", "task")
        self.sorted_tags = sorted(self.tags)
        self._policy: TaskRunPolicy | None = None

    def on_commit(self, fn: Hook) -> Hook:
        """Have a function called with a run's transaction when that is committed; a decorator."""
        self.on_commit_hooks.append(fn)
        return fn

    def on_rollback(self, fn: Hook) -> Hook:
        """Have a function called with a run's transaction when that is undone; a decorator."""
        self.on_rollback_hooks.append(fn)
        return fn

    @property
    def policy(self) -> TaskRunPolicy:
        """How runs are retried, as it is recorded with them; one object for all of them."""
        if self._policy is None:
            delay = self.retry_delay_seconds
            self._policy = TaskRunPolicy(
                retries=self.retries,
                retry_delay=cast("Any", delay),
                retry_jitter_factor=self.retry_jitter_factor,
            )
        return self._policy

    def retry_delay(self, retry: int, uniform: float | None = None) -> float:
        """Return the seconds to wait before a retry; see `Definition.retry_delay`."""
        return super().retry_delay(retry, spread(uuid7().int, retry) if uniform is None else uniform)

    def with_options(self, **changes: Unpack[TaskOptions]) -> Task[P, R]:
        """Return a task of the same function with some options changed.

        Args:
            **changes: The options; see `TaskOptions`.
        """
        changed = type(self)(self.fn, **cast("TaskOptions", self._changed(dict(changes))))
        changed._is_static, changed._is_class_method = self._is_static, self._is_class_method
        return changed

    @overload
    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R: ...

    @overload
    def __call__(
        self: Task[P, Coroutine[Any, Any, T]], *args: Any, return_state: Literal[True], **kwargs: Any
    ) -> Coroutine[Any, Any, State[T]]: ...

    @overload
    def __call__(self, *args: Any, return_state: Literal[True], **kwargs: Any) -> State[R]: ...

    @overload
    def __call__(self, *args: Any, wait_for: Iterable[Any] | None, **kwargs: Any) -> R: ...

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the task here and now.

        Args:
            *args: For the function; futures among them are waited for.
            return_state: Return the final state, and raise nothing.
            wait_for: Runs that must have completed before.
            **kwargs: For the function.

        Returns:
            What the function returns; for a coroutine function, a coroutine of it.

        Raises:
            prefect.exceptions.ParameterBindError: The arguments do not fit the function.
            Exception: What the function raised in its last attempt.
        """
        if not kwargs:
            return call_task(self, self.signature.bind(args, kwargs), None, False)
        return_state, wait_for = _taken_from(kwargs)
        return call_task(self, self.signature.bind(args, kwargs), wait_for, return_state)

    # The overloads overlap where nothing is said of an argument's type; the more exact ones come first.
    @overload
    def submit(  # type: ignore[overload-overlap]
        self: Task[P, Coroutine[Any, Any, T]], *args: P.args, **kwargs: P.kwargs
    ) -> PrefectFuture[T]: ...

    @overload
    def submit(self, *args: P.args, **kwargs: P.kwargs) -> PrefectFuture[R]: ...

    @overload
    def submit(
        self: Task[P, Coroutine[Any, Any, T]], *args: Any, return_state: Literal[True], **kwargs: Any
    ) -> State[T]: ...

    @overload
    def submit(self, *args: Any, return_state: Literal[True], **kwargs: Any) -> State[R]: ...

    @overload
    def submit(
        self: Task[P, Coroutine[Any, Any, T]], *args: Any, wait_for: Iterable[Any] | None, **kwargs: Any
    ) -> PrefectFuture[T]: ...

    @overload
    def submit(self, *args: Any, wait_for: Iterable[Any] | None, **kwargs: Any) -> PrefectFuture[R]: ...

    def submit(self, *args: Any, **kwargs: Any) -> Any:
        """Run the task side by side with what follows, on the flow's task runner.

        Outside of a flow, threads of this process run it.

        Args:
            *args: For the function; futures among them are waited for.
            return_state: Wait, and return the final state.
            wait_for: Runs that must have completed before.
            **kwargs: For the function.

        Returns:
            A future of the run.

        Raises:
            prefect.exceptions.ParameterBindError: The arguments do not fit the function.
        """
        return_state, wait_for = _taken_from(kwargs)
        future = _runner_here().submit(self, self.signature.bind(args, kwargs), wait_for)
        if return_state:
            future.wait()
            return future.state
        return future

    @overload
    def map(
        self: Task[..., Coroutine[Any, Any, T]], *args: Any, return_state: Literal[True], **kwargs: Any
    ) -> list[State[T]]: ...

    @overload
    def map(self, *args: Any, return_state: Literal[True], **kwargs: Any) -> list[State[R]]: ...

    @overload
    def map(
        self: Task[..., Coroutine[Any, Any, T]],
        *args: Any,
        wait_for: Iterable[Any] | None = None,
        **kwargs: Any,
    ) -> PrefectFutureList[T]: ...

    @overload
    def map(
        self, *args: Any, wait_for: Iterable[Any] | None = None, **kwargs: Any
    ) -> PrefectFutureList[R]: ...

    def map(self, *args: Any, **kwargs: Any) -> Any:
        """Submit a run for each item of the iterables among the arguments.

        Args:
            *args: Iterables of one length, and plain values that every run gets; `unmapped(x)` gives an
                iterable to every run.
            return_state: Wait, and return the final states.
            wait_for: Runs that must have completed before each of these.
            deferred: Have workers run them, as `delay` does.
            **kwargs: The same, by name.

        Returns:
            A list of futures, in the items' order.

        Raises:
            prefect.exceptions.MappingMissingIterable: None of the arguments is iterable.
            prefect.exceptions.MappingLengthMismatch: The iterables differ in length.
        """
        return_state, wait_for = _taken_from(kwargs)
        is_deferred = kwargs.pop("deferred", False)
        given = self.signature.bind_partial(args, kwargs)
        runs = map_parameters(given, self.signature.keywords)
        runner = _runner_here()
        submit = self._deferred if is_deferred else partial(runner.submit, self)
        submitted = (submit(self.signature.complete(parameters), wait_for) for parameters in runs.arguments)
        end_sharing = None if is_deferred or not runs.fixed else runner.sharing(runs.fixed)
        try:
            futures = PrefectFutureList(watched(submitted, runs.total, self.name))
        finally:
            if end_sharing is not None:
                end_sharing()
        if return_state:
            futures.wait()
            return [future.state for future in futures]
        return futures

    def delay(self, *args: P.args, **kwargs: P.kwargs) -> PrefectDistributedFuture[Any]:
        """Have a worker run the task: a process that serves it.

        Args:
            *args: For the function.
            **kwargs: For the function.

        Returns:
            A future of the run.

        Raises:
            prefect.exceptions.ParameterBindError: The arguments do not fit the function.
            prefect.exceptions.SerializationError: An argument cannot be pickled.
        """
        return self.apply_async(args, kwargs)

    def apply_async(
        self,
        args: tuple[Any, ...] | None = None,
        kwargs: dict[str, Any] | None = None,
        wait_for: Iterable[Any] | None = None,
        dependencies: Mapping[str, Iterable[Any]] | None = None,
    ) -> PrefectDistributedFuture[Any]:
        """Have a worker run the task, as `delay` does.

        Args:
            args: For the function.
            kwargs: For the function, by name.
            wait_for: Runs that must have completed before.
            dependencies: Further runs that arguments came from, by the arguments' names; shown with the run.

        Returns:
            A future of the run.

        Raises:
            prefect.exceptions.ParameterBindError: The arguments do not fit the function.
            prefect.exceptions.SerializationError: An argument cannot be pickled.
        """
        parameters = self.signature.bind(args or (), kwargs or {})
        return self._deferred(parameters, listed(wait_for), dependencies)

    def _deferred(
        self,
        parameters: dict[str, Any],
        wait_for: Iterable[Any] | None,
        dependencies: Mapping[str, Iterable[Any]] | None = None,
    ) -> PrefectDistributedFuture[Any]:
        from prefect.engine.deferring import defer  # noqa: PLC0415 - only where workers run tasks

        return PrefectDistributedFuture(defer(self, parameters, wait_for, dependencies).id)

    def serve(self) -> None:
        """Run what is delayed of this task in this process, until it is told to end: see `task_worker`."""
        from prefect.task_worker import serve  # noqa: PLC0415 - only where workers run tasks

        serve(self)

    def __repr__(self) -> str:
        return f"<prefect.tasks.Task {self.name!r}>"


def _taken_from(kwargs: dict[str, Any]) -> tuple[bool, Iterable[Any] | None]:
    """Take `return_state` and `wait_for` out of the keyword arguments of a call."""
    return kwargs.pop("return_state", False), listed(kwargs.pop("wait_for", None))


def _runner_here() -> TaskRunner:
    flow = _FLOW_RUN.get()
    runner: TaskRunner | None = flow.task_runner if flow is not None else runner_here.get()
    return default_task_runner() if runner is None else runner


@overload
def task(fn: Callable[P, R], /) -> Task[P, R]: ...


@overload
def task(fn: None = None, /, **options: Unpack[TaskOptions]) -> Callable[[Callable[P, R]], Task[P, R]]: ...


def task(fn: Callable[P, R] | None = None, /, **options: Unpack[TaskOptions]) -> Any:
    """Make a task of a function; a decorator, with or without options.

    Args:
        fn: The function.
        **options: See `TaskOptions`.
    """
    if fn is not None:
        return Task(fn, **options)
    return lambda function: Task(function, **options)
