"""What Ray is asked for with a task: processors, memory, custom resources."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from prefect.context.model import ContextModel

__all__ = ["RemoteOptionsContext", "current_options", "remote_options"]

_OPTIONS: ContextVar[RemoteOptionsContext | None] = ContextVar("remote_options", default=None)
_NONE: dict[str, Any] = {}
_OURS = {
    "num_returns": "a task's result is its future's",
    "retry_exceptions": "the task's own `retries` say how often it is repeated",
    "max_retries": "the task's own `retries` say how often it is repeated",
}


class RemoteOptionsContext(ContextModel):
    """The options that `remote_options(...)` gives to tasks submitted inside it."""

    __slots__ = ("current_remote_options",)
    __var__ = _OPTIONS
    _fields = ("current_remote_options",)

    current_remote_options: dict[str, Any]

    def __init__(self, *, current_remote_options: dict[str, Any] | None = None) -> None:
        super().__init__(current_remote_options=dict(current_remote_options or {}))

    @classmethod
    def get(cls) -> RemoteOptionsContext:
        """Return the current options; none outside of `remote_options(...)`."""
        return _OPTIONS.get() or cls()


def current_options() -> dict[str, Any]:
    """Return the options of `remote_options(...)` here; each block has one dict, which stays as it is."""
    context = _OPTIONS.get()
    return _NONE if context is None else context.current_remote_options


@contextmanager
def remote_options(**new_remote_options: Any) -> Generator[dict[str, Any], None, None]:
    """Say what Ray is to give to the tasks that are submitted inside the `with` block.

    Args:
        **new_remote_options: Options of `ray.remote`, such as `num_cpus=4`, `memory=2**30`,
            `resources={"disk": 1}`, `scheduling_strategy="SPREAD"` or `runtime_env={...}`. Blocks add up when
            nested; the inner one wins.

    Yields:
        All options that are current now.

    Raises:
        ValueError: An option is none for tasks of a flow.
    """
    for name in new_remote_options:
        if name in _OURS:
            raise ValueError(f"remote_options cannot set {name!r}: {_OURS[name]}.")
    before = RemoteOptionsContext.get().current_remote_options
    with RemoteOptionsContext(current_remote_options={**before, **new_remote_options}) as context:
        yield context.current_remote_options
