"""Drivers for asynchronous code: carry out the steps of a run by awaiting, on the caller's event loop."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import Context, copy_context
from typing import Any, TypeVar

from prefect.engine.deadlines import DeadlineExceeded
from prefect.engine.drivers import drive, perform
from prefect.engine.future import PrefectFuture
from prefect.engine.loops import awaited
from prefect.engine.slots import SlotGivenUp
from prefect.engine.steps import Block, Call, Join, RunHook, Sleep, Step, Steps, Wait, map_calls
from prefect.schemas.asynchrony import call_as_sync
from prefect.types import call_in_forked_child, process_mark

__all__ = ["adrive", "adrive_generator", "collecting"]

R = TypeVar("R")


async def adrive(steps: Steps[R]) -> R:
    """Carry out a run of a coroutine function; as `engine.drivers.drive`."""
    mark = process_mark[0]
    try:
        step = next(steps)
        while True:
            try:
                outcome = await _call(step) if type(step) is Call else await _perform(step)
            except GeneratorExit:
                # The coroutine is thrown away unfinished: nothing can be awaited any more, but the end is
                # written down.
                with suppress(asyncio.CancelledError):
                    drive(steps, asyncio.CancelledError())
                raise
            except BaseException as error:  # noqa: BLE001 - the run decides what an exception means
                if process_mark[0] is not mark:
                    _end_child(error)
                step = steps.throw(error)
            else:
                if process_mark[0] is not mark:
                    _end_child()
                step = steps.send(outcome)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]


def _end_child(error: BaseException | None = None) -> None:
    # In a forked child. It must not get to the end of the event loop, which it would tidy up for the parent.
    from prefect.engine.forked_threads import end_child  # noqa: PLC0415 - few functions fork

    end_child(error)


async def adrive_generator(steps: Steps[R], finish: Callable[[R], Any]) -> AsyncGenerator[Any, Any]:
    """Carry out a run of an async generator function; as `engine.drivers.drive_generator`."""
    context = copy_context()
    has_left = False
    try:
        step = context.run(next, steps)
        while True:
            try:
                outcome = None
                if type(step) is not Call:
                    outcome = await _in_context(_perform(step), context)
                elif not has_left:
                    generator = context.run(step.fn, *step.args, **step.kwargs)
                    resume = _Resumption(step.timeout)
                    has_item, item = await _in_context(resume(generator.__anext__()), context)
                    while has_item:
                        try:
                            resumed = generator.asend((yield item))
                        except BaseException as error:  # noqa: BLE001 - for the user's generator to handle
                            has_left = isinstance(error, GeneratorExit | asyncio.CancelledError)
                            resumed = _thrown(error, generator)
                        has_item, item = await _in_context(resume(resumed), context)
                    await _in_context(awaited(generator.aclose()), context)
            except BaseException as error:  # noqa: BLE001 - the run decides what an exception means
                step = context.run(_after, error, step, steps, has_left=has_left)
            else:
                step = context.run(steps.send, outcome)
    except StopIteration as end:
        finish(end.value)


def _thrown(error: BaseException, generator: AsyncGenerator[Any, Any]) -> Awaitable[Any]:
    """Hand on what the consumer of a generator threw into it."""
    if isinstance(error, asyncio.CancelledError):
        raise error  # the consumer has left, and its event loop is ending
    return _close(generator) if isinstance(error, GeneratorExit) else generator.athrow(error)


async def _close(generator: AsyncGenerator[Any, Any]) -> None:
    await generator.aclose()
    raise StopAsyncIteration


def _after(error: BaseException, step: Step, steps: Steps[Any], *, has_left: bool) -> Step:
    """Return the step after an exception; where nothing can be awaited any more, carry out the rest first."""
    if isinstance(error, GeneratorExit) or (has_left and isinstance(error, asyncio.CancelledError)):
        drive(steps, None if has_left and type(step) is Call else asyncio.CancelledError())
        raise error
    return steps.throw(error)


def collecting(steps: Steps[R]) -> Steps[R]:
    """Have calls of an async generator function return a list of what it yields, a submitted run's result."""

    def wrap(fn: Callable[..., Any]) -> Callable[..., Any]:
        async def collect(*args: Any, **kwargs: Any) -> list[Any]:
            return [item async for item in fn(*args, **kwargs)]

        return collect

    return map_calls(steps, wrap)


class _Resumption:
    """Resumes an async generator, which may take so many seconds in all, not counting its consumer."""

    __slots__ = ("_left", "_seconds")

    def __init__(self, seconds: float | None) -> None:
        self._seconds = self._left = seconds

    async def __call__(self, resumed: Awaitable[Any]) -> tuple[bool, Any]:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        try:
            async with asyncio.timeout(self._left) as limit:
                return True, await resumed
        except StopAsyncIteration:
            # An asyncio task cannot end with this exception.
            return False, None
        except TimeoutError as error:
            if limit.expired() and self._seconds is not None:
                raise DeadlineExceeded(self._seconds) from error
            raise
        finally:
            if self._left is not None:
                self._left = max(0.0, self._left - (loop.time() - begun))


async def _in_context(coroutine: Coroutine[Any, Any, R], context: Context) -> R:
    return await asyncio.get_running_loop().create_task(coroutine, context=context)


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
        case Wait():
            with SlotGivenUp():
                await _wait(step.futures)
            return None
        case Block():
            with SlotGivenUp():
                return await _block(step)
        case RunHook():
            outcome = call_as_sync(step.fn, step.args)
            return await outcome if inspect.isawaitable(outcome) else outcome
        case _:
            return perform(step)


async def _wait(futures: Sequence[PrefectFuture[Any]]) -> None:
    loop = asyncio.get_running_loop()
    for future in futures:
        finished = loop.create_future()

        def wake(_: object, finished: asyncio.Future[None] = finished) -> None:
            loop.call_soon_threadsafe(_finish, finished)

        future.add_done_callback(wake)
        await finished


def _finish(finished: asyncio.Future[None]) -> None:
    if not finished.done():
        finished.set_result(None)


_MOST_BLOCKED = 64
_threads: ThreadPoolExecutor | None = None


async def _block(step: Block) -> Any:
    """Call a blocking function in a thread of ours: the event loop's may all be busy with users' code."""
    global _threads
    if _threads is None:
        _threads = ThreadPoolExecutor(_MOST_BLOCKED, "prefect-blocking")
    work = asyncio.get_running_loop().run_in_executor(_threads, copy_context().run, step.fn)
    if isinstance(step, Join):
        return await work
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        if step.hurry is not None:
            step.hurry()
        await asyncio.wait([work])
        raise


def _forget_threads() -> None:
    global _threads
    _threads = None  # a forked child has none of them


call_in_forked_child(_forget_threads)
