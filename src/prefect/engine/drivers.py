"""Drivers for synchronous code: carry out the steps of a run by calling.

The async ones are in `engine/async_drivers.py`, apart so that a script without async code never loads
asyncio.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Generator
from contextvars import Context, copy_context
from typing import Any, TypeVar

from prefect.engine.deadlines import DeadlineExceeded, call_with_deadline
from prefect.engine.future import wait_all
from prefect.engine.steps import Block, Call, RunHook, Sleep, Step, Steps, Wait
from prefect.types import process_mark

__all__ = ["drive", "drive_generator", "leave_to_parent", "perform"]

R = TypeVar("R")


def drive(steps: Steps[R], interruption: BaseException | None = None) -> R:
    """Carry out a run of a synchronous function.

    Args:
        steps: The run.
        interruption: What ended the step that the run waits for, if it has begun already.

    Returns:
        How it ended.
    """
    mark = process_mark[0]
    try:
        step = next(steps) if interruption is None else steps.throw(interruption)
        while True:
            try:
                outcome = _call(step) if type(step) is Call else perform(step)
            except BaseException as error:
                if process_mark[0] is not mark:
                    leave_to_parent(steps)
                    raise
                step = steps.throw(error)
            else:
                if process_mark[0] is not mark:
                    return leave_to_parent(steps, outcome)  # type: ignore[no-any-return]
                step = steps.send(outcome)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]
    except BaseException as error:
        if getattr(steps, "gi_frame", None) is None or process_mark[0] is not mark:
            raise
        # Ctrl-C came between two steps, and the run has not heard of it.
        return drive(steps, error)


def drive_generator(steps: Steps[R], finish: Callable[[R], Any]) -> Generator[Any, Any, Any]:
    """Carry out a run of a generator function: a generator of what the user's yields.

    The user's generator runs in a context of its own, or its run's context would be seen by whoever consumes
    it. A consumer that stops early has what it wanted: the run completes.

    Args:
        steps: The run.
        finish: Turns the end of the run into the generator's return value; may raise.
    """
    context = copy_context()
    consumer = _Consumer()
    mark = process_mark[0]
    try:
        step = context.run(next, steps)
        while True:
            try:
                if type(step) is Call:
                    outcome = yield from _iterate(step, context, consumer)
                else:
                    outcome = context.run(perform, step)
            except BaseException as error:
                if process_mark[0] is not mark:
                    context.run(leave_to_parent, steps)
                    raise
                if isinstance(error, GeneratorExit):
                    step = context.run(steps.send, None)
                else:
                    step = context.run(steps.throw, error)
            else:
                if process_mark[0] is not mark:
                    return finish(context.run(leave_to_parent, steps, outcome))
                step = context.run(steps.send, outcome)
    except StopIteration as end:
        return finish(end.value)


def leave_to_parent(steps: Steps[Any], value: Any = None) -> Any:
    """Leave a run, in a child that its function has forked, to the parent.

    Args:
        steps: The run. It puts back what it changed in this process; nothing is written down, no hook called.
        value: What the function returned in the child.

    Returns:
        The end that the caller here is to see.
    """
    from prefect.engine.forked import unwind  # noqa: PLC0415 - import budget; few functions fork

    return unwind(steps, value)


class _Consumer:
    """Whoever takes what a generator yields."""

    __slots__ = ("has_left",)

    def __init__(self) -> None:
        self.has_left = False


class _TimeLimit:
    """Calls functions that may take so many seconds together, not counting the time between the calls."""

    __slots__ = ("_call", "_left", "_seconds")

    def __init__(self, call: Callable[..., Any], seconds: float) -> None:
        self._call = call
        self._seconds = self._left = seconds

    def __call__(self, *args: Any) -> Any:
        begun = time.monotonic()
        try:
            return call_with_deadline(self._call, args, {}, self._left)
        except DeadlineExceeded:
            raise DeadlineExceeded(self._seconds) from None
        finally:
            self._left = max(0.0, self._left - (time.monotonic() - begun))


def _iterate(step: Call, context: Context, consumer: _Consumer) -> Generator[Any, Any, Any]:
    """Pass values to and from a generator that runs in another context."""
    if consumer.has_left:
        return None  # nobody is there for another attempt
    # A copy: a generator that has run out of time may stay in its context.
    run: Callable[..., Any] = context.copy().run
    if step.timeout is not None:
        run = _TimeLimit(run, step.timeout)
    generator = run(step.fn, *step.args, **step.kwargs)
    try:
        item = run(next, generator)
        while True:
            try:
                sent = yield item
            except GeneratorExit:
                consumer.has_left = True
                run(generator.close)
                raise
            except BaseException as error:  # noqa: BLE001 - thrown by the consumer, for the generator to handle
                item = run(generator.throw, error)
            else:
                item = run(generator.send, sent)
    except StopIteration as end:
        return end.value


def _call(step: Call) -> Any:
    if step.timeout is None:
        return step.fn(*step.args, **step.kwargs)
    return call_with_deadline(step.fn, step.args, step.kwargs, step.timeout)


def perform(step: Step) -> Any:
    """Carry out any step but the user's own function, by calling.

    Args:
        step: The step.

    Returns:
        Its outcome.
    """
    match step:
        case Sleep():
            time.sleep(step.seconds)
            return None
        case Block():
            return step.fn()
        case Wait():
            wait_all(step.futures)
            return None
        case RunHook():
            outcome = step.fn(*step.args)
            if inspect.isawaitable(outcome):
                # Loaded here because only an async hook of synchronous code needs it.
                from prefect.engine.loops import run_awaitable  # noqa: PLC0415 - 40 ms of every start

                return run_awaitable(outcome)
            return outcome
        case _:
            raise TypeError(f"No driver carries out {type(step).__name__}.")
