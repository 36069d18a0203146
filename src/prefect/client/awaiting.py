"""Functions that call operations, for synchronous and asynchronous code alike.

The interface has two names for each, `get` and `aget`. The plain one, called by asynchronous code, gives a
coroutine; both are made here from one function.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast

from prefect.schemas.asynchrony import is_async_here

__all__ = ["awaited", "either_way"]

P = ParamSpec("P")
R = TypeVar("R")


def awaited(fn: Callable[P, R]) -> Callable[P, Coroutine[Any, Any, R]]:
    """Return a coroutine function that runs a function in a thread, so that the event loop goes on.

    Args:
        fn: The function; of one that `either_way` made, the one that it was made from.
    """
    plain: Callable[P, R] = getattr(fn, "__wrapped__", fn)

    @wraps(plain)
    async def in_thread(*args: P.args, **kwargs: P.kwargs) -> R:
        import asyncio  # noqa: PLC0415 - slow to load; whoever awaits has it

        return await asyncio.to_thread(plain, *args, **kwargs)

    in_thread.__name__ = in_thread.__qualname__ = f"a{getattr(plain, '__name__', '')}"
    return in_thread


def either_way(fn: Callable[P, R]) -> Callable[P, R]:
    """Return a function that asynchronous code awaits; what it returns is typed as for synchronous code.

    Args:
        fn: The function.
    """
    in_thread = awaited(fn)

    @wraps(fn)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        if is_async_here():
            return cast(R, in_thread(*args, **kwargs))
        return fn(*args, **kwargs)

    return call
