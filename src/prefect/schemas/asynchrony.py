"""Whether the code that asks is asynchronous: the interface gives such code coroutines of some values."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

__all__ = ["call_as_sync", "is_async_here", "set_run_check"]

_AS_SYNC: ContextVar[bool] = ContextVar("as_sync", default=False)


def _unknown() -> bool | None:
    return None


_run_check: Callable[[], bool | None] = _unknown


def set_run_check(check: Callable[[], bool | None]) -> None:
    """Say how to find out whether the current run is asynchronous; the rooms of runs lie above this one.

    Args:
        check: Tells whether the current run is one of a coroutine function; None where there is no run.
    """
    global _run_check
    _run_check = check


def call_as_sync(fn: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    """Call a function of an asynchronous run that cannot await: a hook, say.

    Args:
        fn: The function; of a coroutine function, the body runs later, as asynchronous code.
        args: Its arguments.
    """
    token = _AS_SYNC.set(True)
    try:
        return fn(*args)
    finally:
        _AS_SYNC.reset(token)


def is_async_here() -> bool:
    """Whether the caller is asynchronous code: what its run says, or else whether an event loop runs here."""
    if _AS_SYNC.get():
        return False
    of_run = _run_check()
    if of_run is not None:
        return of_run
    events = sys.modules.get("asyncio.events")  # not imported, so not running
    return events is not None and events._get_running_loop() is not None
