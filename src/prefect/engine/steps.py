"""The steps of a run: what its lifecycle asks a driver to carry out.

A run is written once, as a generator that yields steps and is sent their outcomes (`engine/flow_run.py`,
`engine/task_run.py`). Whatever could block or must be awaited is a step; everything else happens between
them. The drivers differ only in *how* they carry a step out: by calling, or by awaiting.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Any, TypeVar

from prefect.engine.future import PrefectFuture

__all__ = ["Block", "Call", "ForkedChild", "Join", "RunHook", "Sleep", "Step", "Steps", "Wait", "map_calls"]

R = TypeVar("R")


class ForkedChild(BaseException):
    """Thrown into a run whose process was forked, in the child: the run is the parent's, and goes on there.

    The run puts back what it changed in this process, and takes no further step.
    """


class Step:
    """Something for a driver to do; its outcome is sent, or its exception thrown, into the generator."""

    __slots__ = ()


class Call(Step):
    """Call the user's function.

    Args:
        fn: The function; for async functions what it returns is awaited.
        args: Positional arguments.
        kwargs: Keyword arguments.
        timeout: Seconds after which the step raises `DeadlineExceeded`; None for no limit.
    """

    __slots__ = ("args", "fn", "kwargs", "timeout")

    def __init__(
        self, fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], timeout: float | None
    ) -> None:
        self.fn = fn
        self.args = args
        self.kwargs = kwargs
        self.timeout = timeout


class Sleep(Step):
    """Wait for a time.

    Args:
        seconds: How long.
    """

    __slots__ = ("seconds",)

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds


class Block(Step):
    """Call a function of ours that may block: in async runs, in a thread beside the event loop.

    Args:
        fn: The function, without arguments.
        hurry: Has a function that waits for others wait no longer, from another thread.
    """

    __slots__ = ("fn", "hurry")

    def __init__(self, fn: Callable[[], Any], hurry: Callable[[], None] | None = None) -> None:
        self.fn = fn
        self.hurry = hurry


class Join(Block):
    """Call a function of ours that blocks for as long as users' code takes.

    A `Block` is short: a run that is interrupted in one waits for it to end, so that what is written down
    stays in order. This one is left behind.
    """

    __slots__ = ()


class Wait(Step):
    """Wait until other runs have finished.

    Args:
        futures: Their futures.
    """

    __slots__ = ("futures",)

    def __init__(self, futures: Sequence[PrefectFuture[Any]]) -> None:
        self.futures = futures


class RunHook(Step):
    """Call a hook of the user's, which may be a function or a coroutine function.

    Args:
        fn: The hook.
        args: Its arguments.
    """

    __slots__ = ("args", "fn")

    def __init__(self, fn: Callable[..., Any], args: tuple[Any, ...]) -> None:
        self.fn = fn
        self.args = args


Steps = Generator[Step, Any, R]
"""A run: yields steps, is sent their outcomes, returns how it ended."""


def map_calls(steps: Steps[R], wrap: Callable[[Callable[..., Any]], Callable[..., Any]]) -> Steps[R]:
    """Carry on a run with the user's function wrapped in another.

    Args:
        steps: The run.
        wrap: Makes the function that is called in place of the user's.
    """
    advance: Callable[[Any], Step] = steps.send
    sent: Any = None
    while True:
        try:
            step = advance(sent)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]
        if type(step) is Call:
            step = Call(wrap(step.fn), step.args, step.kwargs, step.timeout)
        try:
            sent = yield step
            advance = steps.send
        except BaseException as error:  # noqa: BLE001 - for the run to decide on
            sent, advance = error, steps.throw
