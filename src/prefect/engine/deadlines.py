"""Deadlines for synchronous code.

Python cannot interrupt a function that sits in a C call (`time.sleep`, a socket, a numpy product), so a
function with a deadline runs in a thread of its own: at the deadline the caller goes on at once, with
`DeadlineExceeded`. The thread is told to stop as well, by an exception that Python raises in it as soon as it
executes bytecode again; it is a daemon, so it never keeps a process alive.

A signal (SIGALRM) would end the sleep too, but works in the main thread only, and there clashes with handlers
of the user's: two mechanisms, of which one would be there only sometimes.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from contextvars import copy_context
from typing import Any

from prefect.engine.slots import Hold, held_slot
from prefect.types import process_mark

__all__ = ["DeadlineExceeded", "StoppedAtDeadline", "call_with_deadline"]


class DeadlineExceeded(TimeoutError):
    """A function took longer than its deadline allowed.

    Args:
        seconds: The deadline.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__(f"Timed out after {float(seconds)} second(s)")
        self.seconds = seconds


class StoppedAtDeadline(BaseException):
    """Raised inside a function whose deadline has passed, to stop it; its caller has long gone on."""


def call_with_deadline(
    fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], seconds: float
) -> Any:
    """Call a function and wait for it, up to a deadline.

    Args:
        fn: The function. It runs in another thread, in a copy of the current context.
        args: Positional arguments.
        kwargs: Keyword arguments.
        seconds: The deadline.

    Returns:
        What the function returned.

    Raises:
        DeadlineExceeded: The deadline passed first.
        BaseException: What the function raised.
    """
    outcome: list[tuple[Any, BaseException | None]] = []
    finished = threading.Event()
    slot = held_slot.get()
    lent = None if slot is None else Hold(slot)

    def run() -> None:
        held_slot.set(lent)
        mark = process_mark[0]
        try:
            outcome.append((fn(*args, **kwargs), None))
        except StoppedAtDeadline:
            return  # nobody waits for it any more
        except BaseException as error:  # noqa: BLE001 - raised again in the calling thread
            outcome.append((None, error))
        finally:
            if process_mark[0] is not mark:  # whoever waits for it is in the parent
                _end_child(outcome[0][1] if outcome else None)
            finished.set()

    thread = threading.Thread(
        target=copy_context().run, args=(_quietly, run), name=f"deadline-{seconds:g}s", daemon=True
    )
    thread.start()
    try:
        in_time = finished.wait(seconds)
    except BaseException:
        # Ctrl-C or a termination signal while waiting: the function must not go on behind a run that has
        # ended.
        _stop(thread, lent)
        raise
    if not in_time and not outcome:
        _stop(thread, lent)
        raise DeadlineExceeded(seconds)
    value, error = outcome[0]
    if error is not None:
        raise error
    return value


def _end_child(error: BaseException | None) -> None:
    from prefect.engine.forked_threads import end_child  # noqa: PLC0415 - import budget; few functions fork

    end_child(error)


def _quietly(run: Callable[[], None]) -> None:
    # The exception that stops a thread may come when its function has just ended.
    with suppress(StoppedAtDeadline):
        run()


def _stop(thread: threading.Thread, lent: Hold | None) -> None:
    import ctypes  # noqa: PLC0415 - only a missed deadline needs it

    if lent is not None:
        lent.end()
    if thread.ident is not None and thread.is_alive():
        ctypes.pythonapi.PyThreadState_SetAsyncExc(
            ctypes.c_ulong(thread.ident), ctypes.py_object(StoppedAtDeadline)
        )
