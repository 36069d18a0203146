"""What flows and tasks have in common: a user's function, and how its runs are named, bound and retried."""

from __future__ import annotations

import copy
import functools
import inspect
from collections.abc import Callable, Sequence
from types import MethodType
from typing import Any, Self, cast
from zlib import crc32

from prefect.engine.options import hooks_of, name_of, retries_of, tags_of, timeout_of
from prefect.exceptions import ReservedArgumentError
from prefect.parameters.signature import Signature
from prefect.rules.names import render_name
from prefect.rules.retries import jittered, nth_delay, settle_delays
from prefect.settings import get_current_settings

__all__ = ["Definition", "Delay", "Hook", "RunName"]

Hook = Callable[..., Any]
RunName = str | Callable[..., str]
Delay = float | Sequence[float] | Callable[[int], float | Sequence[float]]


class Definition:
    """A user's function with the options of its runs.

    Args:
        fn: The function: a plain one, a coroutine function, a generator function or an async generator
            function; also a method, static method or class method.
        kind: `flow` or `task`, as messages say it.
        options: What the decorator was given; kept, so that `with_options` can make a changed copy.
    """

    def __init__(self, fn: Callable[..., Any], kind: str, options: dict[str, Any]) -> None:
        is_static, is_class_method = isinstance(fn, staticmethod), isinstance(fn, classmethod)
        if isinstance(fn, staticmethod | classmethod):
            fn = fn.__func__
        if not callable(fn):
            advice = f" Give options by name: @{kind}(name={fn!r})." if isinstance(fn, str) else ""
            raise TypeError(f"'fn' must be callable: @{kind} was given {fn!r}.{advice}")
        # First, since the attributes of a callable object, as of a task that is made a flow, are its own.
        functools.update_wrapper(cast("Any", self), fn)
        self._is_static, self._is_class_method = is_static, is_class_method
        self.fn = fn
        self._kind = kind
        self._options = options
        self._signature: Signature | None = None
        self._bound_signature: Signature | None = None
        inner = fn.func if isinstance(fn, functools.partial) else fn
        call = inner if inspect.isroutine(inner) else getattr(inner, "__call__", inner)  # noqa: B004 - its function
        if isinstance(fn, Definition):
            call = fn.fn
        # An object may be marked (inspect.markcoroutinefunction), whatever its class's method is.
        is_coroutine = any(map(inspect.iscoroutinefunction, (inner, call)))
        self.isasync = is_coroutine or inspect.isasyncgenfunction(call)
        self.isgenerator = inspect.isgeneratorfunction(call) or inspect.isasyncgenfunction(call)
        fallback = getattr(inner, "__name__", type(inner).__name__)
        self.name = name_of(options, kind, _flow_name(fallback) if kind == "flow" else fallback)
        self.description: str | None = options.get("description") or inspect.getdoc(inner)
        self.tags = tags_of(options, kind, self.name)
        self.timeout_seconds = timeout_of(options, kind, self.name)
        self.log_prints: bool | None = options.get("log_prints")
        self._retries = retries_of(options, kind, self.name)
        self.on_completion_hooks = hooks_of(options, "on_completion", kind)
        self.on_failure_hooks = hooks_of(options, "on_failure", kind)
        self.on_running_hooks = hooks_of(options, "on_running", kind)
        self.on_crashed_hooks = hooks_of(options, "on_crashed", kind)
        self.on_cancellation_hooks = hooks_of(options, "on_cancellation", kind)
        self.persist_result: bool | None = options.get("persist_result")
        self.result_storage = options.get("result_storage")
        self.result_serializer = options.get("result_serializer")
        self.cache_result_in_memory: bool | None = options.get("cache_result_in_memory")
        if self.persist_result is None and any(
            options.get(name) is not None for name in _IMPLYING_PERSISTENCE
        ):
            self.persist_result = True
        self.task_key = f"{getattr(inner, '__qualname__', fallback)}-{crc32(_gist_of(call).encode()):08x}"

    def refuse_reserved_parameters(self) -> None:
        """Check that no parameter has a name that calls keep for themselves.

        Raises:
            prefect.exceptions.ReservedArgumentError: One is named `return_state` or `wait_for`.
        """
        for name in _RESERVED:
            if name in self.signature.names:
                raise ReservedArgumentError(
                    f"{self._kind.capitalize()} {self.name!r} has a parameter named {name!r}, "
                    "which the interface keeps for itself: rename it."
                )

    @property
    def signature(self) -> Signature:
        """How arguments are bound to the function, found out once."""
        if self._signature is None:
            self._signature = Signature(self.fn, self.name)
        return self._signature

    @property
    def retries(self) -> int:
        """How often a failed run is tried again."""
        if self._retries is None:
            settings = get_current_settings()
            defaults = settings.flows if self._kind == "flow" else settings.tasks
            return int(defaults.default_retries or 0)
        return self._retries

    @property
    def retry_delay_seconds(self) -> float | list[float]:
        """Seconds to wait before a retry; a list has one for each."""
        given = self._options.get("retry_delay_seconds")
        if given is None:
            settings = get_current_settings()
            defaults = settings.flows if self._kind == "flow" else settings.tasks
            given = defaults.default_retry_delay_seconds
        return settle_delays(given, self.retries)

    def retry_delay(self, retry: int, uniform: float = 0.5) -> float:
        """Return the seconds to wait before a retry.

        Args:
            retry: 1 for the first.
            uniform: A random number, 0 <= uniform < 1, that jitter is drawn by.
        """
        return jittered(
            nth_delay(self.retry_delay_seconds, retry), self._options.get("retry_jitter_factor"), uniform
        )

    def name_of_run(self, parameters: dict[str, Any]) -> str:
        """Make the name of a run from the `flow_run_name` or `task_run_name` that was given.

        Args:
            parameters: The run's parameters: for a template's fields, and for a callable that takes
                `parameters`.

        Raises:
            TypeError: What was given is neither a template nor a callable, or the callable gave no text.
        """
        given = self._options.get(f"{self._kind}_run_name")
        if isinstance(given, str):
            return render_name(given, parameters)
        if not callable(given):
            raise TypeError(
                f"Expected text or a callable for '{self._kind}_run_name'; got {type(given).__name__}."
            )
        takes_parameters = "parameters" in inspect.signature(given).parameters
        name = given(parameters=parameters) if takes_parameters else given()
        if not isinstance(name, str):
            raise TypeError(f"'{self._kind}_run_name' of {self.name!r} must give text; it gave {name!r}.")
        return name

    def on_completion(self, fn: Hook) -> Hook:
        """Have a function called when a run completes; a decorator."""
        self.on_completion_hooks.append(fn)
        return fn

    def on_failure(self, fn: Hook) -> Hook:
        """Have a function called when a run fails; a decorator."""
        self.on_failure_hooks.append(fn)
        return fn

    def on_running(self, fn: Hook) -> Hook:
        """Have a function called when a run starts; a decorator."""
        self.on_running_hooks.append(fn)
        return fn

    def __get__(self, instance: object | None, owner: type | None = None) -> Self:
        """Bind a method's flow or task to its object, like Python binds functions."""
        target = owner if self._is_class_method else instance
        is_bound = hasattr(self.fn, "__get__") and not isinstance(self.fn, functools.partial)
        if target is None or self._is_static or not is_bound:
            return self  # Python does not bind partials and objects that can be called either
        bound = copy.copy(self)
        bound.fn = MethodType(self.fn, target)
        if self._bound_signature is None:
            self._bound_signature = Signature(bound.fn, self.name)
        bound._signature = self._bound_signature
        return bound

    def _changed(self, changes: dict[str, Any]) -> dict[str, Any]:
        """Return the options with some changed; hooks that were added after the decorator stay."""
        hooks = {name: added for name in _HOOKS if (added := getattr(self, f"{name}_hooks", None))}
        return {**self._options, **hooks, **changes}


def _gist_of(call: Any) -> str:
    """Return what tells a function from others of its name, wherever its file lies, in any Python.

    The process that delays a task and the worker that runs it must find the same.
    """
    code = getattr(call, "__code__", None)
    if code is None:
        return ""
    file = code.co_filename.replace("\\", "/").rpartition("/")[2]
    texts = [const for const in code.co_consts if isinstance(const, str)]
    return repr((file, code.co_varnames, code.co_names, texts))


def _flow_name(function_name: str) -> str:
    return "unknown-lambda" if function_name == "<lambda>" else function_name.replace("_", "-")


_IMPLYING_PERSISTENCE = (
    "result_storage",
    "result_serializer",
    "result_storage_key",
    "cache_key_fn",
)
_RESERVED = ("return_state", "wait_for")
_HOOKS = (
    "on_completion",
    "on_failure",
    "on_running",
    "on_crashed",
    "on_cancellation",
    "on_commit",
    "on_rollback",
)
