"""Event loops for coroutines that synchronous code runs."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from contextvars import copy_context
from typing import Any, TypeVar

__all__ = ["awaited", "run_awaitable", "run_coroutine"]

R = TypeVar("R")

_loops = threading.local()


class _KeptRunner:
    """A thread's runner; its event loop is closed when the thread ends."""

    __slots__ = ("runner",)

    def __init__(self) -> None:
        self.runner = asyncio.Runner()

    def __del__(self) -> None:
        # One that still runs was given up at a deadline: it ends with the process, which may be ending now.
        if not (loop := self.runner.get_loop()).is_running():
            loop.close()


def run_coroutine(make: Callable[[], Awaitable[R]]) -> R:
    """Run a coroutine to its end from synchronous code, in the calling thread.

    Threads keep their event loop: making one costs more than most tasks do.

    Args:
        make: Makes the coroutine.

    Returns:
        What the coroutine returned.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        if getattr(_loops, "kept", None) is None:
            _loops.kept = _KeptRunner()
        # In no variable: the traceback of a failed run must not keep it beyond its thread.
        return _loops.kept.runner.run(_run_alone(make()), context=copy_context())  # type: ignore[no-any-return]
    # A loop runs here already (a synchronous flow called from async code): use a thread's.
    return _in_new_thread(make)


def run_awaitable(awaitable: Awaitable[R]) -> R:
    """Run an awaitable to its end from synchronous code; as `run_coroutine`."""
    return run_coroutine(lambda: awaitable)


async def awaited(awaitable: Awaitable[R]) -> R:
    """Make a coroutine of any awaitable."""
    return await awaitable


async def _run_alone(awaitable: Awaitable[R]) -> R:
    """Await something, then end what it left behind on the loop, which lives on: as `asyncio.run` does."""
    try:
        return await awaitable
    finally:
        await asyncio.sleep(0)  # generators that were not used up are closed by tasks that begin now
        if len(asyncio.all_tasks()) > 1:
            await asyncio.sleep(0)
            left = asyncio.all_tasks() - {asyncio.current_task()}
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)


def _in_new_thread(make: Callable[[], Awaitable[R]]) -> R:
    outcome: list[Any] = []
    context = copy_context()

    def run() -> None:
        try:
            outcome.append((asyncio.run(awaited(context.run(make))), None))
        except BaseException as error:  # noqa: BLE001 - raised again in the calling thread
            outcome.append((None, error))

    thread = threading.Thread(target=context.copy().run, args=(run,), name="prefect-loop", daemon=True)
    thread.start()
    thread.join()
    value, error = outcome[0]
    if error is not None:
        raise error
    return value  # type: ignore[no-any-return]
