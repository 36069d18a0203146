"""Drivers for asynchronous code: carry out the steps of a run by awaiting, on the caller's event loop."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextvars import copy_context
from typing import Any, TypeVar

from prefect.engine.deadlines import DeadlineExceeded
from prefect.engine.drivers import perform
from prefect.engine.steps import Block, Call, RunHook, Sleep, Step, Steps, map_calls

__all__ = ["adrive", "adrive_generator", "collecting", "run_awaitable", "run_coroutine"]

R = TypeVar("R")


async def adrive(steps: Steps[R]) -> R:
    """Carry out a run of a coroutine function; as `engine.drivers.drive`."""
    try:
        step = next(steps)
        while True:
            try:
                outcome = await _call(step) if type(step) is Call else await _perform(step)
            except BaseException as error:  # noqa: BLE001 - the run decides what an exception means
                step = steps.throw(error)
            else:
                step = steps.send(outcome)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]


async def adrive_generator(steps: Steps[R], finish: Callable[[R], Any]) -> AsyncGenerator[Any, Any]:
    """Carry out a run of an async generator function; as `engine.drivers.drive_generator`."""
    context = copy_context()
    try:
        step = context.run(next, steps)
        while True:
            try:
                if type(step) is Call:
                    generator = context.run(step.fn, *step.args, **step.kwargs)
                    # What the consumer sends back reaches the user's generator.
                    item = await _in_context(generator.__anext__(), context)
                    while True:
                        try:
                            sent = yield item
                        except GeneratorExit:
                            await _in_context(generator.aclose(), context)
                            raise
                        item = await _in_context(generator.asend(sent), context)
                outcome = await _in_context(_perform(step), context)
            except StopAsyncIteration:
                step = context.run(steps.send, None)
            except BaseException as error:  # noqa: BLE001 - the run decides what an exception means
                step = context.run(steps.throw, error)
            else:
                step = context.run(steps.send, outcome)
    except StopIteration as end:
        finish(end.value)


def collecting(steps: Steps[R]) -> Steps[R]:
    """Have calls of an async generator function return a list of what it yields: the result of a submitted run."""

    def wrap(fn: Callable[..., Any]) -> Callable[..., Any]:
        async def collect(*args: Any, **kwargs: Any) -> list[Any]:
            return [item async for item in fn(*args, **kwargs)]

        return collect

    return map_calls(steps, wrap)


async def _in_context(awaitable: Awaitable[Any], context: Any) -> Any:
    async def wait() -> Any:
        try:
            return True, await awaitable
        except StopAsyncIteration:
            # An asyncio task cannot end with this exception.
            return False, None

    more, value = await asyncio.get_running_loop().create_task(wait(), context=context)
    if not more:
        raise StopAsyncIteration
    return value


async def _call(step: Call) -> Any:
    if step.timeout is None:
        return await step.fn(*step.args, **step.kwargs)
    try:
        async with asyncio.timeout(step.timeout) as limit:
            return await step.fn(*step.args, **step.kwargs)
    except TimeoutError as error:
        if limit.expired():
            raise DeadlineExceeded(step.timeout) from error
        raise


async def _perform(step: Step) -> Any:
    match step:
        case Sleep():
            await asyncio.sleep(step.seconds)
            return None
        case Block():
            return await asyncio.to_thread(step.fn)
        case RunHook():
            outcome = step.fn(*step.args)
            return await outcome if inspect.isawaitable(outcome) else outcome
        case _:
            return perform(step)


_loops = threading.local()


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
        runner = getattr(_loops, "runner", None)
        if runner is None:
            runner = _loops.runner = asyncio.Runner()
        return runner.run(_awaited(make()), context=copy_context())  # type: ignore[no-any-return]
    # A loop runs here already (a synchronous flow called from async code): use a thread's.
    return _in_new_thread(make)


def run_awaitable(awaitable: Awaitable[R]) -> R:
    """Run an awaitable to its end from synchronous code; as `run_coroutine`."""
    return run_coroutine(lambda: awaitable)


async def _awaited(awaitable: Awaitable[R]) -> R:
    return await awaitable


def _in_new_thread(make: Callable[[], Awaitable[R]]) -> R:
    outcome: list[Any] = []
    context = copy_context()

    def run() -> None:
        try:
            outcome.append((asyncio.run(_awaited(context.run(make))), None))
        except BaseException as error:  # noqa: BLE001 - raised again in the calling thread
            outcome.append((None, error))

    thread = threading.Thread(target=context.copy().run, args=(run,), name="prefect-loop", daemon=True)
    thread.start()
    thread.join()
    value, error = outcome[0]
    if error is not None:
        raise error
    return value  # type: ignore[no-any-return]
